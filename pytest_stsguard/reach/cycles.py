"""Cycles of a graph: strongly connected components, and for each node of one the shortest way back to itself."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["components", "shortest_cycle"]

UNSEEN: Final = -1


def components(successors: Sequence[Sequence[int]]) -> list[list[int]]:  # noqa: C901 - one algorithm, in one piece
    """Give the strongly connected components that hold a cycle: of several nodes, or of one that leads to itself.

    Tarjan's algorithm with a stack of its own, so that a chain of any length fits.
    """
    count = len(successors)
    index, low, on_stack = [UNSEEN] * count, [0] * count, [False] * count
    stack: list[int] = []
    found: list[list[int]] = []
    clock = 0
    for root in range(count):
        if index[root] != UNSEEN:
            continue
        work = [(root, 0)]
        while work:
            node, place = work.pop()
            if place == 0:
                index[node] = low[node] = clock
                clock += 1
                stack.append(node)
                on_stack[node] = True
            followers = successors[node]
            while place < len(followers):
                other = followers[place]
                place += 1
                if index[other] == UNSEEN:
                    work += [(node, place), (other, 0)]
                    break
                if on_stack[other]:
                    low[node] = min(low[node], index[other])
            else:
                if low[node] == index[node]:
                    component = _pop(stack, on_stack, node)
                    if len(component) > 1 or node in successors[node]:
                        found.append(component)
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
    return found


def _pop(stack: list[int], on_stack: list[bool], node: int) -> list[int]:
    component = []
    while True:
        top = stack.pop()
        on_stack[top] = False
        component.append(top)
        if top == node:
            return component


def shortest_cycle(successors: Sequence[Sequence[int]], start: int, within: frozenset[int]) -> tuple[list[int], int]:
    """Give the shortest way from a node back to itself inside its component, and how many steps looking for it took.

    The way begins and ends with `start`.
    """
    before: dict[int, int] = {}
    queue = deque([start])
    steps = 0
    while queue:
        node = queue.popleft()
        for other in successors[node]:
            steps += 1
            if other == start:
                return [*_way(before, start, node), start], steps
            if other in within and other not in before:
                before[other] = node
                queue.append(other)
    return [start], steps


def _way(before: dict[int, int], start: int, end: int) -> list[int]:
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
