"""Callers, accounts and partitions; what is refused; services without rules of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.calls import Call
from pytest_stsguard.cloud.permissions import UnmappedOperationError, required

if TYPE_CHECKING:
    from collections.abc import Callable

    Needs = Callable[..., Any]

_CALLED_BY = {"kms:CallerAccount": "111122223333"}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "hint"),
    [
        ("ec2", "CreateTags", {"Resources": ["thing-1"], "Tags": []}, "`thing-1` is of no type"),
        ("ec2", "CreateTags", {"Resources": []}, "names no resource"),
        ("ec2", "CreateFlowLogs", {"ResourceIds": ["x"]}, "`x` is of no type"),
        ("ec2", "NoSuchOperation", {}, "no action `ec2:NoSuchOperation`"),
        ("s3", "GetObject", {"Key": "k"}, "names no bucket"),
        ("s3", "NoSuchOperation", {"Bucket": "b"}, "no action `s3:NoSuchOperation`"),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "bucket-only"}, "names no object"),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k"}, "names no object"),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "a/k?x=1&versionId=v"}, "names no object"),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "a/secret#public"}, "names no object"),
        ("dynamodb", "GetItem", {"TableName": "arn:aws:dynamodb:eu-west-1:111122223333:table/t"}, "not in the region"),
        (
            "dynamodb",
            "DeleteTable",
            {"TableName": "arn:aws:dynamodb:eu-west-1:111122223333:table/t"},
            "not in the region",
        ),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": []}}, "names no object"),
        ("s3", "WriteGetObjectResponse", {"RequestRoute": "r"}, "names no bucket"),
        ("iam", "SimulatePrincipalPolicy", {"PolicySourceArn": "x"}, "`PolicySourceArn` is no ARN"),
        ("iam", "UpdateDelegationRequest", {}, "no action"),
        ("dynamodb", "GetItem", {}, "names no table"),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": {}}]}, "names no table"),
        ("dynamodb", "TransactWriteItems", {"TransactItems": []}, "no action `dynamodb:TransactWriteItems`"),
        ("dynamodb", "ExecuteStatement", {"Statement": "DROP TABLE users"}, "not PartiQL that is known"),
        ("dynamodb", "ExecuteStatement", {}, "not PartiQL that is known"),
        ("dynamodb", "BatchExecuteStatement", {"Statements": []}, "no statement"),
        ("sqs", "NoSuchOperation", {}, "no action `sqs:NoSuchOperation`"),
        ("sqs", "SendMessage", {"MessageBody": "x"}, "no parameter names its resource"),
        ("nosuchservice", "Anything", {}, "lacks the service `nosuchservice`"),
        ("logs", "PutLogEvents", {"resourceArn": "x"}, "no parameter names its resource of type `log-stream`"),
        ("cloudformation", "DeleteStack", {}, "no parameter names its resource"),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    service: str, operation: str, parameters: dict[str, Any], hint: str, needs: Needs
) -> None:
    with pytest.raises(UnmappedOperationError, match=hint) as caught:
        needs(service, operation, parameters)
    assert (caught.value.service, caught.value.operation) == (service, operation)
    assert f"`{service}:{operation}`" in str(caught.value)


@pytest.mark.parametrize(
    ("service", "signing_name", "operation", "parameters", "expected"),
    [
        ("sqs", "sqs", "ListQueues", {}, ("sqs:ListQueues", "*")),
        (
            "sqs",
            "sqs",
            "SendMessage",
            {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/444455556666/q"},
            ("sqs:SendMessage", "arn:aws:sqs:us-east-1:444455556666:q"),
        ),
        (
            "sqs",
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": "http://127.0.0.1:4599/111122223333/q"},
            ("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q"),
        ),
        ("sqs", "sqs", "CreateQueue", {"QueueName": "q"}, ("sqs:CreateQueue", "arn:aws:sqs:us-east-1:111122223333:q")),
        ("sns", "sns", "CreateTopic", {"Name": "t"}, ("sns:CreateTopic", "arn:aws:sns:us-east-1:111122223333:t")),
        (
            "sns",
            "sns",
            "Publish",
            {"TopicArn": "arn:aws:sns:us-east-1:444455556666:t"},
            ("sns:Publish", "arn:aws:sns:us-east-1:444455556666:t"),
        ),
        ("lambda", "lambda", "ListFunctions", {}, ("lambda:ListFunctions", "*")),
        (
            "lambda",
            "lambda",
            "Invoke",
            {"FunctionName": "f"},
            ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:f"),
        ),
        ("kms", "kms", "Decrypt", {"KeyId": "k"}, ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/k")),
        ("cloudwatch", "monitoring", "ListMetrics", {}, ("cloudwatch:ListMetrics", "*")),
        (
            "cloudwatch",
            "monitoring",
            "DescribeAlarms",
            {},
            ("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"),
        ),
        ("stepfunctions", "states", "ListStateMachines", {}, ("states:ListStateMachines", "*")),
        (
            "stepfunctions",
            "states",
            "TagResource",
            {"resourceArn": "arn:aws:states:us-east-1:111122223333:stateMachine:m"},
            ("states:TagResource", "arn:aws:states:us-east-1:111122223333:stateMachine:m"),
        ),
        (
            "kinesis",
            "kinesis",
            "ListShards",
            {},
            ("kinesis:ListShards", "arn:aws:kinesis:us-east-1:111122223333:stream/*"),
        ),
        (
            "cloudformation",
            "cloudformation",
            "DeleteStack",
            {"StackName": "s"},
            ("cloudformation:DeleteStack", "arn:aws:cloudformation:us-east-1:111122223333:stack/s/*"),
        ),
        (
            "secretsmanager",
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "arn:aws:secretsmanager:us-east-1:111122223333:secret:s-abc"},
            ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:111122223333:secret:s-abc"),
        ),
        (
            "ecr",
            "ecr",
            "DescribeImages",
            {"repositoryName": "r"},
            ("ecr:DescribeImages", "arn:aws:ecr:us-east-1:111122223333:repository/r"),
        ),
    ],
)
def test_services_without_rules_of_their_own(  # noqa: PLR0917 - a table's columns
    service: str, signing_name: str, operation: str, parameters: dict[str, Any], expected: Any, needs: Needs
) -> None:
    found = needs(service, operation, parameters, signing_name=signing_name)
    assert [(each.action, each.resource) for each in found] == [expected]


def test_the_owner_of_a_bucket_is_told(needs: Needs) -> None:
    (permission,) = needs("s3", "GetObject", {"Bucket": "theirs", "Key": "k"})
    assert permission.resource_account == "444455556666"
    assert permission.context == {"s3:ResourceAccount": "444455556666"}
    (permission,) = needs("s3", "GetObject", {"Bucket": "nobodys", "Key": "k"})
    assert (permission.resource_account, permission.context) == (None, {})


def test_a_copy_is_checked_in_both_accounts(needs: Needs) -> None:
    target, source = needs("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "theirs/x"})
    assert (target.resource_account, source.resource_account) == ("111122223333", "444455556666")


def test_a_session_has_no_user_of_its_own(needs: Needs) -> None:
    (permission,) = needs("iam", "GetUser", {})
    assert permission.resource == "arn:aws:iam::111122223333:user/*"
    (permission,) = needs("iam", "GetUser", {}, caller_name="bob")
    assert permission.resource == "arn:aws:iam::111122223333:user/bob"


def test_region_and_partition_are_the_calls(needs: Needs) -> None:
    (permission,) = needs("ec2", "StartInstances", {"InstanceIds": ["i-1"]}, region="cn-north-1", partition="aws-cn")
    assert permission.resource == "arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-1"
    assert permission.context["ec2:Region"] == "cn-north-1"
    (permission,) = needs("s3", "GetBucketPolicy", {"Bucket": "b"}, partition="aws-us-gov")
    assert permission.resource == "arn:aws-us-gov:s3:::b"


def test_the_tags_of_a_resource_come_under_every_name(needs: Needs, world: Any) -> None:
    role = "arn:aws:iam::111122223333:role/ci/Deploy"
    world.tags = {role: {"team": "blue"}}
    (permission,) = needs("iam", "GetRole", {"RoleName": "Deploy"})
    assert permission.context["aws:ResourceTag/team"] == permission.context["iam:ResourceTag/team"] == "blue"
    *_, passed = needs("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": "web", "RoleName": "Deploy"})
    assert passed.context["aws:ResourceTag/team"] == passed.context["iam:ResourceTag/team"] == "blue"
    table = "arn:aws:dynamodb:us-east-1:111122223333:table/t"
    world.tags = {table: {"team": "red"}}
    (permission,) = needs("dynamodb", "Query", {"TableName": "t", "IndexName": "i"})
    assert permission.context["aws:ResourceTag/team"] == "red"


def test_a_profile_without_a_role_passes_none(needs: Needs) -> None:
    found = needs("ec2", "AssociateIamInstanceProfile", {"InstanceId": "i-1", "IamInstanceProfile": {"Name": "empty"}})
    assert [each.action for each in found] == ["ec2:AssociateIamInstanceProfile"]
    assert found[0].context["ec2:NewInstanceProfile"] == "arn:aws:iam::111122223333:instance-profile/empty"


def test_a_resource_of_a_type_that_its_arn_tells(needs: Needs) -> None:
    source = "arn:aws:ec2:us-east-1:444455556666:instance/i-9"
    found = needs("ec2", "CreateNetworkInsightsPath", {"Source": source, "Destination": "igw-1"})
    assert [each.resource for each in found[1:]] == [
        source,
        "arn:aws:ec2:us-east-1:111122223333:internet-gateway/igw-1",
    ]


def test_a_role_by_its_name_is_passed_with_its_path(needs: Needs) -> None:
    found = needs("ec2", "ImportSnapshot", {"RoleName": "Deploy"})
    assert found[-1].resource == "arn:aws:iam::111122223333:role/ci/Deploy"


def test_tags_at_creation_of_a_type_that_cannot_be_tagged_by_it(needs: Needs) -> None:
    tags = [{"ResourceType": "no-such-type", "Tags": [{"Key": "a", "Value": "1"}]}]
    found = needs("ec2", "CreateInternetGateway", {"TagSpecifications": tags})
    assert (found[-1].action, found[-1].resource) == (
        "ec2:CreateTags",
        "arn:aws:ec2:us-east-1:111122223333:internet-gateway/*",
    )


@pytest.mark.parametrize(
    "tags",
    [[{"Key": "a", "Value": "1"}], [{"key": "a", "value": "1"}], [{"TagKey": "a", "TagValue": "1"}], {"a": "1"}],
)
def test_tags_in_every_spelling(tags: Any, world: Any) -> None:
    name = "tags" if isinstance(tags, dict) else "Tags"
    call = Call("kms", "CreateKey", "json", {name: tags}, "us-east-1", "kms")
    own, tagging = required(call, account="111122223333", state=world)
    assert (own.action, own.resource) == ("kms:CreateKey", "*")
    assert (tagging.action, tagging.resource) == ("kms:TagResource", "arn:aws:kms:us-east-1:111122223333:key/*")
    assert own.context | tagging.context == {"aws:RequestTag/a": "1", "aws:TagKeys": ["a"], **_CALLED_BY}
