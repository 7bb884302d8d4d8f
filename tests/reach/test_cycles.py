"""Cycles: strongly connected components, and the shortest way back, on any graph."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.reach.cycles import components, shortest_cycle

GRAPHS = st.integers(1, 12).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=4), min_size=size, max_size=size)
)


def reached(graph: list[list[int]], start: int) -> set[int]:
    """Give what can be reached in at least one step."""
    seen: set[int] = set()
    todo = list(graph[start])
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += graph[node]
    return seen


@given(GRAPHS)
def test_components_are_the_nodes_that_reach_each_other(graph: list[list[int]]) -> None:
    expected = {
        frozenset(other for other in reached(graph, node) if node in reached(graph, other))
        for node in range(len(graph))
        if node in reached(graph, node)
    }
    assert {frozenset(found) for found in components(graph)} == expected


@given(GRAPHS)
def test_cycles_are_ways_and_the_shortest(graph: list[list[int]]) -> None:
    for component in components(graph):
        for node in component:
            cycle, _ = shortest_cycle(graph, node, frozenset(component))
            assert cycle[0] == cycle[-1] == node
            assert all(after in graph[before] for before, after in pairwise(cycle))
            assert len(cycle) - 1 == length(graph, node)


def length(graph: list[list[int]], start: int) -> int:
    """Count the steps of the shortest way back, level by level."""
    level, steps = {start}, 0
    while True:
        level = {other for node in level for other in graph[node]}
        steps += 1
        if start in level:
            return steps


def test_chain_of_any_length_fits() -> None:
    count = 50_000
    assert components([[node + 1] for node in range(count - 1)] + [[]]) == []
    (ring,) = components([[(node + 1) % count] for node in range(count)])
    assert len(ring) == count
