"""Calls with every parameter that an operation takes, made from its input shape: what coverage is counted with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.calls import Call
from pytest_stsguard.cloud.calls.catalogue import model

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Nothing", "sample", "sampled"]

_DEPTH = 5
# Parameters whose text has a form of its own.
_TEXTS = {
    "Arn": "arn:aws:iam::111122223333:role/sample",
    "CopySource": "source-bucket/source-key",
    "DeletionTaskId": "task/aws-service-role/sample.amazonaws.com/AWSServiceRoleForSample/1",
    "Destination": "igw-sample",
    "PolicySourceArn": "arn:aws:iam::111122223333:role/sample",
    "ResourceIds": "vpc-sample",
    "Resources": "i-sample",
    "ShardIterator": "arn:aws:dynamodb:us-east-1:111122223333:table/sample/stream/2024-01-01T00:00:00.000|1|AAAA",
    "Source": "i-sample",
    "Statement": 'SELECT * FROM "sample"',
    "VersionId": "",
}
_VALUES = {"integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True, "timestamp": "2024-01-01T00:00:00Z"}


class Nothing:
    """A live cloud in which nothing exists, but for the role in an instance profile."""

    def bucket_owner(self, bucket: str) -> str | None:  # noqa: ARG002 - State's signature
        """No bucket has an owner."""
        return None

    def resource_tags(self, arn: str) -> Mapping[str, str]:  # noqa: ARG002 - as above
        """Nothing is tagged."""
        return {}

    def instance_profile_role(self, profile: str) -> str | None:  # noqa: ARG002 - as above
        """Every profile holds the same role."""
        return "arn:aws:iam::111122223333:role/sample"

    def iam_arn(self, kind: str, name: str) -> str | None:  # noqa: ARG002 - as above
        """No name has a path."""
        return None

    def permissions_boundary(self, arn: str) -> str | None:  # noqa: ARG002 - as above
        """Nothing has a boundary."""
        return None

    def partition_key(self, table: str) -> str | None:  # noqa: ARG002 - as above
        """No table has a known key."""
        return None


def sampled(service: str) -> tuple[str, ...]:
    """Give the names of all operations of a service, in the model's order."""
    return tuple(model(service).operation_names)


def sample(service: str, operation: str, *, full: bool = True) -> Call:
    """Make a call with every parameter, or only those that are required."""
    loaded = model(service)
    shape = loaded.operation_model(operation).input_shape
    parameters = _structure(shape, full=full, depth=_DEPTH) if shape is not None else {}
    protocol = str(loaded.metadata["protocol"])
    return Call(service, operation, protocol, parameters, "us-east-1", loaded.signing_name)


def _structure(shape: Any, *, full: bool, depth: int) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        if name in shape.required_members or (full and depth > 0):
            value = _value(member, name, full=full, depth=depth - 1)
            if value not in ("", [], {}):
                found[name] = value
    return found


def _value(shape: Any, name: str, *, full: bool, depth: int) -> Any:
    if depth < -_DEPTH:
        return {}
    if shape.type_name == "structure":
        return _structure(shape, full=full, depth=depth)
    if shape.type_name == "list":
        return [_value(shape.member, name, full=full, depth=depth)]
    if shape.type_name == "map":
        return {"key": _value(shape.value, name, full=full, depth=depth)}
    plain = shape.enum[0] if getattr(shape, "enum", None) else "sample"
    return _VALUES.get(shape.type_name, _TEXTS.get(name, plain))
