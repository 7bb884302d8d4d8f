"""The policy of a VPC endpoint bounds what is asked through it.

https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.inprocess import calling_from

if TYPE_CHECKING:
    Accounts = Any  # the class of conftest.py

ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def vpc(accounts: Accounts) -> str:
    return str(accounts.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture(scope="module")
def user(accounts: Accounts) -> Any:
    s3 = accounts.client("s3")
    for name in ("ours", "elsewhere"):
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="k", Body=b"x")
    return accounts.user("inside", ALLOW_ALL, account=accounts.home)


def endpoint(accounts: Accounts, vpc: str, *statements: dict[str, Any]) -> str:
    given: dict[str, Any] = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
    if statements:
        given["PolicyDocument"] = accounts.document(*statements)
    return str(accounts.client("ec2").create_vpc_endpoint(**given)["VpcEndpoint"]["VpcEndpointId"])


def through(accounts: Accounts, vpc: str, identifier: str, user: Any, bucket: str) -> Any:
    with calling_from("10.0.0.1", network={"aws:SourceVpc": vpc, "aws:SourceVpce": identifier}):
        return accounts.client("s3", user).get_object(Bucket=bucket, Key="k")["Body"].read()


def test_an_endpoint_without_a_policy_of_its_own_lets_everything_through(
    accounts: Accounts, vpc: str, user: Any
) -> None:
    assert through(accounts, vpc, endpoint(accounts, vpc), user, "ours") == b"x"


def test_what_it_does_not_allow_is_refused_though_the_caller_may(accounts: Accounts, vpc: str, user: Any) -> None:
    ours = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::ours/*"}
    identifier = endpoint(accounts, vpc, ours)
    assert through(accounts, vpc, identifier, user, "ours") == b"x"
    asked = {"accounts": accounts, "vpc": vpc, "identifier": identifier, "user": user, "bucket": "elsewhere"}
    text = accounts.message_of(through, **asked)
    assert text.endswith("because no VPC endpoint policy allows the s3:GetObject action")
    assert accounts.client("s3", user).get_object(Bucket="elsewhere", Key="k")


def test_it_denies_by_the_callers_account(accounts: Accounts, vpc: str, user: Any) -> None:
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    others = {"StringNotEquals": {"aws:PrincipalAccount": accounts.home}}
    identifier = endpoint(accounts, vpc, everyone, {**everyone, "Effect": "Deny", "Condition": others})
    assert through(accounts, vpc, identifier, user, "ours") == b"x"
    thief = accounts.user("stolen", ALLOW_ALL)
    asked = {"accounts": accounts, "vpc": vpc, "identifier": identifier, "user": thief, "bucket": "ours"}
    text = accounts.message_of(through, **asked)
    assert text.endswith("with an explicit deny in a VPC endpoint policy")


def test_it_grants_nothing(accounts: Accounts, vpc: str, user: Any) -> None:
    nobody = accounts.user("powerless", account=accounts.home)
    identifier = endpoint(accounts, vpc)
    asked = {"accounts": accounts, "vpc": vpc, "identifier": identifier, "user": nobody, "bucket": "ours"}
    assert accounts.message_of(through, **asked).endswith(
        "because no identity-based policy allows the s3:GetObject action"
    )
