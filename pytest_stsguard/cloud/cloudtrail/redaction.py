"""What a record may not hold: AWS's models say which members are sensitive, and CloudTrail hides some more.

A member is hidden when its shape has the trait `sensitive`, when it is a blob, when its name tells, or when its service is
known to hide it. Numbers and switches are never secrets, so `PasswordReusePrevention` is told.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.calls.catalogue import model
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.calls import Call

    Shape = Any  # botocore's kinds of shape share no type

__all__ = ["HIDDEN", "input_shape", "output_shape", "redacted"]

HIDDEN: Final = "HIDDEN_DUE_TO_SECURITY_REASONS"
_TELLING = re.compile(
    r"secret|password|passphrase|token|private_?key|assertion|authentication_?code|auth_?code|auth_?key|host_?key|seed"
    r"|activation_?key|^otp$|customerkey$|(?-i:A[Pp][Ii]Key$)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r".*(arn|ids?|url|uri|host|status|type|name|list|endpoint|version|method|strategy|size)"
    r"|(next|next_?page|client|client_?request|continuation|next_?continuation|starting|pagination|idempotency|page)_?token"
    r"|http_?tokens|token_?ttl.*|password_?last_?used",
    re.IGNORECASE,
)
_SWITCHES: Final = frozenset({"true", "false", "optional", "required"})
_OWN: Final[dict[str, frozenset[str]]] = {
    "apigateway": frozenset({"value"}),
    "cloudformation": frozenset({"ParameterValue", "TemplateBody"}),
    "dynamodb": frozenset(
        {"Item", "AttributeUpdates", "Expected", "ExpressionAttributeValues", "KeyConditions", "Parameters"}
        | {"PutRequest", "QueryFilter", "ScanFilter", "Attributes", "ItemCollectionMetrics", "UnprocessedItems"}
    ),
    "ec2": frozenset({"UserData", "KeyMaterial"}),
    "events": frozenset({"Detail"}),
    "kms": frozenset({"Plaintext", "CiphertextBlob"}),
    "lambda": frozenset({"Environment", "Payload", "ZipFile"}),
    "sns": frozenset({"Message", "Subject", "MessageAttributes", "PublishBatchRequestEntries"}),
    "sqs": frozenset({"MessageBody", "Body", "MessageAttributes"}),
    "ssm": frozenset({"Value"}),
    "states": frozenset({"input", "output"}),
    "stepfunctions": frozenset({"input", "output"}),
}


def input_shape(call: Call) -> Shape | None:
    """Give the model of what a call is given; None for a service without a model, as the console's sign-in."""
    return _shape(call, lambda operation: operation.input_shape)


def output_shape(call: Call) -> Shape | None:
    """Give the model of what a call answers."""
    return _shape(call, lambda operation: operation.output_shape)


def _shape(call: Call, part: Callable[[Any], Shape | None]) -> Shape | None:
    from botocore.exceptions import UnknownServiceError  # noqa: PLC0415 - imported with the first client
    from botocore.model import OperationNotFoundError  # noqa: PLC0415 - as above

    try:
        return part(model(call.service).operation_model(call.operation))
    except (UnknownServiceError, OperationNotFoundError, CloudError):
        return None


def redacted(value: Any, shape: Shape | None, service: str, name: str = "") -> Any:
    """Copy what was given or answered in CloudTrail's camel case, its secrets hidden; None for an empty mapping."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if value and _is_hidden(value, shape, service, name):
        return HIDDEN
    if isinstance(value, dict):
        told = {_camel(key): redacted(inner, _member(shape, key), service, key) for key, inner in value.items()}
        return told or None
    if isinstance(value, (list, tuple)):
        inner_shape = shape.member if shape is not None and shape.type_name == "list" else None
        return [redacted(inner, inner_shape, service) for inner in value]
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return HIDDEN
    return isoformat(value) if isinstance(value, datetime) else str(value)


def _is_hidden(value: Any, shape: Shape | None, service: str, name: str) -> bool:
    if shape is not None and (shape.metadata.get("sensitive") or shape.type_name == "blob"):
        return True
    if name in _OWN.get(service, ()):
        return True
    if _TELLING.search(name) is None or _HARMLESS.fullmatch(name) is not None:
        return False
    return isinstance(value, str) and value.lower() not in _SWITCHES


def _member(shape: Shape | None, name: str) -> Shape | None:
    if shape is None:
        return None
    if shape.type_name == "structure":
        return shape.members.get(name)
    return shape.value if shape.type_name == "map" else None


def _camel(name: str) -> str:
    return "arn" if name == "ARN" else f"{name[:1].lower()}{name[1:]}"
