from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World

ADMIN_ARN = "arn:aws:iam::111122223333:user/stsguard-administrator"


def session_tags(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_a_session_is_the_roles_and_lives_an_hour(world: World) -> None:
    role = world.role()
    answer = world.assumed(role, RoleSessionName="one.two@x")

    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{world.account}:assumed-role/target/one.two@x"
    role_id = world.iam.get_role(RoleName="target")["Role"]["RoleId"]
    assert answer["AssumedRoleUser"]["AssumedRoleId"] == f"{role_id}:one.two@x"
    assert "PackedPolicySize" not in answer
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    held = world.cloud.credentials_of(answer["Credentials"])
    assert held.expiration - held.issued_at == timedelta(hours=1)
    identity = world.cloud.client("sts", held).get_caller_identity()
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


@pytest.mark.parametrize(
    ("params", "constraint"),
    [
        ({"RoleSessionName": "x" * 65}, "'roleSessionName' failed to satisfy constraint: Member must have length less"),
        (
            {"RoleSessionName": "no spaces"},
            "'roleSessionName' failed to satisfy constraint: Member must satisfy regular",
        ),
        ({"RoleSessionName": "ümlaut"}, "Member must satisfy regular expression pattern"),
        ({"SourceIdentity": "a:b"}, "'sourceIdentity' failed to satisfy constraint"),
        ({"ExternalId": "x" * 1225}, "'externalId' failed to satisfy constraint: Member must have length less"),
        ({"DurationSeconds": 43201}, "'durationSeconds' failed to satisfy constraint: Member must have value less"),
        ({"Tags": session_tags(**{f"k{n}": "v" for n in range(51)})}, "'tags' failed to satisfy constraint"),
        ({"Tags": session_tags(**{"k" * 129: "v"})}, "'tags.1.member.key' failed to satisfy constraint"),
        ({"Tags": session_tags(k="v" * 257)}, "'tags.1.member.value' failed to satisfy constraint"),
        ({"Tags": session_tags(**{"a!b": "v"})}, "'tags.1.member.key' failed to satisfy constraint"),
        ({"Policy": " " * 2049}, "'policy' failed to satisfy constraint: Member must have length less"),
        ({"SerialNumber": "arn:aws:iam::111122223333:mfa/ x", "TokenCode": "123456"}, "'serialNumber' failed"),
    ],
)
def test_a_parameter_outside_its_limits_is_a_validation_error(
    world: World, params: dict[str, Any], constraint: str
) -> None:
    role = world.role()
    found = world.refused(world.assumed, role=role, **params)

    assert (found.code, found.status) == ("ValidationError", 400)
    assert constraint in found.message


def test_a_duration_beyond_the_roles_own_is_refused(world: World) -> None:
    role = world.role(MaxSessionDuration=7200)

    assert world.assume(role, DurationSeconds=7200)
    found = world.refused(world.assumed, role=role, DurationSeconds=7201)
    assert (found.code, found.status) == ("ValidationError", 400)
    assert found.message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


def test_a_chained_session_lives_an_hour_at_most_whatever_the_role_says(world: World) -> None:
    first = world.assume(world.role("first", MaxSessionDuration=43200), DurationSeconds=43200)
    second = world.role("second", MaxSessionDuration=43200)

    held = world.assume(second, first)
    assert held.expiration - held.issued_at == timedelta(hours=1)
    found = world.refused(world.assumed, role=second, by=first, DurationSeconds=3601)
    assert found.code == "ValidationError"
    assert found.message == (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )


def test_the_external_id_is_asked_for(world: World) -> None:
    role = world.role(condition={"StringEquals": {"sts:ExternalId": "s3cr3t"}})

    assert world.assume(role, ExternalId="s3cr3t")
    for params in ({}, {"ExternalId": "other"}):
        found = world.refused(world.assumed, role=role, **params)
        assert (found.code, found.status) == ("AccessDenied", 403)
        assert found.message == f"User: {ADMIN_ARN} is not authorized to perform: sts:AssumeRole on resource: {role}"


def test_an_unknown_role_and_a_forbidden_one_look_alike(world: World) -> None:
    world.role("closed", principal={"Service": "ec2.amazonaws.com"})
    answers = [
        world.refused(world.assumed, role=f"arn:aws:iam::{world.account}:role/{name}") for name in ("closed", "absent")
    ]
    assert [found.code for found in answers] == ["AccessDenied", "AccessDenied"]
    assert answers[0].message.replace("closed", "absent") == answers[1].message


@pytest.mark.parametrize("arn", ["arn:aws:iam::111122223333:user/someone", "not an arn, but long enough", "a" * 20])
def test_what_is_no_roles_arn_is_invalid(world: World, arn: str) -> None:
    found = (
        world.refused(world.assumed, role=arn)
        if arn.startswith("arn:")
        else world.refused(world.cloud.client("sts").assume_role, RoleArn=arn, RoleSessionName="session")
    )
    assert (found.code, found.message) == ("ValidationError", f"{arn} is invalid")


def test_the_root_user_may_not_assume_a_role(world: World) -> None:
    role = world.role()
    found = world.refused(world.assumed, role=role, by=world.cloud.root())
    assert (found.code, found.message) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_a_session_policy_narrows_the_role_and_is_weighed(world: World) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
    }
    answer = world.assumed(world.role(), Policy=json.dumps(policy))
    held = world.cloud.credentials_of(answer["Credentials"])

    assert 0 < answer["PackedPolicySize"] <= 100
    world.cloud.client("s3", held).list_buckets()
    found = world.refused(world.cloud.client("ec2", held).describe_instances)
    assert found.code == "UnauthorizedOperation"
    assert "because no session policy allows the ec2:DescribeInstances action" in found.message


