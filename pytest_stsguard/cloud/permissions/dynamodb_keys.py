"""DynamoDB's condition keys for fine-grained access: which items, which attributes, how.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .dynamodb_items import Item
    from .permission import Context
    from .reference import Action
    from .scope import Scope

__all__ = ["item_context"]

_EXPRESSIONS = (
    "ProjectionExpression",
    "FilterExpression",
    "ConditionExpression",
    "UpdateExpression",
    "KeyConditionExpression",
)
_LEGACY = ("Expected", "KeyConditions", "QueryFilter", "ScanFilter", "AttributeUpdates")
_NAME = re.compile(r"(?<![\w:.#\]])(#\w+|[A-Za-z_]\w*)(?!\w*\s*\()")
_WORDS = frozenset(["AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"])
_EQUAL = re.compile(r"(#?[\w-]+)\s*=\s*(:\w+)")
_PARTIQL_EQUAL = r"\"?{name}\"?\s*(=|\bIN\b)\s*"
_PARTIQL_VALUE = re.compile(r"'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)|(\?)")


def item_context(scope: Scope, action: Action, item: Item, arn: str) -> Context:
    """Give the keys for one part of a call, `arn` being its table or index."""
    context: Context = {}
    members = item.members
    if "dynamodb:LeadingKeys" in action.keys and (leading := _leading(scope, item, arn)):
        context["dynamodb:LeadingKeys"] = leading
    if "dynamodb:Attributes" in action.keys and (names := _attributes(item)):
        context["dynamodb:Attributes"] = names
    if "dynamodb:Select" in action.keys and item.statement is None:
        context["dynamodb:Select"] = _select(members)
    for key, name in (
        ("dynamodb:ReturnValues", "ReturnValues"),
        ("dynamodb:ReturnConsumedCapacity", "ReturnConsumedCapacity"),
    ):
        value = members.get(name) or scope.call.parameters.get(name)
        if key in action.keys and isinstance(value, str):
            context[key] = value
    if item.enclosing and "dynamodb:EnclosingOperation" in action.keys:
        context["dynamodb:EnclosingOperation"] = item.enclosing
    if "dynamodb:FullTableScan" in action.keys and item.statement is not None:
        partition_key = scope.state.partition_key(arn)
        by_key = partition_key is not None and _by_key(item.statement, partition_key) is not None
        context["dynamodb:FullTableScan"] = "false" if by_key else "true"
    return context


def _leading(scope: Scope, item: Item, arn: str) -> list[str]:
    """Give the partition key's values that the part names."""
    key = scope.state.partition_key(arn)
    if key is None:
        return []
    if item.statement is not None:
        return _statement_values(item.statement, key, item.members.get("Parameters", []))
    values = [_value(entry[key]) for entry in item.keys if key in entry]
    condition = item.members.get("KeyConditions", {}).get(key, {})
    values += [_value(value) for value in condition.get("AttributeValueList", ())]
    names = item.members.get("ExpressionAttributeNames", {})
    given = item.members.get("ExpressionAttributeValues", {})
    for name, placeholder in _EQUAL.findall(item.members.get("KeyConditionExpression", "")):
        if names.get(name, name) == key and placeholder in given:
            values.append(_value(given[placeholder]))
    return list(dict.fromkeys(values))


def _value(attribute: Any) -> str:
    """Give the text of a typed attribute value: ``{"S": "alice"}``."""
    if isinstance(attribute, dict) and attribute:
        return str(next(iter(attribute.values())))
    return str(attribute)


def _by_key(statement: str, key: str) -> str | None:
    """Give what follows ``key =`` or ``key IN`` in a statement's condition."""
    where = re.split(r"\bWHERE\b", statement, maxsplit=1, flags=re.IGNORECASE)
    if len(where) == 1:
        return None
    found = re.search(_PARTIQL_EQUAL.format(name=re.escape(key)), where[1], re.IGNORECASE)
    return where[1][found.end() :] if found else None


def _statement_values(statement: str, key: str, parameters: list[Any]) -> list[str]:
    rest = _by_key(statement, key)
    if rest is None:
        found = re.search(rf"['\"]{re.escape(key)}['\"]\s*:\s*", statement)
        if not found:
            return []
        rest = statement[found.end() :]
    many = rest.startswith(("[", "("))
    text = rest[1:].partition("]" if rest[0] == "[" else ")")[0] if many else rest
    place = statement[: len(statement) - len(rest)].count("?")
    values = []
    for quoted, number, mark in _PARTIQL_VALUE.findall(text) if many else _PARTIQL_VALUE.findall(text)[:1]:
        if mark:
            if place < len(parameters):
                values.append(_value(parameters[place]))
            place += 1
        else:
            values.append(quoted.replace("''", "'") or number)
    return values


def _attributes(item: Item) -> list[str]:
    """Give the top-level attributes that a part names, in expressions or in the older parameters."""
    keys = (name for entry in item.keys for name in entry)
    return list(dict.fromkeys((*_named(item.members), *keys)))


def _named(members: Mapping[str, Any]) -> Iterator[str]:
    names = members.get("ExpressionAttributeNames", {})
    for member in _EXPRESSIONS:
        for token in _NAME.findall(members.get(member) or ""):
            if token.upper() not in _WORDS:
                yield names.get(token, token)
    yield from members.get("AttributesToGet", ())
    for member in _LEGACY:
        yield from members.get(member, {})


def _select(members: Mapping[str, Any]) -> str:
    """Give dynamodb:Select: what was asked for, else what the projection implies."""
    given = members.get("Select")
    if isinstance(given, str):
        return given
    specific = "ProjectionExpression" in members or "AttributesToGet" in members
    return "SPECIFIC_ATTRIBUTES" if specific else "ALL_ATTRIBUTES"
