"""What calls of services without rules of their own need, where that takes more than putting a name into an ARN.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/ and the pages named in the tables.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.permissions import UnmappedOperationError

if TYPE_CHECKING:
    from collections.abc import Callable

    Needs = Callable[..., Any]

HERE = "us-east-1:111122223333"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::111122223333:role/ci/Deploy"
LAMBDA = f"arn:aws:lambda:{HERE}:function:f"
SECRET = f"arn:aws:secretsmanager:{HERE}:secret:app/db-AbCdEf"
GROUP = f"arn:aws:logs:{HERE}:log-group:/app"
CIPHERTEXT = base64.b64encode(KEY.encode() + b"\0" * 20).decode()
ITERATOR = base64.b64encode(b"s:shardId-0:1").decode()

CASES: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    ("lambda", "Invoke", {"FunctionName": "f"}, [("lambda:InvokeFunction", LAMBDA)]),
    ("lambda", "Invoke", {"FunctionName": "f", "Qualifier": "live"}, [("lambda:InvokeFunction", f"{LAMBDA}:live")]),
    ("lambda", "Invoke", {"FunctionName": "f:live"}, [("lambda:InvokeFunction", f"{LAMBDA}:live")]),
    ("lambda", "Invoke", {"FunctionName": "111122223333:function:f"}, [("lambda:InvokeFunction", LAMBDA)]),
    ("lambda", "Invoke", {"FunctionName": "function:f:1"}, [("lambda:InvokeFunction", f"{LAMBDA}:1")]),
    ("lambda", "Invoke", {"FunctionName": f"{LAMBDA}:1"}, [("lambda:InvokeFunction", f"{LAMBDA}:1")]),
    ("lambda", "TagResource", {"Resource": LAMBDA, "Tags": {"a": "1"}}, [("lambda:TagResource", LAMBDA)]),
    (
        "lambda",
        "GetLayerVersion",
        {"LayerName": "l", "VersionNumber": 3},
        [("lambda:GetLayerVersion", f"arn:aws:lambda:{HERE}:layer:l:3")],
    ),
    (
        "lambda",
        "CreateFunction",
        {"FunctionName": "f", "Role": ROLE, "Tags": {"a": "1"}},
        [("lambda:CreateFunction", LAMBDA), ("lambda:TagResource", LAMBDA), ("iam:PassRole", ROLE)],
    ),
    # https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    ("kms", "Encrypt", {"KeyId": KEY}, [("kms:Encrypt", f"arn:aws:kms:{HERE}:key/{KEY}")]),
    ("kms", "Encrypt", {"KeyId": "alias/app"}, [("kms:Encrypt", f"arn:aws:kms:{HERE}:key/{KEY}")]),
    ("kms", "Encrypt", {"KeyId": f"arn:aws:kms:{HERE}:alias/app"}, [("kms:Encrypt", f"arn:aws:kms:{HERE}:key/{KEY}")]),
    ("kms", "Encrypt", {"KeyId": "alias/none"}, [("kms:Encrypt", f"arn:aws:kms:{HERE}:key/*")]),
    ("kms", "Decrypt", {"CiphertextBlob": CIPHERTEXT}, [("kms:Decrypt", f"arn:aws:kms:{HERE}:key/{KEY}")]),
    (
        "kms",
        "Decrypt",
        {"CiphertextBlob": CIPHERTEXT, "KeyId": "other"},
        [("kms:Decrypt", f"arn:aws:kms:{HERE}:key/other")],
    ),
    (
        "kms",
        "ReEncrypt",
        {"CiphertextBlob": CIPHERTEXT, "DestinationKeyId": "new"},
        [("kms:ReEncryptFrom", f"arn:aws:kms:{HERE}:key/{KEY}"), ("kms:ReEncryptTo", f"arn:aws:kms:{HERE}:key/new")],
    ),
    (
        "kms",
        "DeleteAlias",
        {"AliasName": "alias/app"},
        [("kms:DeleteAlias", f"arn:aws:kms:{HERE}:alias/app"), ("kms:DeleteAlias", f"arn:aws:kms:{HERE}:key/{KEY}")],
    ),
    # https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
    ("secretsmanager", "GetSecretValue", {"SecretId": "app/db"}, [("secretsmanager:GetSecretValue", SECRET)]),
    (
        "secretsmanager",
        "CreateSecret",
        {"Name": "new"},
        [("secretsmanager:CreateSecret", f"arn:aws:secretsmanager:{HERE}:secret:new-??????")],
    ),
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
    ("ssm", "GetParameter", {"Name": "/a/b:3"}, [("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/a/b")]),
    ("ssm", "GetParametersByPath", {"Path": "/a"}, [("ssm:GetParametersByPath", f"arn:aws:ssm:{HERE}:parameter/a")]),
    (
        "ssm",
        "GetParameters",
        {"Names": ["x", "/y"]},
        [
            ("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/x"),
            ("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/y"),
        ],
    ),
    (
        "ssm",
        "SendCommand",
        {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-1"]},
        [
            ("ssm:SendCommand", "arn:aws:ssm:us-east-1::document/AWS-RunShellScript"),
            ("ssm:SendCommand", f"arn:aws:ec2:{HERE}:instance/i-1"),
        ],
    ),
    (
        "ssm",
        "AddTagsToResource",
        {"ResourceType": "Document", "ResourceId": "d", "Tags": [{"Key": "a", "Value": "1"}]},
        [("ssm:AddTagsToResource", f"arn:aws:ssm:{HERE}:document/d")],
    ),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    ("logs", "DeleteLogGroup", {"logGroupName": "/app"}, [("logs:DeleteLogGroup", f"{GROUP}:log-stream:")]),
    ("logs", "FilterLogEvents", {"logGroupIdentifier": f"{GROUP}:*"}, [("logs:FilterLogEvents", f"{GROUP}:log-stream:")]),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "/app", "logStreamName": "s"},
        [("logs:PutLogEvents", f"{GROUP}:log-stream:s")],
    ),
    ("logs", "TagResource", {"resourceArn": GROUP, "tags": {"a": "1"}}, [("logs:TagResource", GROUP)]),
    (
        "logs",
        "CreateLogGroup",
        {"logGroupName": "/app", "tags": {"a": "1"}},
        [("logs:CreateLogGroup", f"{GROUP}:log-stream:"), ("logs:TagResource", GROUP)],
    ),
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
    ("events", "PutRule", {"Name": "r"}, [("events:PutRule", f"arn:aws:events:{HERE}:rule/r")]),
    (
        "events",
        "PutRule",
        {"Name": "r", "EventBusName": f"arn:aws:events:{HERE}:event-bus/b"},
        [("events:PutRule", f"arn:aws:events:{HERE}:rule/b/r")],
    ),
    (
        "events",
        "PutTargets",
        {"Rule": "r", "Targets": [{"Id": "1", "Arn": LAMBDA, "RoleArn": ROLE}]},
        [("events:PutTargets", f"arn:aws:events:{HERE}:rule/r"), ("iam:PassRole", ROLE)],
    ),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Source": "a"}]},
        [("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default")],
    ),
    # https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html
    ("sns", "PublishBatch", {"TopicArn": f"arn:aws:sns:{HERE}:t"}, [("sns:Publish", f"arn:aws:sns:{HERE}:t")]),
    ("sns", "Publish", {"PhoneNumber": "+12065550100"}, [("sns:Publish", "*")]),
    (
        "sns",
        "Unsubscribe",
        {"SubscriptionArn": f"arn:aws:sns:{HERE}:t:{KEY}"},
        [("sns:Unsubscribe", f"arn:aws:sns:{HERE}:t")],
    ),
    ("kinesis", "GetRecords", {"ShardIterator": ITERATOR}, [("kinesis:GetRecords", f"arn:aws:kinesis:{HERE}:stream/s")]),
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html
    ("ecs", "StopTask", {"task": "t"}, [("ecs:StopTask", f"arn:aws:ecs:{HERE}:task/default/t")]),
    (
        "ecs",
        "UpdateService",
        {"cluster": f"arn:aws:ecs:{HERE}:cluster/c", "service": "s"},
        [("ecs:UpdateService", f"arn:aws:ecs:{HERE}:service/c/s")],
    ),
    ("ecs", "RunTask", {"taskDefinition": "f:3"}, [("ecs:RunTask", f"arn:aws:ecs:{HERE}:task-definition/f:3")]),
    (
        "ecs",
        "RunTask",
        {"taskDefinition": "f", "cluster": "c", "tags": [{"key": "a", "value": "1"}]},
        [
            ("ecs:RunTask", f"arn:aws:ecs:{HERE}:task-definition/f:*"),
            ("ecs:TagResource", f"arn:aws:ecs:{HERE}:task/c/*"),
        ],
    ),
    (
        "elbv2",
        "CreateLoadBalancer",
        {"Name": "n", "Type": "network"},
        [("elasticloadbalancing:CreateLoadBalancer", f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/net/n/*")],
    ),
    (
        "autoscaling",
        "SetDesiredCapacity",
        {"AutoScalingGroupName": "g", "DesiredCapacity": 1},
        [
            (
                "autoscaling:SetDesiredCapacity",
                f"arn:aws:autoscaling:{HERE}:autoScalingGroup:*:autoScalingGroupName/g",
            )
        ],
    ),
    (
        "autoscaling",
        "CreateLaunchConfiguration",
        {"LaunchConfigurationName": "l", "IamInstanceProfile": "web"},
        [
            (
                "autoscaling:CreateLaunchConfiguration",
                f"arn:aws:autoscaling:{HERE}:launchConfiguration:*:launchConfigurationName/l",
            ),
            ("iam:PassRole", "arn:aws:iam::111122223333:role/app/Web"),
        ],
    ),
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/security_iam_id-based-policy-examples-create-and-modify-examples.html
    (
        "rds",
        "CreateDBInstance",
        {"DBInstanceIdentifier": "d", "Engine": "mysql", "DBInstanceClass": "db.t3.micro"},
        [
            ("rds:CreateDBInstance", f"arn:aws:rds:{HERE}:db:d"),
            ("rds:CreateDBInstance", f"arn:aws:rds:{HERE}:og:default:*"),
            ("rds:CreateDBInstance", f"arn:aws:rds:{HERE}:pg:default.*"),
            ("rds:CreateDBInstance", f"arn:aws:rds:{HERE}:subgrp:default"),
        ],
    ),
    ("rds", "DescribeDBInstances", {}, [("rds:DescribeDBInstances", f"arn:aws:rds:{HERE}:db:*")]),
    ("cloudformation", "DescribeStacks", {}, [("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{HERE}:stack/*/*")]),
    ("elbv2", "DescribeLoadBalancers", {}, [("elasticloadbalancing:DescribeLoadBalancers", "*")]),
    (
        "rds",
        "AddTagsToResource",
        {"ResourceName": f"arn:aws:rds:{HERE}:db:d", "Tags": [{"Key": "a", "Value": "1"}]},
        [("rds:AddTagsToResource", f"arn:aws:rds:{HERE}:db:d")],
    ),
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html
    ("apigateway", "GetRestApis", {}, [("apigateway:GET", "arn:aws:apigateway:us-east-1::/restapis")]),
    (
        "apigateway",
        "DeleteResource",
        {"restApiId": "a", "resourceId": "r"},
        [("apigateway:DELETE", "arn:aws:apigateway:us-east-1::/restapis/a/resources/r")],
    ),
    (
        "apigateway",
        "PutIntegration",
        {"restApiId": "a", "resourceId": "r", "httpMethod": "GET", "type": "AWS", "credentials": ROLE},
        [
            ("apigateway:PUT", "arn:aws:apigateway:us-east-1::/restapis/a/resources/r/methods/GET/integration"),
            ("iam:PassRole", ROLE),
        ],
    ),
    (
        "apigateway",
        "GetTags",
        {"resourceArn": "arn:aws:apigateway:us-east-1::/restapis/a"},
        [
            (
                "apigateway:GET",
                "arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fa",
            )
        ],
    ),
    (
        "apigatewayv2",
        "UpdateRoute",
        {"ApiId": "a", "RouteId": "r"},
        [("apigateway:PATCH", "arn:aws:apigateway:us-east-1::/apis/a/routes/r")],
    ),
    # https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    (
        "glue",
        "GetTable",
        {"DatabaseName": "d", "Name": "t"},
        [
            ("glue:GetTable", f"arn:aws:glue:{HERE}:database/d"),
            ("glue:GetTable", f"arn:aws:glue:{HERE}:catalog"),
            ("glue:GetTable", f"arn:aws:glue:{HERE}:table/d/t"),
        ],
    ),
    ("athena", "GetQueryResults", {"QueryExecutionId": "q"}, [("athena:GetQueryResults", f"arn:aws:athena:{HERE}:workgroup/w")]),
    ("athena", "GetWorkGroup", {"WorkGroup": "w"}, [("athena:GetWorkGroup", f"arn:aws:athena:{HERE}:workgroup/w")]),
    ("route53", "GetHostedZone", {"Id": "/hostedzone/Z1"}, [("route53:GetHostedZone", "arn:aws:route53:::hostedzone/Z1")]),
    (
        "route53",
        "ChangeTagsForResource",
        {"ResourceType": "healthcheck", "ResourceId": "h"},
        [("route53:ChangeTagsForResource", "arn:aws:route53:::healthcheck/h")],
    ),
    ("scheduler", "GetSchedule", {"Name": "s"}, [("scheduler:GetSchedule", f"arn:aws:scheduler:{HERE}:schedule/default/s")]),
    (
        "batch",
        "SubmitJob",
        {"jobName": "j", "jobQueue": "q", "jobDefinition": "d:2"},
        [
            ("batch:SubmitJob", f"arn:aws:batch:{HERE}:job-definition/d:2"),
            ("batch:SubmitJob", f"arn:aws:batch:{HERE}:job-queue/q"),
        ],
    ),
    (
        "cloudformation",
        "DeleteStack",
        {"StackName": "s", "RoleARN": ROLE},
        [("cloudformation:DeleteStack", f"arn:aws:cloudformation:{HERE}:stack/s/*"), ("iam:PassRole", ROLE)],
    ),
    ("eks", "DescribeNodegroup", {"clusterName": "c", "nodegroupName": "n"}, [("eks:DescribeNodegroup", f"arn:aws:eks:{HERE}:nodegroup/c/n/*")]),
    (
        "wafv2",
        "GetWebACL",
        {"Name": "n", "Scope": "REGIONAL", "Id": "i"},
        [("wafv2:GetWebACL", f"arn:aws:wafv2:{HERE}:regional/webacl/n/i")],
    ),
    (
        "ses",
        "SendEmail",
        {"Source": "Ann <ann@example.com>"},
        [("ses:SendEmail", f"arn:aws:ses:{HERE}:identity/ann@example.com")],
    ),
    (
        "organizations",
        "AttachPolicy",
        {"PolicyId": "p-1", "TargetId": "ou-1-2"},
        [
            ("organizations:AttachPolicy", "arn:aws:organizations::111122223333:ou/o-x/ou-1-2"),
            ("organizations:AttachPolicy", "arn:aws:organizations::111122223333:policy/o-*/*/p-*"),
        ],
    ),
    ("cloudfront", "CreateDistributionWithTags", {"DistributionConfigWithTags": {}}, [("cloudfront:CreateDistribution", "*"), ("cloudfront:TagResource", "arn:aws:cloudfront::111122223333:distribution/*")]),
    ("budgets", "DescribeBudget", {"AccountId": "1", "BudgetName": "b"}, [("budgets:ViewBudget", "arn:aws:budgets::111122223333:budget/b")]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_what_an_operation_needs(case: tuple[str, str, dict[str, Any], list[Any]], needs: Needs, world: Any) -> None:
    service, operation, parameters, expected = case
    world.existing = {
        ("kms", "alias", "alias/app"): f"arn:aws:kms:{HERE}:key/{KEY}",
        ("kms", "alias", f"arn:aws:kms:{HERE}:alias/app"): f"arn:aws:kms:{HERE}:key/{KEY}",
        ("secretsmanager", "Secret", "app/db"): SECRET,
        ("athena", "query", "q"): f"arn:aws:athena:{HERE}:workgroup/w",
        ("organizations", "organizationalunit", "ou-1-2"): "arn:aws:organizations::111122223333:ou/o-x/ou-1-2",
    }
    found = [(each.action, each.resource) for each in needs(service, operation, parameters)]
    assert found == expected


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("kms", "Decrypt", {"CiphertextBlob": base64.b64encode(b"x" * 40).decode()}),
        ("kms", "Decrypt", {"CiphertextBlob": "%" * 40}),
        ("kinesis", "PutRecord", {"Data": "eA=="}),
        ("lambda", "Invoke", {"FunctionName": "arn:aws:lambda:eu-west-1:111122223333:function:f"}),
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "Message": "m"}),
        ("lambda", "TagResource", {"Resource": "no-arn"}),
        ("apigateway", "GetRestApi", {}),
        ("apigateway", "NoSuchOperation", {}),
        ("sqs", "DeleteQueue", {}),
        # What a caller writes into free text names nothing.
        (
            "athena",
            "CreatePreparedStatement",
            {"StatementName": "s", "Description": f"arn:aws:athena:{HERE}:workgroup/w"},
        ),
        ("ecs", "UpdateService", {"cluster": "c"}),
        ("resourcegroupstaggingapi", "TagResources", {"ResourceARNList": [LAMBDA], "Tags": {"a": "1"}}),
        ("events", "StartReplay", {"ReplayName": "r", "EventSourceArn": f"arn:aws:events:{HERE}:event-bus/b"}),
    ],
)
def test_a_call_that_does_not_say_on_what_is_refused(
    service: str, operation: str, parameters: dict[str, Any], needs: Needs
) -> None:
    with pytest.raises(UnmappedOperationError):
        needs(service, operation, parameters)


PASSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("ecs", "RegisterTaskDefinition", {"family": "f", "taskRoleArn": ROLE}, "ecs-tasks.amazonaws.com"),
    ("ecs", "CreateService", {"serviceName": "s", "role": "Deploy"}, "ecs.amazonaws.com"),
    ("glue", "CreateJob", {"Name": "j", "Role": "Deploy"}, "glue.amazonaws.com"),
    ("stepfunctions", "CreateStateMachine", {"name": "m", "roleArn": ROLE}, "states.amazonaws.com"),
    ("codepipeline", "CreatePipeline", {"pipeline": {"name": "p", "roleArn": ROLE}}, "codepipeline.amazonaws.com"),
    ("rds", "ModifyDBInstance", {"DBInstanceIdentifier": "d", "MonitoringRoleArn": ROLE}, "monitoring.rds.amazonaws.com"),
    ("firehose", "CreateDeliveryStream", {"DeliveryStreamName": "d", "S3DestinationConfiguration": {"RoleARN": ROLE}}, "firehose.amazonaws.com"),
    ("eks", "CreateNodegroup", {"clusterName": "c", "nodegroupName": "n", "nodeRole": ROLE}, "ec2.amazonaws.com"),
]  # fmt: skip


@pytest.mark.parametrize("case", PASSED, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_role_that_is_handed_over_must_be_passed(
    case: tuple[str, str, dict[str, Any], str], needs: Needs, world: Any
) -> None:
    service, operation, parameters, receiver = case
    world.tags = {ROLE: {"team": "blue"}}
    passed = needs(service, operation, parameters)[-1]
    assert (passed.action, passed.resource) == ("iam:PassRole", ROLE)
    assert passed.context == {
        "iam:PassedToService": receiver,
        "aws:ResourceTag/team": "blue",
        "iam:ResourceTag/team": "blue",
    }


def test_a_task_passes_the_roles_of_its_definition(needs: Needs, world: Any) -> None:
    world.existing = {("ecs", "task-role", "f:1"): ROLE, ("ecs", "execution-role", "f:1"): f"{ROLE}-2"}
    run = {"taskDefinition": "f:1"}
    passed = [each.resource for each in needs("ecs", "RunTask", run) if each.action == "iam:PassRole"]
    assert passed == [ROLE, f"{ROLE}-2"]
    found = needs("ecs", "RunTask", {**run, "overrides": {"taskRoleArn": f"{ROLE}-3"}})
    assert [each.resource for each in found if each.action == "iam:PassRole"] == [f"{ROLE}-2", f"{ROLE}-3"]
    assert [each.action for each in needs("ecs", "DescribeTaskDefinition", run)] == ["ecs:DescribeTaskDefinition"]


def test_a_role_in_the_callers_own_words_is_not_passed(needs: Needs) -> None:
    found = needs(
        "lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Environment": {"Variables": {"roleArn": ROLE}}}
    )
    assert [each.action for each in found] == ["lambda:UpdateFunctionConfiguration"]


def test_a_role_that_is_only_read_about_is_not_passed(needs: Needs) -> None:
    found = needs("lakeformation", "DescribeResource", {"ResourceArn": "arn:aws:s3:::b", "RoleArn": ROLE})
    assert [each.action for each in found] == ["lakeformation:DescribeResource"]


KEYS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("kms", "Encrypt", {"KeyId": "alias/app", "EncryptionContext": {"app": "a"}}, {"kms:EncryptionContext:app": "a", "kms:EncryptionContextKeys": ["app"], "kms:RequestAlias": "alias/app", "kms:CallerAccount": "111122223333"}),
    ("kms", "CreateGrant", {"KeyId": "k", "GranteePrincipal": ROLE, "Operations": ["Decrypt"]}, {"kms:GranteePrincipal": ROLE, "kms:GrantOperations": ["Decrypt"], "kms:GrantIsForAWSResource": "false", "kms:CallerAccount": "111122223333"}),
    ("secretsmanager", "GetSecretValue", {"SecretId": SECRET}, {"secretsmanager:SecretId": SECRET, "secretsmanager:VersionStage": "AWSCURRENT"}),
    ("sns", "Subscribe", {"TopicArn": f"arn:aws:sns:{HERE}:t", "Protocol": "https", "Endpoint": "https://x"}, {"sns:Protocol": "https", "sns:Endpoint": "https://x"}),
    ("lambda", "AddPermission", {"FunctionName": "f", "Principal": "*"}, {"lambda:Principal": "*"}),
    ("lambda", "CreateEventSourceMapping", {"FunctionName": "f"}, {"lambda:FunctionArn": LAMBDA}),
    ("ecs", "RunTask", {"taskDefinition": "f:1", "cluster": "c", "enableExecuteCommand": True}, {"ecs:cluster": f"arn:aws:ecs:{HERE}:cluster/c", "ecs:enable-execute-command": "true"}),
    ("ssm", "GetParametersByPath", {"Path": "/a", "Recursive": True}, {"ssm:Recursive": "true"}),
    ("rds", "CreateDBSnapshot", {"DBInstanceIdentifier": "d", "DBSnapshotIdentifier": "s", "Tags": [{"Key": "a", "Value": "1"}]}, {"aws:RequestTag/a": "1", "aws:TagKeys": ["a"]}),
    ("cloudformation", "UpdateStack", {"StackName": "s", "TemplateURL": "https://t"}, {"cloudformation:TemplateUrl": "https://t"}),
    ("events", "PutEvents", {"Entries": [{"Source": "a", "DetailType": "d"}]}, {"events:source": ["a"], "events:detail-type": ["d"], "events:eventBusInvocation": "false"}),
    ("route53", "ChangeResourceRecordSets", {"HostedZoneId": "Z", "ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"Name": "WWW.example.com.", "Type": "A"}}]}}, {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["www.example.com"], "route53:ChangeResourceRecordSetsRecordTypes": ["A"], "route53:ChangeResourceRecordSetsActions": ["UPSERT"]}),
    ("cloudwatch", "PutMetricData", {"Namespace": "n"}, {"cloudwatch:namespace": "n"}),
    ("apigateway", "CreateRestApi", {"name": "a", "endpointConfiguration": {"types": ["PRIVATE"]}}, {"apigateway:Request/ApiName": "a", "apigateway:Request/EndpointType": ["PRIVATE"]}),
]  # fmt: skip


@pytest.mark.parametrize("case", KEYS, ids=lambda case: f"{case[0]}-{case[1]}")
def test_condition_keys(case: tuple[str, str, dict[str, Any], dict[str, Any]], needs: Needs) -> None:
    service, operation, parameters, expected = case
    assert needs(service, operation, parameters)[0].context == expected
