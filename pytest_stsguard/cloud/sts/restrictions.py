"""Which operations each kind of session may call.

See "Compare AWS STS credentials" in the IAM User Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.sts.limits import SESSION_BY_KIND
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller

__all__ = ["check_kind"]


def check_kind(caller: Caller, call: Call) -> None:
    """Refuse a call that this kind of session may not make, whatever its policies say."""
    session = caller.session
    if session is None:
        return
    limit = SESSION_BY_KIND[session.kind]
    barred_from_iam = limit.iam == "console" or (limit.iam == "mfa" and session.mfa_at is None)
    if call.service == "iam" and barred_from_iam and not session.console:
        # AWS does not say that the token is of the wrong kind: to IAM it is invalid.
        raise Fault(Refusal.UNKNOWN_KEY)
    if call.service != "sts":
        return
    barred = call.operation in limit.never or (limit.only is not None and call.operation not in limit.only)
    if barred:
        kind = "federation" if session.kind == "federated-user" else "session"
        raise refuse(f"{kind}-calls", operation=call.operation)
