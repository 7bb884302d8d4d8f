"""The KMS keys of queues, topics, streams and log groups: who sends needs them, and who receives.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html,
https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html. A service may keep a data key for some
minutes; here every call asks for it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .behalf import called_via, on_behalf
from .permission import Permission, ServiceError

if TYPE_CHECKING:
    from .permission import Context
    from .scope import Scope

__all__ = ["log_checks", "queue_keys", "stream_key", "topic_key"]

_SENDING: Final = ("GenerateDataKey", "Decrypt")
_SQS_DENIED: Final = ServiceError("KMS.AccessDeniedException")
_SNS_DENIED: Final = ServiceError("KMSAccessDenied")
_KINESIS_DENIED: Final = ServiceError("KMSAccessDeniedException")
_LOGS_DENIED: Final = "The specified KMS key does not exist or is not allowed to be used with Arn '{}'"
_NO_EXPORT: Final = (
    "{} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this "
    "operation."
)
_QUEUES: Final = {
    "ReceiveMessage": ("Decrypt",),
    "SendMessage": _SENDING,
    "SendMessageBatch": _SENDING,
}
_STREAMS: Final = {
    "GetRecords": ("Decrypt",),
    "PutRecord": ("GenerateDataKey",),
    "PutRecords": ("GenerateDataKey",),
    "SubscribeToShard": ("Decrypt",),
}
_MOVED_WITH: Final = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


def queue_keys(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on a queue's key; and all that moving messages from one queue to another takes.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    if scope.call.operation != "StartMessageMoveTask":
        return _queue_key(scope, found[0].resource, *_QUEUES.get(scope.call.operation, ()))
    source, target = found[0].resource, scope.text("DestinationArn")
    checks = [Permission(f"sqs:{action}", source, found[0].context) for action in _MOVED_WITH]
    checks += _queue_key(scope, source, "Decrypt")
    if target is not None:
        checks += [Permission("sqs:SendMessage", target), *_queue_key(scope, target, *_SENDING)]
    return checks


def _queue_key(scope: Scope, queue: str, *actions: str) -> list[Permission]:
    if not actions:
        return []
    key, _ = scope.state.encryption(queue) or (None, False)
    return on_behalf(scope, "sqs", key, *actions, pairs={"aws:sqs:arn": queue}, error=_SQS_DENIED, owner=queue)


def topic_key(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on the key of a topic that is published to."""
    if not scope.call.operation.startswith("Publish"):
        return []
    topic = found[0].resource
    key, _ = scope.state.encryption(topic) or (None, False)
    return on_behalf(scope, "sns", key, *_SENDING, pairs={"aws:sns:topicArn": topic}, error=_SNS_DENIED, owner=topic)


def stream_key(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on the key of a stream that is written or read, and on one that it is put under."""
    stream = found[0].resource
    if scope.call.operation == "StartStreamEncryption":
        return on_behalf(scope, "kinesis", scope.text("KeyId"), "DescribeKey", error=_KINESIS_DENIED, owner=stream)
    actions = _STREAMS.get(scope.call.operation, ())
    if not actions:
        return []
    stream = stream.partition("/consumer/")[0]
    key, _ = scope.state.encryption(stream) or (None, False)
    pairs = {"aws:kinesis:arn": stream}
    return on_behalf(scope, "kinesis", key, *actions, pairs=pairs, error=_KINESIS_DENIED, owner=stream)


def log_checks(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on what CloudWatch Logs needs for itself: the key of a log group, the bucket of an export."""
    if scope.call.operation == "CreateExportTask":
        return _export(scope)
    return _log_group_key(scope, found)


def _service(scope: Scope, source: str) -> tuple[str, Context]:
    """Give the service's principal, and the condition keys of what it does for itself."""
    principal = f"logs.{scope.call.region}.amazonaws.com"
    return principal, {
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": principal,
        "aws:SourceAccount": scope.account,
        "aws:SourceArn": source,
    }


def _export(scope: Scope) -> list[Permission]:
    """Give the checks on the bucket of an export, whose policy must admit the service.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3ExportTasks.html
    """
    bucket, prefix = scope.text("destination"), scope.text("destinationPrefix") or "exportedlogs"
    if not bucket:
        return []
    principal, own = _service(scope, f"arn:{scope.partition}:logs:{scope.call.region}:{scope.account}:*")
    owner = scope.state.bucket_owner(bucket)
    arn = f"arn:{scope.partition}:s3:::{bucket}"
    asked = (("s3:GetBucketAcl", arn), ("s3:PutObject", f"{arn}/{prefix}/*"))
    return [
        Permission(
            action,
            resource,
            {**own, "s3:x-amz-acl": "bucket-owner-full-control"} if action == "s3:PutObject" else own,
            owner,
            ServiceError("InvalidParameterException", _NO_EXPORT.replace("{}", action.removeprefix("s3:"))),
            principal,
        )
        for action, resource in asked
    ]


def _log_group_key(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on the key that a log group is put under: the service's own, which the key's policy must admit."""
    key = scope.text("kmsKeyId") if scope.call.operation in {"AssociateKmsKey", "CreateLogGroup"} else None
    if key is None:
        return []
    # A policy names the group itself, without what the checks of its streams add.
    group = found[0].resource.removesuffix(":log-stream:")
    pairs = {"aws:logs:arn": group}
    error = ServiceError("AccessDeniedException", _LOGS_DENIED.replace("{}", group))
    checks = on_behalf(
        scope, "logs", key, "Encrypt", "Decrypt", "GenerateDataKey", pairs=pairs, error=error, owner=group
    )
    principal, own = _service(scope, group)
    drop = {*called_via("logs"), "kms:ViaService"}
    return [
        Permission(
            each.action,
            each.resource,
            {**{name: value for name, value in each.context.items() if name not in drop}, **own},
            error=error,
            principal=principal,
        )
        for each in checks
    ]
