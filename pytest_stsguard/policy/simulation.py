"""One record of `stsguard simulate`: IAM's SimulateCustomPolicy with session, service and resource control policies.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.clock import Clock, isoformat
from pytest_stsguard.errors import InputError, StsGuardError
from pytest_stsguard.policy.arns import account_of, is_account_id, is_role_arn
from pytest_stsguard.policy.authorization import authorize
from pytest_stsguard.policy.combination import Layer
from pytest_stsguard.policy.document import Policy
from pytest_stsguard.policy.elements import condition_text
from pytest_stsguard.policy.mentions import missing_context_keys
from pytest_stsguard.policy.reading import Number, json_type, short
from pytest_stsguard.policy.request import Request

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_stsguard.policy.decision import Decision

__all__ = ["error_record", "simulate_record"]

FIELDS: Final = frozenset(
    {
        "id", "PolicyInputList", "PermissionsBoundaryPolicyInputList", "SessionPolicyInputList",
        "ServiceControlPolicyInputList", "ResourceControlPolicyInputList", "ResourcePolicy", "ResourceOwner",
        "CallerArn", "ActionNames", "ResourceArns", "ContextEntries", "ResourceHandlingOption", "MaxItems", "Marker",
    }
)  # fmt: skip
"""What a record may hold; names that start in lower case are the sender's own notes."""

NOBODY: Final = "user/simulated"
"""Who calls where a record does not say, in the account of the resource: nothing is derived from it."""


@dataclass(frozen=True, slots=True)
class _Layers:
    """The policies of a record, parsed once for all of its actions and resources."""

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...]
    session: tuple[Policy, ...] | None
    scps: tuple[tuple[Policy, ...], ...]
    rcps: tuple[tuple[Policy, ...], ...]

    @property
    def policies(self) -> tuple[Policy, ...]:
        """All of them but the resource's."""
        levels = (policy for level in (*self.scps, *self.rcps) for policy in level)
        return (*self.identity, *self.boundary, *(self.session or ()), *levels)


def simulate_record(record: object, *, clock: Clock | None = None) -> dict[str, Any]:
    """Answer one record of `stsguard simulate`; never raises for what a record may hold.

    Args:
        record: The request, in the shape that docs/policy-engine.md describes.
        clock: Where aws:CurrentTime and aws:EpochTime come from; the wall clock by default.

    Returns:
        ``{"id", "EvaluationResults": [...]}``, a result for each action and resource, or
        ``{"id", "Error": {"Code", "Message"}}`` for a record or a policy that cannot be used.
    """
    label = record.get("id") if isinstance(record, Mapping) else None
    try:
        if not isinstance(label, (str, int, float, NoneType)):
            label = None
            raise InputError("an id is a string or a number", location="id")
        return {"id": label, "EvaluationResults": _simulate(record, (clock or Clock()).now())}
    except StsGuardError as error:
        return error_record(label, error)


def error_record(label: object, error: StsGuardError) -> dict[str, Any]:
    """Give the answer to a record that cannot be used."""
    return {"id": label, "Error": {"Code": error.code, "Message": str(error)}}


def _simulate(record: object, now: datetime) -> list[dict[str, Any]]:
    if not isinstance(record, Mapping):
        raise InputError(f"a record is an object, not {json_type(record)}")
    _check_fields(record)
    layers = _read_layers(record)
    caller = _text(record, "CallerArn")
    owner = _read_owner(record)
    actions = _texts(record, "ActionNames")
    if not actions:
        raise InputError("no action is named", location="ActionNames")
    implied: dict[str, str | list[str]] = {
        "aws:CurrentTime": isoformat(now),
        "aws:EpochTime": str(int(now.timestamp())),
    }
    if caller is None:
        if record.get("ResourcePolicy") is not None:
            raise InputError("a resource policy needs a caller", location="CallerArn")
        implied |= {key: [] for key in OF_CALLERS}
    context = _read_context(record)
    given = {key.lower() for key in context}
    context |= {key: value for key, value in implied.items() if key.lower() not in given}
    results = []
    for resource in _texts(record, "ResourceArns") or ("*",):
        guard = _read_resource_policy(record, resource)
        who = caller or f"arn:aws:iam::{owner or account_of(resource) or '123456789012'}:{NOBODY}"
        for action in actions:
            request = Request(action, resource, who, context, resource_account=owner)
            results.append(_evaluate(request, layers, guard))
    return results


OF_CALLERS: Final = ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:username")


def _check_fields(record: Mapping[str, Any]) -> None:
    for name in getattr(record, "repeated", ()):
        raise InputError(f"the field `{short(name)}` comes twice", location=short(name))
    for name in record:
        if name not in FIELDS and not name[:1].islower():
            raise InputError(f"unknown field `{short(name)}`", location=short(name))


def _read_owner(record: Mapping[str, Any]) -> str | None:
    """Read the account that owns the resource: an account id, or an ARN as AWS takes it."""
    owner = _text(record, "ResourceOwner")
    account = account_of(owner) if owner and ":" in owner else owner
    if owner is not None and (account is None or not is_account_id(account)):
        raise InputError(f"`{short(owner)}` names no account", location="ResourceOwner")
    return account


