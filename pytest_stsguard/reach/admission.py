"""Whether a caller may assume a role, asked of the engine, and what a trust policy says to its own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.trust.named import Named, read_principal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.policy import Decision, Statement
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["ASSUME", "Trust", "admission", "allowed", "asks_of_the_role", "context_of", "may_assume"]

ASSUME: Final = "sts:AssumeRole"


def may_assume(caller: Holder, role: Holder) -> bool:
    """Ask the engine whether a caller may assume a role without MFA: a role's session, or a user.

    A session without MFA says so; long-term keys say nothing at all, which BoolIfExists takes for a yes.
    """
    return admission(caller, role) is not None


def admission(caller: Holder, role: Holder) -> Decision | None:
    """Give the decision that lets a caller assume a role, asked as `may_assume` does; None when nothing does."""
    if role.trust is None:
        return None
    context = context_of(caller, role)
    found = _decision(caller, role, context, caller.policies, role.trust.policy)
    if found is not None or caller.trust is not None:
        return found
    for name in ("aws:MultiFactorAuthPresent", "aws:TokenIssueTime"):
        del context[name]
    return _decision(caller, role, context, caller.policies, role.trust.policy)


def context_of(caller: Holder, role: Holder) -> dict[str, str]:
    """Give the context that a caller without MFA sends, and the role's tags."""
    context = {**caller.context, "sts:RoleSessionName": "stsguard", "aws:MultiFactorAuthPresent": "false"}
    for name, value in role.principal.tags.items():
        context[f"aws:ResourceTag/{name}"] = context[f"iam:ResourceTag/{name}"] = value
    return context


def allowed(
    caller: Holder, role: Holder, context: Mapping[str, str], policies: Sequence[Policy], trust: Policy
) -> bool:
    """Ask with other policies than the caller's, or another trust policy than the role's."""
    return _decision(caller, role, context, policies, trust) is not None


def _decision(
    caller: Holder, role: Holder, context: Mapping[str, str], policies: Sequence[Policy], trust: Policy
) -> Decision | None:
    """Give the decision that allows it; None when there is none."""
    request = Request(ASSUME, role.arn, caller.caller, dict(context))
    try:
        decision = authorize(
            request, identity=policies, boundary=caller.boundary, session=caller.session, resource=trust
        )
    except InputError:
        return None  # what cannot be read is told by STSG-111 and STSG-112
    return decision if decision.allowed else None


@dataclass(frozen=True, slots=True)
class Trust:
    """What a role's trust policy says about the identities of its own account.

    `named`: ARNs of roles and users that it names (a session: its role's name); `account`: it names the account, whose
    own policies then decide; `everyone`: it speaks to anybody (``*``), which in its own account is enough without a
    permission; `plain`: without a condition or a Deny, so that every such caller is let in alike; `shared`: what it says
    of a caller is the same for every role that has it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """

    named: tuple[str, ...]
    account: bool
    everyone: bool
    plain: bool
    shared: bool

    @classmethod
    def read(cls, policy: Policy, account: Account) -> Trust:
        """Read a trust policy."""
        named: dict[str, None] = {}
        by_everyone = by_account = False
        plan = policy.index.plan(ASSUME)
        matchers = plan.matchers
        plain = not plan.doubtful and all(matcher.statement.effect == "Allow" for matcher in matchers)
        for matcher in matchers:
            statement = matcher.statement
            if statement.effect != "Allow":
                continue
            arns, everyone, own = _named(statement, account)
            named.update(dict.fromkeys(arns))
            by_account, by_everyone = by_account or own, by_everyone or everyone
            if everyone or own:
                plain = plain and not statement.conditions and statement.not_principals is None
        shared = not any(asks_of_the_role(matcher.statement) for matcher in matchers)
        return cls(tuple(named), by_account, by_everyone, plain, shared)


def asks_of_the_role(statement: Statement) -> bool:
    """Tell whether a statement's conditions may answer for one role as for another they do not."""
    return any(
        condition.key.lower().startswith(("aws:resource", "iam:resource"))
        or any("$" in value for value in condition.values)
        for condition in statement.conditions
    )


def _named(statement: Statement, account: Account) -> tuple[list[str], bool, bool]:
    """Give the callers of the account that a statement names, whether it names everybody, and whether the account."""
    if statement.principals is None:
        return [], statement.not_principals is not None, False
    arns, everyone, own = [], False, False
    for principal in statement.principals:
        found = read_principal(principal, account=account.id, partition=account.partition)
        if not isinstance(found, Named):
            continue
        if found.kind == "everyone":
            everyone = True
        elif found.account != account.id:
            continue
        elif found.kind == "account":
            own = True
        elif found.kind in {"role", "user"}:
            arns.append(found.arn)
        elif found.kind == "session":
            arns.append(found.name)
    return arns, everyone, own
