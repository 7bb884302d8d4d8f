"""GetSessionToken and GetFederationToken: the sessions of a user, or of the root user.

See "Compare AWS STS credentials" and "Permissions for GetFederationToken" in the IAM User Guide.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.ledger import Issuer
from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.mfa import check_mfa
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.cloud.sts.roles import answer_of
from pytest_stsguard.cloud.sts.session_policies import limited
from pytest_stsguard.cloud.sts.tags import SessionTags, read_tags

if TYPE_CHECKING:
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["get_federation_token", "get_session_token"]


def get_session_token(context: Context) -> dict[str, Any]:
    """Answer GetSessionToken: the user's own permissions for a while; no policy is asked."""
    caller = context.caller
    _check_long_term(context)
    seconds = _seconds(context, "session-token")
    authenticated = check_mfa(context)
    session = context.ledger.issue(
        arn=caller.arn,
        user_id=caller.user_id,
        issuer=_issuer(caller),
        duration=timedelta(seconds=seconds),
        token_size=read.token_size(context.parameters),
        kind="session-token",
        mfa_at=context.clock.now() if authenticated else None,
    )
    return answer_of(session)


def get_federation_token(context: Context) -> dict[str, Any]:
    """Answer GetFederationToken: a federated user with what the session policies and the user's own policies share."""
    caller = context.caller
    _check_long_term(context)
    name = read.required(context.parameters, "Name")
    seconds = _seconds(context, "federated-user")
    tags = SessionTags(read_tags(context.parameters))
    arn = f"arn:aws:sts::{caller.account}:federated-user/{name}"
    context.require("sts:GetFederationToken", arn, tags.context())
    if tags:
        context.require("sts:TagSession", arn, tags.context())
    policies = limited(context, caller.account, tags.passed)
    session = context.ledger.issue(
        arn=arn,
        user_id=f"{caller.account}:{name}",
        issuer=_issuer(caller),
        duration=timedelta(seconds=seconds),
        token_size=read.token_size(context.parameters),
        kind="federated-user",
        session_policies=policies.policies,
        tags=tags.all,
    )
    return answer_of(session, policies) | {"FederatedUser": {"FederatedUserId": session.user_id, "Arn": arn}}


def _check_long_term(context: Context) -> None:
    if context.caller.session is not None:
        raise refuse("session-calls", operation=context.call.operation)


def _seconds(context: Context, kind: str) -> int:
    """How long the session lives; a root user's is cut to its limit, not refused."""
    seconds = read.duration(context.parameters, limits.SESSION_BY_KIND[kind].seconds)
    return min(seconds, limits.ROOT_SECONDS) if context.caller.kind == "root" else seconds


def _issuer(caller: Caller) -> Issuer:
    return Issuer(caller.kind, caller.arn, caller.unique_id, caller.account, caller.name)
