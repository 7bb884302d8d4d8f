"""What policies mention, without a request: context keys, and the statements that speak of an action and a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.policy.principals import Grant
from pytest_stsguard.policy.variables import variable_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_stsguard.policy.document import Policy
    from pytest_stsguard.policy.request import Request
    from pytest_stsguard.policy.statement import Statement

__all__ = ["candidates", "context_keys", "missing_context_keys"]


def context_keys(policies: Iterable[Policy]) -> tuple[str, ...]:
    """List the context keys that policies ask for, in conditions and in variables, each once, as first written."""
    found: dict[str, str] = {}
    for policy in policies:
        for statement in policy.statements:
            for key in _keys(statement, policy.version):
                found.setdefault(key.lower(), key)
    return tuple(found.values())


def _keys(statement: Statement, version: str | None) -> Iterator[str]:
    for condition in statement.conditions:
        yield condition.key
        for value in condition.values:
            yield from variable_keys(value, version)
    for resource in (*(statement.resources or ()), *(statement.not_resources or ())):
        yield from variable_keys(resource, version)


def missing_context_keys(policies: Iterable[Policy], request: Request) -> tuple[str, ...]:
    """List the context keys that policies ask for and the request neither gives nor implies."""
    return tuple(key for key in context_keys(policies) if request.value(key.lower()) is None)


def candidates(policy: Policy, request: Request, *, bounded: bool = False) -> Iterator[Statement]:
    """Give the statements that would match the request if every condition held, in the order of the document.

    Unreadable statements that may speak of the action and the resource are among them.
    """
    plan = policy.index.plan(request.action)
    matchers = sorted((*plan.matchers, *plan.unreadable), key=lambda matcher: matcher.statement.index)
    for matcher in matchers:
        if matcher.names_resource is not None and not matcher.names_resource(request):
            continue
        if matcher.grant(request, request.caller, bounded=bounded) is not Grant.NONE:
            yield matcher.statement
