"""What roles and users may do: their identity policies and boundaries, asked of the engine."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

from pytest_stsguard.account import Role, is_unknown
from pytest_stsguard.clock import isoformat
from pytest_stsguard.errors import InputError, UnsupportedError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.policy.arns import ARN_PARTS
from pytest_stsguard.reach.chosen import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from pytest_stsguard.account import Account, Document, User
    from pytest_stsguard.policy import Decision

__all__ = ["Holder", "Permissions"]

MOST_RESOURCES: Final = 32
MOST_REGIONS: Final = 4
_GLOBAL: Final = "us-east-1"
_NOTHING: Final = Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]},
    name="unknown boundary",
)
_NOTHING_SPECIAL: Final = (
    ("s3:GetObject", "arn:aws:s3:::stsguard-probe/key"),
    ("ec2:RunInstances", "*"),
    ("iam:CreateUser", "*"),
    ("stsguard-probe:Anything", "*"),
)
"""Calls that together only who may do everything may make."""


class Holder:
    """A role or user with the policies that bear on its sessions.

    A boundary that the source does not hold is read as one that allows nothing: no fault is made up from it, and
    `Account.missing_policies` says that it is missing.
    """

    __slots__ = (
        "_resources",
        "arn",
        "boundary",
        "caller",
        "context",
        "name",
        "policies",
        "principal",
        "regions",
        "session",
        "trust",
    )

    def __init__(self, principal: Role | User, account: Account, now: datetime, org_id: str | None = None) -> None:
        self.principal = principal
        self.trust: Document | None = principal.trust if isinstance(principal, Role) else None
        self.name = principal.name
        self.arn = principal.arn
        self.policies = tuple(document.policy for document in account.identity_documents(principal))
        bounds = account.boundary_document(principal)
        self.boundary: tuple[Policy, ...] = ()
        if principal.boundary:
            self.boundary = (bounds.policy,) if bounds is not None else (_NOTHING,)
        self.session: tuple[Policy, ...] | None = None
        self.regions = _regions((*self.policies, *self.boundary))
        self.caller, self.context = _session(principal, account.partition, account.id, now)
        self.context["aws:RequestedRegion"] = self.regions[0]
        if org_id is not None:
            self.context |= {"aws:PrincipalOrgID": org_id, "aws:ResourceOrgID": org_id}
        self._resources: dict[str, tuple[str, ...]] = {}

    def limited(self, session: Iterable[Policy]) -> Holder:
        """Give the same holder as one session of it is, with session policies that were passed when it was made."""
        found = copy(self)
        found.session = tuple(session)
        return found

    def widened(self, policy: Policy) -> Holder:
        """Give the same holder with one more identity policy, and without its boundary."""
        found = copy(self)
        found.policies, found.boundary = (*self.policies, policy), ()
        return found

    def named(self, session_name: str) -> Holder:
        """Give a role as one session of it is, which a trust policy may name by its own ARN."""
        found = copy(self)
        found.caller = f"{self.caller.rpartition('/')[0]}/{session_name}"
        found.context = {**self.context, "aws:userid": f"{self.context['aws:userid'].partition(':')[0]}:{session_name}"}
        return found

    @property
    def identity_center(self) -> bool:
        """Whether it is a role that IAM Identity Center made, which changes from there only."""
        return isinstance(self.principal, Role) and self.principal.identity_center

    def speaks_of(self, action: str) -> bool:
        """Tell whether any Allow may speak of an action: without one, nothing needs to be asked."""
        return any(policy.index.plan(action).allows for policy in self.policies)

    def resources_for(self, action: str, account: Account) -> tuple[str, ...]:
        """List resources to ask about for an action: those of the policies' own statements, wildcards filled in."""
        found = self._resources.get(action)
        if found is None:
            spelt = (one for one in self._spell(action, account) if not _is_elsewhere(one, account))
            found = self._resources[action] = tuple(islice(dict.fromkeys(spelt), MOST_RESOURCES))
        return found

    def _spell(self, action: str, account: Account) -> Iterator[str]:
        noun = "user" if "User" in action or "Login" in action or "AccessKey" in action else "role"
        noun = "group" if "Group" in action else "policy" if "PolicyVersion" in action else noun
        invented = f"arn:{account.partition}:iam::{account.id}:{noun}/stsguard-probe"
        yield invented
        for policy in self.policies:
            for matcher in policy.index.plan(action).matchers:
                for resource in matcher.statement.resources or ():
                    filled = expand(resource, self.context)
                    if filled is not None:
                        yield _fill(filled, account, noun)

    def allows(
        self, action: str, resource: str, context: Mapping[str, str] | None = None, *, guard: Policy | None = None
    ) -> bool:
        """Ask whether a session may make a call, MFA used or not, in the region of its choice.

        `guard` is the resource's own policy.
        """
        return self.decide(action, resource, context, guard=guard) is not None

    def decide(
        self, action: str, resource: str, context: Mapping[str, str] | None = None, *, guard: Policy | None = None
    ) -> Decision | None:
        """Give the decision that allows a call, asked as `allows` does; None when nothing allows it."""
        for region in self.regions:
            for mfa in ("false", "true"):
                keys = {
                    **self.context,
                    "aws:RequestedRegion": region,
                    "aws:MultiFactorAuthPresent": mfa,
                    **(context or {}),
                }
                found = self._ask(action, resource, keys, guard)
                if found is not None:
                    return found
        return None

    def _ask(self, action: str, resource: str, context: Mapping[str, str], guard: Policy | None) -> Decision | None:
        request = Request(action, resource, self.caller, dict(context))
        try:
            decision = authorize(
                request, identity=self.policies, boundary=self.boundary, session=self.session, resource=guard
            )
        except UnsupportedError:
            return None  # what cannot be read is told by STSG-112
        except InputError:
            return None  # a name that nobody can call under: the export itself is at fault
        return decision if decision.allowed else None

    def may_do_anything(self) -> bool:
        """Tell whether it is an administrator, who has nothing more to gain."""
        return all(self.speaks_of(action) for action, _ in _NOTHING_SPECIAL) and all(
            self.allows(action, resource) for action, resource in _NOTHING_SPECIAL
        )


