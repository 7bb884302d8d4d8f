"""Who can assume whom inside an account: trust policies and identity policies together, asked of the engine.

Most pairs need no question. A principal that a trust policy names is asked about by itself. Where the whole account is
trusted, the callers' identity policies decide: callers whose policies say the same to everybody are asked about once, and
stand in the graph behind a common node, so that a thousand of them cost no more than one. Where everybody is trusted, a
caller of the same account needs no permission; roles with one trust policy then stand behind a common node.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy import Policy
from pytest_stsguard.policy.globs import glob
from pytest_stsguard.reach.admission import ASSUME, Trust, allowed, asks_of_the_role, may_assume
from pytest_stsguard.reach.alike import Signature, caller_signature, mentioned, role_signature
from pytest_stsguard.reach.trustees import ALLOW_ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.policy import Statement
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["AssumeGraph", "Callers", "Group"]

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
        self._uniform: dict[tuple[int, bool], bool] = {}
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
                self._let_in(index, trust)
                if trust.account:
                    self._open(index, trust, document.policy, admitted)
            if trust.everyone:
                self._let_anybody_in(indices, trust, document.policy)

    def _let_in(self, index: int, trust: Trust) -> None:
        """Add the roles and the sessions that a trust policy names, where they get in."""
        for name, session in (*((arn, None) for arn in trust.named), *trust.sessions):
            number = self._number.get(name)
            if number is not None and self._ask():
                caller = self.roles[number] if session is None else self.roles[number].named(session)
                if may_assume(caller, self.roles[index]):
                    self.successors[number].append(index)

    def _let_anybody_in(self, indices: list[int], trust: Trust, policy: Policy) -> None:
        """Add who may assume roles with one trust policy that speaks to everybody, their own policies aside."""
        keys = mentioned(policy)
        alike: dict[Signature, list[int]] = defaultdict(list)
        for index in indices:
            alike[role_signature(self.roles[index], keys)].append(index)
        signatures = [caller_signature(caller, keys) for caller in self.roles]
        for group in alike.values():
            hub = self._new_node()
            self.successors[hub] = group
            if trust.plain:
                self.successors[self._free_node].append(hub)
            self._let_into(group, hub, trust, policy, signatures)

    def _let_into(
        self, indices: list[int], hub: int, trust: Trust, policy: Policy, signatures: list[Signature]
    ) -> None:
        """Add who may assume some roles that a trust policy speaks of alike."""
        first = self.roles[indices[0]]
        admitted: dict[Signature, bool] = {}
        for number, caller in enumerate(self.roles):
            if number in self._free:
                if trust.plain:
                    continue
                if signatures[number] not in admitted:
                    admitted[signatures[number]] = self._ask() and allowed(caller, first, (), policy)
                if admitted[signatures[number]]:
                    self.successors[number].append(hub)
            elif self._is_uniform(number, allows=trust.account):
                if self._ask() and may_assume(caller, first):
                    self.successors[number].append(hub)
            else:
                self.successors[number] += [
                    index for index in indices if self._ask() and may_assume(caller, self.roles[index])
                ]

    @cached_property
    def _free(self) -> frozenset[int]:
        """The roles that nothing of their own keeps from assuming a role."""
        return frozenset(
            number
            for number, holder in enumerate(self.roles)
            if not holder.boundary and not any(_denies(policy) for policy in holder.policies)
        )

    @cached_property
    def _free_node(self) -> int:
        node = self._new_node()
        for number in self._free:
            self.successors[number].append(node)
        return node

    def _is_uniform(self, number: int, *, allows: bool) -> bool:
        """Tell whether what a caller's policies say is the same for every role; `allows`: their Allow statements too."""
        key = number, allows
        if key not in self._uniform:
            self._uniform[key] = _is_uniform(self.roles[number], allows=allows)
        return self._uniform[key]

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
        return self._ask() and allowed(caller, role, caller.policies, self._trusting)

    def _admits(self, caller: Holder, role: Holder, trust: Trust, policy: Policy, admitted: dict[str, bool]) -> bool:
        """Ask the trust policy, as if the caller might do everything; once for all roles that share it."""
        found = admitted.get(caller.arn) if trust.shared else None
        if found is None:
            found = self._ask() and allowed(caller, role, (ALLOW_ALL,), policy)
            admitted[caller.arn] = found
        return found

    def _node_of(self, group: Group) -> int:
        if group.node < 0:
            group.node = self._new_node()
            for member in group.members:
                self.successors[self._number[member.arn]].append(group.node)
        return group.node

    def _new_node(self) -> int:
        self.successors.append([])
        return len(self.successors) - 1

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


def _denies(policy: Policy) -> bool:
    plan = policy.index.plan(ASSUME)
    return plan.doubtful or any(matcher.statement.effect == "Deny" for matcher in plan.matchers)


def _is_uniform(holder: Holder, *, allows: bool) -> bool:
    """Tell whether no statement that matters tells one role from another."""
    plans = [(policy.index.plan(ASSUME), False) for policy in holder.policies]
    plans += [(policy.index.plan(ASSUME), True) for policy in holder.boundary]
    return not any(plan.doubtful for plan, _ in plans) and all(
        matcher.statement.not_resources is None
        and "*" in (matcher.statement.resources or ("*",))
        and not asks_of_the_role(matcher.statement)
        for plan, boundary in plans
        for matcher in plan.matchers
        if boundary or allows or matcher.statement.effect == "Deny"
    )
