"""A record of `stsguard simulate`, read: IAM's SimulateCustomPolicy with session and organisation policies.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Final

from pytest_stsguard.errors import InputError, StsGuardError
from pytest_stsguard.policy.arns import account_of, is_account_id, is_role_arn
from pytest_stsguard.policy.document import Policy
from pytest_stsguard.policy.elements import condition_text
from pytest_stsguard.policy.reading import Number, json_type, short

__all__ = ["Record", "read_record"]

FIELDS: Final = frozenset(
    {
        "id", "PolicyInputList", "PermissionsBoundaryPolicyInputList", "SessionPolicyInputList",
        "ServiceControlPolicyInputList", "ResourceControlPolicyInputList", "ResourcePolicy", "ResourceOwner",
        "CallerArn", "ActionNames", "ResourceArns", "ContextEntries", "ResourceHandlingOption", "MaxItems", "Marker",
    }
)  # fmt: skip
"""What a record may hold; names that start in lower case are the sender's own notes."""

CONTEXT_TYPES: Final = frozenset({"string", "numeric", "boolean", "ip", "binary", "date"})


@dataclass(frozen=True, slots=True)
class Record:
    """What a record asks: its policies parsed, each named by its place in the record (``PolicyInputList.1``).

    `texts` holds the policies that came as JSON texts, by that name. `resource_policies` holds the resource's policy
    by the resource: a role's is a trust policy.
    """

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...]
    session: tuple[Policy, ...] | None
    scps: tuple[tuple[Policy, ...], ...]
    rcps: tuple[tuple[Policy, ...], ...]
    resource_policies: dict[str, Policy]
    caller: str | None
    owner: str | None
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: dict[str, str | list[str]]
    texts: dict[str, str] = field(repr=False)

    def policies_for(self, resource: str) -> tuple[Policy, ...]:
        """Give all policies that bear on a resource."""
        levels = (policy for level in (*self.scps, *self.rcps) for policy in level)
        guards = (self.resource_policies[resource],) if resource in self.resource_policies else ()
        return (*self.identity, *self.boundary, *(self.session or ()), *levels, *guards)


def read_id(record: object) -> str | float | None:
    """Give a record's id, which is echoed.

    Raises:
        InputError: it is neither a text nor a number.
    """
    label = record.get("id") if isinstance(record, Mapping) else None
    if not isinstance(label, (str, int, float, NoneType)):
        raise InputError("an id is a string or a number", location="id")
    return label


def read_record(record: object) -> Record:
    """Read a record.

    Raises:
        InputError: it is not of the shape that docs/policy-engine.md describes.
        PolicyError: one of its policies is refused; the location begins with the policy's name.
    """
    if not isinstance(record, Mapping):
        raise InputError(f"a record is an object, not {json_type(record)}")
    _check_fields(record)
    texts: dict[str, str] = {}
    session = "SessionPolicyInputList"
    caller, resources = _text(record, "CallerArn"), _texts(record, "ResourceArns") or ("*",)
    actions = _texts(record, "ActionNames")
    if not actions:
        raise InputError("no action is named", location="ActionNames")
    if caller is None and record.get("ResourcePolicy") is not None:
        raise InputError("a resource policy needs a caller", location="CallerArn")
    return Record(
        identity=_policies(record, "PolicyInputList", "identity", texts),
        boundary=_policies(record, "PermissionsBoundaryPolicyInputList", "boundary", texts),
        session=_policies(record, session, "session", texts) if record.get(session) is not None else None,
        scps=_levels(record, "ServiceControlPolicyInputList", "scp", texts),
        rcps=_levels(record, "ResourceControlPolicyInputList", "rcp", texts),
        resource_policies=_resource_policies(record, resources, texts),
        caller=caller,
        owner=_read_owner(record),
        actions=actions,
        resources=resources,
        context=_read_context(record),
        texts=texts,
    )


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


def _policies(record: Mapping[str, Any], name: str, kind: str, texts: dict[str, str]) -> tuple[Policy, ...]:
    return tuple(
        _policy(document, kind, f"{name}.{number}", texts)
        for number, document in enumerate(_list(record.get(name), name), 1)
    )


def _levels(record: Mapping[str, Any], name: str, kind: str, texts: dict[str, str]) -> tuple[tuple[Policy, ...], ...]:
    levels = []
    for number, level in enumerate(_list(record.get(name), name), 1):
        place = f"{name}.{number}"
        levels.append(
            tuple(_policy(document, kind, f"{place}.{n}", texts) for n, document in enumerate(_list(level, place), 1))
        )
    return tuple(levels)


def _policy(document: object, kind: str, place: str, texts: dict[str, str]) -> Policy:
    """Parse a policy; an error says which of the record's policies it is in."""
    if not isinstance(document, (str, Mapping)):
        raise InputError(f"a policy is an object or a JSON text, not {json_type(document)}", location=place)
    if isinstance(document, str):
        texts[place] = document
    try:
        return Policy.parse(document, kind=kind, name=place)
    except StsGuardError as error:
        error.location = f"{place}: {error.location}" if error.location else place
        raise


def _resource_policies(record: Mapping[str, Any], resources: Sequence[str], texts: dict[str, str]) -> dict[str, Policy]:
    """Parse the resource's policy for each resource, once for roles and once for all others."""
    document = record.get("ResourcePolicy")
    if document is None:
        return {}
    kinds = {resource: "trust" if is_role_arn(resource) else "resource" for resource in resources}
    parsed = {kind: _policy(document, kind, "ResourcePolicy", texts) for kind in sorted(set(kinds.values()))}
    return {resource: parsed[kind] for resource, kind in kinds.items()}


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
