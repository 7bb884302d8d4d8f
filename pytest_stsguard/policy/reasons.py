"""Why a statement that speaks of an action does not match a request: the first reason, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.policy.principals import Grant
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.policy.case import Case
    from pytest_stsguard.policy.matching import Matcher
    from pytest_stsguard.policy.request import Request
    from pytest_stsguard.policy.statement import Condition

__all__ = ["why_not"]

SHOWN = 3


def why_not(matcher: Matcher, case: Case, *, names_principals: bool) -> tuple[Grant, str | None]:
    """Give the grant that a statement makes to the caller, and None when it matches or else the first reason why not."""
    request = case.request
    grant = matcher.grant(request, case.caller, bounded=case.bounded) if names_principals else Grant.NONE
    if names_principals and grant is Grant.NONE:
        element = "Principal" if matcher.statement.principals is not None else "NotPrincipal"
        verb = "does not name" if element == "Principal" else "spares"
        return grant, f"{element} {verb} `{short(request.principal)}`"
    if matcher.names_resource is not None and not matcher.names_resource(request):
        if matcher.statement.resources is not None:
            return grant, f"Resource {_listed(matcher.statement.resources)} does not match `{short(request.resource)}`"
        return grant, f"NotResource excludes `{short(request.resource)}`"
    for condition, holds in matcher.conditions:
        if not holds(request):
            return grant, _unmet(condition, request)
    return grant, None


def _unmet(condition: Condition, request: Request) -> str:
    value = request.value(condition.key.lower())
    if value is None:
        found = "is absent"
    elif isinstance(value, str):
        found = f"is `{short(value)}`"
    else:
        found = f"is {_listed(value)}"
    if condition.name != "Null" and condition.qualifier is None and isinstance(value, tuple) and len(value) > 1:
        return f"{condition.operator} compares one value, and {condition.key} {found}"
    return f"{condition.operator} wants {condition.key} {_listed(condition.values)}: it {found}"


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(f"`{short(text)}`" for text in texts[:SHOWN])
    more = len(texts) - SHOWN
    return (f"{shown} and {more} more" if more > 0 else shown) or "nothing"
