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
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.policy.globs import glob
from pytest_stsguard.reach.trustees import ALLOW_ALL
from pytest_stsguard.trust.named import Named, read_principal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.policy import Decision, Statement
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["ASSUME", "AssumeGraph", "Callers", "Group", "Trust", "admission", "may_assume"]

ASSUME: Final = "sts:AssumeRole"
MOST_QUESTIONS: Final = 400_000
"""Pairs that are asked about one by one; more, and the graph says that it is not complete."""


@dataclass(eq=False, slots=True)
class Group:
    """Callers that every trust policy without conditions, and so the engine, answers alike; often only one.

    `plain`: their policies ask for nothing about the caller. `everything`: they may assume whatever trusts them.
    `literal`: the roles that they may assume, when each is named; `names`: tells whether an Allow may speak of an ARN.
    """

    members: list[Holder]
    plain: bool
    everything: bool
    literal: tuple[str, ...] | None
    names: Callable[[str], bool]
    node: int = field(default=-1)

    @classmethod
    def of(cls, holder: Holder, *, plain: bool) -> Group:
        """Make the group of a first member."""
        allows, denies = [], False
        for policy in holder.policies:
            for matcher in policy.index.plan(ASSUME).matchers:
                if matcher.statement.effect == "Allow":
                    allows.append(matcher.statement)
                denies = denies or matcher.statement.effect == "Deny"
        resources = [resource for statement in allows for resource in statement.resources or ("*",)]
        literal = None if any(sign in text for text in resources for sign in "*?$") else tuple(dict.fromkeys(resources))
        everything = plain and not denies and not holder.boundary and "*" in resources
        everything = everything and all(statement.not_resources is None for statement in allows)
        return cls([holder], plain, everything, literal, _names(resources))


def _names(resources: Iterable[str]) -> Callable[[str], bool]:
    """Test whether a resource pattern may match an ARN; one with a variable may match any."""
    tests = [glob("*" if "$" in resource else resource) for resource in dict.fromkeys(resources)]
    return lambda arn: any(test(arn) for test in tests)


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
                groups[key] = Group.of(holder, plain=plain)
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
        return (*(group for group in self.open if group.names(role.arn)), *self._by_target.get(role.arn, ()))


def may_assume(caller: Holder, role: Holder) -> bool:
    """Ask the engine whether a caller may assume a role without MFA: a role's session, or a user.

    A session without MFA says so; long-term keys say nothing at all, which BoolIfExists takes for a yes.
    """
    return admission(caller, role) is not None


def admission(caller: Holder, role: Holder) -> Decision | None:
    """Give the decision that lets a caller assume a role, asked as `may_assume` does; None when nothing does."""
    if role.trust is None:
        return None
    context = _context(caller, role)
    found = _decision(caller, role, context, caller.policies, role.trust.policy)
    if found is not None or caller.trust is not None:
        return found
    for name in ("aws:MultiFactorAuthPresent", "aws:TokenIssueTime"):
        del context[name]
    return _decision(caller, role, context, caller.policies, role.trust.policy)


def _context(caller: Holder, role: Holder) -> dict[str, str]:
    context = {**caller.context, "sts:RoleSessionName": "stsguard", "aws:MultiFactorAuthPresent": "false"}
    for name, value in role.principal.tags.items():
        context[f"aws:ResourceTag/{name}"] = context[f"iam:ResourceTag/{name}"] = value
    return context


def _allowed(
    caller: Holder, role: Holder, context: Mapping[str, str], policies: Sequence[Policy], trust: Policy
) -> bool:
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

    `named`: ARNs of roles and users that it names (a session: its role's name); `open`: it lets the account, or
    everybody, in; `account`: by the account's own name; `plain`: without a condition or a Deny, so that every caller
    with the permission is let in alike; `shared`: what it says of a caller is the same for every role that has it.
    """

    named: tuple[str, ...]
    open: bool
    account: bool
    plain: bool
    shared: bool

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
        shared = not any(
            condition.key.lower().startswith(("aws:resource", "iam:resource"))
            or any("$" in one for one in condition.values)
            for matcher in matchers
            for condition in matcher.statement.conditions
        )
        return cls(tuple(named), opened, by_account, plain, shared)


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
        statement = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": ASSUME}
        self._trusting = Policy.parse({"Version": "2012-10-17", "Statement": statement}, kind="trust")
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
        alike: dict[str, list[int]] = defaultdict(list)
        for index, role in enumerate(self.roles):
            if role.trust is not None:
                alike[role.trust.text].append(index)
        for indices in alike.values():
            document = self.roles[indices[0]].trust
            assert document is not None  # noqa: S101 - they were gathered by their documents
            trust = Trust.read(document.policy, self.account)
            admitted: dict[str, bool] = {}
            for index in indices:
                role = self.roles[index]
                for arn in trust.named:
                    caller = self._number.get(arn)
                    if caller is not None and self._ask() and may_assume(self.roles[caller], role):
                        self.successors[caller].append(index)
                if trust.open:
                    self._open(index, trust, document.policy, admitted)

    def _open(self, index: int, trust: Trust, policy: Policy, admitted: dict[str, bool]) -> None:
        """Add who may assume a role that lets the account in: the identity policies are asked, then the trust policy."""
        role = self.roles[index]
        for group in self.callers.of(role):
            first = group.members[0]
            if not group.everything and not self._permits(first, role):
                continue
            if group.plain and trust.plain and len(group.members) > 1:
                self.successors[self._node_of(group)].append(index)
                continue
            for member in group.members:
                if trust.plain or self._admits(member, role, trust, policy, admitted):
                    self.successors[self._number[member.arn]].append(index)

    def _permits(self, caller: Holder, role: Holder) -> bool:
        """Ask the caller's own policies, as if the role trusted the account."""
        return self._ask() and _allowed(caller, role, _context(caller, role), caller.policies, self._trusting)

    def _admits(self, caller: Holder, role: Holder, trust: Trust, policy: Policy, admitted: dict[str, bool]) -> bool:
        """Ask the trust policy, as if the caller might do everything; once for all roles that share it."""
        found = admitted.get(caller.arn) if trust.shared else None
        if found is None:
            found = self._ask() and _allowed(caller, role, _context(caller, role), (ALLOW_ALL,), policy)
            admitted[caller.arn] = found
        return found

    def _node_of(self, group: Group) -> int:
        if group.node < 0:
            group.node = len(self.successors)
            self.successors.append([])
            for member in group.members:
                self.successors[self._number[member.arn]].append(group.node)
        return group.node

    def _ask(self) -> bool:
        """Count a question; false when there were too many."""
        self.questions += 1
        if self.questions > MOST_QUESTIONS:
            self.complete = False
        return self.complete


def _is_plain(holder: Holder) -> bool:
    """Tell whether what the policies say of assuming roles depends on nothing but the role."""
    return not any(
        matcher.statement.conditions or _has_variables(matcher.statement)
        for policy in (*holder.policies, *holder.boundary)
        for matcher in policy.index.plan(ASSUME).matchers
    )


def _has_variables(statement: Statement) -> bool:
    return any("${" in resource for resource in (*(statement.resources or ()), *(statement.not_resources or ())))
