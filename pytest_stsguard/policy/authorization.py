"""Whether a request is allowed.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.policy.case import Case
from pytest_stsguard.policy.combination import combine
from pytest_stsguard.policy.decision import Decision, decide_with_care
from pytest_stsguard.policy.evaluation import DoubtError, listen

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
    case = Case(request, identity, resource, boundary, session, scps, rcps)
    if case.uncontrolled:
        return Decision("allowed", case)
    try:
        said = listen(case)
    except DoubtError:
        return decide_with_care(case)
    return Decision(combine(case, said).outcome, case)
