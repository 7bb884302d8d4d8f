"""Updates, change sets and deletions: judged call by call, and taken back when one is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("moto.cloudformation")

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

    Make = Callable[..., Any]

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
OTHER = json.loads(json.dumps(TRUST).replace("ec2.", "lambda."))


def template(properties: dict[str, Any] | None = None, **more: Any) -> str:
    own = {"RoleName": "made", "AssumeRolePolicyDocument": TRUST, **(properties or {})}
    return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": own}, **more}})


def inline(*names: str, action: str = "s3:*") -> list[dict[str, Any]]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return [{"PolicyName": name, "PolicyDocument": document} for name in names]


def deny(action: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*"}


def as_it_is(world: World) -> dict[str, Any]:
    """What of the role `made` an update can change."""
    role = world.iam.get_role(RoleName="made")["Role"]
    policies = world.iam.list_role_policies(RoleName="made")["PolicyNames"]
    actions = {
        name: world.iam.get_role_policy(RoleName="made", PolicyName=name)["PolicyDocument"]["Statement"][0]["Action"]
        for name in policies
    }
    return {
        "trust": role["AssumeRolePolicyDocument"],
        "description": role.get("Description"),
        "tags": {each["Key"]: each["Value"] for each in role.get("Tags", [])},
        "policies": actions,
    }


def test_an_update_makes_the_calls_that_the_change_needs(world: World, stack: Make) -> None:
    own = stack()
    before = {"Policies": inline("a", "b"), "Tags": [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "1"}]}
    own.create(template(before))
    seen = len(world.cloud.trail)
    after = {
        "AssumeRolePolicyDocument": OTHER,
        "Description": "new",
        "Policies": [*inline("a", action="sqs:*"), *inline("c")],
        "Tags": [{"Key": "x", "Value": "2"}],
    }
    assert own.update(template(after)) == "UPDATE_COMPLETE"
    assert as_it_is(world) == {
        "trust": OTHER,
        "description": "new",
        "tags": {"x": "2"},
        "policies": {"a": "sqs:*", "c": "s3:*"},
    }
    forwarded = [each for each in world.cloud.trail.records()[seen:] if "invokedBy" in each["userIdentity"]]
    assert sorted(each["eventName"] for each in forwarded) == [
        "DeleteRolePolicy",
        "PutRolePolicy",
        "PutRolePolicy",
        "TagRole",
        "UntagRole",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
    ]


@pytest.mark.parametrize(
    "denied",
    ["iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:TagRole", "s3:CreateBucket"],
)
def test_an_update_that_is_refused_leaves_everything_as_it_was(world: World, stack: Make, denied: str) -> None:
    stack().create(template({"Policies": inline("a", "b"), "Tags": [{"Key": "x", "Value": "1"}], "Description": "old"}))
    was = as_it_is(world)
    # What takes a change back is not denied: the denial is of the first try alone.
    own = stack(world.user("alice", ALL, {**deny(denied), "Condition": {"Null": {"aws:TokenIssueTime": "true"}}}))
    after = template(
        {
            "AssumeRolePolicyDocument": OTHER,
            "Description": "new",
            "Policies": [*inline("a", action="sqs:*"), *inline("c")],
            "Tags": [{"Key": "x", "Value": "2"}, {"Key": "z", "Value": {"Ref": "Bucket"}}],
        },
        Bucket={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "of-the-update"}},
    )
    status = own.update(after)
    assert denied in own.reasons[0]
    assert world.cloud.client("s3").list_buckets()["Buckets"] == []
    if denied == "iam:PutRolePolicy":
        # The policy `b`, already gone, cannot be put back by who may not put policies.
        assert status == "UPDATE_ROLLBACK_FAILED"
        assert as_it_is(world) == {**was, "policies": {"a": "s3:*"}}
    else:
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert as_it_is(world) == was
    assert own.admin.get_template(StackName="s")["TemplateBody"] != after


def test_what_a_template_drops_is_deleted_by_who_may(world: World, stack: Make) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "goes"}}
    stack().create(template(Bucket=bucket))
    may_not = stack(world.user("alice", ALL, deny("s3:DeleteBucket")))
    assert may_not.update(template()) == "UPDATE_COMPLETE"
    assert "s3:DeleteBucket" in may_not.reasons[0]
    assert [each["Name"] for each in world.cloud.client("s3").list_buckets()["Buckets"]] == ["goes"]


def test_a_new_name_is_a_new_role(world: World, stack: Make) -> None:
    own = stack()
    own.create(template())
    assert own.update(template({"RoleName": "renamed"})) == "UPDATE_COMPLETE"
    assert own.roles == ["renamed"]
    # One that keeps its name cannot be made beside itself.
    assert own.update(template({"RoleName": "renamed", "Path": "/p/"})) == "UPDATE_ROLLBACK_COMPLETE"
    assert "when a custom-named resource requires replacing" in own.reasons[0]
    assert own.roles == ["renamed"]


def test_parameters_and_conditions_decide_what_there_is(world: World, stack: Make) -> None:
    body = json.dumps(
        {
            "Parameters": {"Name": {"Type": "String"}, "With": {"Type": "String", "Default": "no"}},
            "Conditions": {"Bucket": {"Fn::Equals": [{"Ref": "With"}, "yes"]}},
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"RoleName": {"Ref": "Name"}, "AssumeRolePolicyDocument": TRUST},
                },
                "Bucket": {"Type": "AWS::S3::Bucket", "Condition": "Bucket", "Properties": {"BucketName": "if-so"}},
            },
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}, "Export": {"Name": "arn"}}},
        }
    )

    def given(**parameters: str) -> list[dict[str, str]]:
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]

    def buckets() -> list[str]:
        return [each["Name"] for each in world.cloud.client("s3").list_buckets()["Buckets"]]

    own = stack()
    assert own.create(body, Parameters=given(Name="first")) == "CREATE_COMPLETE"
    assert own.update(Parameters=given(Name="second", With="yes")) == "UPDATE_COMPLETE"
    assert (own.roles, buckets()) == (["second"], ["if-so"])
    assert own.update(Parameters=given(Name="second")) == "UPDATE_COMPLETE"
    assert buckets() == []
    events = own.admin.describe_stack_events(StackName="s")["StackEvents"]
    assert [each["ResourceStatus"] for each in events if each["LogicalResourceId"] == "s"][-2:] == [
        "CREATE_COMPLETE",
        "CREATE_IN_PROGRESS",
    ]
    assert events[-1]["LogicalResourceId"] == "s"
    outputs = own.admin.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    assert outputs[0]["OutputValue"] == f"arn:aws:iam::{world.account}:role/second"
    taken = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}}}
    taken["Outputs"] = {"A": {"Value": "x", "Export": {"Name": "arn"}}}
    assert stack(name="t").refused(
        own.client.create_stack, StackName="t", TemplateBody=json.dumps(taken), Capabilities=["CAPABILITY_IAM"]
    )[1] == ("Export names must be unique across a given region")
    assert own.roles == ["second"]


@pytest.mark.parametrize("kind", ["CREATE", "UPDATE"])
def test_a_change_set_is_judged_when_it_is_executed(world: World, stack: Make, kind: str) -> None:
    alice = world.user("alice", ALL, deny("iam:PutRolePolicy"))
    own = stack(alice)
    if kind == "UPDATE":
        own.create(template())
    own.client.create_change_set(
        StackName="s",
        ChangeSetName="c",
        ChangeSetType=kind,
        TemplateBody=template({"Policies": inline("a")}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    own.client.execute_change_set(StackName="s", ChangeSetName="c")
    assert own.status == ("ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE")
    assert "iam:PutRolePolicy" in own.reasons[0]
    assert own.roles == ([] if kind == "CREATE" else ["made"])
    assert own.client.describe_change_set(StackName="s", ChangeSetName="c")["ExecutionStatus"] == "EXECUTE_FAILED"
    # It is not executed again, nor is a stack updated that was never made.
    assert own.refused(own.client.execute_change_set, StackName="s", ChangeSetName="c")[0] == "InvalidChangeSetStatus"
    if kind == "CREATE":
        assert own.refused(own.update, template())[1].endswith("is in ROLLBACK_COMPLETE state and can not be updated.")


def test_a_failed_update_stays_as_it_is_where_the_caller_wants_that(world: World, stack: Make) -> None:
    stack().create(template())
    own = stack(world.user("alice", ALL, deny("s3:CreateBucket")))
    bucket = {"Type": "AWS::S3::Bucket", "DependsOn": "Role", "Properties": {"BucketName": "never"}}
    assert own.update(template({"Description": "new"}, Bucket=bucket), DisableRollback=True) == "UPDATE_FAILED"
    assert as_it_is(world)["description"] == "new"
    assert stack().update(template({"Description": "newer"})) == "UPDATE_COMPLETE"
    assert as_it_is(world)["description"] == "newer"


def test_a_change_set_of_who_may_makes_the_stack(world: World, stack: Make) -> None:
    own = stack()
    more = {"ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template()}
    own.client.create_change_set(StackName="s", Capabilities=["CAPABILITY_NAMED_IAM"], **more)
    own.client.execute_change_set(StackName="s", ChangeSetName="c")
    assert (own.status, own.roles) == ("CREATE_COMPLETE", ["made"])


def test_a_deletion_is_judged_resource_by_resource(world: World, stack: Make) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "goes"}}
    stack().create(template({"Policies": inline("a")}, Bucket=bucket))
    alice = stack(world.user("alice", ALL, deny("iam:DeleteRole")))
    alice.client.delete_stack(StackName="s")
    assert alice.status == "DELETE_FAILED"
    assert alice.roles == ["made"]
    assert "iam:DeleteRole" in alice.reasons[0]
    assert world.cloud.client("s3").list_buckets()["Buckets"] == []
    alice.client.delete_stack(StackName="s", RetainResources=["Role"])
    assert alice.roles == ["made"]
    assert stack().refused(lambda: alice.status)[0] == "ValidationError"


def test_a_deleted_stack_brings_nothing_back(world: World, stack: Make) -> None:
    own = stack()
    own.create(template())
    identifier = own.admin.describe_stacks(StackName="s")["Stacks"][0]["StackId"]
    own.client.delete_stack(StackName="s")
    assert own.roles == []
    own.admin.describe_stack_resources(StackName=identifier)
    own.admin.list_stack_resources(StackName=identifier)
    assert own.admin.describe_stacks(StackName=identifier)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert own.roles == []


def test_what_is_retained_or_protected_stays(world: World, stack: Make) -> None:
    own = stack()
    kept = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "kept"}}
    own.create(template(Bucket=kept), EnableTerminationProtection=True)
    assert "TerminationProtection" in own.refused(own.client.delete_stack, StackName="s")[1]
    assert own.roles == ["made"]
    protected = own.admin.describe_stacks(StackName="s")["Stacks"][0]
    assert protected["EnableTerminationProtection"] is True


def test_a_stack_outlives_a_saved_state(world: World, stack: Make) -> None:
    own = stack()
    own.create(template({"Policies": inline("a")}))
    state = json.loads(json.dumps(world.cloud.save()))
    assert not [each for each in state["left_out"] if each.startswith("cloudformation")]
    own.client.delete_stack(StackName="s")
    world.cloud.restore(state)
    back = stack()
    assert back.update(template({"Policies": inline("b")})) == "UPDATE_COMPLETE"
    assert as_it_is(world)["policies"] == {"b": "s3:*"}
    back.client.delete_stack(StackName="s")
    assert back.roles == []
