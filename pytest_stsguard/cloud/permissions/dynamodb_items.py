"""What DynamoDB's item operations touch: a call taken apart into single reads and writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .permission import UnmappedOperationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .scope import Scope

__all__ = ["Item", "items"]


@dataclass(frozen=True, slots=True)
class Item:
    """One action on one table: the keys or items that it names, and the members that say which attributes it touches.

    `enclosing` is the transaction or batch that it is part of (dynamodb:EnclosingOperation).
    """

    action: str
    table: str
    index: str | None = None
    keys: tuple[Mapping[str, Any], ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)
    enclosing: str | None = None
    statement: str | None = None


_SINGLE = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")
_TRANSACT = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}


def items(scope: Scope) -> list[Item]:
    """Give the parts of an item operation; nothing for any other operation."""
    operation, parameters = scope.call.operation, scope.call.parameters
    if operation in _SINGLE:
        return [_single(scope, operation, parameters)]
    if operation == "BatchGetItem":
        return [
            Item(operation, table, keys=tuple(entry.get("Keys", ())), members=entry)
            for table, entry in parameters.get("RequestItems", {}).items()
        ]
    if operation == "BatchWriteItem":
        return [
            Item(operation, table, keys=tuple(_written(requests)))
            for table, requests in parameters.get("RequestItems", {}).items()
        ]
    if operation in ("TransactGetItems", "TransactWriteItems"):
        return list(_transaction(scope, operation, parameters))
    return []


def _single(scope: Scope, action: str, members: Mapping[str, Any], enclosing: str | None = None) -> Item:
    table = members.get("TableName")
    if not isinstance(table, str):
        raise UnmappedOperationError(scope.call.service, scope.call.operation, hint="a part of it names no table")
    keys = tuple(members[name] for name in ("Key", "Item") if name in members)
    return Item(action, table, members.get("IndexName"), keys, members, enclosing)


def _written(requests: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for request in requests:
        yield from (entry["Item"] for entry in (request.get("PutRequest", {}),) if "Item" in entry)
        yield from (entry["Key"] for entry in (request.get("DeleteRequest", {}),) if "Key" in entry)


def _transaction(scope: Scope, operation: str, parameters: Mapping[str, Any]) -> Iterator[Item]:
    for entry in parameters.get("TransactItems", ()):
        for kind, members in entry.items():
            yield _single(scope, _TRANSACT.get(kind, "ConditionCheckItem"), members, operation)
