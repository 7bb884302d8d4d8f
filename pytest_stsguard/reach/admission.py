"""Whether a caller may assume a role, asked of the engine, and what a trust policy says to its own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Decision, Policy, Request, authorize
from pytest_stsguard.reach.chosen import Chosen, choices
from pytest_stsguard.trust.named import EVERYONE, Named, read_principal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.policy import Statement
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["ASSUME", "Admission", "Trust", "admission", "allowed", "asks_of_the_role", "may_assume"]

ASSUME: Final = "sts:AssumeRole"
_OF_SESSIONS: Final = frozenset({"aws:MultiFactorAuthPresent", "aws:TokenIssueTime"})


class Admission(NamedTuple):
    """How a caller gets into a role: the decision, and what it has to send."""

    decision: Decision
    chosen: Chosen


def may_assume(caller: Holder, role: Holder) -> bool:
    """Ask the engine whether a caller may assume a role without MFA: a role's session, or a user.

    A session without MFA says so; long-term keys say nothing at all, which BoolIfExists takes for a yes. What a caller
    may choose, as the session's name, it chooses as the policies ask for it.
    """
    return admission(caller, role) is not None


def admission(caller: Holder, role: Holder) -> Admission | None:
    """Tell how a caller gets into a role, asked as `may_assume` does; None when it does not."""
    return None if role.trust is None else _admission(caller, role, caller.policies, role.trust.policy)


def allowed(caller: Holder, role: Holder, policies: Sequence[Policy], trust: Policy) -> bool:
    """Ask a role's session with other policies than the caller's, or another trust policy than the role's."""
    return _admission(caller, role, policies, trust) is not None


def _admission(caller: Holder, role: Holder, policies: Sequence[Policy], trust: Policy) -> Admission | None:
    context = {**caller.context, "sts:RoleSessionName": "stsguard", "aws:MultiFactorAuthPresent": "false"}
    for name, value in role.principal.tags.items():
        context[f"aws:ResourceTag/{name}"] = context[f"iam:ResourceTag/{name}"] = value
    plain = {key: value for key, value in context.items() if key not in _OF_SESSIONS}
    contexts = (context,) if caller.trust is not None else (context, plain)  # a user has keys of its own
    for chosen in choices((*policies, *caller.boundary, trust), ASSUME, caller.context):
        for one in contexts:
            asks = [
                Request(name, role.arn, caller.caller, {**one, **chosen.context}) for name in (ASSUME, *chosen.also)
            ]
            decisions = [_decision(ask, caller, policies, trust) for ask in asks]
            if decisions[0] is not None and all(decisions):
                return Admission(decisions[0], chosen)
    return None


def _decision(request: Request, caller: Holder, policies: Sequence[Policy], trust: Policy) -> Decision | None:
    """Give the decision that allows it; None when there is none."""
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

    `named`: ARNs of roles and users that it names; `sessions`: sessions that it names, each by its role's name and its
    own, which whoever assumes that role chooses; `account`: it names the account, whose own policies then decide;
    `everyone`: it speaks to anybody (``*``), which in its own account is enough without a permission; `plain`: without
    a condition or a Deny, so that every such caller is let in alike; `shared`: what it says of a caller is the same for
    every role that has it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """

    named: tuple[str, ...]
    sessions: tuple[tuple[str, str], ...]
    account: bool
    everyone: bool
    plain: bool
    shared: bool

    @classmethod
    def read(cls, policy: Policy, account: Account) -> Trust:
        """Read a trust policy."""
        plan = policy.index.plan(ASSUME)
        statements = [matcher.statement for matcher in plan.matchers]
        plain = not plan.doubtful and all(statement.effect == "Allow" for statement in statements)
        found: dict[Named, None] = {}
        for statement in statements:
            if statement.effect == "Allow":
                named = _named(statement, account)
                found.update(dict.fromkeys(named))
                if any(one.kind in {"everyone", "account"} for one in named):
                    plain = plain and not statement.conditions and statement.not_principals is None
        return cls(
            named=tuple(one.arn for one in found if one.kind in {"role", "user"}),
            sessions=tuple((one.name, one.arn.rpartition("/")[2]) for one in found if one.kind == "session"),
            account=any(one.kind == "account" for one in found),
            everyone=any(one.kind == "everyone" for one in found),
            plain=plain,
            shared=not any(asks_of_the_role(statement) for statement in statements),
        )


def asks_of_the_role(statement: Statement) -> bool:
    """Tell whether a statement's conditions may answer for one role as for another they do not."""
    return any(
        condition.key.lower().startswith(("aws:resource", "iam:resource"))
        or any("$" in value for value in condition.values)
        for condition in statement.conditions
    )


def _named(statement: Statement, account: Account) -> list[Named]:
    """Give everybody, and whom of the account a statement names."""
    if statement.principals is None:
        return [EVERYONE] if statement.not_principals is not None else []
    found = (read_principal(one, account=account.id, partition=account.partition) for one in statement.principals)
    return [one for one in found if isinstance(one, Named) and (one.kind == "everyone" or one.account == account.id)]
