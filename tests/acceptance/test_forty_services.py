"""Forty services through boto3: who may gets an answer, who may not gets the service's own words, whatever moto would do.

Each row names a read and a write operation with the action and the resource that IAM checks, written out as policies name
them. One principal is granted exactly those, one the same actions on another resource, one nothing at all.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "111122223333"
HERE = f"us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/A4L-DataRole"
EVENT_TARGET = f"arn:aws:sqs:{HERE}:target"

Names = dict[str, str]


@dataclass(frozen=True)
class Call:
    """One operation: its method and parameters, and what IAM checks. `{name}` in texts comes from the row's setup."""

    method: str
    parameters: dict[str, Any]
    action: str
    resource: str
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    """A service: its read, its write, what must be there before, and the refusal's code and status."""

    service: str
    read: Call
    write: Call
    setup: Callable[[Any], Names] = field(default=lambda _: {})
    code: str = "AccessDeniedException"
    status: int = 400

    def __str__(self) -> str:
        return self.service


def made(method: str, *path: str, **parameters: Any) -> Callable[[Any], Names]:
    """Make a setup of one call, whose answer holds the `id` under `path`."""

    def setup(client: Any) -> Names:
        answer: Any = getattr(client, method)(**parameters)
        for key in path:
            answer = answer[key]
        return {"id": str(answer)} if path else {}

    return setup


def function(client: Any) -> Names:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): return event")
    client.create_function(
        FunctionName="f", Runtime="python3.11", Role=ROLE, Handler="f.handler", Code={"ZipFile": code.getvalue()}
    )
    return {}


def stream(client: Any) -> Names:
    client.create_log_group(logGroupName="/app/web")
    return {}


XML = {"code": "AccessDenied", "status": 403}
REST = {"status": 403}

