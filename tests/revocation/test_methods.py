"""Every method: what it writes, what it refuses, and that each reversible one puts everything back exactly."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from pytest_stsguard.asserts import assert_allowed, assert_denied
from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.revocation import METHODS, Plan, State, assess, plan, revoke

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill import Drill

ROLE, USER, INSTANCE_ROLE = "A4L-DataRole", "a4l-developer", "A4L-InstanceRole"
PROBE = "s3.list_buckets"
SCOPES: dict[str, dict[str, str]] = {
    "one-session": {"session_name": "thief"},
    "source-identity": {"source_identity": "mallory"},
    "principal-tag": {"tag_key": "team", "tag_value": "red"},
    "replace-profile": {"instance": "A"},
}
REVERSIBLE = [name for name, method in METHODS.items() if method.reversible and name != "scp"]


def target_of(method: str) -> str:
    return USER if METHODS[method].target == "user" else INSTANCE_ROLE if method == "replace-profile" else ROLE


def everything(cloud: Cloud) -> str:
    """The account as IAM and EC2 tell it, the moments left out."""
    kinds = ["Role", "User", "LocalManagedPolicy"]
    details = cloud.client("iam").get_account_authorization_details(Filter=kinds)
    details.pop("ResponseMetadata")
    keys = cloud.client("iam").list_access_keys(UserName=USER)["AccessKeyMetadata"]
    associations = cloud.client("ec2").describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    profiles = sorted((one["InstanceId"], one["IamInstanceProfile"]["Arn"]) for one in associations)
    return json.dumps([details, keys, profiles], default=str, sort_keys=True)


def tagging(cloud: Cloud) -> None:
    """Let the data role be assumed with tags."""
    trust = cloud.client("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Action"].append("sts:TagSession")
    cloud.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))


def test_reversible_methods_change_something_and_put_it_back_exactly(sts_drill: Drill, sts_cloud: Cloud) -> None:
    sts_cloud.user_credentials(USER)
    sts_cloud.client("ec2").describe_instances()
    sts_cloud.client("iam").attach_role_policy(
        RoleName=ROLE, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    )
    before = everything(sts_cloud)
    for method in REVERSIBLE:
        revocation = sts_drill.revoke(target_of(method), method=method, **SCOPES.get(method, {}))
        assert everything(sts_cloud) != before, method
        assert Plan.from_json(json.loads(json.dumps(revocation.plan.as_json()))) == revocation.plan
        revocation.remove()
        assert everything(sts_cloud) == before, method
        revocation.remove()
        assert everything(sts_cloud) == before, method


def test_method_that_is_in_force_has_nothing_to_change(sts_drill: Drill, sts_cloud: Cloud) -> None:
    sts_cloud.user_credentials(USER)
    for method in [name for name in REVERSIBLE if name != "replace-profile"]:
        scope: dict[str, Any] = dict(SCOPES.get(method, {}))
        first = sts_drill.revoke(target_of(method), method=method, **scope)
        if METHODS[method].timed:
            scope["cutoff"] = first.cutoff - timedelta(hours=1)
        again = plan(sts_cloud.client, target_of(method), method=method, now=sts_cloud.clock.now(), **scope)
        assert again.changes == ()
        assert again.lines() == ("nothing: it is in force already",)
        if METHODS[method].timed:
            assert again.cutoff == first.cutoff
        first.remove()


@pytest.mark.parametrize(
    ("method", "stolen", "other"),
    [
        ("one-session", {"session_name": "thief"}, {"session_name": "worker"}),
        ("source-identity", {"SourceIdentity": "mallory"}, {"SourceIdentity": "alice"}),
        ("principal-tag", {"Tags": [{"Key": "team", "Value": "red"}]}, {"Tags": [{"Key": "team", "Value": "blue"}]}),
    ],
)
def test_method_for_one_session_denies_it_alone_and_spares_a_fresh_one(
    sts_drill: Drill, sts_cloud: Cloud, method: str, stolen: dict[str, Any], other: dict[str, Any]
) -> None:
    tagging(sts_cloud)
    thief, worker = sts_drill.assume(ROLE, **stolen), sts_drill.assume(ROLE, **other)
    sts_drill.revoke(ROLE, method=method, **SCOPES[method])
    assert_denied(thief, PROBE, "ec2.describe_instances", "dynamodb.list_tables")
    assert_allowed(worker, PROBE)
    assert_allowed(sts_drill.assume(ROLE, **stolen), PROBE)


def test_source_identity_is_denied_through_role_chaining(sts_drill: Drill, sts_cloud: Cloud) -> None:
    iam = sts_cloud.client("iam")
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Principal"] = {"AWS": sts_cloud.account}
    iam.create_role(RoleName="next", AssumeRolePolicyDocument=json.dumps(trust))
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for name in (ROLE, "next"):
        iam.put_role_policy(
            RoleName=name, PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        )
    first = sts_drill.assume(ROLE, SourceIdentity="mallory")
    chained = sts_drill.assume("next", by=first)
    assert_allowed(chained, PROBE)
    sts_drill.revoke("next", method="source-identity", source_identity="mallory")
    assert_denied(chained, PROBE)


def test_user_sessions_end_and_keys_live(sts_drill: Drill, sts_cloud: Cloud) -> None:
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": "*"}]}
    sts_cloud.client("iam").put_user_policy(UserName=USER, PolicyName="own", PolicyDocument=json.dumps(allow))
    key = sts_cloud.user_credentials(USER)
    sts = sts_cloud.client("sts", key)
    session = sts_cloud.credentials_of(sts.get_session_token()["Credentials"])
    answer = sts.get_federation_token(Name="guest", Policy=json.dumps(allow))
    federated = sts_cloud.credentials_of(answer["Credentials"])
    assert_allowed(session, PROBE)
    assert_allowed(federated, PROBE)
    revocation = sts_drill.revoke(USER, method="user-sessions")
    assert_denied(session, PROBE)
    assert_denied(federated, PROBE)
    assert_allowed(key, PROBE)
    assert revocation.safe_removal == revocation.cutoff + timedelta(hours=36)
    assert_allowed(sts_cloud.credentials_of(sts.get_session_token()["Credentials"]), PROBE)


@pytest.mark.parametrize("method", ["deny-all", "boundary"])
def test_blanket_denial_hits_fresh_sessions_too(
    sts_drill: Drill, sts_assume_role: Callable[..., Credentials], method: str
) -> None:
    stolen = sts_assume_role(ROLE)
    sts_drill.revoke(ROLE, method=method)
    assert_denied(stolen, PROBE)
    assert_denied(sts_assume_role(ROLE), PROBE)


def test_boundary_that_was_there_comes_back(sts_drill: Drill, sts_cloud: Cloud) -> None:
    own = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    iam = sts_cloud.client("iam")
    iam.put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=own)
    sts_drill.revoke(ROLE, method="boundary").remove()
    assert iam.get_role(RoleName=ROLE)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == own


def test_deactivated_key_is_no_longer_known_and_the_other_one_works(sts_drill: Drill, sts_cloud: Cloud) -> None:
    leaked, other = sts_cloud.user_credentials(USER), sts_cloud.user_credentials(USER)
    sts_drill.revoke(USER, method="deactivate-key", key_id=leaked.access_key_id)
    with pytest.raises(Exception, match="InvalidClientTokenId"):
        leaked.session().client("sts").get_caller_identity()
    assert other.session().client("sts").get_caller_identity()["Account"] == sts_cloud.account


def test_bad_ideas_leave_the_stolen_session_alive(sts_drill: Drill) -> None:
    for method, scope in (
        ("trust-edit", {}),
        ("replace-profile", {"instance": "A"}),
        ("restart-instance", {"instance": "A"}),
    ):
        stolen = sts_drill.steal("A")
        revocation = sts_drill.revoke(INSTANCE_ROLE, method=method, **scope)
        assert_allowed(stolen, PROBE)
        revocation.remove()


def test_deleted_role_cannot_be_brought_back(sts_drill: Drill, sts_cloud: Cloud) -> None:
    stolen = sts_drill.assume(ROLE)
    revocation = sts_drill.revoke(ROLE, method="delete-role")
    assert_denied(stolen, PROBE)
    with pytest.raises(InputError, match="another unique id"):
        revocation.remove()
    with pytest.raises(InputError, match="no role"):
        sts_drill.revoke(ROLE)
    assert sts_cloud.clock.now() >= revocation.cutoff


def test_service_control_policy_denies_the_role_and_goes_again() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    with mock_aws():
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}

        def above(service: str) -> Any:
            return boto3.client(service, region_name="us-east-1", **keys)

        def clients(service: str) -> Any:
            return above(service) if service == "organizations" else boto3.client(service, **below)

        organizations = above("organizations")
        organizations.create_organization(FeatureSet="ALL")
        account = organizations.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"][
            "AccountId"
        ]
        taken = above("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/member", RoleSessionName="member")[
            "Credentials"
        ]
        below = {
            "aws_access_key_id": taken["AccessKeyId"],
            "aws_secret_access_key": taken["SecretAccessKey"],
            "aws_session_token": taken["SessionToken"],
            "region_name": "us-east-1",
        }
        for iam in (clients("iam"), above("iam")):
            iam.create_role(RoleName="AWSReservedSSO_Admin", AssumeRolePolicyDocument=json.dumps(document))
        before = [one["Name"] for one in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]]
        from pytest_stsguard.clock import SimulatedClock

        with pytest.raises(InputError, match="is the management account"):
            revoke(above("iam"), "AWSReservedSSO_Admin", method="scp", clock=SimulatedClock(), clients=above)
        revocation = revoke(
            clients("iam"),
            "AWSReservedSSO_Admin",
            method="scp",
            clock=SimulatedClock(),
            clients=clients,
        )
        assert revocation.plan.arn.split(":")[4] == account
        attached = organizations.list_policies_for_target(TargetId=account, Filter="SERVICE_CONTROL_POLICY")["Policies"]
        assert revocation.policy_name in {one["Name"] for one in attached}
        level = [Policy.parse(revocation.document, kind="scp"), Policy.parse(everything_allowed(), kind="scp")]
        for arn, outcome in ((revocation.plan.arn, "explicitDeny"), (f"{revocation.plan.arn}2", "allowed")):
            request = Request("s3:ListAllMyBuckets", "*", arn)
            decision = authorize(request, identity=[Policy.parse(everything_allowed())], scps=[level])
            assert decision.outcome == outcome
        revocation.remove()
        after = [one["Name"] for one in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]]
        assert after == before


def everything_allowed() -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.mark.parametrize(
    ("target", "settings", "words"),
    [
        (ROLE, {"method": "one-session"}, "no session name"),
        (ROLE, {"method": "one-session", "session_name": "${aws:userid}"}, "no session name"),
        (ROLE, {"method": "principal-tag", "tag_key": "a", "tag_value": "${b}"}, "no tag value"),
        (ROLE, {"method": "restart-instance"}, "which instance is not said"),
        (ROLE, {"method": "deny-all", "cutoff": 1}, "takes no `cutoff`"),
        ("nobody", {"method": "user-sessions"}, "no user `nobody`"),
        (USER, {"method": "deactivate-key", "key_id": "AKIAAAAAAAAAAAAAAAAA"}, "no access key"),
    ],
)
def test_wrong_use_is_refused(sts_drill: Drill, target: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises((ConfigurationError, InputError), match=words):
        sts_drill.revoke(target, **settings)


@pytest.mark.parametrize("method", ["one-session", "deny-all", "boundary"])
def test_name_that_is_taken_is_noticed(sts_drill: Drill, sts_cloud: Cloud, method: str) -> None:
    other = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    revocation = sts_drill.revoke(ROLE, method=method, **SCOPES.get(method, {}))
    setting = revocation.plan.changes[0].setting
    revocation.remove()
    setting.write(sts_cloud.client, other)
    with pytest.raises(InputError, match="something else"):
        sts_drill.revoke(ROLE, method=method, **SCOPES.get(method, {}))
    assert setting.read(sts_cloud.client) == other


def test_removal_never_takes_back_a_later_revocation(sts_drill: Drill, sts_cloud: Cloud) -> None:
    stolen = sts_drill.assume(ROLE)
    first = sts_drill.revoke(ROLE)
    sts_cloud.clock.advance(60)
    sts_drill.revoke(ROLE)
    with pytest.raises(InputError, match="changed by somebody else"):
        first.remove()
    assert_denied(stolen, PROBE)


def test_every_denial_left_behind_is_known_to_the_cleanup_rule(sts_drill: Drill, sts_cloud: Cloud) -> None:
    role = sts_cloud.client("iam").get_role(RoleName=ROLE)["Role"]
    for method, state in (
        ("older-sessions", State.ACTIVE),
        ("one-session", State.ACTIVE),
        ("source-identity", State.ACTIVE),
        ("principal-tag", State.ACTIVE),
        ("deny-all", State.OVERREACHING),
    ):
        revocation = sts_drill.revoke(ROLE, method=method, **SCOPES.get(method, {}))
        policy = Policy.parse(revocation.document, lenient=True, name=revocation.policy_name)
        (found,) = assess([policy], now=sts_cloud.clock.now(), principal_arn=role["Arn"], principal_id=role["RoleId"])
        assert found.state is state
        if METHODS[method].timed:
            assert (found.cutoff, found.safe_date) == (revocation.cutoff, revocation.safe_removal)
        revocation.remove()
