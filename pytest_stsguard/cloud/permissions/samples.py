"""Calls with every parameter that an operation takes, made from its input shape: what coverage is counted with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.calls import Call
from pytest_stsguard.cloud.calls.catalogue import model

from .naming import parse_name, squeezed, variables
from .others import prefix_of
from .reference import action
from .services import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .reference import Use

__all__ = ["Nothing", "sample", "sampled"]

_DEPTH = 5
_PLAIN = "sample"
_OWN_RULES = frozenset({"dynamodb", "dynamodbstreams", "ec2", "iam", "s3", "sts"})
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
_OF_A_SERVICE: dict[str, dict[str, Any]] = {
    "cloudtrail": {"ResourceId": "arn:aws:cloudtrail:us-east-1:111122223333:trail/sample"},
    "iot": {
        "target": "arn:aws:iot:us-east-1:111122223333:cert/sample",
        "principal": "arn:aws:iot:us-east-1:111122223333:cert/sample",
        "targets": ["arn:aws:iot:us-east-1:111122223333:thing/sample"],
    },
    # A key's id at the start, as in what moto encrypts.
    "events": {"EventSourceArn": "arn:aws:events:us-east-1:111122223333:event-bus/sample"},
    "kms": {"AliasName": "alias/sample", "CiphertextBlob": "MTIzNGFiY2QtMTJhYi0zNGNkLTU2ZWYtMTIzNDU2Nzg5MGFiAAAA"},
    "organizations": {
        "AccountId": "444455556666",
        "ChildId": "ou-samp-sample",
        "DestinationParentId": "ou-samp-sample",
        "HandshakeId": "h-sample",
        "OrganizationalUnitId": "ou-samp-sample",
        "ParentId": "r-samp",
        "PolicyId": "p-sample",
        "ResourceId": "p-sample",
        "RootId": "r-samp",
        "SourceParentId": "r-samp",
        "TargetId": "444455556666",
    },
    "osis": {"Arn": "arn:aws:osis:us-east-1:111122223333:pipeline/sample"},
    "resource-groups": {"Arn": "arn:aws:resource-groups:us-east-1:111122223333:group/sample"},
    "route53": {"ResourceType": "hostedzone"},
    "ssm": {"ResourceType": "Parameter"},
    "sqs": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/sample"},
}
_OF_AN_OPERATION: dict[str, dict[str, Any]] = {
    "datasync:CreateTask": {
        "SourceLocationArn": "arn:aws:datasync:us-east-1:111122223333:location/sample",
        "DestinationLocationArn": "arn:aws:datasync:us-east-1:111122223333:location/other",
    },
    "events:StartReplay": {
        "EventSourceArn": "arn:aws:events:us-east-1:111122223333:archive/sample",
        "Destination": {"Arn": "arn:aws:events:us-east-1:111122223333:event-bus/sample"},
    },
    "identitystore:CreateGroupMembership": {"MemberId": {"UserId": _PLAIN}},
    "identitystore:GetGroupMembershipId": {"MemberId": {"UserId": _PLAIN}},
    "identitystore:IsMemberInGroups": {"MemberId": {"UserId": _PLAIN}},
    "identitystore:ListGroupMembershipsForMember": {"MemberId": {"UserId": _PLAIN}},
    "vpc-lattice:DeleteAuthPolicy": {"resourceIdentifier": "svc-0123456789abcdef0"},
    "vpc-lattice:GetAuthPolicy": {"resourceIdentifier": "svc-0123456789abcdef0"},
    "vpc-lattice:PutAuthPolicy": {"resourceIdentifier": "sn-0123456789abcdef0"},
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

    def existing_arn(self, service: str, kind: str, identifier: str, region: str) -> str | None:  # noqa: ARG002 - as above
        """Nothing exists."""
        return None

    def encryption(self, arn: str) -> tuple[str, bool] | None:  # noqa: ARG002 - as above
        """Nothing is encrypted with a customer's key."""
        return None

    def launch_template(self, named: str, version: str, region: str) -> tuple[str, Mapping[str, Any]] | None:  # noqa: ARG002 - as above
        """There is no launch template."""
        return None

    def access_point(self, arn: str) -> tuple[str, str] | None:  # noqa: ARG002 - as above
        """There is no access point."""
        return None

    def key_aliases(self, arn: str) -> tuple[str, ...]:  # noqa: ARG002 - as above
        """No key has an alias."""
        return ()

    def parameters_below(self, path: str, region: str, *, recursive: bool) -> tuple[str, ...]:  # noqa: ARG002 - as above
        """No path has parameters."""
        return ()


def sampled(service: str) -> tuple[str, ...]:
    """Give the names of all operations of a service, in the model's order."""
    return tuple(model(service).operation_names)


def sample(service: str, operation: str, *, full: bool = True) -> Call:
    """Make a call with every parameter, or only those that are required."""
    loaded = model(service)
    shape = loaded.operation_model(operation).input_shape
    parameters = _structure(shape, full=full, depth=_DEPTH) if shape is not None else {}
    own = {**_OF_A_SERVICE.get(service, {}), **_OF_AN_OPERATION.get(f"{service}:{operation}", {})}
    parameters.update({name: text for name, text in own.items() if name in parameters})
    if service not in _OWN_RULES:
        parameters.update(_arns(service, operation, parameters))
    protocol = str(loaded.metadata["protocol"])
    return Call(service, operation, protocol, parameters, "us-east-1", loaded.signing_name)


def _arns(service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Give ARNs to the parameters that are called so, at any depth: one of a type that the operation's action has."""
    known = action(_prefix(service), table(service).actions.get(operation, operation).partition(" ")[0])
    uses = known.uses if known else ()
    return {name: _with_arns(name, value, uses, operation) for name, value in parameters.items()}


def _with_arns(name: str, value: Any, uses: tuple[Use, ...], operation: str) -> Any:
    if isinstance(value, dict):
        return {inner: _with_arns(inner, each, uses, operation) for inner, each in value.items()}
    if isinstance(value, list):
        return [_with_arns(name, each, uses, operation) for each in value]
    parsed = parse_name(name)
    named = parsed.kind == "arn" or name in ("Resource", "resource") or (name == "ResourceName" and "Tags" in operation)
    if value != _PLAIN:
        return value
    return _arn(parsed.stem, uses) if named else name


def _arn(stem: str, uses: tuple[Use, ...]) -> str:
    if "role" in stem:
        return _TEXTS["Arn"]
    if stem.startswith("kms"):
        return "arn:aws:kms:us-east-1:111122223333:key/sample"
    if stem == "rotationlambda":
        return "arn:aws:lambda:us-east-1:111122223333:function:sample"
    like = [use for use in uses if stem and squeezed(use.name).endswith(stem)] or list(uses)
    template = like[0].template if like else "arn:aws:other:us-east-1:111122223333:${Sample}"
    for name, value in (("Partition", "aws"), ("Region", "us-east-1"), ("Account", "111122223333")):
        template = template.replace(f"${{{name}}}", value)
    for name in variables(template):
        template = template.replace(f"${{{name}}}", _PLAIN)
    return template.replace("*", _PLAIN)


def _prefix(service: str) -> str:
    return table(service).prefix or prefix_of(service, model(service).signing_name)


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
    plain = shape.enum[0] if getattr(shape, "enum", None) else _PLAIN
    return _VALUES.get(shape.type_name, _TEXTS.get(name, plain))