ROWS = [
    Row(
        "acm",
        Call("describe_certificate", {"CertificateArn": "{id}"}, "acm:DescribeCertificate", "{id}"),
        Call(
            "add_tags_to_certificate",
            {"CertificateArn": "{id}", "Tags": [{"Key": "a", "Value": "1"}]},
            "acm:AddTagsToCertificate",
            "{id}",
        ),
        made("request_certificate", "CertificateArn", DomainName="example.com"),
    ),
    Row(
        "appconfig",
        Call(
            "get_application",
            {"ApplicationId": "{id}"},
            "appconfig:GetApplication",
            f"arn:aws:appconfig:{HERE}:application/{{id}}",
        ),
        Call(
            "update_application",
            {"ApplicationId": "{id}", "Name": "new"},
            "appconfig:UpdateApplication",
            f"arn:aws:appconfig:{HERE}:application/{{id}}",
        ),
        made("create_application", "Id", Name="app"),
        **REST,
    ),
    Row(
        "athena",
        Call("get_work_group", {"WorkGroup": "w"}, "athena:GetWorkGroup", f"arn:aws:athena:{HERE}:workgroup/w"),
        Call(
            "create_named_query",
            {"Name": "q", "Database": "d", "QueryString": "SELECT 1", "WorkGroup": "w"},
            "athena:CreateNamedQuery",
            f"arn:aws:athena:{HERE}:workgroup/w",
        ),
        made("create_work_group", Name="w"),
    ),
    Row(
        "backup",
        Call(
            "describe_backup_vault",
            {"BackupVaultName": "v"},
            "backup:DescribeBackupVault",
            f"arn:aws:backup:{HERE}:backup-vault:v",
        ),
        Call(
            "delete_backup_vault",
            {"BackupVaultName": "v"},
            "backup:DeleteBackupVault",
            f"arn:aws:backup:{HERE}:backup-vault:v",
        ),
        made("create_backup_vault", BackupVaultName="v"),
        **REST,
    ),
    Row(
        "budgets",
        Call(
            "describe_budget",
            {"AccountId": ACCOUNT, "BudgetName": "b"},
            "budgets:ViewBudget",
            f"arn:aws:budgets::{ACCOUNT}:budget/b",
        ),
        Call(
            "delete_budget",
            {"AccountId": ACCOUNT, "BudgetName": "b"},
            "budgets:ModifyBudget",
            f"arn:aws:budgets::{ACCOUNT}:budget/b",
        ),
        made(
            "create_budget",
            AccountId=ACCOUNT,
            Budget={
                "BudgetName": "b",
                "TimeUnit": "DAILY",
                "BudgetType": "COST",
                "BudgetLimit": {"Amount": "5", "Unit": "USD"},
            },
        ),
    ),
    Row(
        "cloudtrail",
        Call("get_trail", {"Name": "trail"}, "cloudtrail:GetTrail", f"arn:aws:cloudtrail:{HERE}:trail/trail"),
        Call("start_logging", {"Name": "trail"}, "cloudtrail:StartLogging", f"arn:aws:cloudtrail:{HERE}:trail/trail"),
        made("create_trail", Name="trail", S3BucketName=f"a4l-secrets-{ACCOUNT}"),
    ),
    Row(
        "cloudwatch",
        Call("list_metrics", {}, "cloudwatch:ListMetrics", "*"),
        Call(
            "put_metric_alarm",
            {
                "AlarmName": "a",
                "MetricName": "m",
                "Namespace": "n",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Statistic": "Sum",
                "Threshold": 1.0,
                "ComparisonOperator": "GreaterThanThreshold",
            },
            "cloudwatch:PutMetricAlarm",
            f"arn:aws:cloudwatch:{HERE}:alarm:a",
        ),
        **XML,
    ),
    Row(
        "codebuild",
        Call(
            "batch_get_projects",
            {"names": ["p"]},
            "codebuild:BatchGetProjects",
            f"arn:aws:codebuild:{HERE}:project/p",
        ),
        Call(
            "create_project",
            {
                "name": "project",
                "source": {"type": "S3", "location": "bucket/path"},
                "artifacts": {"type": "NO_ARTIFACTS"},
                "environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
                "serviceRole": ROLE,
            },
            "codebuild:CreateProject",
            f"arn:aws:codebuild:{HERE}:project/project",
            also=(("iam:PassRole", ROLE),),
        ),
    ),
    Row(
        "codecommit",
        Call("get_repository", {"repositoryName": "r"}, "codecommit:GetRepository", f"arn:aws:codecommit:{HERE}:r"),
        Call(
            "delete_repository", {"repositoryName": "r"}, "codecommit:DeleteRepository", f"arn:aws:codecommit:{HERE}:r"
        ),
        made("create_repository", repositoryName="r"),
    ),
    Row(
        "codedeploy",
        Call(
            "get_application",
            {"applicationName": "a"},
            "codedeploy:GetApplication",
            f"arn:aws:codedeploy:{HERE}:application:a",
        ),
        Call(
            "create_application",
            {"applicationName": "b"},
            "codedeploy:CreateApplication",
            f"arn:aws:codedeploy:{HERE}:application:b",
        ),
        made("create_application", applicationName="a"),
    ),
    Row(
        "cognito-idp",
        Call(
            "describe_user_pool",
            {"UserPoolId": "{id}"},
            "cognito-idp:DescribeUserPool",
            f"arn:aws:cognito-idp:{HERE}:userpool/{{id}}",
        ),
        Call(
            "create_group",
            {"GroupName": "g", "UserPoolId": "{id}"},
            "cognito-idp:CreateGroup",
            f"arn:aws:cognito-idp:{HERE}:userpool/{{id}}",
        ),
        made("create_user_pool", "UserPool", "Id", PoolName="p"),
    ),
    Row(
        "dynamodb",
        Call(
            "get_item",
            {"TableName": "t", "Key": {"id": {"S": "1"}}},
            "dynamodb:GetItem",
            f"arn:aws:dynamodb:{HERE}:table/t",
        ),
        Call(
            "put_item",
            {"TableName": "t", "Item": {"id": {"S": "1"}}},
            "dynamodb:PutItem",
            f"arn:aws:dynamodb:{HERE}:table/t",
        ),
        made(
            "create_table",
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        ),
    ),
    Row(
        "ecr",
        Call(
            "describe_images",
            {"repositoryName": "repo"},
            "ecr:DescribeImages",
            f"arn:aws:ecr:{HERE}:repository/repo",
        ),
        Call(
            "create_repository",
            {"repositoryName": "second"},
            "ecr:CreateRepository",
            f"arn:aws:ecr:{HERE}:repository/second",
        ),
        made("create_repository", repositoryName="repo"),
    ),
    Row(
        "ecs",
        Call("describe_clusters", {"clusters": ["c"]}, "ecs:DescribeClusters", f"arn:aws:ecs:{HERE}:cluster/c"),
        Call(
            "register_task_definition",
            {
                "family": "f",
                "containerDefinitions": [{"name": "n", "image": "i", "memory": 128}],
                "executionRoleArn": ROLE,
            },
            "ecs:RegisterTaskDefinition",
            f"arn:aws:ecs:{HERE}:task-definition/f:*",
            also=(("iam:PassRole", ROLE),),
        ),
        made("create_cluster", clusterName="c"),
    ),
    Row(
        "efs",
        Call(
            "describe_backup_policy",
            {"FileSystemId": "{id}"},
            "elasticfilesystem:DescribeBackupPolicy",
            f"arn:aws:elasticfilesystem:{HERE}:file-system/{{id}}",
        ),
        Call(
            "delete_file_system",
            {"FileSystemId": "{id}"},
            "elasticfilesystem:DeleteFileSystem",
            f"arn:aws:elasticfilesystem:{HERE}:file-system/{{id}}",
        ),
        made("create_file_system", "FileSystemId", CreationToken="token", Backup=True),
        **REST,
    ),
    Row(
        "elasticache",
        Call(
            "describe_replication_groups",
            {"ReplicationGroupId": "g"},
            "elasticache:DescribeReplicationGroups",
            f"arn:aws:elasticache:{HERE}:replicationgroup:g",
        ),
        Call(
            "delete_replication_group",
            {"ReplicationGroupId": "g"},
            "elasticache:DeleteReplicationGroup",
            f"arn:aws:elasticache:{HERE}:replicationgroup:g",
        ),
        made("create_replication_group", ReplicationGroupId="g", ReplicationGroupDescription="d"),
        **XML,
    ),
    Row(
        "events",
        Call("describe_rule", {"Name": "r"}, "events:DescribeRule", f"arn:aws:events:{HERE}:rule/r"),
        Call(
            "put_targets",
            {"Rule": "r", "Targets": [{"Id": "1", "Arn": EVENT_TARGET, "RoleArn": ROLE}]},
            "events:PutTargets",
            f"arn:aws:events:{HERE}:rule/r",
            also=(("iam:PassRole", ROLE),),
        ),
        made("put_rule", Name="r", ScheduleExpression="rate(5 minutes)"),
    ),
    Row(
        "firehose",
        Call(
            "describe_delivery_stream",
            {"DeliveryStreamName": "d"},
            "firehose:DescribeDeliveryStream",
            f"arn:aws:firehose:{HERE}:deliverystream/d",
        ),
        Call(
            "put_record",
            {"DeliveryStreamName": "d", "Record": {"Data": b"x"}},
            "firehose:PutRecord",
            f"arn:aws:firehose:{HERE}:deliverystream/d",
        ),
        made(
            "create_delivery_stream",
            DeliveryStreamName="d",
            S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::a4l-secrets-{ACCOUNT}"},
        ),
    ),
    Row(
        "glacier",
        Call("describe_vault", {"vaultName": "v"}, "glacier:DescribeVault", f"arn:aws:glacier:{HERE}:vaults/v"),
        Call("delete_vault", {"vaultName": "v"}, "glacier:DeleteVault", f"arn:aws:glacier:{HERE}:vaults/v"),
        made("create_vault", vaultName="v"),
        **REST,
    ),
    Row(
        "guardduty",
        Call(
            "get_detector",
            {"DetectorId": "{id}"},
            "guardduty:GetDetector",
            f"arn:aws:guardduty:{HERE}:detector/{{id}}",
        ),
        Call(
            "update_detector",
            {"DetectorId": "{id}", "Enable": True},
            "guardduty:UpdateDetector",
            f"arn:aws:guardduty:{HERE}:detector/{{id}}",
        ),
        made("create_detector", "DetectorId", Enable=True),
        **REST,
    ),
    Row(
        "iam",
        Call("get_role", {"RoleName": "A4L-DataRole"}, "iam:GetRole", ROLE),
        Call("create_user", {"UserName": "new"}, "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/new"),
        **XML,
    ),
    Row(
        "iot",
        Call("describe_thing", {"thingName": "t"}, "iot:DescribeThing", f"arn:aws:iot:{HERE}:thing/t"),
        Call("delete_thing", {"thingName": "t"}, "iot:DeleteThing", f"arn:aws:iot:{HERE}:thing/t"),
        made("create_thing", thingName="t"),
        **REST,
    ),
    Row(
        "kinesis",
        Call(
            "describe_stream_summary",
            {"StreamName": "s"},
            "kinesis:DescribeStreamSummary",
            f"arn:aws:kinesis:{HERE}:stream/s",
        ),
        Call(
            "put_record",
            {"StreamName": "s", "Data": b"x", "PartitionKey": "k"},
            "kinesis:PutRecord",
            f"arn:aws:kinesis:{HERE}:stream/s",
        ),
        made("create_stream", StreamName="s", ShardCount=1),
    ),
    Row(
        "kms",
        Call("describe_key", {"KeyId": "{id}"}, "kms:DescribeKey", f"arn:aws:kms:{HERE}:key/{{id}}"),
        Call("encrypt", {"KeyId": "{id}", "Plaintext": b"x"}, "kms:Encrypt", f"arn:aws:kms:{HERE}:key/{{id}}"),
        made("create_key", "KeyMetadata", "KeyId"),
    ),
    Row(
        "lambda",
        Call("get_function", {"FunctionName": "f"}, "lambda:GetFunction", f"arn:aws:lambda:{HERE}:function:f"),
        Call(
            "put_function_concurrency",
            {"FunctionName": "f", "ReservedConcurrentExecutions": 1},
            "lambda:PutFunctionConcurrency",
            f"arn:aws:lambda:{HERE}:function:f",
        ),
        function,
        **REST,
    ),
    Row(
        "logs",
        Call(
            "describe_log_streams",
            {"logGroupName": "/app/web"},
            "logs:DescribeLogStreams",
            f"arn:aws:logs:{HERE}:log-group:/app/web:*",
        ),
        Call(
            "create_log_stream",
            {"logGroupName": "/app/web", "logStreamName": "one"},
            "logs:CreateLogStream",
            f"arn:aws:logs:{HERE}:log-group:/app/web:log-stream:one",
        ),
        stream,
    ),
    Row(
        "opensearch",
        Call("describe_domain", {"DomainName": "dom"}, "es:DescribeDomain", f"arn:aws:es:{HERE}:domain/dom"),
        Call("delete_domain", {"DomainName": "dom"}, "es:DeleteDomain", f"arn:aws:es:{HERE}:domain/dom"),
        made("create_domain", DomainName="dom"),
        **REST,
    ),
    Row(
        "rds",
        Call(
            "describe_db_parameter_groups",
            {"DBParameterGroupName": "g"},
            "rds:DescribeDBParameterGroups",
            f"arn:aws:rds:{HERE}:pg:g",
        ),
        Call(
            "delete_db_parameter_group",
            {"DBParameterGroupName": "g"},
            "rds:DeleteDBParameterGroup",
            f"arn:aws:rds:{HERE}:pg:g",
        ),
        made("create_db_parameter_group", DBParameterGroupName="g", DBParameterGroupFamily="mysql8.0", Description="d"),
        **XML,
    ),
    Row(
        "redshift",
        Call("describe_clusters", {}, "redshift:DescribeClusters", f"arn:aws:redshift:{HERE}:cluster:*"),
        Call(
            "create_cluster_parameter_group",
            {"ParameterGroupName": "g", "ParameterGroupFamily": "redshift-1.0", "Description": "d"},
            "redshift:CreateClusterParameterGroup",
            f"arn:aws:redshift:{HERE}:parametergroup:g",
        ),
        **XML,
    ),
    Row(
        "resource-groups",
        Call("get_group", {"GroupName": "g"}, "resource-groups:GetGroup", f"arn:aws:resource-groups:{HERE}:group/g"),
        Call(
            "delete_group",
            {"GroupName": "g"},
            "resource-groups:DeleteGroup",
            f"arn:aws:resource-groups:{HERE}:group/g",
        ),
        made(
            "create_group",
            Name="g",
            ResourceQuery={
                "Type": "TAG_FILTERS_1_0",
                "Query": '{"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "a", "Values": ["1"]}]}',
            },
        ),
        **REST,
    ),
    Row(
        "route53",
        Call("get_hosted_zone", {"Id": "{id}"}, "route53:GetHostedZone", "arn:aws:route53:::{zone}"),
        Call(
            "change_resource_record_sets",
            {
                "HostedZoneId": "{id}",
                "ChangeBatch": {
                    "Changes": [
                        {
                            "Action": "CREATE",
                            "ResourceRecordSet": {
                                "Name": "www.example.com",
                                "Type": "A",
                                "TTL": 60,
                                "ResourceRecords": [{"Value": "192.0.2.1"}],
                            },
                        }
                    ]
                },
            },
            "route53:ChangeResourceRecordSets",
            "arn:aws:route53:::{zone}",
        ),
        lambda client: {
            "id": (zone := client.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]),
            "zone": zone.strip("/"),
        },
        **XML,
    ),
    Row(
        "s3",
        Call("get_object", {"Bucket": "box", "Key": "k"}, "s3:GetObject", "arn:aws:s3:::box/k"),
        Call("put_object", {"Bucket": "box", "Key": "k", "Body": b"y"}, "s3:PutObject", "arn:aws:s3:::box/k"),
        lambda client: {
            "made": str(client.create_bucket(Bucket="box")["ResponseMetadata"]["HTTPStatusCode"]),
            "put": str(client.put_object(Bucket="box", Key="k", Body=b"x")["ResponseMetadata"]["HTTPStatusCode"]),
        },
        **XML,
    ),
    Row(
        "scheduler",
        Call("get_schedule", {"Name": "s"}, "scheduler:GetSchedule", f"arn:aws:scheduler:{HERE}:schedule/default/s"),
        Call(
            "create_schedule",
            {
                "Name": "n",
                "ScheduleExpression": "rate(5 minutes)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": EVENT_TARGET, "RoleArn": ROLE},
            },
            "scheduler:CreateSchedule",
            f"arn:aws:scheduler:{HERE}:schedule/default/n",
            also=(("iam:PassRole", ROLE),),
        ),
        made(
            "create_schedule",
            Name="s",
            ScheduleExpression="rate(5 minutes)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": EVENT_TARGET, "RoleArn": ROLE},
        ),
        **REST,
    ),
    Row(
        "secretsmanager",
        Call("get_secret_value", {"SecretId": "s"}, "secretsmanager:GetSecretValue", "{id}"),
        Call("put_secret_value", {"SecretId": "s", "SecretString": "y"}, "secretsmanager:PutSecretValue", "{id}"),
        made("create_secret", "ARN", Name="s", SecretString="x"),
    ),
    Row(
        "servicediscovery",
        Call(
            "get_namespace",
            {"Id": "{id}"},
            "servicediscovery:GetNamespace",
            f"arn:aws:servicediscovery:{HERE}:namespace/{{id}}",
        ),
        Call(
            "delete_namespace",
            {"Id": "{id}"},
            "servicediscovery:DeleteNamespace",
            f"arn:aws:servicediscovery:{HERE}:namespace/{{id}}",
        ),
        lambda client: {
            "made": client.create_http_namespace(Name="n")["OperationId"],
            "id": client.list_namespaces()["Namespaces"][0]["Id"],
        },
    ),
    Row(
        "sns",
        Call("get_topic_attributes", {"TopicArn": "{id}"}, "sns:GetTopicAttributes", f"arn:aws:sns:{HERE}:t"),
        Call("publish", {"TopicArn": "{id}", "Message": "m"}, "sns:Publish", f"arn:aws:sns:{HERE}:t"),
        made("create_topic", "TopicArn", Name="t"),
        code="AuthorizationError",
        status=403,
    ),
    Row(
        "sqs",
        Call("get_queue_attributes", {"QueueUrl": "{id}"}, "sqs:GetQueueAttributes", f"arn:aws:sqs:{HERE}:q"),
        Call("send_message", {"QueueUrl": "{id}", "MessageBody": "m"}, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:q"),
        made("create_queue", "QueueUrl", QueueName="q"),
        **XML,
    ),
    Row(
        "ssm",
        Call("get_parameter", {"Name": "/app/key"}, "ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/app/key"),
        Call(
            "put_parameter",
            {"Name": "/app/key", "Value": "y", "Type": "String", "Overwrite": True},
            "ssm:PutParameter",
            f"arn:aws:ssm:{HERE}:parameter/app/key",
        ),
        made("put_parameter", Name="/app/key", Value="x", Type="String"),
    ),
    Row(
        "stepfunctions",
        Call("describe_state_machine", {"stateMachineArn": "{id}"}, "states:DescribeStateMachine", "{id}"),
        Call("delete_state_machine", {"stateMachineArn": "{id}"}, "states:DeleteStateMachine", "{id}"),
        made(
            "create_state_machine",
            "stateMachineArn",
            name="m",
            roleArn=ROLE,
            definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        ),
    ),
    Row(
        "swf",
        Call("describe_domain", {"name": "d"}, "swf:DescribeDomain", f"arn:aws:swf::{ACCOUNT}:/domain/d"),
        Call("deprecate_domain", {"name": "d"}, "swf:DeprecateDomain", f"arn:aws:swf::{ACCOUNT}:/domain/d"),
        made("register_domain", name="d", workflowExecutionRetentionPeriodInDays="1"),
    ),
]


