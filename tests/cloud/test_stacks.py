"""What a stack makes is nobody's guess: who may do everything gets it, who may not use CloudFormation is denied, others hear 501."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

pytest.importorskip("moto.cloudformation")

if TYPE_CHECKING:
    from conftest import World
    from pytest_stsguard.cloud import Credentials

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
TEMPLATE = json.dumps(
    {
        "Resources": {
            "R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "made", "AssumeRolePolicyDocument": TRUST}}
        }
    }
)


def refusal(world: World, who: Credentials, **more: Any) -> str | None:
    try:
        world.cloud.client("cloudformation", who).create_stack(
            StackName="s", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_NAMED_IAM"], **more
        )
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def roles(world: World) -> list[str]:
    return [role["RoleName"] for role in world.iam.list_roles()["Roles"]]


def test_who_may_do_everything_gets_a_stack(world: World) -> None:
    assert refusal(world, world.user("alice", ALL)) is None
    assert "made" in roles(world)


@pytest.mark.parametrize(
    "statements",
    [
        [{**ALL, "Action": "cloudformation:*"}],
        [{**ALL, "Action": ["cloudformation:*", "s3:*"]}],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [ALL, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}],
        [ALL, {**ALL, "Effect": "Deny", "Condition": {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}}],
    ],
    ids=["stacks", "a-service", "power-user", "no-iam", "not-through-stacks"],
)  # fmt: skip
def test_who_may_not_is_neither_allowed_nor_denied(world: World, statements: list[dict[str, Any]]) -> None:
    assert refusal(world, world.user("alice", *statements)) == "NotImplemented"
    assert "made" not in roles(world)


def test_who_may_not_make_stacks_is_denied(world: World) -> None:
    assert refusal(world, world.user("alice", {**ALL, "Action": "s3:*"})) == "AccessDenied"


def test_service_role_is_not_looked_into(world: World) -> None:
    role = world.role("service", principal={"Service": "cloudformation.amazonaws.com"})
    assert refusal(world, world.user("alice", ALL), RoleARN=role) == "NotImplemented"
    assert "made" not in roles(world)
