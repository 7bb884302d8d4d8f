"""In whose name a stack works, and what its template may draw on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("moto.cloudformation")

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import World

    Make = Callable[..., Any]

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
STACKS = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
SERVICE = "cloudformation.amazonaws.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def template(properties: dict[str, Any] | None = None, **more: Any) -> str:
    own = {"RoleName": "made", "AssumeRolePolicyDocument": TRUST, **(properties or {})}
    return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": own}, **more}})


def deny(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*", **more}


@pytest.fixture
def service_role(world: World) -> str:
    return world.role("service", principal={"Service": SERVICE}, actions=["sts:AssumeRole"])


# The service role.


def test_a_service_role_works_in_the_place_of_the_caller(world: World, stack: Make, service_role: str) -> None:
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": service_role}
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": SERVICE}}
    own = stack(world.user("alice", STACKS, passing))
    assert own.create(template(), RoleARN=service_role) == "CREATE_COMPLETE"
    assert "made" in own.roles
    (record,) = [each for each in world.cloud.trail.records() if each["eventName"] == "CreateRole" and "invokedBy" in each["userIdentity"]]  # fmt: skip
    identity = record["userIdentity"]
    assert identity["arn"] == f"arn:aws:sts::{world.account}:assumed-role/service/AWSCloudFormation"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == service_role
    assert identity["invokedBy"] == SERVICE


def test_a_service_role_must_be_passed_and_must_trust(world: World, stack: Make, service_role: str) -> None:
    own = stack(world.user("alice", STACKS))
    code, message = own.refused(own.create, template(), RoleARN=service_role)
    assert (code, "iam:PassRole" in message) == ("AccessDenied", True)
    world.role("distrustful")
    for name in ("distrustful", "missing"):
        arn = f"arn:aws:iam::{world.account}:role/{name}"
        assert stack().refused(stack().create, template(), RoleARN=arn) == (
            "ValidationError",
            f"Role {arn} is invalid or cannot be assumed",
        )
    assert "made" not in own.roles


def test_a_service_role_stays_with_its_stack(world: World, stack: Make, service_role: str) -> None:
    stack().create(template(), RoleARN=service_role)
    own = stack(world.user("alice", STACKS))
    # Who may only update stacks, and pass no role, still works with the role's permissions.
    assert own.update(template({"Description": "by alice"})) == "UPDATE_COMPLETE"
    assert own.update(template({"Description": "again"})) == "UPDATE_COMPLETE"
    assert world.iam.get_role(RoleName="made")["Role"]["Description"] == "again"
    own.client.delete_stack(StackName="s")
    assert own.roles == ["service"]


def test_a_revocation_of_the_service_roles_sessions_does_not_end_its_stacks(
    world: World, stack: Make, service_role: str
) -> None:
    stack().create(template(), RoleARN=service_role)
    world.clock.advance(10)
    cutoff = deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": world.clock.now().isoformat()}})
    document = json.dumps({"Version": "2012-10-17", "Statement": [cutoff]})
    world.iam.put_role_policy(RoleName="service", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)
    world.clock.advance(10)
    own = stack(world.user("alice", STACKS))
    assert own.update(template({"Description": "after"})) == "UPDATE_COMPLETE"
    # A deny of all that the role does holds them as well.
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny("*")]})
    world.iam.put_role_policy(RoleName="service", PolicyName="contained", PolicyDocument=document)
    assert own.update(template({"Description": "too late"})).startswith("UPDATE_ROLLBACK")


def test_a_service_role_too_goes_through_a_service(world: World, stack: Make, service_role: str) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny("iam:CreateRole", Condition={"Bool": {"aws:ViaAWSService": "true"}})]})  # fmt: skip
    world.iam.put_role_policy(RoleName="service", PolicyName="narrow", PolicyDocument=document)
    own = stack()
    assert own.create(template(), RoleARN=service_role) == "ROLLBACK_COMPLETE"
    assert "assumed-role/service/AWSCloudFormation is not authorized" in own.reasons[0]


# Where the template comes from.


def test_a_template_in_s3_is_read_with_the_callers_permissions(world: World, stack: Make) -> None:
    s3 = world.cloud.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="a/b.json", Body=template().encode())
    may_not = stack(world.user("alice", ALL, deny("s3:GetObject")))
    for url in ("https://templates.s3.amazonaws.com/a/b.json", "https://s3.us-east-1.amazonaws.com/templates/a/b.json"):
        code, message = may_not.refused(may_not.create, "", TemplateURL=url)
        assert (code, message) == ("ValidationError", "S3 error: Access Denied")
        change = {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateURL": url}
        assert may_not.refused(may_not.client.create_change_set, **change)[0] == "ValidationError"
        assert may_not.refused(may_not.client.get_template_summary, TemplateURL=url)[0] == "ValidationError"
    assert may_not.roles == []
    own = stack(world.user("bob", ALL))
    assert own.create("", TemplateURL="https://templates.s3.amazonaws.com/a/b.json") == "CREATE_COMPLETE"
    assert own.roles == ["made"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://templates.s3.amazonaws.com/missing", "ValidationError"),
        ("https://templates.s3.amazonaws.com/no-text", "ValidationError"),
        ("https://s3.amazonaws.com/templates", "ValidationError"),
        ("http://[", "ValidationError"),
        ("https://example.org/template.json", "NotImplemented"),
        ("file:///etc/passwd", "NotImplemented"),
    ],
)
def test_a_template_that_cannot_be_read_is_told(world: World, stack: Make, url: str, code: str) -> None:
    world.cloud.client("s3").create_bucket(Bucket="templates")
    world.cloud.client("s3").put_object(Bucket="templates", Key="no-text", Body=b"\xff\xfe")
    own = stack()
    assert own.refused(own.create, "", TemplateURL=url)[0] == code


def test_a_parameter_of_systems_manager_is_read_with_the_callers_permissions(world: World, stack: Make) -> None:
    world.cloud.client("ssm").put_parameter(Name="/secret", Value="s3cr3t", Type="String")
    body = json.dumps(
        {
            "Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/secret"}},
            "Resources": json.loads(template())["Resources"],
            "Outputs": {"O": {"Value": {"Ref": "P"}}},
        }
    )
    may_not = stack(world.user("alice", ALL, deny("ssm:Get*")))
    code, message = may_not.refused(may_not.create, body)
    assert (code, "ssm:GetParameters" in message) == ("ValidationError", True)
    assert may_not.roles == []
    own = stack()
    assert own.create(body) == "CREATE_COMPLETE"
    assert own.admin.describe_stacks(StackName="s")["Stacks"][0]["Outputs"][0]["OutputValue"] == "s3cr3t"


YAML = """\
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${AWS::StackName}-role"
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
      Tags: [{Key: account, Value: !Join ["-", [a, !Ref AWS::AccountId]]}]
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {InstanceProfileName: !GetAtt Role.RoleId, Roles: [!Ref Role]}}
Outputs: {Long: {Value: {"Fn::GetAtt": Role.Arn}}}
"""


def test_short_forms_of_yaml_mean_what_they_mean(world: World, stack: Make) -> None:
    own = stack()
    assert own.create(YAML) == "CREATE_COMPLETE"
    role = world.iam.get_role(RoleName="s-role")["Role"]
    assert role["Tags"] == [{"Key": "account", "Value": f"a-{world.account}"}]
    assert world.iam.get_instance_profile(InstanceProfileName=role["RoleId"])["InstanceProfile"]["Roles"]


def test_a_template_runs_nothing(tmp_path: Path, world: World, stack: Make) -> None:
    assert world.account
    mark = tmp_path / "mark"
    body = f"{YAML}\nDescription: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{mark}']]\n"
    own = stack()
    assert own.refused(own.create, body)[0] == "ValidationError"
    for call in (own.client.validate_template, own.client.get_template_summary):
        assert own.refused(call, TemplateBody=body)[0] == "ValidationError"
    assert not mark.exists()


ROLE = '{"Type": "AWS::IAM::Role", "Properties": %s}'
MALFORMED = {
    "{": "JSON not well-formed",
    "Resources: [": "YAML not well-formed",
    "[" * 500: "YAML not well-formed",
    "- 1": "unsupported structure",
    "a: &a [x]\nb: *a": "YAML not well-formed",
    "{}": "At least one Resources member must be defined",
    '{"Resources": []}': "[/Resources] must be an object",
    '{"Resources": {}}': "At least one Resources member must be defined",
    '{"Resources": {"A": {}}}': "[/Resources/A] Every Resources object must contain a Type member",
    '{"Resources": {"A": %s}}' % (ROLE % "[]"): "[/Resources/A/Properties] must be an object",
    '{"Resources": {"A": %s}, "Parameters": {"P": {}}}' % (ROLE % "{}"): "Every Parameters object must contain a Type member",
    '{"Resources": {"A": %s}, "Outputs": {"O": 1}}' % (ROLE % "{}"): "Every Outputs object must contain a Value member",
    '{"Resources": {"A": %s}, "Conditions": {"C": 1}}' % (ROLE % "{}"): "Conditions can only be boolean operations",
    '{"Resources": {"A": %s}}' % (ROLE % '{"RoleName": {"Ref": "B"}}'): "Unresolved resource dependencies [B] in the Resources block",
    '{"Resources": {"A": %s}}' % (ROLE % '{"Path": {"Fn::Sub": ["${x}${C.Arn}", {"x": 1}]}}'): "Unresolved resource dependencies [C]",
    '{"Resources": {"A": {"Type": "AWS::SQS::Queue", "Condition": "C"}}}': "the condition of `A` is not defined",
}  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_template_is_told_as_cloudformation_tells_it(stack: Make, body: str) -> None:
    own = stack()
    code, message = own.refused(own.create, body)
    assert (code, message.partition(": ")[0]) == ("ValidationError", "Template format error")
    assert MALFORMED[body] in message
    assert own.admin.list_stacks()["StackSummaries"] == []


def test_a_circle_is_told(stack: Make) -> None:
    queue = {"Type": "AWS::SQS::Queue"}
    body = json.dumps({"Resources": {"A": {**queue, "DependsOn": "B"}, "B": {**queue, "DependsOn": ["A"]}, "C": queue}})
    own = stack()
    assert own.refused(own.create, body) == ("ValidationError", "Circular dependency between resources: [A, B]")


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Policies": "x"}, "#/Policies: expected type: JSONArray"),
        ({"Policies": ["x"]}, "#/Policies: expected type: JSONArray"),
        ({"Tags": [1]}, "#/Tags: expected type: JSONArray"),
        ({"MaxSessionDuration": "long"}, "MaxSessionDuration must be a number"),
        ({"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}, "(Service: Iam, Status Code: 400"),
        ({"AssumeRolePolicyDocument": {**TRUST, "Odd": 1}}, "Odd"),
    ],
)
def test_a_malformed_property_fails_the_resource(stack: Make, properties: dict[str, Any], words: str) -> None:
    own = stack()
    assert own.create(template(properties)) == "ROLLBACK_COMPLETE"
    assert words in own.reasons[0]
    assert own.roles == []


def test_outputs_that_cannot_be_told_leave_no_stack_behind(stack: Make) -> None:
    body = json.loads(template())
    body["Outputs"] = {"O": {"Value": {"Fn::Select": [9, ["a"]]}}}
    own = stack()
    assert own.refused(own.create, json.dumps(body))[0] == "ValidationError"
    assert (own.roles, own.admin.describe_stacks()["Stacks"]) == ([], [])


# What is refused by name.

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}


@pytest.mark.parametrize(
    ("resources", "more", "named"),
    [
        ({"X": {"Type": "AWS::Nobody::Knows"}}, {}, "`AWS::Nobody::Knows`"),
        ({"X": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "arn"}}}, {}, "`Custom::Thing`"),
        ({"X": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "u"}}}, {}, "`AWS::CloudFormation::Stack`"),
        ({"X": {**BUCKET, "Properties": {"ReplicationConfiguration": {}}}}, {}, "`ReplicationConfiguration` of `AWS::S3::Bucket`"),
        ({"X": BUCKET}, {"Transform": "AWS::Serverless-2016-10-31"}, "the macro `AWS::Serverless-2016-10-31`"),
        ({"X": {**BUCKET, "Properties": {"Fn::Transform": {"Name": "M"}}}}, {}, "`Fn::Transform`"),
        ({"X": {**BUCKET, "Properties": {"BucketName": "{{resolve:ssm:/name}}"}}}, {}, "dynamic reference"),
        ({"X": {**BUCKET, "CreationPolicy": {}}}, {}, "`CreationPolicy`"),
        ({"X": {**BUCKET, "Properties": {"BucketEncryption": {"Else": 1, "ServerSideEncryptionConfiguration": [{"Odd": 1}]}}}}, {}, "Odd"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_not_simulated_is_refused_by_name_and_leaves_nothing(
    world: World, stack: Make, resources: dict[str, Any], more: dict[str, Any], named: str
) -> None:
    before = json.loads(template())["Resources"]
    own = stack()
    code, message = own.refused(own.create, json.dumps({"Resources": {**before, **resources}, **more}))
    assert (code, named in message) == ("NotImplemented", True), message
    assert own.roles == []
    assert world.cloud.client("s3").list_buckets()["Buckets"] == []
    assert own.admin.list_stacks()["StackSummaries"] == []


def test_a_change_that_is_not_simulated_leaves_everything(stack: Make) -> None:
    own = stack()
    own.create(template({"Policies": []}, Key={"Type": "AWS::KMS::Key", "Properties": {"Description": "a"}}))
    body = template({"Description": "new"}, Key={"Type": "AWS::KMS::Key", "Properties": {}})
    code, message = own.refused(own.update, body)
    assert (code, "taking away `Description` of `AWS::KMS::Key`" in message) == ("NotImplemented", True)
    assert own.status == "CREATE_COMPLETE"
    assert "Description" not in own.world.iam.get_role(RoleName="made")["Role"]


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("made", [], "CAPABILITY_NAMED_IAM"),
        ("made", ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
        (None, [], "CAPABILITY_IAM"),
        (None, ["CAPABILITY_IAM"], None),
        (None, ["CAPABILITY_NAMED_IAM"], None),
    ],
)
def test_identities_must_be_acknowledged(stack: Make, name: str | None, given: list[str], wanted: str | None) -> None:
    own = stack()
    body = template({"RoleName": name} if name else {"RoleName": {"Ref": "AWS::NoValue"}})
    if name is None:
        body = body.replace('"RoleName": {"Ref": "AWS::NoValue"}, ', "")
    more = {"StackName": "s", "TemplateBody": body, "Capabilities": given}
    if wanted is None:
        own.client.create_stack(**more)
        assert own.status == "CREATE_COMPLETE"
    else:
        told = ("InsufficientCapabilitiesException", f"Requires capabilities : [{wanted}]")
        assert own.refused(own.client.create_stack, **more) == told
        assert own.roles == []


@pytest.mark.parametrize(
    ("named", "made"),
    [
        (["AWS::SQS::Queue"], False),
        (["AWS::IAM::User", "AWS::SQS::*"], False),
        (["AWS::IAM::*"], True),
        (["AWS::*"], True),
    ],
)
def test_a_stack_holds_no_other_types_than_it_names(world: World, stack: Make, named: list[str], made: bool) -> None:  # noqa: FBT001 - a case
    # A policy that asks for the named types is not got round by naming harmless ones.
    asked = {"ForAllValues:StringLike": {"cloudformation:ResourceTypes": named}, "Null": {"cloudformation:ResourceTypes": "false"}}  # fmt: skip
    own = stack(world.user("bob", {**ALL, "Action": "iam:*"}, {**STACKS, "Condition": asked}))
    if made:
        assert own.create(template(), ResourceTypes=named) == "CREATE_COMPLETE"
        return
    code, message = own.refused(own.create, template(), ResourceTypes=named)
    assert (code, "[AWS::IAM::Role]" in message) == ("ValidationError", True)
    change = {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template()}
    change |= {"ResourceTypes": named, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    assert own.refused(own.client.create_change_set, **change)[0] == "ValidationError"
    assert own.refused(own.create, template())[0] == "AccessDenied"
    assert own.roles == []


def test_a_change_set_of_another_stack_is_not_taken_for_its_namesake(stack: Make) -> None:
    own = stack()
    for name in ("a", "b"):
        more = {"ChangeSetName": "same", "ChangeSetType": "CREATE", "TemplateBody": template()}
        more["Capabilities"] = ["CAPABILITY_NAMED_IAM"]
        own.client.create_change_set(StackName=name, **more)
    code, message = own.refused(own.client.execute_change_set, StackName="a", ChangeSetName="same")
    assert (code, "`same`" in message) == ("NotImplemented", True)
    assert own.refused(own.client.execute_change_set, StackName="a", ChangeSetName="none")[0] == "ChangeSetNotFound"
    assert own.roles == []


def test_a_stack_of_the_worlds_template_is_changed_in_the_callers_name(tmp_path: Path) -> None:
    from pytest_stsguard.cloud import Cloud

    file = tmp_path / "base.json"
    file.write_text(
        template({"Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [ALL]}}]})
    )
    with Cloud(world=file) as cloud:
        iam, admin = cloud.client("iam"), cloud.client("cloudformation")
        iam.create_user(UserName="alice")
        document = json.dumps({"Version": "2012-10-17", "Statement": [ALL, deny("iam:DeleteRole")]})
        iam.put_user_policy(UserName="alice", PolicyName="own", PolicyDocument=document)
        cloud.client("cloudformation", cloud.user_credentials("alice")).delete_stack(StackName="base")
        assert admin.describe_stacks(StackName="base")["Stacks"][0]["StackStatus"] == "DELETE_FAILED"
        assert iam.get_role(RoleName="made")
        admin.delete_stack(StackName="base")
        assert iam.list_roles()["Roles"] == []
