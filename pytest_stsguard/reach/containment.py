"""Whether a session of a role could undo what contains it: its own inline policies, its boundary, its trust policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.reach.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.policy import Decision
    from pytest_stsguard.reach.permissions import Holder, Permissions

__all__ = ["context_on", "own_undoing", "undoing"]

_UNDOING: Final = (
    "iam:DeleteRolePolicy",
    "iam:PutRolePolicy",
    "iam:DetachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:UpdateAssumeRolePolicy",
)
"""Deleting or overwriting the revoke policy, detaching a managed one, lifting the boundary, letting oneself in again."""


def own_undoing(permissions: Permissions) -> Iterator[Fault]:
    """Find the roles that may change themselves (STSG-205).

    IAM Identity Center's roles are left out: IAM refuses every change of them that does not come from there.
    """
    for holder in permissions.roles:
        if holder.arn not in permissions.wanted or holder.identity_center:
            continue
        found = [action for action, _ in undoing(holder, holder)]
        if found:
            yield Fault(
                holder.arn,
                f"a session of this role may call {', '.join(found)} on the role itself",
                place="own containment",
                location=holder.principal.location,
                evidence={"actions": found},
            )


def undoing(holder: Holder, role: Holder) -> Iterator[tuple[str, Decision]]:
    """Go through the calls by which a holder could undo what contains a role, each with the decision that allows it."""
    for action in _UNDOING:
        if holder.speaks_of(action):
            decision = holder.decide(action, role.arn, context_on(role))
            if decision is not None:
                yield action, decision


def context_on(holder: Holder) -> dict[str, str]:
    """Give the context that a call on a role carries."""
    context = {}
    for key, value in holder.principal.tags.items():
        context[f"aws:ResourceTag/{key}"] = context[f"iam:ResourceTag/{key}"] = value
    if holder.principal.boundary:
        context["iam:PermissionsBoundary"] = holder.principal.boundary
    return context
