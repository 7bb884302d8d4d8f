"""What kind of event an operation is to CloudTrail: read or write, management or data, by which name, of which service.

See "Logging data events" in the AWS CloudTrail User Guide and each service's own page on its CloudTrail events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Response

__all__ = ["RESOURCE_TYPES", "is_data", "is_reading", "keeps_answer", "name_of", "source_of"]

_READ_ONLY = re.compile(r"(Get|List|Describe|Head|Lookup|Search|Select|Query|Scan|BatchGet|Simulate|AssumeRo|Decode)")
_READ_ONLY_TOO: Final = frozenset(
    {
        ("kms", "Decrypt"),
        ("kms", "Encrypt"),
        ("kms", "GenerateDataKey"),
        ("kms", "GenerateDataKeyWithoutPlaintext"),
        ("kms", "GenerateRandom"),
        ("kms", "ReEncrypt"),
        ("kms", "Sign"),
        ("kms", "Verify"),
        ("dynamodb", "TransactGetItems"),
        ("sqs", "ReceiveMessage"),
    }
)
_DATA: Final = {
    "dynamodb": frozenset(
        {
            "BatchExecuteStatement",
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "ExecuteStatement",
            "GetItem",
            "PutItem",
        }
        | {"ExecuteTransaction", "Query", "Scan", "TransactGetItems", "TransactWriteItems", "UpdateItem"}
    ),
    "dynamodbstreams": frozenset({"GetRecords", "GetShardIterator"}),
    "events": frozenset({"PutEvents"}),
    "kinesis": frozenset({"GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "sqs": frozenset(
        {"ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch"}
        | {"ReceiveMessage", "SendMessage", "SendMessageBatch"}
    ),
    "ssmmessages": frozenset({"OpenDataChannel"}),
}
# "Amazon S3 CloudTrail events": operations on objects are data events, those on buckets management events.
_S3_BUCKET_DATA: Final = frozenset(
    {"DeleteObjects", "HeadBucket", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2"}
)
_NAMES: Final = {
    ("lambda", "AddPermission"): "AddPermission20150331v2",
    ("lambda", "CreateEventSourceMapping"): "CreateEventSourceMapping20150331",
    ("lambda", "CreateFunction"): "CreateFunction20150331",
    ("lambda", "DeleteEventSourceMapping"): "DeleteEventSourceMapping20150331",
    ("lambda", "DeleteFunction"): "DeleteFunction20150331",
    ("lambda", "GetFunction"): "GetFunction20150331v2",
    ("lambda", "GetPolicy"): "GetPolicy20150331v2",
    ("lambda", "ListFunctions"): "ListFunctions20150331",
    ("lambda", "RemovePermission"): "RemovePermission20150331v2",
    ("lambda", "UpdateEventSourceMapping"): "UpdateEventSourceMapping20150331",
    ("lambda", "UpdateFunctionCode"): "UpdateFunctionCode20150331v2",
    ("lambda", "UpdateFunctionConfiguration"): "UpdateFunctionConfiguration20150331v2",
    ("s3", "DeletePublicAccessBlock"): "DeleteBucketPublicAccessBlock",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "ListObjectsV2"): "ListObjects",
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3", "PutBucketNotificationConfiguration"): "PutBucketNotification",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
}
RESOURCE_TYPES: Final = {
    ("dynamodb", "table"): "AWS::DynamoDB::Table",
    ("ecr", "repository"): "AWS::ECR::Repository",
    ("events", "event-bus"): "AWS::Events::EventBus",
    ("iam", "role"): "AWS::IAM::Role",
    ("kinesis", "stream"): "AWS::Kinesis::Stream",
    ("kms", "key"): "AWS::KMS::Key",
    ("lambda", "function"): "AWS::Lambda::Function",
    ("secretsmanager", "secret"): "AWS::SecretsManager::Secret",
    ("sns", ""): "AWS::SNS::Topic",
    ("sqs", ""): "AWS::SQS::Queue",
}
"""By the service of an ARN and the noun before its name."""

_LARGEST_ANSWER: Final = 100_000
_FAILED: Final = 300


def is_reading(call: Call) -> bool:
    """Tell whether CloudTrail calls an operation read-only."""
    return _READ_ONLY.match(call.operation) is not None or (call.service, call.operation) in _READ_ONLY_TOO


def is_data(call: Call) -> bool:
    """Tell whether an operation is a data event."""
    if call.service == "s3":
        return "Key" in call.parameters or call.operation in _S3_BUCKET_DATA
    return call.operation in _DATA.get(call.service, ())


def name_of(call: Call) -> str:
    """Give the name that CloudTrail has for an operation: for most, the operation's own."""
    return _NAMES.get((call.service, call.operation), call.operation)


def source_of(call: Call) -> str:
    """Give the service as CloudTrail names it."""
    return f"{'s3' if call.service == 's3' else call.signing_name}.amazonaws.com"


def keeps_answer(call: Call, response: Response) -> bool:
    """Tell whether a record says something of what was answered: of errors, and of what management events made."""
    if response.view is not None or len(response.body) > _LARGEST_ANSWER:
        return False
    return response.status >= _FAILED or not (is_reading(call) or is_data(call))