def filled(value: Any, names: Names) -> Any:
    """Put a row's names into its texts."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
    elif isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    elif isinstance(value, list):
        return [filled(inner, names) for inner in value]
    return value


def another(resource: str) -> str:
    """Name a resource beside the one that is called."""
    return resource if resource == "*" else f"{resource}-another"


class Stage:
    """One cloud with the three principals and what the rows call."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.names: dict[str, Names] = {}
        iam = cloud.client("iam")
        self.users = {}
        for user in ("able", "elsewhere", "nobody"):
            iam.create_user(UserName=user)
            self.users[user] = cloud.user_credentials(user).session()
        self._iam = iam

    def prepare(self, row: Row) -> Names:
        """Make what the row calls, and grant it, once."""
        if row.service not in self.names:
            self.names[row.service] = names = row.setup(self.cloud.client(row.service))
            for user, change in (("able", str), ("elsewhere", another)):
                grants = [
                    (action, change(filled(resource, names)))
                    for call in (row.read, row.write)
                    for action, resource in ((call.action, call.resource), *call.also)
                ]
                statements = [{"Effect": "Allow", "Action": action, "Resource": arn} for action, arn in grants]
                document = json.dumps({"Version": "2012-10-17", "Statement": statements})
                self._iam.put_user_policy(UserName=user, PolicyName=row.service, PolicyDocument=document)
        return self.names[row.service]

    def call(self, user: str, row: Row, call: Call) -> dict[str, Any]:
        """Call one operation as one of the principals."""
        names = self.prepare(row)
        answer: dict[str, Any] = getattr(self.users[user].client(row.service), call.method)(
            **filled(call.parameters, names)
        )
        return answer


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Cloud() as cloud:
        # The demo's bucket is there from the first call of S3 on; CloudTrail's row needs it.
        cloud.client("s3").list_buckets()
        yield Stage(cloud)


