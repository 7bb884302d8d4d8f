"""Who can assume whom inside an account: trust policies and identity policies together, asked of the engine.

Most pairs need no question. A principal that a trust policy names is asked about by itself. Where the whole account is
trusted, the callers' identity policies decide: callers whose policies say the same to everybody are asked about once, and
stand in the graph behind a common node, so that a thousand of them cost no more than one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Request, authorize
from pytest_stsguard.trust.named import Named, read_principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.policy import Policy, Statement
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["ASSUME", "AssumeGraph", "Callers", "Group"]

ASSUME: Final = "sts:AssumeRole"
MOST_QUESTIONS: Final = 600_000
"""Pairs that are asked about one by one; more, and the graph says that it is not complete."""


@dataclass(eq=False, slots=True)
class Group:
    """Callers that every trust policy without conditions, and so the engine, answers alike; often only one.

    `plain`: their policies ask for nothing about the caller. `literal`: the roles that they may assume, when each is named.
    """

    members: list[Holder]
    plain: bool
    literal: tuple[str, ...] | None
    node: int = field(default=-1)


class Callers:
    """Holders that some Allow lets assume roles, in groups."""

    def __init__(self, holders: Iterable[Holder]) -> None:
        groups: dict[object, Group] = {}
        for holder in holders:
            if not holder.speaks_of(ASSUME):
                continue
            plain = _is_plain(holder)
            key = (holder.policies, holder.boundary) if plain else holder.arn
            group = groups.get(key)
            if group is None:
                groups[key] = Group([holder], plain, _literal(holder))
            else:
                group.members.append(holder)
        self.groups = tuple(groups.values())
        self.open = tuple(group for group in self.groups if group.literal is None)
        self._by_target: dict[str, list[Group]] = defaultdict(list)
        for group in self.groups:
            for arn in group.literal or ():
                self._by_target[arn].append(group)

    def of(self, role: Holder) -> tuple[Group, ...]:
        """Give the groups whose policies may let them assume a role."""
        return (*self.open, *self._by_target.get(role.arn, ()))


def may_assume(caller: Holder, role: Holder) -> bool:
    """Ask the engine whether a caller may assume a role without MFA: a role's session, or a user.

    A session without MFA says so; long-term keys say nothing at all, which BoolIfExists takes for a yes.
    """
    if role.trust is None:
        return False
    context = {**caller.context, "sts:RoleSessionName": "stsguard", "aws:MultiFactorAuthPresent": "false"}
    for name, value in role.principal.tags.items():
        context[f"aws:ResourceTag/{name}"] = context[f"iam:ResourceTag/{name}"] = value
    if _allowed(caller, role.arn, role.trust.policy, context):
        return True
    if caller.trust is not None:
        return False
    for name in ("aws:MultiFactorAuthPresent", "aws:TokenIssueTime"):
        del context[name]
    return _allowed(caller, role.arn, role.trust.policy, context)


def _allowed(caller: Holder, role_arn: str, trust: Policy, context: Mapping[str, str]) -> bool:
    request = Request(ASSUME, role_arn, caller.caller, dict(context))
    try:
        return authorize(request, identity=caller.policies, boundary=caller.boundary, resource=trust).allowed
    except InputError:
        return False  # what cannot be read is told by STSG-111 and STSG-112


@dataclass(frozen=True, slots=True)
class Trust:
    """What a role's trust policy says about the identities of its own account.

    `named`: ARNs of roles and users that it names (a session: its role's name); `open`: it lets the account, or
    everybody, in; `account`: by the account's own name; `plain`: without a condition or a Deny, so that every caller
    with the permission is let in alike.
    """

    named: tuple[str, ...]
    open: bool
    account: bool
    plain: bool

    @classmethod
    def read(cls, policy: Policy, account: Account) -> Trust:
        """Read a trust policy."""
        named: dict[str, None] = {}
        opened = by_account = False
        matchers = policy.index.plan(ASSUME).matchers
        plain = all(matcher.statement.effect == "Allow" for matcher in matchers)
        for matcher in matchers:
            statement = matcher.statement
            if statement.effect != "Allow":
                continue
            arns, everyone, own = _named(statement, account)
            named.update(dict.fromkeys(arns))
            by_account = by_account or own
            if everyone:
                opened = True
                plain = plain and not statement.conditions and statement.not_principals is None
        return cls(tuple(named), opened, by_account, plain)


def _named(statement: Statement, account: Account) -> tuple[list[str], bool, bool]:
    """Give the callers that a statement names, whether it lets the account or everybody in, and whether by the account's name."""
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
            everyone = own = True
        elif found.kind in {"role", "user"}:
            arns.append(found.arn)
        elif found.kind == "session":
            arns.append(found.name)
    return arns, everyone, own


class AssumeGraph:
    """The roles of an account, and which of them a session of which may assume.

    `successors` is by node; the first nodes are the roles in the order of `roles`, the others stand for groups.
    """

    def __init__(self, roles: Sequence[Holder], account: Account) -> None:
        self.roles = tuple(roles)
        self.account = account
        self.questions = 0
        self.complete = True
        self._number = {holder.arn: index for index, holder in enumerate(self.roles)}
        self._number |= {holder.name: index for index, holder in enumerate(self.roles)} | self._number
        self.successors: list[list[int]] = [[] for _ in self.roles]
        self._build()

    @cached_property
    def callers(self) -> Callers:
        """The roles that some Allow lets assume roles."""
        return Callers(self.roles)

    def name(self, node: int) -> str | None:
        """Give the name of a role's node; None for a group's."""
        return self.roles[node].name if node < len(self.roles) else None

    def number(self, arn: str) -> int | None:
        """Give the node of a role, by ARN."""
        return self._number.get(arn)

    def _build(self) -> None:
        trusts: dict[str, Trust] = {}
        for index, role in enumerate(self.roles):
            document = role.trust
            if document is None:
                continue
            trust = trusts.get(document.text)
            if trust is None:
                trust = trusts[document.text] = Trust.read(document.policy, self.account)
            for arn in trust.named:
                caller = self._number.get(arn)
                if caller is not None and self._ask(self.roles[caller], role):
                    self.successors[caller].append(index)
            if trust.open:
                self._open(role, index, trust)

    def _open(self, role: Holder, index: int, trust: Trust) -> None:
        """Add who may assume a role that lets the account in."""
        for group in self.callers.of(role):
            if group.plain and trust.plain and len(group.members) > 1:
                if self._ask(group.members[0], role):
                    self.successors[self._node_of(group)].append(index)
                continue
            for member in group.members:
                if self._ask(member, role):
                    self.successors[self._number[member.arn]].append(index)

    def _node_of(self, group: Group) -> int:
        if group.node < 0:
            group.node = len(self.successors)
            self.successors.append([])
            for member in group.members:
                self.successors[self._number[member.arn]].append(group.node)
        return group.node

    def _ask(self, caller: Holder, role: Holder) -> bool:
        self.questions += 1
        if self.questions > MOST_QUESTIONS:
            self.complete = False
            return False
        return may_assume(caller, role)


def _is_plain(holder: Holder) -> bool:
    """Tell whether what the policies say of assuming roles depends on nothing but the role."""
    return not any(
        matcher.statement.conditions or _has_variables(matcher.statement)
        for policy in (*holder.policies, *holder.boundary)
        for matcher in policy.index.plan(ASSUME).matchers
    )


def _has_variables(statement: Statement) -> bool:
    return any("${" in resource for resource in (*(statement.resources or ()), *(statement.not_resources or ())))


def _literal(holder: Holder) -> tuple[str, ...] | None:
    """List the roles that the policies name one by one; None when there is a wildcard, a variable or NotResource."""
    found: dict[str, None] = {}
    for policy in holder.policies:
        for matcher in policy.index.plan(ASSUME).matchers:
            if matcher.statement.effect != "Allow":
                continue
            for resource in matcher.statement.resources or ("*",):
                if any(sign in resource for sign in "*?$"):
                    return None
                found[resource] = None
    return tuple(found)
