"""A request through an access point is decided on the point and on the bucket behind it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.inprocess import calling_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    Accounts = Any  # the class of conftest.py

READ = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


class Point:
    """One access point of the member account, with its bucket."""

    def __init__(self, accounts: Accounts, name: str, **more: Any) -> None:
        self.accounts, self.name, self.bucket = accounts, name, f"behind-{name}"
        self.s3 = accounts.client("s3", accounts.member_admin)
        self.control = accounts.client("s3control", accounts.member_admin)
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"x")
        given = {"AccountId": accounts.member, "Name": name, "Bucket": self.bucket, **more}
        self.arn = str(self.control.create_access_point(**given)["AccessPointArn"])

    def bucket_policy(self, *statements: dict[str, Any]) -> None:
        resources = [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"]
        told = [{"Resource": resources, **each} for each in statements]
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=self.accounts.document(*told))

    def policy(self, *statements: dict[str, Any]) -> None:
        told = [{"Resource": [self.arn, f"{self.arn}/object/*"], **each} for each in statements]
        given = {"AccountId": self.accounts.member, "Name": self.name}
        self.control.put_access_point_policy(**given, Policy=self.accounts.document(*told))

    def get(self, credentials: Any) -> Any:
        return self.accounts.client("s3", credentials).get_object(Bucket=self.arn, Key="k")["Body"].read()

    def delegate(self) -> None:
        """Let the bucket admit what comes through access points of its account."""
        own = {"StringEquals": {"s3:DataAccessPointAccount": self.accounts.member}}
        self.bucket_policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:*", "Condition": own})


@pytest.fixture(scope="module")
def point(accounts: Accounts) -> Iterator[Point]:
    return Point(accounts, "point")


def test_both_point_and_bucket_must_permit(accounts: Accounts, point: Point) -> None:
    only_point = {**READ, "Resource": f"{point.arn}/object/*"}
    user = accounts.user("point-alone", only_point)
    message = accounts.message_of(point.get, credentials=user)
    assert f"arn:aws:s3:::{point.bucket}/k" in message
    only_bucket = {**READ, "Resource": f"arn:aws:s3:::{point.bucket}/*"}
    assert f"{point.arn}/object/k" in accounts.message_of(
        point.get, credentials=accounts.user("bucket-alone", only_bucket)
    )
    assert point.get(accounts.user("both", READ)) == b"x"
    point.delegate()
    assert point.get(user) == b"x"
    assert accounts.code_of(accounts.client("s3", user).get_object, Bucket=point.bucket, Key="k") == "AccessDenied"
    point.s3.delete_bucket_policy(Bucket=point.bucket)


def test_a_denial_of_the_bucket_is_not_gone_around(accounts: Accounts, point: Point) -> None:
    user = accounts.user("denied-by-the-bucket", READ)
    point.bucket_policy({"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"})
    assert "explicit deny in a resource-based policy" in accounts.message_of(point.get, credentials=user)
    point.s3.delete_bucket_policy(Bucket=point.bucket)
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{point.bucket}/*"}
    user = accounts.user("denied-by-identity", READ, deny)
    assert "explicit deny in an identity-based policy" in accounts.message_of(point.get, credentials=user)


def test_a_points_own_policy_counts(accounts: Accounts, point: Point) -> None:
    user = accounts.user("named", account=None)
    arn = f"arn:aws:iam::{accounts.member}:user/named"
    point.delegate()
    assert accounts.code_of(point.get, user) == "AccessDenied"
    point.policy({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject"})
    assert point.get(user) == b"x"
    point.policy({"Effect": "Deny", "Principal": {"AWS": arn}, "Action": "s3:GetObject"})
    assert "explicit deny in a resource-based policy" in accounts.message_of(point.get, credentials=user)
    point.control.delete_access_point_policy(AccountId=accounts.member, Name=point.name)
    point.s3.delete_bucket_policy(Bucket=point.bucket)


def test_another_account_needs_the_point_the_bucket_and_its_own_policies(accounts: Accounts, point: Point) -> None:
    user = accounts.user("outsider", READ, account=accounts.home)
    arn = f"arn:aws:iam::{accounts.home}:user/outsider"
    point.delegate()
    assert accounts.code_of(point.get, user) == "AccessDenied"
    point.policy({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject"})
    assert point.get(user) == b"x"
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    point.policy(everyone)
    assert accounts.code_of(point.get, user) == "AccessDenied", "the point's Block Public Access stops it"
    point.control.delete_access_point_policy(AccountId=accounts.member, Name=point.name)
    point.s3.delete_bucket_policy(Bucket=point.bucket)


def test_the_key_of_an_object_is_asked_for_through_a_point_too(accounts: Accounts, point: Point) -> None:
    key = accounts.client("kms", accounts.member_admin).create_key()["KeyMetadata"]["Arn"]
    point.s3.put_object(Bucket=point.bucket, Key="secret", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    s3 = accounts.client("s3", accounts.user("keyless", READ))
    assert "kms:Decrypt" in accounts.message_of(s3.get_object, Bucket=point.arn, Key="secret")


def test_objects_are_deleted_in_one_call_as_far_as_both_permit(accounts: Accounts, point: Point) -> None:
    for key in ("a", "b", "c"):
        point.s3.put_object(Bucket=point.bucket, Key=key, Body=b"x")
    kept = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{point.bucket}/b"}
    held = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": f"{point.arn}/object/c"}
    s3 = accounts.client("s3", accounts.user("deleting", READ, kept, held))
    answer = s3.delete_objects(Bucket=point.arn, Delete={"Objects": [{"Key": key} for key in ("a", "b", "c")]})
    assert [each["Key"] for each in answer["Deleted"]] == ["a"]
    assert sorted(each["Key"] for each in answer["Errors"]) == ["b", "c"]


def test_a_point_of_a_vpc_takes_no_request_from_elsewhere(accounts: Accounts) -> None:
    point = Point(accounts, "inside", VpcConfiguration={"VpcId": "vpc-1234"})
    user = accounts.user("in-the-vpc", READ)
    assert accounts.code_of(point.get, user) == "AccessDenied"
    with calling_from("10.0.0.1", network={"aws:SourceVpc": "vpc-1234", "aws:SourceVpce": "vpce-1"}):
        assert point.get(user) == b"x"
    with calling_from("10.0.0.1", network={"aws:SourceVpc": "vpc-other", "aws:SourceVpce": "vpce-2"}):
        assert accounts.code_of(point.get, user) == "AccessDenied"


def test_the_network_of_a_point_is_a_condition_key(accounts: Accounts, point: Point) -> None:
    internet = {"StringEquals": {"s3:AccessPointNetworkOrigin": "Internet"}}
    user = accounts.user("not-from-the-internet", READ, {**READ, "Effect": "Deny", "Condition": internet})
    assert accounts.code_of(point.get, user) == "AccessDenied"
