"""What a stolen session can become, as a picture: layers from left to right, one for each step away from the theft."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.reporting.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_stsguard.reporting.model import Blast, Edge, Node

__all__ = ["Box", "Graph", "Spot", "Wire", "graph", "said", "spots"]

MOST_BOXES: Final = 60
"""Nodes that are drawn; of more, those of one layer and kind share a box."""
_MOST_HIGH: Final = 16
"""Boxes of a column, where boxes are shared: what fits on a screen."""
_MOST_STEPS: Final = 300
_MOST_LAYERS: Final = 12
"""Columns; what is further away stands in the last one."""
_LABELLED: Final = 24
"""Steps up to which each bears its kind; of more the marks would cover each other."""
_WIDE, _HIGH, _ACROSS, _DOWN, _EDGE, _TOP, _LANE, _BEND = 190, 38, 300, 52, 18, 20, 18, 40


@dataclass(frozen=True, slots=True)
class Spot:
    """One node, or several of a layer and kind: `ids` are theirs, `layer` counts the steps from the start."""

    ids: tuple[str, ...]
    layer: int
    name: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class Box:
    """A spot with its place; `state` is ``start``, ``survives``, ``ends``, ``more`` or ``more survives``."""

    x: int
    y: int
    name: str
    words: str
    state: str
    title: str


@dataclass(frozen=True, slots=True)
class Wire:
    """A step: the path of the drawing, and where its label stands, if it has one."""

    path: str
    label: str
    side: str
    x: int
    y: int
    state: str
    title: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that the template draws and lists; `survivors` counts what outlives a revocation of the start alone.

    `itself`: the start does so too, since the thief can undo what was done to it.
    """

    start: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    nodes: int
    survivors: int
    itself: bool
    steps: tuple[tuple[str, str, str, str, str, str], ...]
    left_out: int
    together: tuple[str, ...]
    unbounded: str
    unseen: tuple[str, ...]


def graph(blast: Blast) -> Graph:
    """Draw what a stolen session can become."""
    found = spots(blast, most=MOST_BOXES)
    places = _places(found, blast.edges)
    home = {name: index for index, spot in enumerate(found) for name in spot.ids}
    names = {node.id: visible(node.name, 80) for node in blast.nodes}
    wires = tuple(_wires(blast.edges, found, places, home))
    loops = {edge.source for edge in blast.edges if edge.source == edge.to}
    back = sum("H" in wire.path for wire in wires)
    steps = [_step(edge, names) for edge in blast.edges[:_MOST_STEPS]]
    return Graph(
        start=names[blast.start],
        width=max(x for x, _ in places) + _WIDE + _EDGE + _BEND,
        height=max(y for _, y in places) + _HIGH + back * _LANE + _EDGE,
        boxes=tuple(_box(spot, place, loops) for spot, place in zip(found, places, strict=True)),
        wires=wires,
        nodes=len(blast.nodes),
        survivors=sum(node.survives_revocation for node in blast.nodes if node.id != blast.start),
        itself=any(node.survives_revocation for node in blast.nodes if node.id == blast.start),
        steps=tuple(steps),
        left_out=len(blast.edges) - len(steps),
        together=tuple(visible(arn, 200) for arn in blast.revocation_set),
        unbounded=visible(blast.unbounded or ""),
        unseen=tuple(visible(text) for text in blast.left_out),
    )


def spots(blast: Blast, *, most: int) -> list[Spot]:
    """Give the nodes by layer, at most about `most` of them: the nearest are kept, the others of a layer and kind share one.

    Where some share one, a layer has few beside those that survive.

    What survives comes before what does not. A node that no step leads to stands in the layer after the start.
    """
    layers = _layers(blast)
    order = sorted(blast.nodes, key=lambda node: (layers[node.id], not node.survives_revocation))
    kinds = {node.id: (layers[node.id], visible(node.kind, 40)) for node in order}
    if len(set(kinds.values())) > most // 2:
        kinds = {name: (layer, "of several kinds") for name, (layer, _) in kinds.items()}
    room = most if len(order) <= most else most - len(set(kinds.values())) - 1
    kept, height = {blast.start}, Counter[int]()
    for node in order:
        full = len(order) > most and height[layers[node.id]] >= _MOST_HIGH and not node.survives_revocation
        if len(kept) < room and not full:
            kept.add(node.id)
            height[layers[node.id]] += 1
    found, rest = [], defaultdict[tuple[int, str], list[str]](list)
    for node in order:
        if node.id in kept:
            found.append(_spot(node, layers[node.id], start=node.id == blast.start))
        else:
            rest[kinds[node.id]].append(node.id)
    alive = {node.id for node in blast.nodes if node.survives_revocation}
    found += [_fold(ids, layer, kind, len(alive.intersection(ids))) for (layer, kind), ids in rest.items()]
    return sorted(found, key=lambda spot: spot.layer)


def said(value: Any, limit: int = 300) -> str:
    """Write a statement or a call in one line: a call as ``service.operation(Name=value)``."""
    if isinstance(value, dict) and {"service", "operation"} <= value.keys():
        parameters = value.get("parameters") or {}
        listed = parameters.items() if isinstance(parameters, dict) else ()
        inner = ", ".join(f"{name}={said(one, limit)}" for name, one in listed)
        return visible(f"{value['service']}.{value['operation']}({inner})", limit)
    return visible(value if isinstance(value, str) else "" if value is None else json.dumps(value), limit)


