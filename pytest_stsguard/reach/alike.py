"""Callers and roles that a trust policy cannot tell apart: what it asks for is the same of all of them.

One question answers for all that are alike, so that a policy that compares tags of ten thousand roles is asked about as
often as there are different tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.policy.variables import variable_keys
from pytest_stsguard.reach.admission import ASSUME

if TYPE_CHECKING:
    from pytest_stsguard.policy import Policy, Principal
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["Signature", "caller_signature", "mentioned", "role_signature"]

Signature = tuple[str | None, ...]


def mentioned(policy: Policy) -> tuple[str, ...]:
    """List the context keys that a trust policy's statements on sts:AssumeRole ask for, in lower case.

    Where one of them names a role, user or session, in whatever element, it asks for the caller's ARN.
    """
    found: dict[str, None] = {}
    for matcher in policy.index.plan(ASSUME).matchers:
        if matcher.statement.not_principals is not None or any(map(_names_one, matcher.statement.principals or ())):
            found["aws:principalarn"] = None
        for condition in matcher.statement.conditions:
            names = (
                condition.key,
                *(key for value in condition.values for key in variable_keys(value, policy.version)),
            )
            found.update(dict.fromkeys(name.lower() for name in names))
    return tuple(found)


def _names_one(principal: Principal) -> bool:
    whole = principal.value == "*" or principal.value.endswith(":root") or principal.value.isdecimal()
    return principal.type == "AWS" and not whole


def caller_signature(caller: Holder, keys: tuple[str, ...]) -> Signature:
    """Give what a caller's own context has for some keys."""
    context = {name.lower(): value for name, value in caller.context.items()} if keys else {}
    return tuple(context.get(key) for key in keys)


def role_signature(role: Holder, keys: tuple[str, ...]) -> Signature:
    """Give what a role's tags have for some keys."""
    tags = {name.lower(): value for name, value in role.principal.tags.items()} if keys else {}
    wanted = (
        key.partition("resourcetag/")[2] for key in keys if key.startswith(("aws:resourcetag/", "iam:resourcetag/"))
    )
    return tuple(tags.get(tag) for tag in wanted)
