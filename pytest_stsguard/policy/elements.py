"""The elements of a statement, read one by one; each reader gives None where lenient reading met what it cannot read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.errors import PolicyError, UnsupportedError
from pytest_stsguard.policy.arns import ARN_PARTS, is_account_id
from pytest_stsguard.policy.operators import OPERATORS
from pytest_stsguard.policy.reading import Notes, Number, json_type, short
from pytest_stsguard.policy.statement import Condition, Principal

if TYPE_CHECKING:
    from pytest_stsguard.policy.kinds import Kind

__all__ = ["condition_text", "read_actions", "read_conditions", "read_principals", "read_resources", "read_texts"]

PRINCIPAL_TYPES: Final = ("AWS", "Service", "Federated", "CanonicalUser")
_QUALIFIED: Final = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", re.ASCII)
_VENDOR: Final = re.compile(r"[a-zA-Z0-9\-.]+", re.ASCII)
_UNIQUE_ID: Final = re.compile(r"A(?:IDA|ROA|GPA|IPA|NPA)[A-Z0-9]{1,124}(?::[\w+=,.@-]{2,64})?", re.ASCII)
_PRINCIPAL_ARNS: Final = {
    "iam": ("user/", "role/", "oidc-provider/", "saml-provider/"),
    "sts": ("assumed-role/", "federated-user/"),
}


def read_texts(value: object, place: str, notes: Notes) -> tuple[str, ...] | None:
    """Read a text or a list of texts; at least one."""
    items = value if isinstance(value, (list, tuple)) else [value]
    if not items:
        notes.refuse(PolicyError("the list is empty", location=place))
        return None
    for index, item in enumerate(items):
        if not isinstance(item, str) or isinstance(item, Number):
            where = f"{place}[{index}]" if items is value else place
            notes.refuse(PolicyError(f"expected a string, found {json_type(item)}", location=where))
            return None
    return tuple(items)


def read_actions(value: object, place: str, notes: Notes, *, kind: Kind) -> tuple[str, ...] | None:
    """Read Action or NotAction: `*`, or a service's prefix, one colon and a name with wildcards."""
    actions = read_texts(value, place, notes)
    for action in actions or ():
        problem = _action_problem(action, trust=kind.name == "trust")
        if problem:
            notes.refuse(PolicyError(f"{problem}: `{short(action)}`", location=place))
            return None
    return actions


def _action_problem(action: str, *, trust: bool) -> str | None:
    if action == "*":
        return None
    vendor, colon, name = action.partition(":")
    if not colon or not name:
        return "an action is a service prefix, a colon and a name"
    if ":" in name:
        return "an action holds only one colon"
    if vendor != "*" and _VENDOR.fullmatch(vendor) is None:
        return "the service prefix of an action holds no wildcard or other sign"
    if trust and vendor.lower() not in {"*", "sts"}:
        return "a trust policy only speaks of sts actions"
    return None


def read_resources(value: object, place: str, notes: Notes, *, kind: Kind) -> tuple[str, ...] | None:
    """Read Resource or NotResource: `*`, or an ARN with wildcards and variables."""
    resources = read_texts(value, place, notes)
    for resource in resources or ():
        if not kind.principal and resource.strip("*") and not resource.startswith("arn:"):
            notes.refuse(PolicyError(f"a resource is an ARN or `*`, not `{short(resource)}`", location=place))
            return None
        if "${" in ":".join(resource.split(":", ARN_PARTS - 1)[: ARN_PARTS - 1]):
            notes.warnings.append(f"{place}: a variable counts only in the last part of an ARN: `{short(resource)}`")
    return resources


def read_principals(value: object, place: str, notes: Notes) -> tuple[Principal, ...] | None:
    """Read Principal or NotPrincipal: `*`, or an object of types."""
    if isinstance(value, str) and value == "*":
        return (Principal("*", "*"),)
    if not isinstance(value, Mapping):
        shown = f"`{short(value)}`" if isinstance(value, str) else json_type(value)
        notes.refuse(PolicyError(f"a principal is `*` or an object, not {shown}", location=place))
        return None
    found: list[Principal] = []
    readable = not notes.repeated(value, place)
    if not value:
        notes.refuse(PolicyError("no principal is named", location=place))
        readable = False
    for name, values in value.items():
        where = f"{place}.{short(name)}"
        if name not in PRINCIPAL_TYPES:
            notes.refuse(PolicyError(f"unknown type of principal `{short(name)}`", location=where))
            readable = False
            continue
        texts = read_texts(values, where, notes)
        readable = readable and texts is not None
        for text in texts or ():
            problem = _principal_problem(name, text)
            if problem:
                notes.refuse(PolicyError(f"{problem}: `{short(text)}`", location=where))
                readable = False
            else:
                found.append(Principal(name, text))
    return tuple(found) if readable else None


