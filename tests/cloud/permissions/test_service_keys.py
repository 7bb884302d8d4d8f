"""A customer's key under a queue, a topic, a stream, a table, a secret: who may use the service and not the key gets nothing.

The sources stand with the tables: `pytest_stsguard/cloud/permissions/message_keys.py`, `secret_keys.py`, `table_keys.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION, ACCOUNT = "us-east-1", "111122223333"
USE = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}
KEY = {"id": {"S": "1"}}
SCHEMA: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


class Vault:
    """A cloud with one key, and one resource of each service under it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.key = str(cloud.client("kms").create_key()["KeyMetadata"]["Arn"])
        self.queue = str(cloud.client("sqs").create_queue(QueueName="q", Attributes=self._under())["QueueUrl"])
        self.topic = str(cloud.client("sns").create_topic(Name="t", Attributes=self._under())["TopicArn"])
        kinesis = cloud.client("kinesis")
        kinesis.create_stream(StreamName="s", ShardCount=1)
        kinesis.start_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=self.key)
        sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": self.key}
        cloud.client("dynamodb").create_table(TableName="d", SSESpecification=sse, **SCHEMA)
        self.secret = str(
            cloud.client("secretsmanager").create_secret(Name="x", SecretString="v", KmsKeyId=self.key)["ARN"]
        )
        ssm = cloud.client("ssm")
        ssm.put_parameter(Name="/app/secure", Value="v", Type="SecureString", KeyId=self.key)
        ssm.put_parameter(Name="/app/plain", Value="v", Type="String")

    def _under(self) -> dict[str, str]:
        return {"KmsMasterKeyId": self.key}

    def user(self, name: str, *statements: dict[str, Any]) -> Any:
        """Make a user who may do everything but use keys, with these statements besides."""
        iam = self.cloud.client("iam")
        iam.create_user(UserName=name)
        own = {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [own, *statements]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        return self.cloud.user_credentials(name).session()

    def calls(self) -> dict[str, Callable[[Any], Any]]:
        """Give calls that need the key, by the operation's name."""
        entry = {"Id": "1", "MessageBody": "m"}
        return {
            "SendMessage": lambda s: s.client("sqs").send_message(QueueUrl=self.queue, MessageBody="m"),
            "SendMessageBatch": lambda s: s.client("sqs").send_message_batch(QueueUrl=self.queue, Entries=[entry]),
            "ReceiveMessage": lambda s: s.client("sqs").receive_message(QueueUrl=self.queue),
            "Publish": lambda s: s.client("sns").publish(TopicArn=self.topic, Message="m"),
            "PutRecord": lambda s: s.client("kinesis").put_record(StreamName="s", Data=b"x", PartitionKey="1"),
            "GetRecords": lambda s: s.client("kinesis").get_records(ShardIterator=_iterator(s)),
            "PutItem": lambda s: s.client("dynamodb").put_item(TableName="d", Item=KEY),
            "GetItem": lambda s: s.client("dynamodb").get_item(TableName="d", Key=KEY),
            "Scan": lambda s: s.client("dynamodb").scan(TableName="d"),
            "ExecuteStatement": lambda s: s.client("dynamodb").execute_statement(Statement='SELECT * FROM "d"'),
            "GetSecretValue": lambda s: s.client("secretsmanager").get_secret_value(SecretId="x"),
            "UpdateSecret": lambda s: s.client("secretsmanager").update_secret(SecretId="x", SecretBinary=b"v"),
            "GetParametersByPath": lambda s: s.client("ssm").get_parameters_by_path(Path="/app", WithDecryption=True),
            "GetParameterHistory": lambda s: s.client("ssm").get_parameter_history(
                Name="/app/secure", WithDecryption=True
            ),
        }


def _iterator(session: Any) -> str:
    kinesis = session.client("kinesis")
    given = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    return str(kinesis.get_shard_iterator(**given)["ShardIterator"])


CODES = {
    "SendMessage": "KMS.AccessDeniedException",
    "SendMessageBatch": "KMS.AccessDeniedException",
    "ReceiveMessage": "KMS.AccessDeniedException",
    "Publish": "KMSAccessDenied",
    "PutRecord": "KMSAccessDeniedException",
    "GetRecords": "KMSAccessDeniedException",
}


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    with Cloud(world="empty") as cloud:
        yield Vault(cloud)


@pytest.fixture(scope="module")
def without(vault: Vault) -> Any:
    return vault.user("without")


@pytest.fixture(scope="module")
def able(vault: Vault) -> Any:
    return vault.user("able", {**USE, "Resource": vault.key})


def refused(call: Callable[..., Any], *values: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(*values, **parameters)
    answer: Any = caught.value.response
    return {**answer["Error"], "Status": answer["ResponseMetadata"]["HTTPStatusCode"]}


@pytest.mark.parametrize("name", Vault.calls(object.__new__(Vault)))
def test_who_may_not_use_the_key_is_refused_in_the_services_words(
    name: str, vault: Vault, without: Any, able: Any
) -> None:
    error = refused(vault.calls()[name], without)
    assert error["Code"] == CODES.get(name, "AccessDeniedException")
    assert error["Status"] == 400
    assert vault.calls()[name](able)


def test_what_needs_no_key_goes_without(vault: Vault, without: Any) -> None:
    without.client("sqs").get_queue_attributes(QueueUrl=vault.queue)
    without.client("dynamodb").describe_table(TableName="d")
    without.client("secretsmanager").describe_secret(SecretId="x")
    without.client("secretsmanager").update_secret(SecretId="x", Description="d")
    assert without.client("ssm").get_parameters_by_path(Path="/app")["Parameters"]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("SendMessage", "kms:EncryptionContext:aws:sqs:arn", f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"),
        ("Publish", "kms:EncryptionContext:aws:sns:topicArn", f"arn:aws:sns:{REGION}:{ACCOUNT}:t"),
        ("PutRecord", "kms:EncryptionContext:aws:kinesis:arn", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"),
        ("GetItem", "kms:EncryptionContext:aws:dynamodb:tableName", "d"),
        ("GetItem", "kms:EncryptionContext:aws:dynamodb:subscriberId", ACCOUNT),
        ("GetSecretValue", "kms:EncryptionContext:SecretARN", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x-*"),
        ("GetSecretValue", "kms:EncryptionContext:SecretVersionId", "????????-*"),
        (
            "GetParametersByPath",
            "kms:EncryptionContext:PARAMETER_ARN",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/app/*",
        ),
        ("SendMessage", "kms:ViaService", f"sqs.{REGION}.amazonaws.com"),
        ("SendMessage", "aws:CalledViaFirst", "sqs.amazonaws.com"),
        ("GetItem", "aws:CalledViaLast", "dynamodb.amazonaws.com"),
        ("Scan", "aws:ViaAWSService", "true"),
    ],
)
def test_the_keys_of_the_request_that_the_service_makes(name: str, key: str, value: str, vault: Vault) -> None:
    user = f"{name}-{key.replace(':', '-')}"
    condition = {"StringLike": {key: value}}
    assert vault.calls()[name](vault.user(f"{user}-with", {**USE, "Condition": condition}))
    refused(vault.calls()[name], vault.user(f"{user}-not", {**USE, "Condition": {"StringNotLike": {key: value}}}))


def test_only_what_is_called_through_a_service_carries_called_via(vault: Vault) -> None:
    via = {"ForAnyValue:StringEquals": {"aws:CalledVia": "dynamodb.amazonaws.com"}}
    user = vault.user("via-alone", {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": via})
    assert vault.calls()["GetItem"](user)
    assert refused(user.client("kms").encrypt, KeyId=vault.key, Plaintext=b"x")["Code"] == "AccessDeniedException"
    refused(vault.calls()["SendMessage"], user)
    direct = {"Null": {"aws:CalledVia": "true"}}
    user = vault.user("direct-alone", {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": direct})
    assert user.client("kms").encrypt(KeyId=vault.key, Plaintext=b"x")
    refused(vault.calls()["GetItem"], user)


def test_an_address_in_a_policy_does_not_fit_the_service_that_calls(vault: Vault) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/conditions-aws.html, on aws:SourceIp."""
    elsewhere = {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": elsewhere}
    user = vault.user("by-address", USE, deny)
    user.client("sqs").get_queue_attributes(QueueUrl=vault.queue)
    refused(vault.calls()["SendMessage"], user)
    spared = {**deny, "Condition": {**elsewhere, "Bool": {"aws:ViaAWSService": "false"}}}
    assert vault.calls()["SendMessage"](vault.user("by-address-but-services", USE, spared))


def test_a_table_is_put_under_a_key_by_who_may_grant_it_to_the_service(vault: Vault, able: Any) -> None:
    sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": vault.key}
    error = refused(able.client("dynamodb").create_table, TableName="new", SSESpecification=sse, **SCHEMA)
    assert "kms:DescribeKey" in error["Message"]
    granting = {
        "Effect": "Allow",
        "Action": ["kms:CreateGrant", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}},
    }
    maker = vault.user("maker", granting)
    maker.client("dynamodb").create_table(TableName="new", SSESpecification=sse, **SCHEMA)
    grantee = {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:user/maker", "Operations": ["Decrypt"]}
    assert refused(maker.client("kms").create_grant, KeyId=vault.key, **grantee)["Code"] == "AccessDeniedException"


def test_the_first_and_the_last_of_several_services_are_told_apart(vault: Vault) -> None:
    """The example of aws:CalledVia in the IAM User Guide: CloudFormation calls DynamoDB, which calls KMS."""
    encryption = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": vault.key}
    properties = {**SCHEMA, "TableName": "stacked", "SSESpecification": encryption}
    table = {"Type": "AWS::DynamoDB::Table", "Properties": properties}
    via = {"aws:CalledViaFirst": "cloudformation.amazonaws.com", "aws:CalledViaLast": "dynamodb.amazonaws.com"}
    granting = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": via}}
    template = json.dumps({"Resources": {"T": table}})
    direct = vault.user("not-by-a-stack", granting).client("dynamodb")
    assert refused(direct.create_table, TableName="stacked", SSESpecification=_under_key(vault.key), **SCHEMA)
    wrong = {**granting, "Condition": {"StringEquals": {**via, "aws:CalledViaFirst": "dynamodb.amazonaws.com"}}}
    stacks = vault.user("by-a-table-alone", wrong).client("cloudformation")
    stacks.create_stack(StackName="refused", TemplateBody=template)
    assert stacks.describe_stacks(StackName="refused")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
    stacks = vault.user("by-a-stack", granting).client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=template)
    assert stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def _under_key(key: str) -> dict[str, Any]:
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}


def test_a_table_under_awss_own_key_asks_nothing(vault: Vault, without: Any) -> None:
    sse = {"Enabled": True, "SSEType": "KMS"}
    vault.cloud.client("dynamodb").create_table(TableName="aws-owned", SSESpecification=sse, **SCHEMA)
    assert without.client("dynamodb").put_item(TableName="aws-owned", Item=KEY)


def test_a_secret_read_as_a_parameter_is_a_secret_that_is_read(vault: Vault, able: Any, without: Any) -> None:
    vault.cloud.client("secretsmanager").create_secret(Name="text", SecretString="v", KmsKeyId=vault.key)
    reference = {"Name": "/aws/reference/secretsmanager/text", "WithDecryption": True}
    assert able.client("ssm").get_parameter(**reference)["Parameter"]["Value"]
    assert "kms:Decrypt" in refused(without.client("ssm").get_parameter, **reference)["Message"]
    deny = {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    thief = vault.user("thief", deny, USE)
    for given in (reference, {"Names": [reference["Name"]], "WithDecryption": True}):
        call = thief.client("ssm").get_parameter if "Name" in given else thief.client("ssm").get_parameters
        assert "secretsmanager:GetSecretValue" in refused(call, **given)["Message"]


def test_a_log_group_is_put_under_a_key_that_admits_the_service(vault: Vault) -> None:
    kms, logs = vault.cloud.client("kms"), vault.cloud.client("logs")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g"
    error = refused(logs.create_log_group, logGroupName="g", kmsKeyId=key)
    assert error["Code"] == "AccessDeniedException"
    assert group in error["Message"]
    service = {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group}},
    }
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [owner, service]})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    logs.create_log_group(logGroupName="g", kmsKeyId=key)
    assert refused(logs.create_log_group, logGroupName="other", kmsKeyId=key)["Code"] == "AccessDeniedException"


def test_an_export_of_logs_goes_to_a_bucket_that_admits_the_service(vault: Vault) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3ExportTasks.html."""
    logs, s3 = vault.cloud.client("logs"), vault.cloud.client("s3")
    logs.create_log_group(logGroupName="exported")
    s3.create_bucket(Bucket="exports")
    given = {"logGroupName": "exported", "fromTime": 0, "to": 1, "destination": "exports"}
    error = refused(logs.create_export_task, **given)
    assert error["Code"] == "InvalidParameterException"
    assert error["Message"].startswith("GetBucketAcl call on the given bucket failed")
    service = {"Effect": "Allow", "Principal": {"Service": f"logs.{REGION}.amazonaws.com"}}
    own = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    told = [
        {**service, "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::exports", "Condition": own},
        {**service, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::exports/*", "Condition": own},
    ]
    s3.put_bucket_policy(Bucket="exports", Policy=json.dumps({"Version": "2012-10-17", "Statement": told[:1]}))
    assert refused(logs.create_export_task, **given)["Message"].startswith("PutObject call")
    s3.put_bucket_policy(Bucket="exports", Policy=json.dumps({"Version": "2012-10-17", "Statement": told}))
    assert logs.create_export_task(**given)["taskId"]


def test_an_iterator_is_over_the_stream_that_it_names(vault: Vault) -> None:
    stream = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    deny = {"Effect": "Deny", "Action": "kinesis:GetRecords", "Resource": stream}
    reader = vault.user("not-this-stream", USE, deny)
    assert stream in refused(vault.calls()["GetRecords"], reader)["Message"]


def test_messages_are_moved_by_who_may_receive_and_send_them(vault: Vault) -> None:
    sqs = vault.cloud.client("sqs")
    sqs.create_queue(QueueName="target")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
    redrive = json.dumps({"deadLetterTargetArn": f"{arn}:q", "maxReceiveCount": 1})
    sqs.create_queue(QueueName="source", Attributes={"RedrivePolicy": redrive})
    move = {"SourceArn": f"{arn}:q", "DestinationArn": f"{arn}:target"}
    blocked = vault.user("no-sending", USE, {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "*"})
    assert "sqs:SendMessage" in refused(blocked.client("sqs").start_message_move_task, **move)["Message"]
    blocked = vault.user("no-receiving", USE, {"Effect": "Deny", "Action": "sqs:ReceiveMessage", "Resource": "*"})
    assert "sqs:ReceiveMessage" in refused(blocked.client("sqs").start_message_move_task, **move)["Message"]
    # Who may gets as far as moto, which has no such task.
    error = refused(vault.user("mover", USE).client("sqs").start_message_move_task, **move)
    assert "moto does not implement" in error["Message"]
