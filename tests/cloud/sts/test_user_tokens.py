from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World

ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
BUCKETS = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'


def test_a_session_token_is_the_user_for_twelve_hours(world: World) -> None:
    user = world.user("alice", ANY, tags={"team": "red"})
    answer = world.cloud.client("sts", user).get_session_token()
    held = world.cloud.credentials_of(answer["Credentials"])

    assert held.expiration - held.issued_at == timedelta(hours=12)
    identity = world.cloud.client("sts", held).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{world.account}:user/alice"
    assert identity["UserId"] == world.iam.get_user(UserName="alice")["User"]["UserId"]
    world.cloud.client("s3", held).list_buckets()


def test_a_session_token_needs_no_permission_and_gives_none(world: World) -> None:
    denied = world.user("denied", {"Effect": "Deny", "Action": "*", "Resource": "*"})
    held = world.cloud.credentials_of(world.cloud.client("sts", denied).get_session_token()["Credentials"])
    assert world.refused(world.cloud.client("s3", held).list_buckets).code == "AccessDenied"


@pytest.mark.parametrize(
    ("operation", "params"), [("get_session_token", {}), ("get_federation_token", {"Name": "visitor"})]
)
def test_the_durations_of_user_tokens(world: World, operation: str, params: dict[str, Any]) -> None:
    call = getattr(world.cloud.client("sts"), operation)
    for seconds in (900, 129_600):
        held = world.cloud.credentials_of(call(**params, DurationSeconds=seconds)["Credentials"])
        assert held.expiration - held.issued_at == timedelta(seconds=seconds)
    assert world.refused(call, **params, DurationSeconds=129_601).code == "ValidationError"
    root = getattr(world.cloud.client("sts", world.cloud.root()), operation)
    for asked in ({}, {"DurationSeconds": 7200}):
        held = world.cloud.credentials_of(root(**params, **asked)["Credentials"])
        assert held.expiration - held.issued_at == timedelta(hours=1)


def test_only_long_term_keys_make_user_tokens(world: World) -> None:
    token = world.cloud.credentials_of(world.cloud.client("sts").get_session_token()["Credentials"])
    federated = world.cloud.client("sts").get_federation_token(Name="visitor", Policy=EVERYTHING)
    visitor = world.cloud.credentials_of(federated["Credentials"])
    role = world.assume(world.role())

    for held, kind in ((token, "session"), (role, "session"), (visitor, "federation")):
        sts = world.cloud.client("sts", held)
        for call, params in ((sts.get_session_token, {}), (sts.get_federation_token, {"Name": "visitor"})):
            found = world.refused(call, **params)
            assert (found.code, found.status) == ("AccessDenied", 403)
            operation = "GetFederationToken" if params else "GetSessionToken"
            assert found.message == f"Cannot call {operation} with {kind} credentials"


def test_what_each_user_token_may_ask_of_sts(world: World) -> None:
    target = world.role()
    token = world.cloud.credentials_of(world.cloud.client("sts").get_session_token()["Credentials"])
    federated = world.cloud.client("sts").get_federation_token(Name="visitor", Policy=EVERYTHING)
    visitor = world.cloud.credentials_of(federated["Credentials"])

    assert world.assume(target, token)
    assert world.cloud.client("sts", visitor).get_caller_identity()
    assert world.refused(world.assumed, role=target, by=visitor).code == "AccessDenied"
    for held in (token, visitor):
        sts = world.cloud.client("sts", held)
        assert world.refused(sts.get_access_key_info, AccessKeyId=held.access_key_id).code == "AccessDenied"
        assert world.refused(sts.decode_authorization_message, EncodedMessage="x").code == "AccessDenied"


def test_iam_is_closed_to_tokens_without_mfa_and_to_federation(world: World) -> None:
    token = world.cloud.credentials_of(world.cloud.client("sts").get_session_token()["Credentials"])
    federated = world.cloud.client("sts").get_federation_token(Name="visitor", Policy=EVERYTHING)
    for held in (token, world.cloud.credentials_of(federated["Credentials"])):
        found = world.refused(world.cloud.client("iam", held).list_users)
        assert (found.code, found.status) == ("InvalidClientTokenId", 403)
        assert found.message == "The security token included in the request is invalid."


