"""Roles whose sessions can be renewed past a revocation: they can assume each other in a cycle, or themselves.

https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.reach.cycles import components, shortest_cycle
from pytest_stsguard.reach.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reach.assume import AssumeGraph

__all__ = ["renewals"]

MOST_STEPS: Final = 3_000_000
"""Steps for the shortest cycles of all roles; past them, roles of a component share the one that was found."""
SHOWN: Final = 8


def renewals(graph: AssumeGraph, wanted: frozenset[str]) -> Iterator[Fault]:
    """Find the roles in a cycle, each with the shortest one that leads through it (STSG-302).

    Args:
        graph: the whole account's.
        wanted: the ARNs of the roles to tell of.
    """
    steps = 0
    for component in components(graph.successors):
        within = frozenset(component)
        roles = sorted(node for node in component if graph.name(node) is not None)
        shared: list[int] | None = None
        for node in roles:
            if graph.roles[node].arn not in wanted:
                continue
            if shared is None or steps < MOST_STEPS:
                cycle, taken = shortest_cycle(graph.successors, node, within)
                steps += taken
                shared = cycle
            else:
                cycle = shared
            yield _fault(graph, node, cycle, len(roles))


def _fault(graph: AssumeGraph, node: int, cycle: list[int], size: int) -> Fault:
    role = graph.roles[node]
    path = [name for step in cycle if (name := graph.name(step)) is not None]
    if len(set(path)) == 1:
        message = "a session of this role can assume the role again, and so outlive a revocation"
    else:
        shown = path if len(path) <= SHOWN else [*path[: SHOWN - 1], f"({len(path) - SHOWN} more)", path[-1]]
        message = f"sessions can be renewed past a revocation: {' -> '.join(shown)}"
        if size > len(set(path)):
            message += f"; {size} roles in all can reach each other"
    return Fault(
        role.arn,
        message,
        place="cycle",
        location=role.principal.location,
        evidence={"cycle": path[:200], "roles": size},
    )
