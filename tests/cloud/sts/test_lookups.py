from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import World


def test_a_denial_of_ec2_decodes_to_its_explanation(world: World) -> None:
    denied = {"Sid": "NoInstances", "Effect": "Deny", "Action": "ec2:DescribeInstances", "Resource": "*"}
    held = world.assume(world.role("denied", access=({"Effect": "Allow", "Action": "*", "Resource": "*"}, denied)))
    found = world.refused(world.cloud.client("ec2", held).describe_instances)
    text, _, encoded = found.message.partition("Encoded authorization failure message: ")

    assert found.code == "UnauthorizedOperation"
    assert "with an explicit deny in an identity-based policy" in text
    assert "NoInstances" not in found.message
    decoded = json.loads(
        world.cloud.client("sts").decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"]
    )
    assert (decoded["allowed"], decoded["explicitDeny"]) == (False, True)
    assert decoded["context"]["action"] == "ec2:DescribeInstances"
    assert decoded["context"]["principal"]["arn"] == held.arn
    assert [entry["statementId"] for entry in decoded["matchedStatements"]["items"]] == ["NoInstances"]
    assert decoded["explanation"]["outcome"] == "explicitDeny"
    keys = {entry["key"] for entry in decoded["context"]["conditions"]["items"]}
    assert {"aws:TokenIssueTime", "aws:SourceIp"} <= keys


def test_decoding_is_a_permission(world: World) -> None:
    plain = world.user("plain")
    found = world.refused(world.cloud.client("ec2", plain).describe_instances)
    encoded = found.message.rpartition(" ")[2]
    found = world.refused(world.cloud.client("sts", plain).decode_authorization_message, EncodedMessage=encoded)
    assert (found.code, "sts:DecodeAuthorizationMessage" in found.message) == ("AccessDenied", True)


@pytest.mark.parametrize(
    "message", ["x", "a.b.c.d.e", "....", "ünicode", "eyJhbGciOiJkaXIifQ..x.y.z", "e30.e30.e30.e30.e30"]
)
def test_a_message_of_nobody_is_refused(world: World, message: str) -> None:
    found = world.refused(world.cloud.client("sts").decode_authorization_message, EncodedMessage=message)
    assert (found.code, found.status) == ("InvalidAuthorizationMessageException", 400)


def test_a_key_id_tells_its_account_whatever_became_of_the_key(world: World) -> None:
    sts = world.cloud.client("sts")
    other = world.cloud.administrator("444455556666")
    gone = world.user("gone")
    world.iam.delete_access_key(UserName="gone", AccessKeyId=gone.access_key_id)
    token = sts.get_session_token()["Credentials"]["AccessKeyId"]

    for key, account in (
        (world.cloud.admin.access_key_id, world.account),
        (other.access_key_id, "444455556666"),
        (gone.access_key_id, world.account),
        (token, world.account),
        (world.cloud.root().access_key_id, world.account),
        ("ASIAY34FZKBOKMUTVV7A", "609629065308"),
    ):
        assert sts.get_access_key_info(AccessKeyId=key)["Account"] == account
    assert world.refused(sts.get_access_key_info, AccessKeyId="AKIA1111111111111111").code == "ValidationError"


def test_the_identity_is_told_to_a_caller_to_whom_everything_is_denied(world: World) -> None:
    denied = world.user("denied", {"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert world.cloud.client("sts", denied).get_caller_identity()["Arn"].endswith(":user/denied")
