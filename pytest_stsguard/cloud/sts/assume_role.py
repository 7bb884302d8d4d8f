"""AssumeRole: by a user, or by a session in a chain.

See "AssumeRole" in the AWS STS API Reference and "Requesting temporary security credentials" in the IAM User Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.mfa import check_mfa
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.cloud.sts.roles import Wish, answer_of, assumed, enter, find_role, first_denial
from pytest_stsguard.cloud.sts.tags import read_tags, session_tags

if TYPE_CHECKING:
    from pytest_stsguard.cloud.sts.service import Context, Keys

__all__ = ["assume_role"]


def assume_role(context: Context) -> dict[str, Any]:
    """Answer AssumeRole: credentials of a new session, or the refusal that AWS gives."""
    caller, given = context.caller, context.parameters
    read.refuse_parameters(given, "AssumeRole", "ProvidedContexts")
    role_arn = read.required(given, "RoleArn")
    session_name = read.required(given, "RoleSessionName")
    read.text(given, "ExternalId")
    seconds = read.duration(given, limits.SESSION_BY_KIND["assumed-role"].seconds)
    read.token_size(given)
    calling = caller.session
    tags = session_tags(read_tags(given), given.get("TransitiveTagKeys") or (), calling)
    if caller.kind == "root":
        raise refuse("root-assumes")
    chained = calling is not None and calling.issuer.kind == "role"
    wish = Wish(session_name, seconds, "assumed-role", tags, _source_identity(context), chained=chained)
    role = find_role(context, role_arn)
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if tags else []
    actions += ["sts:SetSourceIdentity"] if wish.source_identity else []
    if role is None:
        raise refuse("role-denied", caller=caller.arn, action=actions[0], resource=role_arn, reason="")
    keys = _keys(context, wish, mfa=check_mfa(context))
    denial = first_denial(context, role, actions, principal=caller.arn, keys=keys, caller=caller)
    if denial is not None:
        action, decision = denial
        reason = f" {decision.reason()}" if decision.explicit else ""
        raise refuse("role-denied", caller=caller.arn, action=action, resource=role_arn, reason=reason)
    if chained and seconds > limits.CHAINED_SECONDS:
        raise refuse("chained-duration")
    session, policies = enter(context, role, wish)
    return answer_of(session, policies) | assumed(session)


def _source_identity(context: Context) -> str | None:
    """The source identity of the new session: once it is set, it goes on and cannot change."""
    given = read.text(context.parameters, "SourceIdentity")
    held = context.caller.session.source_identity if context.caller.session else None
    if given is not None and held is not None and given != held:
        raise refuse("source-identity")
    return given or held


def _keys(context: Context, wish: Wish, *, mfa: bool) -> Keys:
    given = context.parameters
    keys: Keys = {**context.surroundings, **context.caller.context, **wish.tags.context()}
    keys["sts:RoleSessionName"] = wish.session_name
    if "ExternalId" in given:
        keys["sts:ExternalId"] = given["ExternalId"]
    if "SourceIdentity" in given:
        keys["sts:SourceIdentity"] = given["SourceIdentity"]
    if mfa:
        keys |= {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0"}
    return keys
