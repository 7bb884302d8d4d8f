"""Resources that are changed where they are: every call that a change needs, and every call that takes it back."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("moto.cloudformation")

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

    Make = Callable[..., Any]

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def of(action: str, **more: Any) -> dict[str, Any]:
    return policy({"Effect": "Allow", "Action": action, "Resource": "*", **more})


def tags(**given: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


def rule(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8", "Description": "d"}


KEY = of("kms:*", Principal={"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}})
TRUST = policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
# By resource the type, its properties, and those that replace some of them; None takes one away.
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "Role": ("IAM::Role", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, {"PermissionsBoundary": None, "MaxSessionDuration": 7200, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
    "One": ("IAM::Group", {"GroupName": "one"}, {}),
    "Two": ("IAM::Group", {"GroupName": "two"}, {}),
    "User": ("IAM::User", {"UserName": "u", "Groups": [{"Ref": "One"}], "LoginProfile": {"Password": "Abcdefg1!xyz"}, "Tags": tags(a="1", b="1")}, {"Groups": [{"Ref": "Two"}], "LoginProfile": None, "Tags": tags(a="2", c="1")}),
    "Managed": ("IAM::ManagedPolicy", {"ManagedPolicyName": "m", "PolicyDocument": of("s3:*"), "Users": ["u"]}, {"PolicyDocument": of("sqs:*"), "Users": None, "Roles": ["r"]}),
    "Inline": ("IAM::Policy", {"PolicyName": "i", "PolicyDocument": of("s3:*"), "Roles": ["r"], "Users": ["u"]}, {"PolicyDocument": of("sqs:*"), "Users": None}),
    "Bucket": ("S3::Bucket", {"BucketName": "bucket", "VersioningConfiguration": {"Status": "Enabled"}, "Tags": tags(a="1")}, {"VersioningConfiguration": {"Status": "Suspended"}, "Tags": None, "CorsConfiguration": {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}}),
    "OfBucket": ("S3::BucketPolicy", {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/*"})}, {"PolicyDocument": policy({"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"})}),
    "Key": ("KMS::Key", {"Description": "old", "KeyPolicy": KEY, "EnableKeyRotation": True}, {"Description": "new", "EnableKeyRotation": False}),
    "Queue": ("SQS::Queue", {"QueueName": "q", "VisibilityTimeout": 30, "Tags": tags(a="1")}, {"VisibilityTimeout": 60, "Tags": tags(b="1")}),
    "Topic": ("SNS::Topic", {"TopicName": "t", "DisplayName": "old"}, {"DisplayName": "new"}),
    "Rule": ("Events::Rule", {"Name": "rule", "ScheduleExpression": "rate(1 hour)", "Targets": [{"Id": "1", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]}, {"ScheduleExpression": "rate(2 hours)", "Targets": [{"Id": "2", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]}),
    "Function": ("Lambda::Function", {"FunctionName": "f", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Runtime": "python3.12", "Handler": "index.h", "Code": {"ZipFile": "1"}, "Timeout": 3, "ReservedConcurrentExecutions": 1}, {"Code": {"ZipFile": "2"}, "Timeout": 30, "ReservedConcurrentExecutions": None}),
    "Logs": ("Logs::LogGroup", {"LogGroupName": "l", "RetentionInDays": 7}, {"RetentionInDays": None}),
    "Parameter": ("SSM::Parameter", {"Name": "/p", "Type": "String", "Value": "old"}, {"Value": "new"}),
    "Secret": ("SecretsManager::Secret", {"Name": "s", "SecretString": "old"}, {"SecretString": "new"}),
    "Table": ("DynamoDB::Table", {"TableName": "t", "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}, "Tags": tags(a="1")}, {"PointInTimeRecoverySpecification": None, "Tags": None}),
    "Images": ("ECR::Repository", {"RepositoryName": "repo", "ImageTagMutability": "MUTABLE"}, {"ImageTagMutability": "IMMUTABLE"}),
    "Guard": ("EC2::SecurityGroup", {"GroupDescription": "d", "SecurityGroupIngress": [rule(22)]}, {"SecurityGroupIngress": [rule(80), rule(443)]}),
}  # fmt: skip


def template(*, changed: bool, **more: Any) -> str:
    resources: dict[str, Any] = {}
    for name, (kind, properties, changes) in CASES.items():
        own = deepcopy({**properties, **(changes if changed else {})})
        wanted = {key: value for key, value in own.items() if value is not None}
        resources[name] = {"Type": f"AWS::{kind}", "Properties": wanted}
    resources["Managed"]["DependsOn"] = resources["Inline"]["DependsOn"] = ["Role", "User"]
    return json.dumps({"Resources": {**resources, **more}})


def told(world: World) -> dict[str, Any]:
    """What the services say of everything that the change touches."""
    client = world.cloud.client
    iam, s3 = world.iam, client("s3")
    managed = iam.list_policies(Scope="Local")["Policies"][0]
    version = iam.get_policy_version(PolicyArn=managed["Arn"], VersionId=managed["DefaultVersionId"])["PolicyVersion"]
    (key,) = client("kms").list_keys()["Keys"]
    queue = client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
    table = client("dynamodb").describe_table(TableName="t")["Table"]["TableArn"]
    (topic,) = client("sns").list_topics()["Topics"]
    entities = iam.list_entities_for_policy(PolicyArn=managed["Arn"])
    role = iam.get_role(RoleName="r")["Role"]
    user = iam.get_user(UserName="u")["User"]
    function = client("lambda").get_function(FunctionName="f")
    (guard,) = [each for each in client("ec2").describe_security_groups()["SecurityGroups"] if each["GroupName"] != "default"]  # fmt: skip

    def maybe(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except world.cloud.client("s3").exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    return {
        "boundary": role.get("PermissionsBoundary"),
        "duration": role["MaxSessionDuration"],
        "managed": iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"],
        "groups": [each["GroupName"] for each in iam.list_groups_for_user(UserName="u")["Groups"]],
        "login": maybe(lambda: iam.get_login_profile(UserName="u")["LoginProfile"]["UserName"]),
        "user": {each["Key"]: each["Value"] for each in user["Tags"]},
        "document": version["Document"],
        "attached": [entities["PolicyUsers"] and "user", entities["PolicyRoles"] and "role"],
        "inline": iam.get_role_policy(RoleName="r", PolicyName="i")["PolicyDocument"],
        "of user": iam.list_user_policies(UserName="u")["PolicyNames"],
        "versioning": s3.get_bucket_versioning(Bucket="bucket").get("Status"),
        "bucket tags": maybe(lambda: s3.get_bucket_tagging(Bucket="bucket")["TagSet"]),
        "cors": maybe(lambda: s3.get_bucket_cors(Bucket="bucket")["CORSRules"]),
        "bucket policy": json.loads(s3.get_bucket_policy(Bucket="bucket")["Policy"]),
        "key": client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"],
        "rotation": client("kms").get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"],
        "queue": client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"],
        "queue tags": client("sqs").list_queue_tags(QueueUrl=queue).get("Tags"),
        "topic": client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]["DisplayName"],
        "rule": client("events").describe_rule(Name="rule")["ScheduleExpression"],
        "targets": [each["Id"] for each in client("events").list_targets_by_rule(Rule="rule")["Targets"]],
        "timeout": function["Configuration"]["Timeout"],
        "code": function["Configuration"]["CodeSha256"],
        "reserved": function.get("Concurrency"),
        "logs": client("logs").describe_log_groups()["logGroups"][0].get("retentionInDays"),
        "parameter": client("ssm").get_parameter(Name="/p")["Parameter"]["Value"],
        "secret": client("secretsmanager").get_secret_value(SecretId="s")["SecretString"],
        "table tags": client("dynamodb").list_tags_of_resource(ResourceArn=table).get("Tags"),
        "recovery": client("dynamodb").describe_continuous_backups(TableName="t")["ContinuousBackupsDescription"][
            "PointInTimeRecoveryDescription"
        ]["PointInTimeRecoveryStatus"],
        "images": client("ecr").describe_repositories()["repositories"][0]["imageTagMutability"],
        "guard": sorted(each["FromPort"] for each in guard["IpPermissions"]),
    }


def test_a_change_of_everything_is_made_and_taken_back(world: World, stack: Make) -> None:
    own = stack()
    assert own.create(template(changed=False)) == "CREATE_COMPLETE", own.reasons
    before = told(world)
    # The last resource is refused: what was changed until then is taken back, call by call.
    deny = {"Effect": "Deny", "Action": "s3:CreateBucket", "Resource": "arn:aws:s3:::denied"}
    last = {"Type": "AWS::S3::Bucket", "DependsOn": list(CASES), "Properties": {"BucketName": "denied"}}
    alice = stack(world.user("alice", ALL, deny))
    status = alice.update(template(changed=True, Last=last))
    assert "s3:CreateBucket" in alice.reasons[0]
    back = told(world)
    assert {name: (before[name], back[name]) for name in before if before[name] != back[name]} == {}
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert own.update(template(changed=True)) == "UPDATE_COMPLETE", own.reasons
    after = told(world)
    assert [name for name in before if before[name] == after[name]] == []
    assert after["guard"] == [80, 443]
    assert after["user"] == {"a": "2", "c": "1"}
    own.client.delete_stack(StackName="s")
    assert own.roles == []
    assert world.iam.list_policies(Scope="Local")["Policies"] == []


@pytest.mark.parametrize(
    ("kind", "before", "after", "words"),
    [
        ("SNS::Topic", {"Subscription": [{"Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:1:q"}]}, {}, "taking away `Subscription` of `AWS::SNS::Topic`"),
        ("CodeBuild::Project", {"Description": "a", "Artifacts": {"Type": "NO_ARTIFACTS"}, "Environment": {"Type": "LINUX_CONTAINER", "Image": "i", "ComputeType": "BUILD_GENERAL1_SMALL"}, "Source": {"Type": "S3", "Location": "a/b.zip"}, "ServiceRole": "arn:aws:iam::111122223333:role/none"}, {"Description": "b"}, "changing `Description` of `AWS::CodeBuild::Project`"),
        ("SecretsManager::Secret", {"Description": "a", "SecretString": "s"}, {"Description": None}, "taking away `Description`"),
    ],
    ids=["part", "settled", "property"],
)  # fmt: skip
def test_a_change_without_a_call_is_refused_by_name(
    stack: Make, kind: str, before: dict[str, Any], after: dict[str, Any], words: str
) -> None:
    def body(properties: dict[str, Any]) -> str:
        own = {key: value for key, value in properties.items() if value is not None}
        return json.dumps({"Resources": {"X": {"Type": f"AWS::{kind}", "Properties": own}}})

    own = stack()
    assert own.create(body(before)) == "CREATE_COMPLETE", own.reasons
    code, message = own.refused(own.update, body({**before, **after} if after else {}))
    assert (code, words in message) == ("NotImplemented", True)
    assert own.status == "CREATE_COMPLETE"
