"""How every way into a role goes: the trust policy is asked, the session is entered, the answer is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.ledger import Issuer, Session
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.cloud.sts.session_policies import Limited, limited
from pytest_stsguard.cloud.sts.tags import SessionTags
from pytest_stsguard.policy import Request as Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.state import Role
    from pytest_stsguard.cloud.sts.service import Context
    from pytest_stsguard.policy import Decision

__all__ = ["Wish", "account_in", "answer_of", "assumed", "credentials", "enter", "find_role", "first_denial"]

_ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/(?:[\x21-\x7e]+/)?([\w+=,.@-]{1,64})")
_TOKEN_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Wish:
    """The session that is asked for; `context` are condition keys that go on with it."""

    session_name: str
    seconds: int
    kind: str
    tags: SessionTags = field(default_factory=SessionTags)
    source_identity: str | None = None
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    chained: bool = False


def account_in(role_arn: str) -> str:
    """Read the account out of a role's ARN."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None:
        raise refuse("invalid-arn", arn=role_arn[:200])
    return match.group(1)


def find_role(context: Context, role_arn: str) -> Role | None:
    """Find the role of an ARN; None when there is none, `Fault` when the text is no role's ARN."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None:
        raise refuse("invalid-arn", arn=role_arn[:200])
    role = context.state.role(match.group(1), name=match.group(2))
    return role if role is not None and role.arn == role_arn else None


def first_denial(
    context: Context,
    role: Role,
    actions: list[str],
    *,
    principal: str,
    keys: Mapping[str, str | list[str]],
    caller: Caller | None,
) -> tuple[str, Decision] | None:
    """Ask the trust policy, with the policies of a caller that has any, for each action; gives the first denial."""
    for action in actions:
        question = Question(action, role.arn, principal, {**keys, **role.tag_keys})
        decision = context.tokens.authorizer.decide_trust(role.trust, question, caller=caller)
        context.record.decisions.append(decision)
        if not decision.allowed:
            return action, decision
    return None


def enter(context: Context, role: Role, wish: Wish) -> tuple[Session, Limited]:
    """Enter the session of a role that may be assumed."""
    if wish.seconds > role.max_session_duration and not wish.chained:
        raise refuse("role-duration")
    policies = limited(context, role.account, wish.tags.passed)
    session = context.ledger.issue(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{wish.session_name}",
        user_id=f"{role.unique_id}:{wish.session_name}",
        issuer=Issuer("role", role.arn, role.unique_id, role.account, role.name),
        duration=timedelta(seconds=wish.seconds),
        token_size=read.token_size(context.parameters),
        kind=wish.kind,
        session_policies=policies.policies,
        source_identity=wish.source_identity,
        tags=wish.tags.all,
        transitive=wish.tags.transitive,
        context=wish.context,
        chained=wish.chained,
    )
    return session, policies


def credentials(session: Session) -> dict[str, Any]:
    """The three values and the end of a session, as STS answers them."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.token,
        "Expiration": session.expires_at,
    }


def answer_of(session: Session, policies: Limited | None = None) -> dict[str, Any]:
    """What every issuing operation answers, without whose session it is."""
    answer: dict[str, Any] = {
        "Credentials": credentials(session),
        "SessionTokenSize": len(session.token),
        "SessionTokenUtilization": min(100, len(session.token) * 100 // _TOKEN_BYTES),
    }
    if policies is not None and policies.packed is not None:
        answer["PackedPolicySize"] = policies.packed
    if session.source_identity:
        answer["SourceIdentity"] = session.source_identity
    return answer


def assumed(session: Session) -> dict[str, Any]:
    """The member AssumedRoleUser."""
    return {"AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn}}
