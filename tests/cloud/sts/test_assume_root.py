from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World
    from pytest_stsguard.cloud import Credentials

MEMBER = "444455556666"
AUDIT = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"
UNLOCK = "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"


@pytest.fixture
def member(world: World) -> Credentials:
    return world.cloud.administrator(MEMBER)


def assume_root(world: World, by: Credentials | None = None, task: str = AUDIT, **params: Any) -> dict[str, Any]:
    given = {"TargetPrincipal": MEMBER, "TaskPolicyArn": {"arn": task}, **params}
    answer: dict[str, Any] = world.cloud.client("sts", by).assume_root(**given)
    return answer


@pytest.mark.usefixtures("member")
def test_the_session_is_the_members_root_for_fifteen_minutes_within_its_task(world: World) -> None:
    held = world.cloud.credentials_of(assume_root(world, TargetPrincipal=f"arn:aws:iam::{MEMBER}:root")["Credentials"])
    assert held.arn == f"arn:aws:iam::{MEMBER}:root"
    assert held.expiration is not None
    assert held.issued_at is not None
    assert held.expiration - held.issued_at == timedelta(seconds=900)
    assert world.cloud.client("sts", held).get_caller_identity()["Arn"] == held.arn
    assert world.cloud.client("iam", held).get_account_summary()
    assert world.refused(world.cloud.client("s3", held).list_buckets).code == "AccessDenied"
    assert world.refused(world.cloud.client("iam", held).create_user, UserName="x").code == "AccessDenied"
    identity = world.cloud.trail.records()[-1]["userIdentity"]
    assert (identity["type"], identity["sessionContext"]["assumedRoot"]) == ("Root", "true")
    world.clock.advance(900)
    assert world.refused(world.cloud.client("iam", held).get_account_summary).code == "ExpiredToken"


@pytest.mark.usefixtures("member")
def test_a_task_is_not_another(world: World) -> None:
    s3 = world.cloud.client("s3", world.cloud.administrator(MEMBER))
    s3.create_bucket(Bucket="locked-bucket")
    unlock = world.cloud.credentials_of(assume_root(world, task=UNLOCK)["Credentials"])
    world.cloud.client("s3", unlock).list_buckets()
    assert world.refused(world.cloud.client("iam", unlock).get_account_summary).code == "AccessDenied"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"task": "arn:aws:iam::aws:policy/AdministratorAccess"}, "ValidationError"),
        ({"DurationSeconds": 901}, "ValidationError"),
        ({"TargetPrincipal": "arn:aws:iam::444455556666:user/x"}, "ValidationError"),
        ({"TargetPrincipal": "111122223333"}, "AccessDenied"),
        ({"TargetPrincipal": "999988887777"}, "AccessDenied"),
    ],
)
@pytest.mark.usefixtures("member")
def test_what_is_refused(world: World, params: dict[str, Any], code: str) -> None:
    assert world.refused(assume_root, world=world, **params).code == code


def test_only_the_management_account_may_and_only_who_is_allowed(world: World, member: Credentials) -> None:
    assert world.refused(assume_root, world=world, by=member).code == "AccessDenied"
    assert world.refused(assume_root, world=world, by=world.cloud.root()).code == "AccessDenied"
    plain = world.user("plain")
    assert world.refused(assume_root, world=world, by=plain).code == "AccessDenied"
    only = {"StringEquals": {"sts:TaskPolicyArn": AUDIT}}
    auditor = world.user("auditor", {"Effect": "Allow", "Action": "sts:AssumeRoot", "Resource": "*", "Condition": only})
    assert assume_root(world, auditor)
    assert world.refused(assume_root, world=world, by=auditor, task=UNLOCK).code == "AccessDenied"


@pytest.mark.usefixtures("member")
def test_the_global_endpoint_is_not_for_this(world: World) -> None:
    sts = world.cloud.client("sts", endpoint_url="https://sts.amazonaws.com")
    found = world.refused(sts.assume_root, TargetPrincipal=MEMBER, TaskPolicyArn={"arn": AUDIT})
    assert (found.code, "global endpoint" in found.message) == ("AccessDenied", True)


@pytest.mark.usefixtures("member")
def test_a_root_session_makes_no_further_tokens(world: World) -> None:
    held = world.cloud.credentials_of(assume_root(world)["Credentials"])
    for call, params in (("get_session_token", {}), ("get_federation_token", {"Name": "visitor"})):
        found = world.refused(getattr(world.cloud.client("sts", held), call), **params)
        assert found.message.startswith("Cannot call Get")
