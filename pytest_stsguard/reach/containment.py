"""Whether a session of a role could undo what contains it: its own inline policies, its boundary, its trust policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.reach.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reach.permissions import Holder, Permissions

__all__ = ["own_undoing"]

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
        found = [
            action
            for action in _UNDOING
            if holder.speaks_of(action) and holder.allows(action, holder.arn, _own(holder))
        ]
        if found:
            yield Fault(
                holder.arn,
                f"a session of this role may call {', '.join(found)} on the role itself",
                place="own containment",
                location=holder.principal.location,
                evidence={"actions": found},
            )


def _own(holder: Holder) -> dict[str, str]:
    """Give the context that a call on the role itself carries."""
    context = {}
    for key, value in holder.principal.tags.items():
        context[f"aws:ResourceTag/{key}"] = context[f"iam:ResourceTag/{key}"] = value
    if holder.principal.boundary:
        context["iam:PermissionsBoundary"] = holder.principal.boundary
    return context
