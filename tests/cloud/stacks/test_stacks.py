"""A stack is made in the name of who asked for it: each resource by calls that every policy judges, and the trail tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

pytest.importorskip("moto.cloudformation")

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

    Make = Callable[..., Any]

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SERVICE = "cloudformation.amazonaws.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
INLINE = {"PolicyName": "inline", "PolicyDocument": {"Version": "2012-10-17", "Statement": [ALL]}}


def template(properties: dict[str, Any] | None = None, **more: Any) -> str:
    own = {"RoleName": "made", "AssumeRolePolicyDocument": TRUST, **(properties or {})}
    return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": own}, **more}})


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*", **more}


def test_who_may_make_each_resource_gets_the_stack(world: World, stack: Make) -> None:
    may = ["cloudformation:CreateStack", "iam:CreateRole", "iam:PutRolePolicy", "iam:GetRole"]
    alice = world.user("alice", {"Effect": "Allow", "Action": may, "Resource": "*"})
    assert stack(alice).create(template({"Policies": [INLINE]})) == "CREATE_COMPLETE"
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
    world: World, stack: Make, statements: list[dict[str, Any]], because: str
) -> None:
    own = stack(world.user("alice", *statements))
    assert own.create(template()) == "ROLLBACK_COMPLETE"
    assert own.roles == []
    (reason,) = own.reasons
    who = f"User: arn:aws:iam::{world.account}:user/alice is not authorized to perform: iam:CreateRole"
    assert f"{who} on resource: arn:aws:iam::{world.account}:role/made" in reason
    assert because in reason
    assert reason.endswith("HandlerErrorCode: AccessDenied)")
    denied = [each for each in world.cloud.trail.records() if each.get("errorCode") == "AccessDenied"]
    assert [(each["eventName"], each["userIdentity"]["invokedBy"]) for each in denied] == [("CreateRole", SERVICE)]


def test_who_may_not_use_cloudformation_is_denied(world: World, stack: Make) -> None:
    own = stack(world.user("alice", {**ALL, "Action": "iam:*"}))
    assert own.refused(own.create, template())[0] == "AccessDenied"
    assert own.roles == []


def test_what_was_made_before_the_failure_is_deleted(world: World, stack: Make) -> None:
    alice = world.user("alice", ALL, deny("iam:PutRolePolicy"))
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "of-the-stack"}}
    own = stack(alice)
    body = template({"Policies": [INLINE], "Tags": [{"Key": "bucket", "Value": {"Ref": "Bucket"}}]}, Bucket=bucket)
    assert own.create(body) == "ROLLBACK_COMPLETE"
    assert own.roles == []
    assert world.cloud.client("s3").list_buckets()["Buckets"] == []
    # Looking at it, and deleting it, brings nothing back.
    assert own.admin.describe_stack_resources(StackName="s")["StackResources"] == []
    own.admin.delete_stack(StackName="s")
    assert own.roles == []


def test_a_rollback_needs_permissions_too(world: World, stack: Make) -> None:
    alice = world.user("alice", ALL, deny("iam:PutRolePolicy"), deny("iam:DeleteRole"))
    own = stack(alice)
    assert own.create(template({"Policies": [INLINE]})) == "ROLLBACK_FAILED"
    assert own.roles == ["made"]
    own.admin.delete_stack(StackName="s")
    assert own.roles == []


@pytest.mark.parametrize(("option", "status"), [("DO_NOTHING", "CREATE_FAILED"), ("DELETE", None)])
def test_what_a_failure_leaves_is_the_callers_choice(
    world: World, stack: Make, option: str, status: str | None
) -> None:
    alice = world.user("alice", ALL, deny("iam:PutRolePolicy"))
    own = stack(alice)
    if status is None:
        with pytest.raises(ClientError, match="does not exist"):
            own.create(template({"Policies": [INLINE]}), OnFailure=option)
        assert own.roles == []
    else:
        assert own.create(template({"Policies": [INLINE]}), OnFailure=option) == status
        assert own.roles == ["made"]


@pytest.mark.parametrize("way", ["boundary", "session-policy", "revoked", "expired"])
def test_a_session_does_no_more_through_a_stack_than_by_itself(world: World, stack: Make, way: str) -> None:
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
    own = stack(session)
    if way in {"revoked", "expired"}:
        assert own.refused(own.create, template())[0] == ("AccessDenied" if way == "revoked" else "ExpiredToken")
    else:
        assert own.create(template()) == "ROLLBACK_COMPLETE"
    assert own.roles == ["target"]


def test_an_instance_gets_no_role_that_its_maker_may_not_pass(world: World, stack: Make) -> None:
    world.role("strong", principal={"Service": "ec2.amazonaws.com"})
    profile = {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": ["strong"]}}
    own = stack(world.user("alice", ALL, deny("iam:PassRole")))
    assert own.create(json.dumps({"Resources": {"Profile": profile}})) == "ROLLBACK_COMPLETE"
    assert "not authorized to perform: iam:PassRole on resource" in own.reasons[0]
    assert world.iam.list_instance_profiles()["InstanceProfiles"] == []


def test_a_session_without_mfa_makes_no_identities(world: World, stack: Make) -> None:
    alice = world.user("alice", ALL)
    session = world.cloud.credentials_of(world.cloud.client("sts", alice).get_session_token()["Credentials"])
    own = stack(session)
    assert own.create(template()) == "ROLLBACK_COMPLETE"
    assert "The security token included in the request is invalid" in own.reasons[0]
    assert own.roles == []


def test_what_is_retained_outlives_the_rollback(world: World, stack: Make) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "kept"}}
    own = stack(world.user("alice", ALL, deny("iam:PutRolePolicy")))
    body = template({"Policies": [INLINE], "Tags": [{"Key": "bucket", "Value": {"Ref": "Bucket"}}]}, Bucket=bucket)
    assert own.create(body) == "ROLLBACK_COMPLETE"
    assert own.roles == []
    assert [each["Name"] for each in world.cloud.client("s3").list_buckets()["Buckets"]] == ["kept"]


def test_an_organisation_holds_through_a_stack(world: World, stack: Make) -> None:
    member = world.cloud.administrator("222233334444")
    organizations = world.cloud.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    policy = {"Name": "scp", "Description": "d", "Type": "SERVICE_CONTROL_POLICY"}
    made = organizations.create_policy(Content=document(deny("iam:CreateRole")), **policy)
    organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId="222233334444")
    own = stack(member)
    own.admin = own.client
    assert own.create(template()) == "ROLLBACK_COMPLETE"
    assert "with an explicit deny in a service control policy" in own.reasons[0]
    assert world.cloud.client("iam", member).list_roles()["Roles"] == []


def test_the_stacks_tags_go_to_what_it_makes(world: World, stack: Make) -> None:
    may_not_tag = stack(world.user("alice", ALL, deny("iam:TagRole")))
    assert may_not_tag.create(template(), Tags=[{"Key": "team", "Value": "red"}]) == "ROLLBACK_COMPLETE"
    own = stack(name="t")
    assert own.create(template({"Tags": [{"Key": "own", "Value": "1"}]}), Tags=[{"Key": "team", "Value": "red"}])
    tags = world.iam.get_role(RoleName="made")["Role"]["Tags"]
    assert {each["Key"]: each["Value"] for each in tags} == {"own": "1", "team": "red"}


@pytest.mark.parametrize("service", ["s3", "sqs", "sns"])
def test_a_stack_does_not_come_to_own_what_is_there(world: World, stack: Make, service: str) -> None:
    cloud = world.cloud
    if service == "s3":
        cloud.client("s3").create_bucket(Bucket="mine")
    elif service == "sqs":
        cloud.client("sqs").create_queue(QueueName="mine")
    else:
        cloud.client("sns").create_topic(Name="mine")
    kind, name = {
        "s3": ("S3::Bucket", "BucketName"),
        "sqs": ("SQS::Queue", "QueueName"),
        "sns": ("SNS::Topic", "TopicName"),
    }[service]
    own = stack()
    body = json.dumps({"Resources": {"R": {"Type": f"AWS::{kind}", "Properties": {name: "mine"}}}})
    assert own.create(body) == "ROLLBACK_COMPLETE"
    assert "with identifier 'mine' already exists" in own.reasons[0]
    there = {
        "s3": lambda: cloud.client("s3").list_buckets()["Buckets"],
        "sqs": lambda: cloud.client("sqs").list_queues()["QueueUrls"],
        "sns": lambda: cloud.client("sns").list_topics()["Topics"],
    }
    assert len(there[service]()) == 1


def test_a_stack_works_in_its_region_and_iam_in_its_own(world: World, stack: Make) -> None:
    elsewhere = deny("*", Condition={"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}})
    own = stack(world.user("alice", ALL, elsewhere))
    own.client = own.admin = world.cloud.client(
        "cloudformation", world.cloud.user_credentials("alice"), region_name="eu-west-1"
    )
    body = template(
        Queue={"Type": "AWS::SQS::Queue"}, Bucket={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "abroad"}}
    )
    assert own.create(body) == "CREATE_COMPLETE"
    records = [each for each in world.cloud.trail.records() if each["userIdentity"].get("invokedBy") == SERVICE]
    regions = {each["eventName"]: each["awsRegion"] for each in records}
    assert (regions["CreateRole"], regions["CreateQueue"], regions["CreateBucket"]) == (
        "us-east-1",
        "eu-west-1",
        "eu-west-1",
    )
    assert world.cloud.client("s3").get_bucket_location(Bucket="abroad")["LocationConstraint"] == "eu-west-1"
    assert "QueueUrls" not in world.cloud.client("sqs").list_queues()
