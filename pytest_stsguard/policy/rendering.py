"""From statements back to a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.policy.statement import Condition, Principal, Statement

__all__ = ["render"]


def render(version: str | None, label: str | None, statements: Sequence[Statement]) -> dict[str, Any]:
    """Write a document that parses to the same statements, one object where there was one object."""
    document: dict[str, Any] = {}
    if version is not None:
        document["Version"] = version
    if label is not None:
        document["Id"] = label
    rendered = [_statement(statement) for statement in statements]
    single = len(statements) == 1 and statements[0].place == "Statement"
    document["Statement"] = rendered[0] if single else rendered
    return document


def _statement(statement: Statement) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if statement.sid is not None:
        found["Sid"] = statement.sid
    if statement.effect:
        found["Effect"] = statement.effect
    for name, principals in (("Principal", statement.principals), ("NotPrincipal", statement.not_principals)):
        if principals is not None:
            found[name] = _principals(principals)
    for name, texts in (
        ("Action", statement.actions),
        ("NotAction", statement.not_actions),
        ("Resource", statement.resources),
        ("NotResource", statement.not_resources),
    ):
        if texts is not None:
            found[name] = list(texts)
    if statement.conditions:
        found["Condition"] = _conditions(statement.conditions)
    return found


def _principals(principals: Sequence[Principal]) -> str | dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for principal in principals:
        if principal.type == "*":
            return "*"
        found.setdefault(principal.type, []).append(principal.value)
    return found


def _conditions(conditions: Sequence[Condition]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for condition in conditions:
        found.setdefault(condition.operator, {})[condition.key] = list(condition.values)
    return found
