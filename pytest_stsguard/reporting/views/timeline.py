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
    from collections.abc import Iterator

    from pytest_stsguard.reporting.model import Drill, Step

__all__ = ["Picture", "is_drawn", "picture"]

Row = tuple[str, str, tuple[tuple[str, str], ...]]
"""A session's name, whether it is stolen, and for each call the last answer and what that is worth."""

# what the drill room writes: a session by its key, or by a name that it was given before
_KEY = re.compile(r"(?P<name>\*{4}\w{4})\b")
_NAMED = re.compile(r"(?P<name>\S+) of the (?P<party>\S+): (?P<arn>[^,]*), (?P<key>\*{4}\w{4})\Z")
_EXPIRY = re.compile(r", expires (?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z)\Z")
_TO = re.compile(r"\S+ to (?P<name>\S+)(?: \([^()]*\))?\Z")
_CALLS: Final = ("allowed", "denied", "inconclusive")
_LEAVABLE: Final = {"allowed": 2, "denied": 1, "inconclusive": 1}
_BIRTHS: Final = ("issued", "stolen")
_NOTES: Final = ("state", "restart", "cleaned", "restored", "deleted")
_REMOVALS: Final = ("cleaned", "restored")
MOST_STEPS: Final = 200
"""Steps that are listed; all of them are measured, and drawn."""
MOST_LANES: Final = 30
"""Sessions that are drawn: the stolen ones, then the first."""
_LEFT, _RIGHT, _TOP, _LANE, _BOTTOM = 190, 915, 46, 44, 54
_NEAR = 84
_CLOSE: Final = 5
"""Marks of a kind that are nearer to each other are drawn as one."""
_MINUTE = 60
_BESIDE: Final = 12


@dataclass(slots=True)
class Lane:
    """A session: its name or its key's last four characters, who it is, and its marks.

    `end` is where its credentials expire, if that is known, and `until` the moment; `labels` name marks: where, which side
    of the mark, the words.
    """

    name: str
    who: str
    y: int = 0
    stolen: bool = False
    marks: list[tuple[int, str, str]] = field(default_factory=list)
    labels: list[tuple[int, str, str]] = field(default_factory=list)
    end: int | None = None
    until: str = ""

    @property
    def dead(self) -> int | None:
        """Where the first denial stands after which nothing was allowed; from there on it lives in name only."""
        last = max((x for x, kind, _ in self.marks if kind == "allowed"), default=0)
        return next((x for x, kind, _ in self.marks if kind == "denied" and x >= last), None)


@dataclass(frozen=True, slots=True)
class Act:
    """A step and the session that it is about, if any; `kind` is how it is marked."""

    step: Step
    kind: str
    session: str | None = None
    who: str = ""
    expires: str = ""

    @property
    def call(self) -> str:
        """The API call that the step tells of."""
        return visible(self.step.detail.partition(" ")[0], 60)


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
    containment: tuple[Row, ...]
    steps: tuple[Step, ...]
    left_out: int
    undrawn: int


def is_drawn(drill: Drill) -> bool:
    """Tell whether there is something to draw: a call, and more than one moment."""
    return any(step.action in _CALLS for step in drill.steps) and len({step.at for step in drill.steps}) > 1


def picture(drill: Drill) -> Picture:
    """Draw a drill."""
    acts = _acts(drill.steps)
    scale, ticks = _scale([*(step.at for step in drill.steps), *(act.expires for act in acts if act.expires)])
    lanes: dict[str, Lane] = {}
    for act in acts:
        if act.session is not None:
            lane = lanes.setdefault(act.session, Lane(visible(act.session, 20), act.who))
            lane.who = lane.who or act.who
            lane.stolen = lane.stolen or act.kind == "stolen"
            lane.marks.append((scale[act.step.at], act.kind, _label(act.step)))
            if act.expires:
                lane.end, lane.until = scale[act.expires], visible(act.expires, 40)
    revoked = next((scale[act.step.at] for act in acts if act.kind == "revoked"), None)
    drawn = dict(sorted(lanes.items(), key=lambda item: not item[1].stolen)[:MOST_LANES])
    drawn = {name: lane for name, lane in lanes.items() if name in drawn}
    for number, lane in enumerate(drawn.values()):
        lane.y = _TOP + number * _LANE + 22
        lane.labels += _labels(lane, revoked)
        lane.marks = _thinned(lane.marks)
    floor = _TOP + len(drawn) * _LANE
    probes, containment = _containment(acts, drawn)
    steps = _listed(acts)
    return Picture(
        test=visible(drill.test, 200),
        outcome=visible(drill.outcome, 20),
        width=_RIGHT + 45,
        height=floor + _BOTTOM,
        floor=floor,
        lanes=tuple(drawn.values()),
        revocations=tuple({scale[act.step.at]: _label(act.step) for act in acts if act.kind == "revoked"}.items()),
        notes=tuple(_notes(acts, scale)),
        ticks=tuple(ticks),
        metrics=tuple(_metrics(acts, lanes)),
        probes=probes,
        containment=containment,
        steps=steps,
        left_out=len(drill.steps) - len(steps),
        undrawn=len(lanes) - len(drawn),
    )


def _listed(acts: list[Act]) -> tuple[Step, ...]:
    """Choose the steps to list, in order: of too many, calls that were allowed are left out first, then other calls."""
    chosen = sorted(range(len(acts)), key=lambda index: _LEAVABLE.get(acts[index].kind, 0))[:MOST_STEPS]
    return tuple(acts[index].step for index in sorted(chosen))


