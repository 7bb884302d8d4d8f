"""A stack is made in the name of who asked for it: each resource by calls that every policy judges, and the trail tells."""

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
SERVICE = "cloudformation.amazonaws.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
INLINE = {"PolicyName": "inline", "PolicyDocument": {"Version": "2012-10-17", "Statement": [ALL]}}


def template(properties: dict[str, Any] | None = None, **more: Any) -> str:
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": "made", "AssumeRolePolicyDocument": TRUST, **(properties or {})},
    }
    return json.dumps({"Resources": {"Role": role, **more}})


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*", **more}


class Stack:
    """One caller's dealings with one stack."""

    def __init__(self, world: World, who: Credentials | None = None, name: str = "s") -> None:
        self.client = world.cloud.client("cloudformation", who)
        self.admin = world.cloud.client("cloudformation")
        self.name = name

    def create(self, body: str, **more: Any) -> str:
        """Create the stack and give its status."""
        self.client.create_stack(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"], **more)
        return self.status

    def update(self, body: str, **more: Any) -> str:
        self.client.update_stack(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"], **more)
        return self.status

    def refused(self, body: str, **more: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            self.create(body, **more)
        error: Any = caught.value.response["Error"]
        return error["Code"], error["Message"]

    @property
    def status(self) -> str:
        return str(self.admin.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])

    def reasons(self) -> list[str]:
        """What the events tell of failures, the oldest first."""
        events = self.admin.describe_stack_events(StackName=self.name)["StackEvents"]
        return [each.get("ResourceStatusReason", "") for each in reversed(events) if "FAILED" in each["ResourceStatus"]]


def roles(world: World) -> list[str]:
    return [role["RoleName"] for role in world.iam.list_roles()["Roles"]]


def test_who_may_make_each_resource_gets_the_stack(world: World) -> None:
    may = ["cloudformation:CreateStack", "iam:CreateRole", "iam:PutRolePolicy", "iam:GetRole"]
    alice = world.user("alice", {"Effect": "Allow", "Action": may, "Resource": "*"})
    assert Stack(world, alice).create(template({"Policies": [INLINE]})) == "CREATE_COMPLETE"
    assert world.iam.get_role_policy(RoleName="made", PolicyName="inline")["PolicyDocument"]["Statement"] == [ALL]
    made = [
        record
        for record in world.cloud.trail.records()
        if record["userIdentity"].get("invokedBy") == SERVICE and record["userIdentity"]["userName"] == "alice"
    ]
    assert [record["eventName"] for record in made] == ["CreateRole", "PutRolePolicy", "GetRole"]
    assert {(record["sourceIPAddress"], record["userAgent"]) for record in made} == {(SERVICE, SERVICE)}


@pytest.mark.parametrize(
    ("statements", "because"),
    [
        ([{**ALL, "Action": "cloudformation:*"}], "because no identity-based policy allows the iam:CreateRole action"),
        ([ALL, deny("iam:CreateRole")], "explicit deny in an identity-based policy"),
        ([ALL, deny("iam:*", Condition={"Bool": {"aws:ViaAWSService": "true"}})], "explicit deny"),
        ([ALL, deny("*", Condition={"ForAnyValue:StringEquals": {"aws:CalledVia": SERVICE}})], "explicit deny"),
        ([ALL, deny("iam:*", Condition={"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}})], "explicit deny"),
        ([ALL, deny("iam:CreateRole", Resource="arn:aws:iam::*:role/made")], "explicit deny"),
    ],
    ids=["stacks-only", "narrow-deny", "via-service", "called-via", "own-network-only", "by-name"],
)
def test_a_role_that_the_caller_may_not_make_is_not_made(
    world: World, statements: list[dict[str, Any]], because: str
) -> None:
    stack = Stack(world, world.user("alice", *statements))
    assert stack.create(template()) == "ROLLBACK_COMPLETE"
    assert roles(world) == []
    (reason,) = stack.reasons()
    who = f"User: arn:aws:iam::{world.account}:user/alice is not authorized to perform: iam:CreateRole"
    assert f"{who} on resource: arn:aws:iam::{world.account}:role/made" in reason
    assert because in reason
    assert reason.endswith("HandlerErrorCode: AccessDenied)")
    denied = [each for each in world.cloud.trail.records() if each.get("errorCode") == "AccessDenied"]
    assert [(each["eventName"], each["userIdentity"]["invokedBy"]) for each in denied] == [("CreateRole", SERVICE)]


def test_who_may_not_use_cloudformation_is_denied(world: World) -> None:
    alice = world.user("alice", {**ALL, "Action": "iam:*"})
    assert Stack(world, alice).refused(template())[0] == "AccessDenied"
    assert roles(world) == []


def test_what_was_made_before_the_failure_is_deleted(world: World) -> None:
    alice = world.user("alice", ALL, deny("iam:PutRolePolicy"))
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "of-the-stack"}}
    stack = Stack(world, alice)
    body = template({"Policies": [INLINE], "Tags": [{"Key": "bucket", "Value": {"Ref": "Bucket"}}]}, Bucket=bucket)
    assert stack.create(body) == "ROLLBACK_COMPLETE"
    assert roles(world) == []
    assert world.cloud.client("s3").list_buckets()["Buckets"] == []
    # Looking at it, and deleting it, brings nothing back.
    assert stack.admin.describe_stack_resources(StackName="s")["StackResources"] == []
    stack.admin.delete_stack(StackName="s")
    assert roles(world) == []


def test_a_rollback_needs_permissions_too(world: World) -> None:
    alice = world.user("alice", ALL, deny("iam:PutRolePolicy"), deny("iam:DeleteRole"))
    stack = Stack(world, alice)
    assert stack.create(template({"Policies": [INLINE]})) == "ROLLBACK_FAILED"
    assert roles(world) == ["made"]
    stack.admin.delete_stack(StackName="s")
    assert roles(world) == []


@pytest.mark.parametrize(("option", "status"), [("DO_NOTHING", "CREATE_FAILED"), ("DELETE", None)])
def test_what_a_failure_leaves_is_the_callers_choice(world: World, option: str, status: str | None) -> None:
    alice = world.user("alice", ALL, deny("iam:PutRolePolicy"))
    stack = Stack(world, alice)
    if status is None:
        with pytest.raises(ClientError, match="does not exist"):
            stack.create(template({"Policies": [INLINE]}), OnFailure=option)
        assert roles(world) == []
    else:
        assert stack.create(template({"Policies": [INLINE]}), OnFailure=option) == status
        assert roles(world) == ["made"]


@pytest.mark.parametrize("way", ["boundary", "session-policy", "revoked", "expired"])
def test_a_session_does_no_more_through_a_stack_than_by_itself(world: World, way: str) -> None:
    world.role("target")
    if way == "boundary":
        arn = world.iam.create_policy(PolicyName="b", PolicyDocument=document({**ALL, "Action": "cloudformation:*"}))
        world.iam.put_role_permissions_boundary(RoleName="target", PermissionsBoundary=arn["Policy"]["Arn"])
    more = {"Policy": document({**ALL, "Action": "cloudformation:*"})} if way == "session-policy" else {}
    session = world.assume("target", **more)
    if way == "revoked":
        world.clock.advance(60)
        cutoff = deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": world.clock.now().isoformat()}})
        world.iam.put_role_policy(
            RoleName="target", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document(cutoff)
        )
    if way == "expired":
        world.clock.advance(3700)
    stack = Stack(world, session)
    if way in {"revoked", "expired"}:
        assert stack.refused(template())[0] == ("AccessDenied" if way == "revoked" else "ExpiredToken")
    else:
        assert stack.create(template()) == "ROLLBACK_COMPLETE"
    assert roles(world) == ["target"]


def test_an_instance_gets_no_role_that_its_maker_may_not_pass(world: World) -> None:
    world.role("strong", principal={"Service": "ec2.amazonaws.com"})
    profile = {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": ["strong"]}}
    stack = Stack(world, world.user("alice", ALL, deny("iam:PassRole")))
    assert stack.create(json.dumps({"Resources": {"Profile": profile}})) == "ROLLBACK_COMPLETE"
    assert "not authorized to perform: iam:PassRole on resource" in stack.reasons()[0]
    assert world.iam.list_instance_profiles()["InstanceProfiles"] == []


def test_a_session_without_mfa_makes_no_identities(world: World) -> None:
    alice = world.user("alice", ALL)
    session = world.cloud.credentials_of(world.cloud.client("sts", alice).get_session_token()["Credentials"])
    stack = Stack(world, session)
    assert stack.create(template()) == "ROLLBACK_COMPLETE"
    assert "The security token included in the request is invalid" in stack.reasons()[0]
    assert roles(world) == []
