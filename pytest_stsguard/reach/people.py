"""Roles that people assume: whether they ask for MFA, and users whose sessions outlive their keys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy.combination import Layer
from pytest_stsguard.policy.globs import glob
from pytest_stsguard.reach.admission import ASSUME, Trust, admission
from pytest_stsguard.reach.assume import Callers
from pytest_stsguard.reach.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_stsguard.policy import Condition, Decision, Policy
    from pytest_stsguard.reach.permissions import Holder, Permissions

__all__ = ["FEDERATE", "federation_survivors", "without_mfa"]

FEDERATE = "sts:GetFederationToken"
LONGEST: Final = 2048
"""Characters of a value that is looked at: no name or ARN of a user has as many."""

_TAG: Final = "aws:principaltag/"
_WHO: Final[dict[str, Callable[[Holder], str]]] = {
    "aws:principalarn": lambda member: member.arn,
    "aws:username": lambda member: member.name,
    "aws:userid": lambda member: member.principal.id or "",
}


def without_mfa(permissions: Permissions) -> Iterator[Fault]:
    """Find the roles that a user of the account may assume without MFA (STSG-113).

    A user that the trust policy names needs no permission of its own; where it lets the account in, users with the
    permission are the people that it means.
    """
    by_arn = {user.arn: user for user in permissions.users}
    callers = Callers(permissions.users)
    trusts: dict[str, Trust] = {}
    for role in permissions.roles:
        if role.arn not in permissions.wanted or role.trust is None:
            continue
        trust = trusts.get(role.trust.text)
        if trust is None:
            trust = trusts[role.trust.text] = Trust.read(role.trust.policy, permissions.account)
        named = ((by_arn[arn], admission(by_arn[arn], role)) for arn in trust.named if arn in by_arn)
        found = next(((user, how.decision) for user, how in named if how is not None), None)
        if found is None and trust.account:
            found = _somebody(callers, role, role.trust.policy)
        if found is not None:
            user, decision = found
            yield Fault(
                role.arn,
                f"{user.arn} may assume this role without MFA",
                place="trust policy MFA",
                location=role.trust.locate(_statement(decision)),
                evidence={"user": user.arn},
            )


def _somebody(callers: Callers, role: Holder, trust: Policy) -> tuple[Holder, Decision] | None:
    for group in callers.of(role):
        for member in _told_apart(group.members, trust) if group.plain else group.members:
            how = admission(member, role)
            if how is not None:
                return member, how.decision
    return None


def _told_apart(members: Sequence[Holder], trust: Policy) -> Iterator[Holder]:
    """Go through those of some users with the same policies whom a trust policy may tell from the first of them."""
    yield members[0]
    tests = [
        test
        for matcher in (trust.index.plan(ASSUME).matchers if len(members) > 1 else ())
        for condition in matcher.statement.conditions
        for test in _tests(condition)
    ]
    yield from (member for member in members[1:] if any(test(member) for test in tests))


def _tests(condition: Condition) -> Iterator[Callable[[Holder], bool]]:
    """Give tests for the users that a condition may speak of."""
    key = condition.key.lower()
    if key.startswith(_TAG):
        tag = key.removeprefix(_TAG)
        yield lambda member: any(name.lower() == tag for name in member.principal.tags)
    elif key in _WHO:
        for value in condition.values:
            if len(value) > LONGEST:
                continue
            matches = glob(value)
            yield lambda member, matches=matches: matches(_WHO[key](member))  # type: ignore[misc]  # a lambda's default


def _statement(decision: Decision) -> str:
    """Give the place of the trust policy's statement that lets a caller in."""
    return next((seen.place for seen in decision.deciding if seen.layer is Layer.RESOURCE), "")


def federation_survivors(permissions: Permissions) -> Iterator[Fault]:
    """Find the users that may call GetFederationToken: its credentials live on when the key is deleted (STSG-305)."""
    account = permissions.account
    for user in permissions.users:
        token = f"arn:{account.partition}:sts::{account.id}:federated-user/stsguard-probe"
        asked = (token, user.arn, *user.resources_for(FEDERATE, account))
        if user.speaks_of(FEDERATE) and any(user.allows(FEDERATE, resource) for resource in asked):
            yield Fault(
                user.arn,
                "may call sts:GetFederationToken: credentials of up to 36 hours that outlive its access key",
                place="federation tokens",
                location=user.principal.location,
            )
