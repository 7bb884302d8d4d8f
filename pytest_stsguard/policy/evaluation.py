"""What each layer says on a request: the hot path, which stops as soon as a layer's word is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.policy.combination import Said, Verdict
from pytest_stsguard.policy.principals import Grant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.policy.case import Case
    from pytest_stsguard.policy.document import Policy
    from pytest_stsguard.policy.principals import Caller
    from pytest_stsguard.policy.request import Request

__all__ = ["DoubtError", "listen", "verdict_of"]

# The hot path reads these as plain globals.
SILENT, ALLOW, DENY = Verdict.SILENT, Verdict.ALLOW, Verdict.DENY


class DoubtError(Exception):
    """What could not be read may bear on the request, or a policy is of the wrong kind: look with care."""


def verdict_of(policies: Iterable[Policy], request: Request) -> Verdict:
    """Give the word of policies that name no principals."""
    action = request.action
    allowed = False
    for policy in policies:
        index = policy.index
        plan = index.plans.get(action) or index.make(action)
        if not plan.direct:
            raise DoubtError
        for ask in plan.denies:
            if ask is None or ask(request):
                return DENY
        if not allowed:
            for ask in plan.allows:
                if ask is None or ask(request):
                    allowed = True
                    break
    return ALLOW if allowed else SILENT


def listen(case: Case) -> Said:
    """Hear every layer that bears on the caller.

    Raises:
        DoubtError: an unreadable statement may bear on the request, or a policy is of the wrong kind.
    """
    request, caller = case.request, case.caller
    owner = caller.owns_policies
    resource, grant = (None, Grant.NONE)
    if case.guard is not None:
        resource, grant = resource_verdict(case.guard, request, caller, bounded=case.bounded)
    return Said(
        rcps=tuple(_denies(level, request) for level in case.rcps) if case.controlled_by_rcps else None,
        scps=tuple(verdict_of(level, request) for level in case.scps) if case.controlled_by_scps else None,
        resource=resource,
        grant=grant,
        identity=verdict_of(case.identity, request) if owner else None,
        boundary=verdict_of(case.boundary, request) if owner and case.bounded else None,
        session=verdict_of(case.session, request) if owner and case.session is not None else None,
    )


def _denies(level: Iterable[Policy], request: Request) -> Verdict:
    """Give the word of a level of resource control policies: beside them FullAWSAccess is always there."""
    return max(verdict_of(level, request), Verdict.ALLOW)


def resource_verdict(policy: Policy, request: Request, caller: Caller, *, bounded: bool) -> tuple[Verdict, Grant]:
    """Give the word of a resource's policy, and the strongest grant that it makes to the caller."""
    plan = policy.index.plan(request.action)
    if plan.doubtful or not policy.for_callers:
        raise DoubtError
    strongest = Grant.NONE
    for matcher in plan.matchers:
        denies = matcher.statement.effect == "Deny"
        grant = matcher.grant(request, caller, bounded=bounded)
        if grant is Grant.NONE or (grant <= strongest and not denies):
            continue
        if matcher.question is None or matcher.question(request):
            if denies:
                return Verdict.DENY, Grant.NONE
            strongest = grant
    return (Verdict.ALLOW if strongest else Verdict.SILENT), strongest
