"""Whether a request is allowed.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy.arns import account_of
from pytest_stsguard.policy.case import Case
from pytest_stsguard.policy.combination import combine
from pytest_stsguard.policy.decision import Decision, decide_with_care
from pytest_stsguard.policy.evaluation import DoubtError, listen, verdict_of
from pytest_stsguard.policy.principals import KNOWN_CALLERS, caller_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.policy.document import Policy
    from pytest_stsguard.policy.request import Request

__all__ = ["authorize"]


def authorize(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    resource: Policy | None = None,
    boundary: Sequence[Policy] = (),
    session: Sequence[Policy] | None = None,
    scps: Sequence[Sequence[Policy]] = (),
    rcps: Sequence[Sequence[Policy]] = (),
) -> Decision:
    """Decide a request by all the policies that bear on it, as AWS does.

    Args:
        request: What is asked.
        identity: The caller's identity policies: its own, its groups' and inline ones.
        resource: The resource's own policy; a role's is its trust policy.
        boundary: The permissions boundary, none when empty.
        session: The session policies; None when the session was made without, and `()` allows nothing.
        scps: Service control policies by level, the organisation's root first; every level must allow. Leave it empty
            for the management account, which they spare.
        rcps: Resource control policies by level of the resource's account; only their denies count.

    Raises:
        InputError: nobody can call under the request's principal.
        UnsupportedError: a leniently read policy holds what could not be read and could decide the request.
    """
    arguments = (request, identity, resource, boundary, session, scps, rcps)
    if resource is None and session is None and not boundary and not scps and not rcps and _stays_home(request):
        try:
            return Decision(_OUTCOMES[verdict_of(identity, request)], arguments)
        except DoubtError:
            return decide_with_care(arguments)
    case = Case(*arguments)
    if case.uncontrolled:
        return Decision("allowed", arguments)
    try:
        outcome = combine(case, listen(case)).outcome
    except DoubtError:
        return decide_with_care(arguments)
    return Decision(outcome, arguments)


def _stays_home(request: Request) -> bool:
    """Tell whether the caller's identity policies alone decide: the commonest case, told apart at little cost."""
    caller = KNOWN_CALLERS.get(request.principal) or caller_of(request.principal)
    if not caller.ordinary or request.action[:4].lower() in _OF_THEIR_OWN:
        return False
    if request.resource_account is not None:
        return request.resource_account == caller.account
    resource = request.resource
    # The ARNs of buckets and objects name no account.
    return resource.startswith("arn:aws:s3:::") or account_of(resource) in {None, caller.account}


_OUTCOMES: Final = ("implicitDeny", "allowed", "explicitDeny")
"""AWS's words by `Verdict`."""

_OF_THEIR_OWN: Final = frozenset({"sts:", "kms:"})
"""Services with rules of their own: actions that no policy controls, resources whose policy must allow."""
