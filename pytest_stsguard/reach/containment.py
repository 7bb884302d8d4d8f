"""Whether a session of a role could undo what contains it: its own policies, its boundary, its trust policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.reach.fault import Fault
from pytest_stsguard.revocation import State, assess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import ManagedPolicy
    from pytest_stsguard.policy import Decision
    from pytest_stsguard.reach.permissions import Holder, Permissions

__all__ = ["UNDOING", "context_on", "own_undoing", "undoing"]

UNDOING: Final = (
    "iam:DeleteRolePolicy",
    "iam:PutRolePolicy",
    "iam:DetachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:UpdateAssumeRolePolicy",
)
"""Deleting or overwriting the revoke policy, detaching a managed one, lifting the boundary, letting oneself in again."""

_REWRITING: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")


def own_undoing(permissions: Permissions) -> Iterator[Fault]:
    """Find the roles that may change themselves (STSG-205).

    IAM Identity Center's roles are left out: IAM refuses every change of them that does not come from there.
    """
    for holder in permissions.roles:
        if holder.arn not in permissions.wanted or holder.identity_center:
            continue
        found = [action for action, _ in undoing(holder, holder)]
        ways = [f"{', '.join(found)} on the role itself"] if found else []
        evidence: dict[str, object] = {"actions": found}
        for arn, actions in _rewriting(holder, permissions):
            ways.append(f"{', '.join(actions)} on `{arn}`, which contains it")
            evidence[arn] = actions
        if ways:
            yield Fault(
                holder.arn,
                f"a session of this role may call {' and '.join(ways)}",
                place="own containment",
                location=holder.principal.location,
                evidence=evidence,
            )


def _rewriting(holder: Holder, permissions: Permissions) -> Iterator[tuple[str, list[str]]]:
    """Find the managed policies that contain the role, as its boundary or by revoking, and that it may give another text."""
    if not any(holder.speaks_of(action) for action in _REWRITING):
        return
    for policy in _containing(holder, permissions):
        usable = _REWRITING if len(policy.versions) > 1 else _REWRITING[:1]
        actions = [action for action in usable if holder.allows(action, policy.arn)]
        if actions:
            yield policy.arn, actions


def _containing(holder: Holder, permissions: Permissions) -> Iterator[ManagedPolicy]:
    account, principal = permissions.account, holder.principal
    bound = account.policy(principal.boundary) if principal.boundary else None
    attached = (account.policy(one.arn) for one in principal.attached)
    for policy in dict.fromkeys((bound, *attached)):
        if policy is None or policy.document is None or policy.arn.split(":")[4] == "aws":
            continue
        if policy is bound or any(
            found.state is not State.INEFFECTIVE
            for found in assess(
                [policy.document.policy], now=permissions.now, principal_arn=holder.arn, principal_id=principal.id
            )
        ):
            yield policy


def undoing(holder: Holder, role: Holder) -> Iterator[tuple[str, Decision]]:
    """Go through the calls by which a holder could undo what contains a role, each with the decision that allows it."""
    for action in UNDOING:
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