def test_managed_session_policies_narrow_the_role(world: World) -> None:
    role = world.role()
    read_only = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    held = world.assume(role, PolicyArns=[{"arn": read_only}])

    world.cloud.client("s3", held).list_buckets()
    assert world.refused(world.cloud.client("s3", held).create_bucket, Bucket="new-one").code == "AccessDenied"

    missing = f"arn:aws:iam::{world.account}:policy/absent"
    assert world.refused(world.assumed, role=role, PolicyArns=[{"arn": missing}]).code == "ValidationError"
    assert (
        world.refused(world.assumed, role=role, PolicyArns=[{"arn": "arn:aws:iam::aws:role/x"}]).code
        == "ValidationError"
    )
    eleven = [{"arn": read_only}] * 11
    assert "exceeds 10" in world.refused(world.assumed, role=role, PolicyArns=eleven).message


@pytest.mark.parametrize(
    "policy", ["{}", "no json", '{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}', "[1]"]
)
def test_a_malformed_session_policy_is_refused(world: World, policy: str) -> None:
    found = world.refused(world.assumed, role=world.role(), Policy=policy)
    assert (found.code, found.status) == ("MalformedPolicyDocument", 400)


def test_what_does_not_pack_is_refused_with_its_percentage(world: World) -> None:
    import random

    rng = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    tags = session_tags(**{f"key{n}": "".join(rng.choices(letters, k=256)) for n in range(30)})
    found = world.refused(world.assumed, role=world.role(), Tags=tags)
    assert (found.code, found.status) == ("PackedPolicyTooLarge", 400)
    assert found.message.startswith("Packed policy consumes ")


def test_session_tags_count_and_take_the_place_of_the_roles_own(world: World) -> None:
    access = (
        {
            "Effect": "Allow",
            "Action": "s3:ListAllMyBuckets",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
        },
    )
    role = world.role(access=access, Tags=session_tags(Team="blue"))

    assert world.refused(world.cloud.client("s3", world.assume(role)).list_buckets).code == "AccessDenied"
    red = world.assume(role, Tags=session_tags(team="red"))
    world.cloud.client("s3", red).list_buckets()


def test_inherited_tags_count_among_the_fifty(world: World) -> None:
    thirty = {f"a{number}": "x" for number in range(30)}
    first = world.assume(world.role("first"), Tags=session_tags(**thirty), TransitiveTagKeys=list(thirty))
    second = world.role("second")
    twenty = {f"b{number}": "x" for number in range(20)}
    assert world.assume(second, first, Tags=session_tags(**twenty))
    found = world.refused(world.assumed, role=second, by=first, Tags=session_tags(**twenty, more="x"))
    assert (found.code, "'tags' failed" in found.message) == ("ValidationError", True)


def test_tagging_a_session_is_a_permission_of_its_own(world: World) -> None:
    role = world.role(actions=["sts:AssumeRole"])
    assert world.assume(role)
    found = world.refused(world.assumed, role=role, Tags=session_tags(a="b"))
    assert "is not authorized to perform: sts:TagSession" in found.message


def test_the_trust_policy_sees_tags_and_session_name(world: World) -> None:
    role = world.role(
        condition={
            "StringEquals": {"aws:RequestTag/team": "red", "sts:RoleSessionName": "alice"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["team"], "sts:TransitiveTagKeys": ["team"]},
        }
    )
    tags = session_tags(team="red")
    assert world.assume(role, Tags=tags, TransitiveTagKeys=["team"], RoleSessionName="alice")
    assert world.refused(world.assumed, role=role, Tags=tags, RoleSessionName="bob").code == "AccessDenied"
    more = [*tags, *session_tags(extra="x")]
    assert world.refused(world.assumed, role=role, Tags=more, RoleSessionName="alice").code == "AccessDenied"


def test_transitive_tags_go_through_the_chain_and_cannot_be_replaced(world: World) -> None:
    first = world.assume(world.role("first"), Tags=session_tags(team="red", note="mine"), TransitiveTagKeys=["team"])
    second = world.role(
        "second",
        condition={"StringEquals": {"aws:PrincipalTag/team": "red", "aws:RequestTag/team": "red"}},
    )
    third = world.role("third", condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})

    held = world.assume(second, first)
    assert world.assume(third, held)
    found = world.refused(world.assumed, role=second, by=first, Tags=session_tags(TEAM="blue"))
    assert (found.code, "conflicts with a transitive tag key" in found.message) == ("InvalidParameterValue", True)
    session = world.cloud.client("iam", held)
    assert session.get_role(RoleName="third")
    noted = world.role("noted", condition={"StringEquals": {"aws:PrincipalTag/note": "mine"}})
    assert world.assume(noted, first)
    assert world.refused(world.assumed, role=noted, by=held).code == "AccessDenied"


