"""The policy documents of a Terraform plan: known, or put together again from the data source that they wait for.

An expression in a plan shows what it refers to and not what it does with it, so a document that is put together again
always keeps an unknown part: what is seen of it may be found at fault, never be proved narrow.
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.document import Document
from pytest_stsguard.account.unknown import MARK, marker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.account.plan.resource import Planned, Resources

__all__ = ["planned_document"]

_SOURCE: Final = "aws_iam_policy_document"
_LISTS: Final = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
_PRINCIPALS: Final = {"principals": "Principal", "not_principals": "NotPrincipal"}
_FURTHER: Final = ("source_policy_documents", "override_policy_documents", "source_json", "override_json")


def planned_document(resources: Resources, planned: Planned, attribute: str, *, name: str, kind: str) -> Document:
    """Read a policy of a resource.

    Args:
        resources: all of the plan.
        planned: the resource.
        attribute: which of its values holds the policy.
        name: the policy's name; the resource's address is put before it.
        kind: ``trust`` or ``identity``.
    """
    label = f"{planned.address}: {name}"
    location = planned.location.child("values", attribute)
    if planned.waits(attribute):
        unknown = planned.name_of(attribute)
        source = resources.referred(planned, planned.expressions.get(attribute), _SOURCE)
        if source is None:
            return Document(label, kind, json.dumps(marker(unknown)), location=planned.location)
        return Document(label, kind, json.dumps(_rebuild(source, unknown)), location=source.location)
    return Document(label, kind, json.dumps(planned.values.get(attribute)), location=location)


def _rebuild(source: Planned, unknown: str) -> Any:
    """Write the document of a data source as far as it is known."""
    if not isinstance(source.values.get("statement"), list) or source.unknown is True:
        return marker(unknown)
    masks = source.unknown.get("statement") if isinstance(source.unknown, dict) else None
    name = source.name_of("statement")
    statements = [_statement(value, _at(masks, index), name) for index, value in enumerate(source.values["statement"])]
    further = any(source.values.get(one) or source.waits(one) for one in _FURTHER if one in source.expressions)
    if further or MARK not in json.dumps(statements):
        statements.append(marker(unknown))
    return {"Version": source.text("version") or "2012-10-17", "Statement": statements}


def _statement(value: Any, mask: Any, name: str) -> Any:
    if not isinstance(value, dict) or mask is True:
        return marker(name)
    found: dict[str, Any] = {"Effect": _known(value.get("effect") or "Allow", _at(mask, "effect"), name)}
    if value.get("sid"):
        found = {"Sid": value["sid"], **found}
    for key, element in _PRINCIPALS.items():
        if value.get(key) or _at(mask, key) is True:
            found[element] = _principals(value.get(key), _at(mask, key), name)
    for key, element in _LISTS.items():
        if value.get(key) or _at(mask, key) is True:
            found[element] = _list(value.get(key), _at(mask, key), name)
    if value.get("condition") or _at(mask, "condition") is True:
        found["Condition"] = _conditions(value.get("condition"), _at(mask, "condition"), name)
    return found


def _principals(blocks: Any, mask: Any, name: str) -> Any:
    if not isinstance(blocks, list) or mask is True:
        return marker(name)
    found: dict[str, list[Any]] = {}
    for index, block in enumerate(blocks):
        own = _at(mask, index)
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or own is True:
            return marker(name)
        identifiers = _list(block.get("identifiers"), _at(own, "identifiers"), name)
        if kind == "*" and identifiers == ["*"]:
            return "*"
        found.setdefault(kind, []).extend([identifiers] if identifiers == marker(name) else identifiers)
    return found


def _conditions(blocks: Any, mask: Any, name: str) -> Any:
    if not isinstance(blocks, list) or mask is True:
        return marker(name)
    found: dict[str, dict[str, Any]] = {}
    for index, block in enumerate(blocks):
        own = _at(mask, index)
        test, variable = (block.get("test"), block.get("variable")) if isinstance(block, dict) else (None, None)
        if not isinstance(test, str) or not isinstance(variable, str) or own is True:
            return marker(name)
        values = _list(block.get("values"), _at(own, "values"), name)
        found.setdefault(test, {}).setdefault(variable, []).extend(values)
    return found


def _list(values: Any, mask: Any, name: str) -> list[Any]:
    """Give a list with markers for what is unknown of it; one that is unknown as a whole is a marker."""
    if not isinstance(values, list) or mask is True:
        return marker(name)
    known = [_known(value, _at(mask, index), name) for index, value in enumerate(values)]
    more = len(mask) - len(values) if isinstance(mask, list) else 0
    return known + [marker(name)] * min(more, 1)


def _known(value: Any, mask: Any, name: str) -> Any:
    return marker(name) if mask is True or value is None else value


def _at(mask: Any, step: str | int) -> Any:
    """Look into a mask of unknown values; where it says nothing, nothing is unknown."""
    if isinstance(mask, dict):
        return mask.get(str(step))
    if isinstance(mask, list) and isinstance(step, int) and step < len(mask):
        known: Sequence[Any] = mask
        return known[step]
    return mask is True or None
