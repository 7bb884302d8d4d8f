"""A drill as a picture: a lane for each session, its calls as marks, revocations as lines; and what it measured."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.text import visible

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Drill, Step

__all__ = ["Picture", "picture"]

_KEY = re.compile(r"\*{4}(?P<tail>\w{4})\b")
_CALLS: Final = ("allowed", "denied", "inconclusive")
_BIRTHS: Final = ("issued", "stolen")
_MOST_STEPS: Final = 200
_LEFT, _RIGHT, _TOP, _LANE, _BOTTOM = 190, 930, 46, 44, 54
_NEAR = 76
_MINUTE = 60


@dataclass(slots=True)
class Lane:
    """A session: its key's last four characters, who it is, and its marks."""

    key: str
    who: str
    y: int
    stolen: bool = False
    marks: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the template draws; coordinates are those of the drawing."""

    test: str
    outcome: str
    width: int
    height: int
    floor: int
    lanes: tuple[Lane, ...]
    revocations: tuple[tuple[int, str], ...]
    notes: tuple[tuple[int, str, str], ...]
    ticks: tuple[tuple[int, str], ...]
    metrics: tuple[tuple[str, str], ...]
    probes: tuple[str, ...]
    containment: tuple[tuple[str, str, tuple[str, ...]], ...]
    steps: tuple[Step, ...]
    left_out: int


def picture(drill: Drill) -> Picture:
    """Draw a drill."""
    steps = drill.steps[:_MOST_STEPS]
    scale, ticks = _scale([step.at for step in steps])
    lanes: dict[str, Lane] = {}
    revocations, notes = [], []
    for step in steps:
        x, label = scale[step.at], f"{step.action}: {visible(step.detail, 200)}, {visible(step.at, 40)}"
        match = _KEY.search(step.detail)
        if step.action == "revoked":
            revocations.append((x, label))
        elif match is None:
            notes.append((x, visible(step.action, 20), label))
        else:
            who = _who(step.detail) if step.action in _BIRTHS else ""
            lane = lanes.setdefault(match["tail"], Lane(f"****{match['tail']}", who, _TOP + len(lanes) * _LANE + 22))
            lane.who = lane.who or who
            lane.stolen = lane.stolen or step.action == "stolen"
            lane.marks.append((x, step.action if step.action in (*_CALLS, *_BIRTHS) else "other", label))
    floor = _TOP + len(lanes) * _LANE
    probes, containment = _containment(steps, lanes)
    return Picture(
        test=visible(drill.test, 200),
        outcome=visible(drill.outcome, 20),
        width=_RIGHT + 30,
        height=floor + _BOTTOM,
        floor=floor,
        lanes=tuple(lanes.values()),
        revocations=tuple(revocations),
        notes=tuple(notes),
        ticks=tuple(ticks),
        metrics=tuple(_metrics(steps, lanes)),
        probes=probes,
        containment=containment,
        steps=steps,
        left_out=len(drill.steps) - len(steps),
    )


def _who(detail: str) -> str:
    """Give role and session name of a session's ARN."""
    return visible(detail.partition(",")[0].rpartition(":")[2].removeprefix("assumed-role/"), 26)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _scale(moments: list[str]) -> tuple[dict[str, int], list[tuple[int, str]]]:
    """Place moments from left to right: a long wait takes more room than a short one, but not in proportion."""
    known = sorted(set(moments), key=_moment)
    if not known:
        return {}, []
    gaps = [1.0 + math.log1p((_moment(b) - _moment(a)).total_seconds()) for a, b in pairwise(known)]
    total = sum(gaps) or 1.0
    scale, at = {known[0]: _LEFT}, 0.0
    ticks, last = [(_LEFT, "start")], _LEFT
    for moment, gap in zip(known[1:], gaps, strict=True):
        at += gap
        x = scale[moment] = round(_LEFT + (_RIGHT - _LEFT) * at / total)
        if x - last >= _NEAR:
            ticks.append((x, f"+{_span(_moment(moment) - _moment(known[0]))}"))
            last = x
    return scale, ticks


def _span(length: timedelta) -> str:
    """Write a length of time in its two largest units."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for size, unit, part, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def _first(steps: tuple[Step, ...], action: str, *, after: str = "", key: str = "") -> Step | None:
    return next((s for s in steps if s.action == action and s.at >= after and key in s.detail), None)


def _metrics(steps: tuple[Step, ...], lanes: dict[str, Lane]) -> list[tuple[str, str]]:
    """Measure: how fast it was contained, what else was hit, what came back."""
    theft, revoked = _first(steps, "stolen"), _first(steps, "revoked")
    counts = Counter(step.action for step in steps)
    found = [(f"calls {word}", f"{counts[word]}") for word in _CALLS if counts[word]]
    if revoked is None:
        return found
    if theft is not None:
        found.append(("theft to revocation", _span(_moment(revoked.at) - _moment(theft.at))))
    denied = _first(steps, "denied", after=revoked.at)
    if denied is not None:
        found.append(("revocation to first denial", _span(_moment(denied.at) - _moment(revoked.at))))
    thieves = {lane.key for lane in lanes.values() if lane.stolen}
    late = [s for s in steps if s.action == "allowed" and s.at > revoked.at and any(key in s.detail for key in thieves)]
    if thieves:
        found.append(("stolen calls allowed afterwards", str(len(late))))
    hit = {
        lane.key
        for lane in lanes.values()
        if not lane.stolen and _first(steps, "denied", after=revoked.at, key=lane.key) is not None
    }
    found.append(("other sessions hit", str(len(hit))))
    cleaned = _first(steps, "cleaned", after=revoked.at)
    if cleaned is not None:
        found.append(("revocation to cleanup", _span(_moment(cleaned.at) - _moment(revoked.at))))
    return found


def _containment(
    steps: tuple[Step, ...], lanes: dict[str, Lane]
) -> tuple[tuple[str, ...], tuple[tuple[str, str, tuple[str, ...]], ...]]:
    """Tell for each session and call what the last answer was."""
    last: dict[tuple[str, str], str] = {}
    for step in steps:
        match = _KEY.search(step.detail)
        if match and step.action in _CALLS:
            last[match["tail"], visible(step.detail.partition(" ")[0], 60)] = step.action
    probes = tuple(dict.fromkeys(probe for _, probe in last))
    rows = tuple(
        (lane.key, "stolen" if lane.stolen else "", tuple(last.get((tail, probe), "") for probe in probes))
        for tail, lane in lanes.items()
        if any((tail, probe) in last for probe in probes)
    )
    return probes, rows