def test_a_chain_that_hands_down_tags_or_source_identity_needs_their_permissions(world: World) -> None:
    plain = world.role("plain", actions=["sts:AssumeRole"])
    tagged = world.assume(world.role("tagger"), Tags=session_tags(a="b"), TransitiveTagKeys=["a"])
    named = world.assume(world.role("namer"), SourceIdentity="alice")

    assert "sts:TagSession" in world.refused(world.assumed, role=plain, by=tagged).message
    assert "sts:SetSourceIdentity" in world.refused(world.assumed, role=plain, by=named).message


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"Tags": [*session_tags(a="1"), *session_tags(A="2")]}, "Duplicate tag keys found"),
        ({"Tags": session_tags(a="1"), "TransitiveTagKeys": ["b"]}, "must be included in the requested tags"),
        ({"Tags": session_tags(**{"aws:x": "1"})}, "reserved"),
    ],
)
def test_tags_that_contradict_themselves_are_refused(world: World, params: dict[str, Any], text: str) -> None:
    found = world.refused(world.assumed, role=world.role(), **params)
    assert found.code == "InvalidParameterValue"
    assert text in found.message


def test_the_source_identity_persists_and_never_changes(world: World) -> None:
    second = world.role("second", condition={"StringEquals": {"aws:SourceIdentity": "alice"}})
    first = world.assumed(world.role("first"), SourceIdentity="alice")
    held = world.cloud.credentials_of(first["Credentials"])

    assert first["SourceIdentity"] == "alice"
    assert world.assumed(second, held)["SourceIdentity"] == "alice"
    assert world.assumed(second, held, SourceIdentity="alice")["SourceIdentity"] == "alice"
    assert world.refused(world.assumed, role=second, by=held, SourceIdentity="bob").code == "AccessDenied"


def test_another_account_admits_and_the_caller_must_be_allowed_too(world: World) -> None:
    other = "444455556666"
    theirs = world.cloud.client("iam", world.cloud.administrator(other))
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"},
            "Action": "sts:AssumeRole",
        },
    }
    role = theirs.create_role(RoleName="visited", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allowed = world.user("allowed", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})
    plain = world.user("plain")

    held = world.assume(role, allowed)
    assert world.cloud.client("sts", held).get_caller_identity()["Account"] == other
    assert world.refused(world.assumed, role=role, by=plain).code == "AccessDenied"
    stranger = world.cloud.administrator("777788889999")
    assert world.refused(world.assumed, role=role, by=stranger).code == "AccessDenied"


def test_an_opt_in_region_answers_once_it_is_enabled(world: World) -> None:
    role = world.role()
    sts = world.cloud.client("sts", region_name="me-south-1")
    found = world.refused(sts.assume_role, RoleArn=role, RoleSessionName="session")
    assert (found.code, found.status) == ("RegionDisabledException", 403)
    assert f"account:{world.account}" in found.message
    world.cloud.tokens.regions.add("me-south-1")
    assert sts.assume_role(RoleArn=role, RoleSessionName="session")


def test_the_token_grows_to_the_size_that_is_asked_for(world: World) -> None:
    role = world.role()
    sts = world.cloud.client("sts")
    if "MinimumSessionTokenSize" not in sts.meta.service_model.operation_model("AssumeRole").input_shape.members:
        pytest.skip("this botocore does not know MinimumSessionTokenSize")
    answer = world.assumed(role, MinimumSessionTokenSize=4000)
    assert 4000 <= len(answer["Credentials"]["SessionToken"]) <= 4100
    assert answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"])


def test_what_is_not_simulated_is_refused_by_name(world: World) -> None:
    context = [{"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "a" * 20}]
    found = world.refused(world.assumed, role=world.role(), ProvidedContexts=context)
    assert "ProvidedContexts" in found.message
    found = world.refused(world.cloud.client("sts").get_delegated_access_token, TradeInToken="x")
    assert "sts:GetDelegatedAccessToken" in found.message


def test_the_trail_shows_the_session_and_hides_its_secrets(world: World) -> None:
    role = world.role()
    first = world.assumed(role, SourceIdentity="alice", Tags=session_tags(team="red"))
    held = world.cloud.credentials_of(first["Credentials"])
    world.cloud.client("s3", held).list_buckets()
    text = json.dumps(world.cloud.trail.records(), default=str)
    by_session = world.cloud.trail.records()[-1]["userIdentity"]

    assert held.secret_access_key not in text
    assert held.session_token not in text
    assert by_session["type"] == "AssumedRole"
    assert by_session["sessionContext"]["sourceIdentity"] == "alice"
    assert by_session["sessionContext"]["sessionIssuer"]["arn"] == role
