"""PartiQL statements: which action on which table each of them is.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .dynamodb_items import Item
from .permission import UnmappedOperationError
from .scope import find

if TYPE_CHECKING:
    from .scope import Scope

__all__ = ["statements"]

_NAME = r"(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>[A-Za-z0-9_.\-]+))(?:\s*\.\s*\"(?P<index>[^\"]+)\")?"
_FORMS = (
    ("PartiQLSelect", re.compile(r"\s*(?:EXISTS\s*\(\s*)?SELECT\b.*?\bFROM\s+" + _NAME, re.IGNORECASE | re.DOTALL)),
    ("PartiQLInsert", re.compile(r"\s*INSERT\s+INTO\s+" + _NAME, re.IGNORECASE)),
    ("PartiQLUpdate", re.compile(r"\s*UPDATE\s+" + _NAME, re.IGNORECASE)),
    ("PartiQLDelete", re.compile(r"\s*DELETE\s+FROM\s+" + _NAME, re.IGNORECASE)),
)


def statements(scope: Scope) -> list[Item]:
    """Give a part for every statement of the call; `UnmappedOperationError` for one that cannot be read."""
    parameters = scope.call.parameters
    if scope.call.operation == "ExecuteStatement":
        entries: list[Any] = [parameters]
    else:
        entries = find(parameters, "Statements") + find(parameters, "TransactStatements")
    enclosing = None if scope.call.operation == "ExecuteStatement" else scope.call.operation
    found = [_statement(scope, entry, enclosing) for entry in entries]
    if not found:
        raise UnmappedOperationError(scope.call.service, scope.call.operation, hint="the call holds no statement")
    return found


def _statement(scope: Scope, entry: dict[str, Any], enclosing: str | None) -> Item:
    text = str(entry.get("Statement", ""))
    for action, form in _FORMS:
        if match := form.match(text):
            table = match["quoted"] or match["plain"]
            return Item(action, table, match["index"], members=entry, enclosing=enclosing, statement=text)
    raise UnmappedOperationError(
        scope.call.service, scope.call.operation, hint="a statement is not PartiQL that is known"
    )