def _thinned(marks: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Draw marks of a kind that would cover each other as one, which tells how many it stands for."""
    groups: list[tuple[int, str, str, list[int]]] = []
    last: dict[str, tuple[int, str, str, list[int]]] = {}
    for x, kind, label in marks:
        if kind not in last or x - last[kind][0] >= _CLOSE:
            last[kind] = (x, kind, label, [])
            groups.append(last[kind])
        last[kind][3].append(x)
    return [
        (x, kind, f"{label}, and {len(own) - 1:,} more like it" if len(own) > 1 else label)
        for x, kind, label, own in groups
    ]


def _acts(steps: tuple[Step, ...]) -> list[Act]:
    """Find the session that each step is about."""
    found: list[Act] = []
    known: set[str] = set()
    for step in steps:
        expiry = _EXPIRY.search(step.detail)
        detail = step.detail[: expiry.start()] if expiry else step.detail
        expires = expiry["at"] if expiry and _is_moment(expiry["at"]) else ""
        named, to, key = _NAMED.match(detail), _TO.match(detail), _KEY.search(detail)
        if step.action == "session" and named:
            known.add(named["name"])
            kind = "stolen" if named["party"] == "thief" else "issued"
            found.append(Act(step, kind, named["name"], _who(named["arn"]), expires))
        elif step.action in _CALLS and to and to["name"] in known:
            found.append(Act(step, step.action, to["name"]))
        elif step.action in (*_CALLS, *_BIRTHS) and key:
            who = _who(detail.partition(",")[0]) if step.action in _BIRTHS else ""
            found.append(Act(step, step.action, key["name"], who, expires))
        else:
            found.append(Act(step, step.action))
    return found


def _labels(lane: Lane, revoked: int | None) -> Iterator[tuple[int, str, str]]:
    """Name what a reader looks for on a stolen session: the last call allowed and the first denied, and its expiry."""
    if lane.stolen and revoked is not None:
        allowed = [x for x, kind, _ in lane.marks if kind == "allowed"]
        denied = [x for x, kind, _ in lane.marks if kind == "denied" and x >= revoked]
        # beside the line of the revocation, not across it
        if allowed and denied:
            yield min(allowed[-1], revoked - _BESIDE) if allowed[-1] < denied[0] else allowed[-1], "end", "last allowed"
        elif allowed:
            yield allowed[-1], "middle", "last allowed"
        if denied:
            yield max(denied[0], revoked + _BESIDE), "start", "first denied"


def _who(arn: str) -> str:
    """Give role and session name of a session's ARN."""
    return visible(arn.rpartition(":")[2].removeprefix("assumed-role/"), 26)


def _label(step: Step) -> str:
    return f"{step.action}: {visible(step.detail, 200)}, {visible(step.at, 40)}"


def _notes(acts: list[Act], scale: dict[str, int]) -> Iterator[tuple[int, str, str]]:
    """Give the other steps that are drawn: where, the words below (none when too near to others), the whole."""
    last, before = -_NEAR, -1
    for act in acts:
        x = scale[act.step.at]
        if act.session is None and act.kind in _NOTES and x > before:
            before = x
            words = visible(act.step.detail if act.kind == "state" else act.kind, 20) if x - last >= _NEAR else ""
            last = x if words else last
            yield x, words, _label(act.step)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_moment(text: str) -> bool:
    try:
        return _moment(text).tzinfo is not None
    except ValueError:
        return False


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
            count, rest = divmod(round(whole / part), size // part)
            return f"{count} {unit} {rest} {smaller}" if rest else f"{count} {unit}"
    return f"{whole} s"


def _metrics(acts: list[Act], lanes: dict[str, Lane]) -> list[tuple[str, str]]:
    """Measure: how fast it was contained, what else was hit, what came back."""
    counts = Counter(act.kind for act in acts)
    found = [(f"calls {word}", f"{counts[word]}") for word in _CALLS if counts[word]]
    start = next((index for index, act in enumerate(acts) if act.kind == "revoked"), None)
    if start is None:
        return found
    revoked, later = acts[start], acts[start + 1 :]
    thieves = {name for name, lane in lanes.items() if lane.stolen}
    theft = next((act for act in acts[:start] if act.kind == "stolen"), None)
    if theft is not None:
        found.append(("theft to revocation", _between(theft, revoked)))
    denied = next((act for act in later if act.kind == "denied"), None)
    if denied is not None:
        found.append(("revocation to first denial", _between(revoked, denied)))
    if thieves:
        late = sum(act.kind == "allowed" and act.session in thieves for act in later)
        found.append(("stolen calls allowed afterwards", str(late)))
    hit = {act.session for act in later if act.kind == "denied" and act.session} - thieves
    found.append(("other sessions hit", str(len(hit))))
    removed = next((act for act in later if act.kind in _REMOVALS), None)
    if removed is not None:
        found.append(("revocation to cleanup", _between(revoked, removed)))
    return found


def _between(one: Act, other: Act) -> str:
    return _span(_moment(other.step.at) - _moment(one.step.at))


def _containment(acts: list[Act], lanes: dict[str, Lane]) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Tell for each session and call what the last answer was, and what that is worth."""
    last = {(act.session, act.call): act.kind for act in acts if act.session and act.kind in _CALLS}
    probes = tuple(dict.fromkeys(call for _, call in last))
    rows = []
    for name, lane in lanes.items():
        answers = [last.get((name, call), "") for call in probes]
        cells = tuple((answer, _worth(answer, thief=lane.stolen)) for answer in answers)
        if any(answers):
            rows.append((lane.name, "stolen" if lane.stolen else "", cells))
    return probes, tuple(rows)


def _worth(answer: str, *, thief: bool) -> str:
    """Tell whether an answer is ``good``, ``bad``, or ``harm`` to somebody who is no thief; empty for none."""
    if answer == "allowed":
        return "bad" if thief else "good"
    if answer == "denied":
        return "good" if thief else "harm"
    return "harm" if answer else ""