def refused(stage: Stage, user: str, row: Row, call: Call) -> dict[str, Any]:
    stage.prepare(row)
    with pytest.raises(ClientError) as caught:
        stage.call(user, row, call)
    return dict(caught.value.response)


def test_there_are_forty() -> None:
    assert len({row.service for row in ROWS}) >= 40


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_nobody_is_refused_in_the_services_own_words(row: Row, stage: Stage) -> None:
    for call in (row.read, row.write):
        response = refused(stage, "nobody", row, call)
        resource = filled(call.resource, stage.names[row.service])
        message = (
            f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: {call.action} on resource: "
            f"{quoted(row, call, resource)} because no identity-based policy allows the {call.action} action"
        )
        assert (response["Error"]["Code"], response["Error"]["Message"]) == (row.code, message)
        assert response["ResponseMetadata"]["HTTPStatusCode"] == row.status


def quoted(row: Row, call: Call, resource: str) -> str:
    """Write the resource as a message has it: S3's in quotes, a log group with the streams that policies have `*` for."""
    if row.service == "s3":
        return f'"{resource}"'
    return resource.replace(":*", ":log-stream:") if call.action == "logs:DescribeLogStreams" else resource


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_grant_on_another_resource_is_none_on_this(row: Row, stage: Stage) -> None:
    for call in (row.read, row.write):
        if call.resource != "*":
            assert refused(stage, "elsewhere", row, call)["Error"]["Code"] == row.code


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_gets_an_answer(row: Row, stage: Stage) -> None:
    for call in (row.read, row.write):
        assert stage.call("able", row, call)["ResponseMetadata"]["HTTPStatusCode"] < 300
