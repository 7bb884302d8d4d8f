"""Steps by STS: roles that an identity can assume, in its own account and in others, and federation tokens."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy import Policy
from pytest_stsguard.reach.admission import ASSUME, admission
from pytest_stsguard.reach.assume import Group
from pytest_stsguard.reach.blast.model import Call, Edge, Node, statement_of
from pytest_stsguard.reach.people import FEDERATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.account import Role
    from pytest_stsguard.reach.blast.ground import Doors, Ground
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["SESSION_NAME", "assume_call", "assumptions", "federation", "trust_document"]

SESSION_NAME: Final = "stsguard-thief"
_LIFE: Final = 129_600
_ELSEWHERE: Final = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.")


def assumptions(
    holder: Holder, ground: Ground, wanted: Callable[[str], bool], *, doors: Doors
) -> Iterator[tuple[Edge, Node]]:
    """Find the roles that an identity can assume.

    Args:
        holder: the identity.
        ground: the accounts.
        doors: the roles that let principals of the identity's account in.
        wanted: tells of an ARN whether a step there is of interest.
    """
    for role in _candidates(holder, doors):
        if not wanted(role.arn):
            continue
        target = ground.holder(role.arn)
        how = admission(holder, target) if target is not None else None
        if how is not None:
            call = Call("sts", "AssumeRole", how.chosen.call(role.arn, SESSION_NAME))
            edge = Edge(holder.arn, role.arn, "assume-role", statement_of(how.decision), (call,))
            yield edge, Node(role.arn, "role", role.arn)
    yield from _elsewhere(holder, ground, wanted)


def assume_call(role_arn: str) -> Call:
    """Give the call that assumes a role."""
    return Call("sts", "AssumeRole", {"RoleArn": role_arn, "RoleSessionName": SESSION_NAME})


def _candidates(holder: Holder, doors: Doors) -> list[Role]:
    """List the roles that may let an identity in: those that name it, those open to all, those that its policies name."""
    found = {role.arn: role for name in (holder.arn, holder.name) for role in doors.named.get(name, ())}
    found |= {role.arn: role for role in doors.everyone}
    if holder.speaks_of(ASSUME):
        group = Group.of(holder, plain=False)
        literal = None if group.literal is None else frozenset(group.literal)
        found |= {
            role.arn: role
            for role in doors.account
            if (group.names(role.arn) if literal is None else role.arn in literal)
        }
    return list(found.values())


def _elsewhere(holder: Holder, ground: Ground, wanted: Callable[[str], bool]) -> Iterator[tuple[Edge, Node]]:
    """Find the roles of other accounts that the identity policies name: nothing is known of them but the caller's side."""
    if not holder.speaks_of(ASSUME):
        return
    for arn in Group.of(holder, plain=False).literal or ():
        if not _ELSEWHERE.match(arn) or ground.account_of(arn) is not None or not wanted(arn):
            continue
        decision = holder.decide(ASSUME, arn, guard=trusting(holder.arn))
        if decision is not None:
            place = f"{statement_of(decision)}; whether that role trusts it is not known"
            yield (
                Edge(holder.arn, arn, "assume-role-elsewhere", place, (assume_call(arn),)),
                Node(arn, "role elsewhere", arn),
            )


@lru_cache(maxsize=1024)
def trusting(arn: str) -> Policy:
    """Give a trust policy that lets the account of an ARN in: with it, the caller's own policies alone decide."""
    return Policy.parse(trust_document(f"arn:aws:iam::{arn.split(':')[4]}:root"), kind="trust", name="any trust policy")


def trust_document(principal: str) -> str:
    """Write a trust policy for one principal."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ASSUME}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def federation(holder: Holder, ground: Ground) -> Iterator[tuple[Edge, Node]]:
    """Find out whether a user can make a federation token, which lives on when the user's key is deactivated."""
    if holder.trust is not None or not holder.speaks_of(FEDERATE):
        return
    account = ground.account_of(holder.arn)
    if account is None:
        return
    token = f"arn:{account.partition}:sts::{account.id}:federated-user/{SESSION_NAME}"
    for resource in (token, holder.arn):
        decision = holder.decide(FEDERATE, resource)
        if decision is not None:
            call = Call("sts", "GetFederationToken", {"Name": SESSION_NAME, "DurationSeconds": _LIFE, "Policy": _ALL})
            node = Node(f"{holder.arn}#federation", "federation token", token)
            yield Edge(holder.arn, node.id, "federation-token", statement_of(decision), (call,)), node
            return


_ALL: Final = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
