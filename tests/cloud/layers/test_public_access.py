"""Buckets: Block Public Access, access control lists, and who owns the objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.layers.public_access import denials_alone, is_public

if TYPE_CHECKING:
    from collections.abc import Iterator

    Accounts = Any  # the class of conftest.py

BUCKET = "public-or-not"
OPEN = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
ALL_ON = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


@pytest.fixture
def s3(accounts: Accounts) -> Iterator[Any]:
    """A fresh bucket of the home account with one object."""
    client = accounts.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    yield client
    for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="module")
def anonymous(accounts: Accounts) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config

    return accounts.cloud.client("s3", config=Config(signature_version=UNSIGNED))


@pytest.fixture(scope="module")
def stranger(accounts: Accounts) -> Any:
    """Somebody of another account who may do everything there."""
    return accounts.client("s3", accounts.member_admin)


def unblock(s3: Any, **settings: bool) -> None:
    s3.put_public_access_block(
        Bucket=BUCKET, PublicAccessBlockConfiguration={**dict.fromkeys(ALL_ON, False), **settings}
    )


def test_new_bucket_is_closed(accounts: Accounts, s3: Any, anonymous: Any) -> None:
    assert s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"] == ALL_ON
    rules = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    text = accounts.message_of(s3.put_bucket_policy, Bucket=BUCKET, Policy=accounts.document(OPEN))
    assert text.endswith("prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
    assert accounts.code_of(s3.put_bucket_acl, Bucket=BUCKET, ACL="public-read") == "AccessControlListNotSupported"
    refused = accounts.code_of(s3.put_object, Bucket=BUCKET, Key="k", Body=b"x", ACL="public-read")
    assert refused == "AccessControlListNotSupported"
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    assert accounts.code_of(anonymous.get_object, Bucket=BUCKET, Key="k") == "AccessDenied"


def test_public_policy_admits_everyone_once_nothing_blocks_it(
    accounts: Accounts, s3: Any, anonymous: Any, stranger: Any
) -> None:
    unblock(s3)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=accounts.document(OPEN))
    for client in (anonymous, stranger):
        assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
    assert accounts.code_of(anonymous.list_objects_v2, Bucket=BUCKET) == "AccessDenied"
    unblock(s3, RestrictPublicBuckets=True)
    for client in (anonymous, stranger):
        assert accounts.code_of(client.get_object, Bucket=BUCKET, Key="k") == "AccessDenied"
    s3.get_object(Bucket=BUCKET, Key="k")


def test_settings_of_the_account_count_for_its_buckets(accounts: Accounts, s3: Any, anonymous: Any) -> None:
    unblock(s3)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=accounts.document(OPEN))
    anonymous.get_object(Bucket=BUCKET, Key="k")
    account = accounts.client("s3control")
    account.put_public_access_block(AccountId=accounts.home, PublicAccessBlockConfiguration=ALL_ON)
    assert accounts.code_of(anonymous.get_object, Bucket=BUCKET, Key="k") == "AccessDenied"
    assert accounts.code_of(s3.put_bucket_policy, Bucket=BUCKET, Policy=accounts.document(OPEN)) == "AccessDenied"
    account.delete_public_access_block(AccountId=accounts.home)
    anonymous.get_object(Bucket=BUCKET, Key="k")


def test_denials_of_a_restricted_policy_go_on_counting(accounts: Accounts, s3: Any, stranger: Any) -> None:
    unblock(s3)
    deny = {**OPEN, "Effect": "Deny", "Action": "s3:PutObject"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=accounts.document(OPEN, deny))
    unblock(s3, RestrictPublicBuckets=True)
    assert accounts.message_of(stranger.put_object, Bucket=BUCKET, Key="k", Body=b"x") == "Access Denied"
    # S3 tells a stranger no more; the cloud knows.
    assert accounts.cloud.trail.events[-1].decisions[-1].reason() == "with an explicit deny in a resource-based policy"


@pytest.mark.parametrize(
    ("acl", "readers"),
    [
        ("public-read", {"anonymous", "stranger"}),
        ("authenticated-read", {"stranger"}),
        ("private", set()),
    ],
)
def test_canned_list_of_an_object(
    accounts: Accounts, s3: Any, request: pytest.FixtureRequest, acl: str, readers: set[str]
) -> None:
    def outcome(client: Any, key: str = "listed") -> str:
        try:
            client.get_object(Bucket=BUCKET, Key=key)
        except client.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "allowed"

    clients = {name: request.getfixturevalue(name) for name in ("anonymous", "stranger")}
    unblock(s3)
    s3.put_bucket_ownership_controls(
        Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    s3.put_object(Bucket=BUCKET, Key="listed", Body=b"x", ACL=acl)
    assert {name for name, client in clients.items() if outcome(client) == "allowed"} == readers
    assert {outcome(client, "k") for client in clients.values()} == {"AccessDenied"}
    unblock(s3, IgnorePublicAcls=True)
    assert {outcome(client) for client in clients.values()} == {"AccessDenied"}
    unblock(s3, BlockPublicAcls=True)
    if readers:
        refused = accounts.code_of(s3.put_object_acl, Bucket=BUCKET, Key="listed", ACL=acl)
        assert refused == "AccessDenied"
    else:
        s3.put_object_acl(Bucket=BUCKET, Key="listed", ACL=acl)


def test_grant_to_everyone_on_the_bucket(accounts: Accounts, s3: Any, anonymous: Any) -> None:
    unblock(s3)
    s3.delete_bucket_ownership_controls(Bucket=BUCKET)
    s3.put_bucket_acl(Bucket=BUCKET, GrantRead="uri=http://acs.amazonaws.com/groups/global/AllUsers")
    assert [each["Key"] for each in anonymous.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["k"]
    assert accounts.code_of(anonymous.get_object, Bucket=BUCKET, Key="k") == "AccessDenied"
    refused = accounts.code_of(
        s3.put_bucket_ownership_controls,
        Bucket=BUCKET,
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    assert refused == "InvalidBucketAclWithObjectOwnership"


def test_bucket_cannot_be_made_public(accounts: Accounts) -> None:
    s3 = accounts.client("s3")
    refused = accounts.code_of(s3.create_bucket, Bucket="made-public", ACL="public-read")
    assert refused == "InvalidBucketAclWithObjectOwnership"
    refused = accounts.code_of(
        s3.create_bucket, Bucket="made-public", ACL="public-read", ObjectOwnership="ObjectWriter"
    )
    assert refused == "InvalidBucketAclWithBlockPublicAccessError"


def _public(condition: dict[str, Any] | None, **change: Any) -> bool:
    statement = {**OPEN, **change, **({"Condition": condition} if condition else {})}
    return is_public(json.dumps({"Version": "2012-10-17", "Statement": statement}))


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"StringLike": {"aws:SourceVpc": "vpc-*"}},
        {"StringNotEquals": {"aws:SourceVpc": "vpc-91237329"}},
        {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-91237329"}},
        {"ForAllValues:StringEquals": {"aws:SourceVpc": "vpc-91237329"}},
        {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}},
        {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/7"}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringLike": {"aws:userid": "*"}},
    ],
)
def test_what_s3_calls_public(condition: dict[str, Any] | None) -> None:
    assert _public(condition)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"StringEquals": {"AWS:SourceVpce": "vpce-1a2b3c4d"}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/one"}},
        {"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}},
    ],
)
def test_what_ties_a_policy_to_somebody(condition: dict[str, Any]) -> None:
    assert not _public(condition)


def test_principals_that_make_a_policy_public() -> None:
    assert _public(None, Principal={"AWS": ["*", "111122223333"]})
    assert not _public(None, Principal={"AWS": "111122223333"})
    assert not _public(None, Effect="Deny")
    without = {name: value for name, value in OPEN.items() if name != "Principal"}
    assert is_public(json.dumps({"Statement": [{**without, "NotPrincipal": {"AWS": "111122223333"}}]}))
    assert not is_public("{")
    assert denials_alone(json.dumps({"Statement": [OPEN]})) is None