def _evaluate(request: Request, layers: _Layers, guard: Policy | None) -> dict[str, Any]:
    decision = authorize(
        request,
        identity=layers.identity,
        resource=guard,
        boundary=layers.boundary,
        session=layers.session,
        scps=layers.scps,
        rcps=layers.rcps,
    )
    policies = layers.policies if guard is None else (*layers.policies, guard)
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": decision.outcome,
        "MatchedStatements": [
            {"SourcePolicyId": seen.policy, "SourcePolicyType": SOURCE_TYPES[seen.layer], "Statement": seen.place}
            | ({"Sid": seen.sid} if seen.sid is not None else {})
            for seen in decision.deciding
        ],
        "MissingContextValues": list(missing_context_keys(policies, request)),
    }
    return result | _details(decision, layers)


def _details(decision: Decision, layers: _Layers) -> dict[str, Any]:
    """Say what boundary and organisation allow, where the record has them."""
    verdicts = decision.verdicts()
    details: dict[str, Any] = {}
    if layers.scps or layers.rcps:
        allowed = all(verdict == "allow" for layer, verdict in verdicts if layer in {Layer.SCP, Layer.RCP})
        details["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
    if layers.boundary:
        allowed = all(verdict == "allow" for layer, verdict in verdicts if layer is Layer.BOUNDARY)
        details["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return details


SOURCE_TYPES: Final = {
    Layer.IDENTITY: "IAM Policy",
    Layer.BOUNDARY: "IAM Permissions Boundary Policy",
    Layer.SESSION: "Session Policy",
    Layer.SCP: "Service Control Policy",
    Layer.RCP: "Resource Control Policy",
    Layer.RESOURCE: "Resource Policy",
}


def _read_layers(record: Mapping[str, Any]) -> _Layers:
    session = "SessionPolicyInputList"
    return _Layers(
        identity=_policies(record, "PolicyInputList", "identity"),
        boundary=_policies(record, "PermissionsBoundaryPolicyInputList", "boundary"),
        session=_policies(record, session, "session") if record.get(session) is not None else None,
        scps=_levels(record, "ServiceControlPolicyInputList", "scp"),
        rcps=_levels(record, "ResourceControlPolicyInputList", "rcp"),
    )


def _policies(record: Mapping[str, Any], name: str, kind: str) -> tuple[Policy, ...]:
    return tuple(
        _policy(document, kind, f"{name}.{number}") for number, document in enumerate(_list(record.get(name), name), 1)
    )


def _levels(record: Mapping[str, Any], name: str, kind: str) -> tuple[tuple[Policy, ...], ...]:
    levels = []
    for number, level in enumerate(_list(record.get(name), name), 1):
        place = f"{name}.{number}"
        levels.append(
            tuple(_policy(document, kind, f"{place}.{n}") for n, document in enumerate(_list(level, place), 1))
        )
    return tuple(levels)


def _policy(document: object, kind: str, place: str) -> Policy:
    """Parse a policy; an error says which of the record's policies it is in."""
    if not isinstance(document, (str, Mapping)):
        raise InputError(f"a policy is an object or a JSON text, not {json_type(document)}", location=place)
    try:
        return Policy.parse(document, kind=kind, name=place)
    except StsGuardError as error:
        error.location = f"{place}: {error.location}" if error.location else place
        raise


def _read_resource_policy(record: Mapping[str, Any], resource: str) -> Policy | None:
    """Parse the resource's policy for a resource: a role's is a trust policy."""
    document = record.get("ResourcePolicy")
    if document is None:
        return None
    return _policy(document, "trust" if is_role_arn(resource) else "resource", "ResourcePolicy")


def _read_context(record: Mapping[str, Any]) -> dict[str, str | list[str]]:
    context: dict[str, str | list[str]] = {}
    seen: set[str] = set()
    for number, entry in enumerate(_list(record.get("ContextEntries"), "ContextEntries"), 1):
        place = f"ContextEntries.{number}"
        if not isinstance(entry, Mapping):
            raise InputError(f"a context entry is an object, not {json_type(entry)}", location=place)
        key, kind = _text(entry, "ContextKeyName", place), _text(entry, "ContextKeyType", place) or ""
        values = _context_values(entry, place)
        if not key:
            raise InputError("a context entry needs a `ContextKeyName`", location=place)
        if kind and kind.removesuffix("List") not in CONTEXT_TYPES:
            raise InputError(f"unknown type of context key `{short(kind)}`", location=f"{place}.ContextKeyType")
        if key.lower() in seen:
            raise InputError(f"the context key `{short(key)}` comes twice", location=place)
        seen.add(key.lower())
        context[key] = values[0] if len(values) == 1 and not kind.endswith("List") else list(values)
    return context


CONTEXT_TYPES: Final = frozenset({"string", "numeric", "boolean", "ip", "binary", "date"})


def _list(value: object, place: str) -> Sequence[Any]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InputError(f"expected a list, found {json_type(value)}", location=place)
    return value


def _text(record: Mapping[str, Any], name: str, place: str = "") -> str | None:
    value = record.get(name)
    if value is None or (isinstance(value, str) and not isinstance(value, Number)):
        return value
    raise InputError(f"expected a string, found {json_type(value)}", location=f"{place}.{name}".lstrip("."))


def _texts(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _list(record.get(name), name)
    for value in values:
        if not isinstance(value, str) or isinstance(value, Number):
            raise InputError(f"expected a string, found {json_type(value)}", location=name)
    return tuple(values)


def _context_values(entry: Mapping[str, Any], place: str) -> tuple[str, ...]:
    """Read the values of a context key; JSON's `true` and `5` act as `"true"` and `"5"`."""
    where = f"{place}.ContextKeyValues"
    texts = [condition_text(value) for value in _list(entry.get("ContextKeyValues"), where)]
    if None in texts:
        raise InputError("a context value is a string, a number or a boolean", location=where)
    return tuple(text for text in texts if text is not None)
