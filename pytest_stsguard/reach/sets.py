"""Which roles must be revoked together, so that nothing of what was stolen lives on in another."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.reach.assume import AssumeGraph
from pytest_stsguard.reach.blast import EVERY_STEP, blast_radius
from pytest_stsguard.reach.cycles import components

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.account import Account
    from pytest_stsguard.reach.blast import Ground

__all__ = ["SETS", "cycle_set", "instance_set", "reachable_set", "revocation_set"]

SETS: Final = ("cycle", "reachable", "instance")
"""What `revocation_set` takes."""


def revocation_set(ground: Ground, name: str, kind: str) -> tuple[str, ...]:
    """Give the ARNs of a set, the start first.

    Args:
        ground: the account, or the accounts that may trust each other.
        name: a role or user, by name or ARN; for ``instance`` also an instance id.
        kind: one of `SETS`.

    Raises:
        ConfigurationError: an unknown kind, or nobody of that name.
    """
    if kind not in SETS:
        raise ConfigurationError(f"unknown set `{kind}`", hint=f"there are: {', '.join(SETS)}")
    if kind == "instance":
        return instance_set(ground.home, name)
    return cycle_set(ground, name) if kind == "cycle" else reachable_set(ground, name)


def reachable_set(ground: Ground, start: str) -> tuple[str, ...]:
    """Give a role or user and every role and user that a thief can turn it into."""
    return blast_radius(ground, start).revocation_set


def cycle_set(ground: Ground, start: str) -> tuple[str, ...]:
    """Give a role and every role that its sessions can become and that can become the role again."""
    blast = blast_radius(ground, start)
    before: dict[str, list[str]] = defaultdict(list)
    for edge in blast.edges:
        before[edge.to].append(edge.source)
    returning, waiting = {blast.start}, [blast.start]
    for node in waiting:
        for other in before[node]:
            if other not in returning:
                returning.add(other)
                waiting.append(other)
    if len(blast.nodes) > EVERY_STEP:
        returning |= _component(ground, blast.start)
    return tuple(arn for arn in blast.revocation_set if arn in returning)


def _component(ground: Ground, start: str) -> set[str]:
    """Give the roles of the account in a cycle with the start: of many identities the blast radius tells not every step."""
    account = ground.account_of(start)
    if account is None:
        return set()
    found = [ground.holder(role.arn) for role in account.roles if not role.service_linked]
    graph = AssumeGraph([holder for holder in found if holder is not None], account)
    number = graph.number(start)
    component = next((one for one in components(graph.successors) if number in one), [])
    return {graph.roles[node].arn for node in component if graph.name(node) is not None}


def instance_set(account: Account, name: str) -> tuple[str, ...]:
    """Give the roles of an instance, or those of every instance that holds a role.

    Args:
        account: the account, with its instances.
        name: an instance id, or a role by name or ARN.

    Raises:
        ConfigurationError: no such instance or role, or the source does not hold the instances.
    """
    missing = account.lacks("instances")
    if missing and not account.instances:
        raise ConfigurationError(f"which instances there are is not known: {missing[0]}")
    role = account.role(name)
    if role is not None:
        profiles = {one.profile for one in account.instances_of(role)}
        return tuple(dict.fromkeys([role.arn, *_holding(account, profiles)]))
    found = [one.profile for one in account.instances if name in {one.id, one.arn}]
    if not found:
        raise ConfigurationError(f"there is no instance or role `{name}` in account `{account.id}`")
    return _holding(account, found)


def _holding(account: Account, profiles: Iterable[str | None]) -> tuple[str, ...]:
    wanted = set(profiles) - {None}
    return tuple(role.arn for role in account.roles if wanted & set(role.instance_profiles))
