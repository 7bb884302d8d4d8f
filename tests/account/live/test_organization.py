from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse

from pytest_stsguard.account import load_all
from pytest_stsguard.account.live import load_organization
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import boto3

READ = [
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "iam:GetOpenIDConnectProvider",
    "iam:ListSAMLProviders",
    "ec2:DescribeInstances",
    "organizations:DescribeOrganization",
]


class Company:
    """An organisation of four accounts: the management account, one with an audit role, one without, one suspended."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.session = cloud.admin.session()
        client = self.session.client("organizations")
        self.id = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        self.members = [
            client.create_account(Email=f"a{n}@example.com", AccountName=f"a{n}")["CreateAccountStatus"]["AccountId"]
            for n in range(3)
        ]
        client.close_account(AccountId=self.members[2])
        self.add_role(self.members[0], "stsguard-audit")

    def add_role(self, account: str, name: str) -> None:
        principal = {"AWS": f"arn:aws:iam::{self.cloud.account}:root"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        iam = self.cloud.administrator(account).session().client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        read = {"Effect": "Allow", "Action": READ, "Resource": "*"}
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document(read))


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with pytest.MonkeyPatch.context() as patch, Cloud(world="empty") as cloud:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # reading them takes a second for each account
        yield Company(cloud)


@pytest.fixture
def session(company: Company) -> boto3.Session:
    return company.cloud.admin.session()


def refuse(session: boto3.Session, *operations: str) -> None:
    def answer(model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return (AWSResponse("https://x", 403, {}, None), error) if model.name in operations else None

    session.events.register("before-call", answer)


def test_every_account_is_read_and_one_failure_is_not_the_end(company: Company, session: boto3.Session) -> None:
    accounts = load_organization(session, source="org:test", regions=())
    own, member, closed = accounts
    assert [one.id for one in accounts] == [company.cloud.account, *company.members[:2]]
    assert [one.source for one in accounts] == [f"org:test {one.id}" for one in accounts]
    assert own.problems == member.problems == ()
    assert [role.name for role in member.roles] == ["OrganizationAccountAccessRole", "stsguard-audit"]
    assert member.organization is not None
    assert (member.organization.id, member.organization.management_account) == (company.id, company.cloud.account)
    assert member.organization.accounts == (company.cloud.account, *company.members[:2])
    assert "organization" not in member.gaps
    assert closed.roles == ()
    assert [str(problem) for problem in closed.problems] == [
        f"org:test {closed.id}: the account `{closed.id}` could not be read: AccessDenied at AssumeRole"
    ]
    for need in ("roles", "users", "groups", "policies", "instances", "identity providers", "MaxSessionDuration"):
        assert closed.lacks(need) == (f"{need}: AccessDenied at AssumeRole",)


def test_another_role_another_account_that_fails(company: Company, session: boto3.Session, tmp_path: Path) -> None:
    company.add_role(company.members[1], "auditor")
    accounts = load_organization(session, audit_role="auditor", regions=("us-east-1",), keep=tmp_path, jobs=1)
    assert [bool(one.problems) for one in accounts] == [False, True, False]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([company.cloud.account, company.members[1]])
    (tmp_path / "x").write_text("")
    (tmp_path / company.members[1] / "progress.state").write_text("broken")
    again = load_organization(session, audit_role="auditor", regions=("us-east-1",), keep=tmp_path)
    assert again[2].problems[0].message.endswith("could not be read: cannot be used: its progress cannot be read")


def test_what_the_organisation_does_not_tell_each_account_tells_itself(session: boto3.Session) -> None:
    refuse(session, "DescribeOrganization")
    own, member, _ = load_organization(session, regions=())
    assert own.gaps["organization"] == "AccessDenied at DescribeOrganization"
    assert own.organization is None
    assert member.organization is not None
    assert member.organization.accounts == ()


def test_an_organisation_that_cannot_be_listed_is_one_clear_line(session: boto3.Session) -> None:
    refuse(session, "ListAccounts")
    with pytest.raises(AwsUnavailableError) as caught:
        load_organization(session)
    assert str(caught.value) == (
        "org: cannot list the accounts: AccessDenied at ListAccounts "
        "(it needs credentials that may call organizations:ListAccounts)"
    )


@pytest.mark.parametrize("name", ["", "a/b", "arn:aws:iam::111122223333:role/x", "x" * 65, "r\u00f6le"])
def test_a_role_is_named_by_its_name(session: boto3.Session, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no name of a role"):
        load_organization(session, audit_role=name)


def test_a_target_names_the_organisation(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = company.cloud.client("iam")
    iam.create_user(UserName="auditor")
    allow = {"Effect": "Allow", "Action": [*READ, "organizations:ListAccounts", "sts:AssumeRole"], "Resource": "*"}
    iam.put_user_policy(UserName="auditor", PolicyName="audit", PolicyDocument=document(allow))
    key = iam.create_access_key(UserName="auditor")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    accounts = load_all("org", audit_role="nobody")
    assert [bool(one.problems) for one in accounts] == [False, True, True]
    assert accounts[0].source == f"org {company.cloud.account}"
    assert accounts[0].lacks("instances") == ("instances outside us-east-1: UnauthorizedOperation at DescribeRegions",)