def _principal_problem(kind: str, text: str) -> str | None:
    if text == "*" and kind != "CanonicalUser":
        return None
    if "*" in text or "?" in text:
        return "a principal holds no wildcard, save `*` alone"
    if not text.strip():
        return "a principal is not empty"
    if kind != "AWS" or is_account_id(text) or _UNIQUE_ID.fullmatch(text):
        return None
    return None if _is_principal_arn(text) else "an AWS principal is an account, a user, a role or a session"


def _is_principal_arn(text: str) -> bool:
    parts = text.split(":", ARN_PARTS - 1)
    if len(parts) < ARN_PARTS or parts[0] != "arn":
        return False
    service, resource = parts[2], parts[5]
    if service == "iam" and resource == "root":
        return True
    return resource.startswith(_PRINCIPAL_ARNS.get(service, ())) and not resource.endswith("/")


def read_conditions(value: object, place: str, notes: Notes) -> tuple[Condition, ...] | None:
    """Read a Condition element: operators, their keys, and the values of each."""
    if not isinstance(value, Mapping):
        notes.refuse(PolicyError(f"expected an object, found {json_type(value)}", location=place))
        return None
    found: list[Condition] = []
    readable = not notes.repeated(value, place)
    for operator, keys in value.items():
        where = f"{place}.{short(operator)}"
        parsed = _read_operator(operator, where, notes)
        if not isinstance(keys, Mapping):
            notes.refuse(PolicyError(f"expected an object, found {json_type(keys)}", location=where))
            parsed = None
        elif notes.repeated(keys, where):
            parsed = None
        if parsed is None:
            readable = False
            continue
        for key, values in keys.items():
            place_of_key = f"{where}.{short(key)}"
            condition = _read_key((operator, *parsed), key, values, place=place_of_key, notes=notes)
            if condition is None:
                readable = False
            else:
                found.append(condition)
    return tuple(found) if readable else None


def _read_operator(operator: object, place: str, notes: Notes) -> tuple[str, str | None, bool] | None:
    """Take an operator apart: base name, qualifier, IfExists; the names are case-sensitive."""
    found = _QUALIFIED.fullmatch(operator) if isinstance(operator, str) else None
    if found is None or (found[2] not in OPERATORS and found[2] != "Null"):
        notes.refuse(
            PolicyError(f"unknown condition operator `{short(operator)}`", location=place, hint=_hint(operator))
        )
        return None
    qualifier, name, if_exists = found.groups()
    if name == "Null" and if_exists:
        notes.refuse(PolicyError("`Null` takes no `IfExists`", location=place))
        return None
    if name == "Null" and qualifier:
        notes.refuse(UnsupportedError(f"`{qualifier}` has no known meaning with `Null`", location=place))
        return None
    return name, qualifier, if_exists is not None


def _hint(operator: object) -> str | None:
    folded = {name.lower(): name for name in (*OPERATORS, "Null")}
    near = folded.get(operator.lower()) if isinstance(operator, str) else None
    return f"operator names are case-sensitive: `{near}`" if near else None


def _read_key(
    parsed: tuple[str, str, str | None, bool], key: object, value: Any, *, place: str, notes: Notes
) -> Condition | None:
    operator, name, qualifier, if_exists = parsed
    if not isinstance(key, str) or not key.strip():
        notes.refuse(PolicyError("a condition key is missing", location=place))
        return None
    items = value if isinstance(value, (list, tuple)) else [value]
    values = [condition_text(item) for item in items]
    for index, text in enumerate(values):
        where = f"{place}[{index}]" if items is value else place
        problem = f"a condition value is not {json_type(items[index])}" if text is None else _value_problem(name, text)
        if problem is None:
            continue
        if text is None or name.startswith("Date") or name.endswith("IpAddress") or name == "Null":
            notes.refuse(PolicyError(problem, location=where))
            return None
        notes.warnings.append(f"{where}: {problem}: it never matches")
    texts = tuple(text for text in values if text is not None)
    return Condition(operator, name, qualifier, if_exists=if_exists, key=key, values=texts)


def condition_text(value: object) -> str | None:
    """Give a value as text: JSON's `true` and `5` act as `"true"` and `"5"`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return str(value) if isinstance(value, str) else None


def _value_problem(name: str, text: str) -> str | None:
    """Say what keeps a value from being of its operator's type."""
    if name in {"Null", "Bool"}:
        return None if text.lower() in {"true", "false"} else f"`{short(text)}` is neither `true` nor `false`"
    read = OPERATORS[name].read
    if read is None or read(text) is not None:
        return None
    noun = "date" if name.startswith("Date") else "number" if name.startswith("Numeric") else "address or range"
    return f"`{short(text)}` is no {noun}"