def test_a_federated_user_has_what_both_the_user_and_the_policy_allow(world: World) -> None:
    user = world.user("alice", {"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": "*"})
    sts = world.cloud.client("sts", user)
    answer = sts.get_federation_token(Name="visitor", Policy=EVERYTHING)
    visitor = world.cloud.credentials_of(answer["Credentials"])

    assert answer["FederatedUser"] == {
        "FederatedUserId": f"{world.account}:visitor",
        "Arn": f"arn:aws:sts::{world.account}:federated-user/visitor",
    }
    assert world.cloud.client("sts", visitor).get_caller_identity()["Arn"] == answer["FederatedUser"]["Arn"]
    world.cloud.client("s3", visitor).list_buckets()
    assert world.refused(world.cloud.client("ec2", visitor).describe_instances).code == "UnauthorizedOperation"

    without = world.cloud.credentials_of(sts.get_federation_token(Name="visitor")["Credentials"])
    assert world.refused(world.cloud.client("s3", without).list_buckets).code == "AccessDenied"
    narrow = world.cloud.credentials_of(sts.get_federation_token(Name="visitor", Policy=BUCKETS)["Credentials"])
    world.cloud.client("s3", narrow).list_buckets()


def test_a_root_users_federation_token_has_what_its_policy_allows(world: World) -> None:
    sts = world.cloud.client("sts", world.cloud.root())
    held = world.cloud.credentials_of(sts.get_federation_token(Name="visitor", Policy=BUCKETS)["Credentials"])
    world.cloud.client("s3", held).list_buckets()
    assert world.refused(world.cloud.client("ec2", held).describe_instances).code == "UnauthorizedOperation"


def test_federation_is_a_permission_and_so_are_its_tags(world: World) -> None:
    plain = world.user("plain")
    found = world.refused(world.cloud.client("sts", plain).get_federation_token, Name="visitor")
    assert (found.code, found.status) == ("AccessDenied", 403)
    assert f"sts:GetFederationToken on resource: arn:aws:sts::{world.account}:federated-user/visitor" in found.message

    untagged = world.user("untagged", {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"})
    tags = [{"Key": "team", "Value": "red"}]
    found = world.refused(world.cloud.client("sts", untagged).get_federation_token, Name="visitor", Tags=tags)
    assert "sts:TagSession" in found.message


def test_tags_of_a_federated_user_take_the_place_of_the_users_own(world: World) -> None:
    red = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}, "Effect": "Allow", "Action": "s3:*"}
    user = world.user(
        "alice",
        {**red, "Resource": "*"},
        {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
        tags={"Team": "blue"},
    )
    sts = world.cloud.client("sts", user)
    for value, allowed in (("red", True), ("green", False)):
        tags = [{"Key": "team", "Value": value}]
        answer = sts.get_federation_token(Name="visitor", Policy=EVERYTHING, Tags=tags)
        s3 = world.cloud.client("s3", world.cloud.credentials_of(answer["Credentials"]))
        if allowed:
            s3.list_buckets()
        else:
            assert world.refused(s3.list_buckets).code == "AccessDenied"


@pytest.mark.parametrize("name", ["x" * 33, "no spaces"])
def test_a_federated_users_name_has_its_limits(world: World, name: str) -> None:
    found = world.refused(world.cloud.client("sts").get_federation_token, Name=name)
    assert (found.code, "'name' failed to satisfy constraint" in found.message) == ("ValidationError", True)


def test_tokens_outlive_the_key_that_made_them_and_die_by_a_deny_on_the_user(world: World) -> None:
    user = world.user("alice", ANY)
    sts = world.cloud.client("sts", user)
    token = world.cloud.credentials_of(sts.get_session_token()["Credentials"])
    visitor = world.cloud.credentials_of(sts.get_federation_token(Name="visitor", Policy=EVERYTHING)["Credentials"])
    world.iam.delete_access_key(UserName="alice", AccessKeyId=user.access_key_id)

    clients = [world.cloud.client("s3", held) for held in (token, visitor)]
    for client in clients:
        client.list_buckets()
    deny = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'
    world.iam.put_user_policy(UserName="alice", PolicyName="deny", PolicyDocument=deny)
    for client in clients:
        found = world.refused(client.list_buckets)
        assert (found.code, "explicit deny in an identity-based policy" in found.message) == ("AccessDenied", True)


def test_the_trail_tells_the_kinds_apart(world: World) -> None:
    user = world.user("alice", ANY)
    sts = world.cloud.client("sts", user)
    token = world.cloud.credentials_of(sts.get_session_token()["Credentials"])
    visitor = world.cloud.credentials_of(sts.get_federation_token(Name="visitor", Policy=BUCKETS)["Credentials"])
    identities = []
    for held in (user, token, visitor):
        world.cloud.client("s3", held).list_buckets()
        identities.append(world.cloud.trail.records()[-1]["userIdentity"])

    assert [found["type"] for found in identities] == ["IAMUser", "IAMUser", "FederatedUser"]
    assert "sessionContext" not in identities[0]
    assert identities[1]["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert "sessionIssuer" not in identities[1]["sessionContext"]
    assert identities[2]["sessionContext"]["sessionIssuer"]["userName"] == "alice"
    assert identities[2]["principalId"] == f"{world.account}:visitor"