class Permissions:
    """The holders of an account, made once.

    Args:
        account: the whole account.
        roles: the roles that are looked at; cycles and paths go through all of them nevertheless.
        now: the moment of the requests.
        org_id: the organisation that the account belongs to, where it is known.
    """

    def __init__(self, account: Account, *, roles: Iterable[Role], now: datetime, org_id: str | None = None) -> None:
        self.org_id = org_id
        self.account = account
        self.now = now
        self.wanted = frozenset(role.arn for role in roles)

    @cached_property
    def roles(self) -> tuple[Holder, ...]:
        """Every role, service-linked ones left out: their policies are AWS's."""
        changeable = (role for role in self.account.roles if not role.service_linked)
        return tuple(Holder(role, self.account, self.now, self.org_id) for role in changeable)

    @cached_property
    def users(self) -> tuple[Holder, ...]:
        """Every user."""
        return tuple(Holder(user, self.account, self.now, self.org_id) for user in self.account.users)

    @cached_property
    def administrators(self) -> frozenset[str]:
        """The ARNs of the roles that may do everything."""
        return frozenset(holder.arn for holder in self.roles if holder.may_do_anything())

    def missing(self, holders: Iterable[Holder]) -> tuple[str, ...]:
        """Say what applies to holders and is not in the source, so that their permissions are known in part only."""
        seen: dict[str, int] = {}
        for holder in holders:
            for name in self.account.missing_policies(holder.principal):
                seen[name] = seen.get(name, 0) + 1
        return tuple(f"the source does not hold `{name}`, which {count} of them have" for name, count in seen.items())

    def unknown(self, holders: Iterable[Holder], actions: Iterable[str]) -> tuple[str, ...]:
        """Say which policies hold a value that only a deployment knows where they may speak of an action."""
        asked, seen = tuple(actions), dict[str, int]()
        for holder in holders:
            for policy in (*holder.policies, *holder.boundary):
                if any(is_unknown(problem) for problem in policy.problems) and any(
                    policy.index.plan(action).doubtful for action in asked
                ):
                    seen[policy.name or ""] = seen.get(policy.name or "", 0) + 1
        return tuple(
            f"`{name}`, which {count} of them have, holds what only a deployment knows" for name, count in seen.items()
        )


def _regions(policies: Iterable[Policy]) -> tuple[str, ...]:
    """List regions to ask in: those that conditions name, since a guard denies all others, and the global services' one."""
    found: dict[str, None] = {}
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                if condition.key.lower() == "aws:requestedregion":
                    found.update((value.replace("*", "1"), None) for value in condition.values[:2])
    return (*islice(found, MOST_REGIONS), _GLOBAL) if found else (_GLOBAL,)


def _session(principal: Role | User, partition: str, account: str, now: datetime) -> tuple[str, dict[str, str]]:
    """Give the ARN that a session calls under, and the context that comes with it."""
    user = ":user/" in principal.arn
    context = {
        "aws:PrincipalArn": principal.arn,
        "aws:userid": principal.id or "stsguard",
        "aws:CurrentTime": isoformat(now),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:TokenIssueTime": isoformat(now),
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
        **{f"aws:PrincipalTag/{key}": value for key, value in principal.tags.items()},
    }
    if user:
        return principal.arn, {**context, "aws:username": principal.name}
    context["aws:userid"] = f"{principal.id or 'AROASTSGUARD'}:stsguard"
    return f"arn:{partition}:sts::{account}:assumed-role/{principal.name}/stsguard", context


def _is_elsewhere(resource: str, account: Account) -> bool:
    """Tell whether it is IAM's in another account, or AWS's own policy, which nobody can change."""
    parts = resource.split(":", ARN_PARTS - 1)
    return len(parts) == ARN_PARTS and parts[2] == "iam" and parts[4] != account.id


def _fill(pattern: str, account: Account, noun: str) -> str:
    if pattern == "*":
        return f"arn:{account.partition}:iam::{account.id}:{noun}/stsguard-probe"
    parts = pattern.split(":", ARN_PARTS - 1)
    if len(parts) == ARN_PARTS and parts[4] in {"*", "?" * 12}:
        parts[4] = account.id
    return ":".join(parts).replace("*", "stsguard-probe").replace("?", "x")