def _layers(blast: Blast) -> dict[str, int]:
    """Count the steps from the start to each node, along the shortest way."""
    ahead: dict[str, list[str]] = defaultdict(list)
    for edge in blast.edges:
        ahead[edge.source].append(edge.to)
    found, queue = {blast.start: 0}, deque([blast.start])
    while queue:
        here = queue.popleft()
        for there in ahead[here]:
            if there not in found:
                found[there] = found[here] + 1
                queue.append(there)
    return {node.id: min(found.get(node.id, 1), _MOST_LAYERS) for node in blast.nodes}


def _spot(node: Node, layer: int, *, start: bool) -> Spot:
    state = "start" if start else "survives" if node.survives_revocation else "ends"
    return Spot((node.id,), layer, visible(node.name, 80), visible(node.kind, 40), state)


def _fold(ids: list[str], layer: int, kind: str, survivors: int) -> Spot:
    words = f"{kind}, {survivors:,} survive" if survivors else kind
    return Spot(tuple(ids), layer, f"{len(ids):,} more", words, "more survives" if survivors else "more")


def _places(found: list[Spot], edges: Iterable[Edge]) -> list[tuple[int, int]]:
    """Place each layer in a column, in the order of what leads there, so that few steps cross; centred on the tallest."""
    home = {name: index for index, spot in enumerate(found) for name in spot.ids}
    behind: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        behind[home[edge.to]].append(home[edge.source])
    columns: dict[int, list[int]] = defaultdict(list)
    for index, spot in enumerate(found):
        columns[spot.layer].append(index)
    tallest = max(map(len, columns.values()))
    height: dict[int, float] = {}
    for layer, column in sorted(columns.items()):
        known = {one: [height[other] for other in behind[one] if other in height] for one in column}
        column.sort(key=lambda one: (len(found[one].ids) > 1, sum(known[one]) / len(known[one]) if known[one] else 0))
        for row, one in enumerate(column):
            height[one] = row + (tallest - len(column)) / 2
        columns[layer] = column
    return [(_EDGE + found[index].layer * _ACROSS, round(_TOP + height[index] * _DOWN)) for index in range(len(found))]


def _box(spot: Spot, place: tuple[int, int], loops: set[str]) -> Box:
    words = "stolen" if spot.state == "start" else spot.kind
    words += ", ↻ itself" if spot.ids[0] in loops and len(spot.ids) == 1 else ""
    words += ", survives" if spot.state == "survives" else ""
    told = {"survives": ": survives a revocation of the start alone", "start": ": where the theft begins"}
    itself = ", renews itself" if "↻" in words else ""
    title = f"{spot.kind} {spot.name}{told.get(spot.state, '')}{itself}"
    return Box(*place, _cut(spot.name, 24), _cut(words, 32), spot.state, title)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _wires(
    edges: Iterable[Edge], found: list[Spot], places: list[tuple[int, int]], home: Mapping[str, int]
) -> Iterator[Wire]:
    """Join the boxes; steps between the same two are one wire that bears all their kinds. Steps to itself a box tells in words."""
    joined: dict[tuple[int, int], list[Edge]] = defaultdict(list)
    for edge in edges:
        if home[edge.source] != home[edge.to]:
            joined[home[edge.source], home[edge.to]].append(edge)
    floor = max(y for _, y in places) + _HIGH + 2
    taken: set[tuple[int, int]] = set()
    for (source, to), steps in joined.items():
        back = found[to].layer < found[source].layer
        floor += _LANE if back else 0
        path, side, x, y = _back(places[source], places[to], floor) if back else _ahead(places[source], places[to])
        kinds = ", ".join(dict.fromkeys(visible(step.kind, 40) for step in steps))
        proven = any(step.demonstrated for step in steps)
        title = f"{found[source].name} to {found[to].name}: {kinds}{', demonstrated' if proven else ''}"
        beside = found[to].layer == found[source].layer
        wanted = len(joined) <= _LABELLED and not beside
        label = _cut(f"✓ {kinds}" if proven else kinds, 30 if back else 18) if wanted else ""
        while (x, y) in taken:
            y += 12
        taken.add((x, y))
        yield Wire(path, label, side, x, y, "survives" if "survives" in found[to].state else "ends", title)


def _ahead(one: tuple[int, int], other: tuple[int, int]) -> tuple[str, str, int, int]:
    """Give the curve from a box to one of the next layers, or of the same layer, and where its label stands."""
    (x, y), (to_x, to_y) = (one[0] + _WIDE, one[1] + _HIGH // 2), (other[0], other[1] + _HIGH // 2)
    if one[0] == other[0]:
        return f"M{x} {y}C{x + 46} {y} {x + 46} {to_y} {x + 7} {to_y}", "middle", x + 40, (y + to_y) // 2 + 4
    bend = (to_x - x) // 2
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x - 6} {to_y}", "end", to_x - 12, to_y - 6


def _back(one: tuple[int, int], other: tuple[int, int], floor: int) -> tuple[str, str, int, int]:
    """Give the way back to an earlier layer: through the gaps between the columns, and below all boxes."""
    x, y, to_y = one[0] + _WIDE, one[1] + _HIGH // 2, other[1] + _HIGH // 2
    left = max(other[0] - 12, 3)
    return f"M{x} {y}h12V{floor}H{left}V{to_y}H{other[0] - 6}", "middle", (x + left) // 2, floor - 5


def _step(edge: Edge, names: Mapping[str, str]) -> tuple[str, str, str, str, str, str]:
    told = {True: "demonstrated", False: "not demonstrated", None: ""}[edge.demonstrated]
    told += f": {visible(edge.reason, 200)}" if told and edge.reason else ""
    calls = ", then ".join(said(call) for call in edge.calls[:6])
    return names[edge.source], names[edge.to], visible(edge.kind, 60), said(edge.statement), calls, told
