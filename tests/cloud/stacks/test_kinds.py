"""The table of resource types: what it names exists, what it takes it knows, and each type is made and deleted for real."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("moto.cloudformation")

from pytest_stsguard.cloud.calls.catalogue import model
from pytest_stsguard.cloud.stacks.kinds import KINDS
from pytest_stsguard.cloud.stacks.kinds.ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import World
    from pytest_stsguard.cloud.stacks.kinds import Kind

    Make = Callable[..., Any]

FREE = {"Tags", "LayerName", "Family", "GroupName", "LaunchTemplateName"}


def steps(kind: Kind) -> Iterator[str]:
    own = (
        kind.create,
        kind.delete,
        *kind.read,
        *kind.before,
        *(step for pair in kind.changes.values() for step in pair),
    )
    parts = [step for part in kind.parts for step in (part.put, part.take)]
    sweeps = [step for sweep in kind.sweeps for step in (sweep.listing, sweep.take)]
    yield from (step for step in (*own, *parts, *sweeps, *(kind.tags or ())) if step)


def operations(step: str) -> list[tuple[str, str]]:
    service, _, operation = step.partition(" ")[0].partition(":")
    if operation.startswith("switch("):
        return [(service, name) for name in operation[len("switch(") : -1].split(",")]
    return [(service, operation)]


def sources(step: str) -> Iterator[tuple[str, str]]:
    for each in step.split(" ")[1:]:
        name, equals, source = each.partition("=")
        yield name, source if equals else f"{name[0].upper()}{name[1:]}"


@pytest.mark.parametrize("name", KINDS)
def test_every_step_is_a_call_that_there_is_with_members_that_it_has(name: str) -> None:
    for step in steps(KINDS[name]):
        for service, operation in operations(step):
            shape: Any = model(service).operation_model(operation).input_shape
            for parameter, _ in sources(step):
                inner = shape
                for part in parameter.removesuffix("[]").split("."):
                    if inner.type_name == "map":
                        break
                    members = {member.lower(): each for member, each in inner.members.items()}
                    assert part.lower() in members, (step, part)
                    inner = members[part.lower()]


@pytest.mark.parametrize("name", KINDS)
def test_every_source_is_a_property_an_attribute_or_a_way(name: str) -> None:
    kind = KINDS[name]
    for step in steps(kind):
        for _, source in sources(step):
            way, bracket, inner = source.rstrip(")").partition("(")
            if bracket:
                assert way in {*WAYS, "tags", "abroad", "name", "keys"}, step
                if way in {"tags", "abroad"}:
                    continue
            place = inner if bracket else source
            if place.startswith("%"):
                assert place[1:] in kind.attributes, step
            elif not place.startswith(("'", "@", ".")):
                assert place.partition(".")[0] in kind.known | FREE, (step, place)


def ref(name: str) -> dict[str, Any]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return policy({"Effect": "Allow", "Action": action, "Resource": resource, **more})


def trust(*services: str) -> dict[str, Any]:
    principal = {"Service": [f"{each}.amazonaws.com" for each in services]}
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


TAGS = [{"Key": "a", "Value": "b"}]
MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
DENIED = {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
IDENTITY = {
    "Role": ("IAM::Role", {"AssumeRolePolicyDocument": trust("lambda", "states", "events", "ecs-tasks", "logs"), "Path": "/app/", "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
    "OfInstances": ("IAM::Role", {"AssumeRolePolicyDocument": trust("ec2")}),
    "Group": ("IAM::Group", {"Policies": [{"PolicyName": "x", "PolicyDocument": allow("s3:*")}]}),
    "User": ("IAM::User", {"Groups": [ref("Group")], "LoginProfile": {"Password": "Abcdefg1!xyz"}, "Tags": TAGS}),
    "Second": ("IAM::User", {}),
    "Members": ("IAM::UserToGroupAddition", {"GroupName": ref("Group"), "Users": [ref("Second")]}),
    "Managed": ("IAM::ManagedPolicy", {"PolicyDocument": allow("s3:*"), "Roles": [ref("Role")], "Users": [ref("User")]}),
    "Policy": ("IAM::Policy", {"PolicyName": "p", "PolicyDocument": allow("sqs:*"), "Roles": [ref("Role")], "Groups": [ref("Group")]}),
    "OfRole": ("IAM::RolePolicy", {"PolicyName": "own", "RoleName": ref("Role"), "PolicyDocument": allow("sqs:*")}),
    "OfUser": ("IAM::UserPolicy", {"PolicyName": "own", "UserName": ref("User"), "PolicyDocument": allow("sqs:*")}),
    "OfGroup": ("IAM::GroupPolicy", {"PolicyName": "own", "GroupName": ref("Group"), "PolicyDocument": allow("sqs:*")}),
    "Key": ("IAM::AccessKey", {"UserName": ref("User"), "Status": "Inactive"}),
    "Profile": ("IAM::InstanceProfile", {"Roles": [ref("OfInstances")]}),
    "Oidc": ("IAM::OIDCProvider", {"Url": "https://token.actions.githubusercontent.com", "ClientIdList": ["sts.amazonaws.com"], "ThumbprintList": ["a" * 40]}),
    "Saml": ("IAM::SAMLProvider", {"Name": "okta", "SamlMetadataDocument": "<EntityDescriptor/>" + " " * 1000}),
}  # fmt: skip
STORAGE = {
    "Kms": ("KMS::Key", {"EnableKeyRotation": "true", "KeyPolicy": allow("kms:*", Principal={"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}), "Tags": TAGS}),
    "Alias": ("KMS::Alias", {"AliasName": "alias/x", "TargetKeyId": ref("Kms")}),
    "Bucket": ("S3::Bucket", {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": att("Kms", "Arn")}}]},
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": "true", "BlockPublicPolicy": True},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
        "CorsConfiguration": {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": 30}]},
        "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 30, "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 7}]}]},
        "NotificationConfiguration": {"QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": att("Told", "Arn"), "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}}}]},
        "Tags": TAGS,
    }),
    "Told": ("SQS::Queue", {}),
    "Document": ("SSM::Document", {"Name": "run", "DocumentType": "Command", "Content": {"schemaVersion": "2.2", "mainSteps": []}}),
    "Logs": ("S3::BucketPolicy", {"Bucket": ref("Bucket"), "PolicyDocument": policy({**DENIED, "Action": "s3:*", "Resource": att("Bucket", "Arn")})}),
    "Table": ("DynamoDB::Table", {
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST", "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"}, "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}, "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
    }),
    "Secret": ("SecretsManager::Secret", {"Name": "sec", "SecretString": "x", "KmsKeyId": ref("Kms")}),
    "OfSecret": ("SecretsManager::ResourcePolicy", {"SecretId": ref("Secret"), "ResourcePolicy": policy({**DENIED, "Action": "secretsmanager:GetSecretValue", "Resource": "*"})}),
    "Parameter": ("SSM::Parameter", {"Name": "/p", "Type": "String", "Value": "v", "Tags": {"a": "b"}}),
    "Images": ("ECR::Repository", {"RepositoryName": "repo", "ImageTagMutability": "IMMUTABLE", "Tags": TAGS}),
}  # fmt: skip
COMPUTE = {
    "Role": IDENTITY["Role"],
    "Function": ("Lambda::Function", {"Role": att("Role", "Arn"), "Runtime": "python3.12", "Handler": "index.h", "Code": {"ZipFile": "def h(e, c): return 1"}, "Environment": {"Variables": {"A": 1}}, "Timeout": "30", "Tags": TAGS, "ReservedConcurrentExecutions": 2}),
    "Permission": ("Lambda::Permission", {"FunctionName": ref("Function"), "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": att("Rule", "Arn")}),
    "Version": ("Lambda::Version", {"FunctionName": ref("Function")}),
    "Live": ("Lambda::Alias", {"FunctionName": ref("Function"), "Name": "live", "FunctionVersion": att("Version", "Version")}),
    "Url": ("Lambda::Url", {"TargetFunctionArn": att("Function", "Arn"), "AuthType": "NONE"}),
    "Mapping": ("Lambda::EventSourceMapping", {"FunctionName": ref("Function"), "EventSourceArn": att("Queue", "Arn"), "BatchSize": 5}),
    "Layer": ("Lambda::LayerVersion", {"Content": {"S3Bucket": "code", "S3Key": "layer.zip"}}),
    "Machine": ("StepFunctions::StateMachine", {"RoleArn": att("Role", "Arn"), "DefinitionString": MACHINE}),
    "Cluster": ("ECS::Cluster", {}),
    "Builder": ("IAM::Role", {"AssumeRolePolicyDocument": trust("codebuild", "sagemaker")}),
    "Project": ("CodeBuild::Project", {"ServiceRole": att("Builder", "Arn"), "Artifacts": {"Type": "NO_ARTIFACTS"}, "Environment": {"Type": "LINUX_CONTAINER", "Image": "i", "ComputeType": "BUILD_GENERAL1_SMALL"}, "Source": {"Type": "S3", "Location": "code/source.zip"}}),
    "Notebook": ("SageMaker::NotebookInstance", {"InstanceType": "ml.t3.medium", "RoleArn": att("Builder", "Arn")}),
    "Task": ("ECS::TaskDefinition", {"Family": "f", "TaskRoleArn": att("Role", "Arn"), "ContainerDefinitions": [{"Name": "c", "Image": "i", "Memory": 128, "PortMappings": [{"ContainerPort": 80}]}]}),
    "Dead": ("SQS::Queue", {}),
    "Queue": ("SQS::Queue", {"VisibilityTimeout": 60, "Tags": TAGS, "RedrivePolicy": {"deadLetterTargetArn": att("Dead", "Arn"), "maxReceiveCount": 3}}),
    "OfQueue": ("SQS::QueuePolicy", {"Queues": [ref("Queue")], "PolicyDocument": allow("sqs:SendMessage", att("Queue", "Arn"), Principal={"Service": "sns.amazonaws.com"})}),
    "Topic": ("SNS::Topic", {"DisplayName": "x", "Subscription": [{"Protocol": "sqs", "Endpoint": att("Queue", "Arn")}]}),
    "Subscription": ("SNS::Subscription", {"TopicArn": ref("Topic"), "Protocol": "lambda", "Endpoint": att("Function", "Arn"), "RawMessageDelivery": False}),
    "OfTopic": ("SNS::TopicPolicy", {"Topics": [ref("Topic")], "PolicyDocument": allow("sns:Publish", ref("Topic"), Principal={"Service": "events.amazonaws.com"})}),
    "Bus": ("Events::EventBus", {"Name": "bus"}),
    "Rule": ("Events::Rule", {"ScheduleExpression": "rate(1 hour)", "Targets": [{"Id": "1", "Arn": att("Function", "Arn")}, {"Id": "2", "Arn": att("Machine", "Arn"), "RoleArn": att("Role", "Arn")}]}),
    "Stream": ("Kinesis::Stream", {"ShardCount": 1}),
    "Group": ("Logs::LogGroup", {"RetentionInDays": 7, "Tags": TAGS}),
    "OfLogs": ("Logs::ResourcePolicy", {"PolicyName": "lrp", "PolicyDocument": json.dumps(allow("logs:PutLogEvents", Principal={"Service": "es.amazonaws.com"}))}),
    "Filter": ("Logs::SubscriptionFilter", {"LogGroupName": ref("Group"), "FilterPattern": "", "DestinationArn": att("Stream", "Arn"), "RoleArn": att("Role", "Arn")}),
}  # fmt: skip
NETWORK = {
    "OfInstances": IDENTITY["OfInstances"],
    "Profile": IDENTITY["Profile"],
    "Vpc": ("EC2::VPC", {"CidrBlock": "10.9.0.0/16", "EnableDnsSupport": True, "EnableDnsHostnames": True, "Tags": TAGS}),
    "Subnet": ("EC2::Subnet", {"VpcId": ref("Vpc"), "CidrBlock": "10.9.1.0/24", "MapPublicIpOnLaunch": True, "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]}}),
    "Gateway": ("EC2::InternetGateway", {}),
    "Attachment": ("EC2::VPCGatewayAttachment", {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")}),
    "Routes": ("EC2::RouteTable", {"VpcId": ref("Vpc")}),
    "Route": ("EC2::Route", {"RouteTableId": ref("Routes"), "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": ref("Gateway")}),
    "Association": ("EC2::SubnetRouteTableAssociation", {"RouteTableId": ref("Routes"), "SubnetId": ref("Subnet")}),
    "Address": ("EC2::EIP", {"Domain": "vpc"}),
    "Nat": ("EC2::NatGateway", {"AllocationId": att("Address", "AllocationId"), "SubnetId": ref("Subnet")}),
    "Guard": ("EC2::SecurityGroup", {"GroupDescription": "d", "VpcId": ref("Vpc"), "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}),
    "In": ("EC2::SecurityGroupIngress", {"GroupId": att("Guard", "GroupId"), "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "SourceSecurityGroupId": att("Guard", "GroupId")}),
    "Out": ("EC2::SecurityGroupEgress", {"GroupId": att("Guard", "GroupId"), "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}),
    "Launch": ("EC2::LaunchTemplate", {"LaunchTemplateData": {"InstanceType": "t3.micro", "IamInstanceProfile": {"Name": ref("Profile")}, "MetadataOptions": {"HttpTokens": "required"}}}),
    "Configuration": ("AutoScaling::LaunchConfiguration", {"ImageId": "ami-0c02fb55956c7d316", "InstanceType": "t3.micro", "IamInstanceProfile": ref("Profile")}),
    "Scaling": ("AutoScaling::AutoScalingGroup", {"MinSize": "1", "MaxSize": "1", "LaunchConfigurationName": ref("Configuration"), "VPCZoneIdentifier": [ref("Subnet")]}),
    "Instance": ("EC2::Instance", {"ImageId": "ami-0c02fb55956c7d316", "InstanceType": "t3.micro", "SubnetId": ref("Subnet"), "SecurityGroupIds": [att("Guard", "GroupId")], "IamInstanceProfile": ref("Profile"), "UserData": {"Fn::Base64": "#!/bin/sh"}, "Tags": TAGS, "SourceDestCheck": False}),
}  # fmt: skip
GROUPS = {"identity": IDENTITY, "storage": STORAGE, "compute": COMPUTE, "network": NETWORK}


def test_every_type_is_tried() -> None:
    tried = {f"AWS::{kind}" for group in GROUPS.values() for kind, _ in group.values()}
    assert tried == set(KINDS)


@pytest.mark.parametrize("group", GROUPS)
def test_each_type_is_made_and_deleted_for_real(world: World, stack: Make, group: str) -> None:
    if group == "compute":
        s3 = world.cloud.client("s3")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="layer.zip", Body=b"PK\x05\x06" + bytes(18))
    own = stack()
    made = {
        name: {"Type": f"AWS::{kind}", "Properties": properties} for name, (kind, properties) in GROUPS[group].items()
    }
    body = json.dumps({"Resources": made})
    assert own.create(body, Tags=[{"Key": "stack", "Value": "yes"}]) == "CREATE_COMPLETE", own.reasons
    there = own.admin.describe_stack_resources(StackName="s")["StackResources"]
    assert {each["LogicalResourceId"] for each in there} == set(made)
    assert all(each["PhysicalResourceId"] for each in there)
    failed = [each for each in world.cloud.trail.records() if "errorCode" in each]
    assert failed == []
    identifier = own.admin.describe_stacks(StackName="s")["Stacks"][0]["StackId"]
    own.client.delete_stack(StackName="s")
    events = own.admin.describe_stack_events(StackName=identifier)["StackEvents"]
    assert [each["ResourceStatusReason"] for each in events if "FAILED" in each["ResourceStatus"]] == []
    assert own.roles == []


def test_the_documentation_names_the_types() -> None:
    page = (Path(__file__).parents[3] / "docs" / "stacks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (`.*`) \|$", page, re.MULTILINE)
    told = {f"AWS::{service}::{name}" for service, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert told == set(KINDS)
