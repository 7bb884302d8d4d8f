"""The containment matrix as a picture: for each way to end sessions and each kind of session, what still works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.text import visible

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Answers, Containment

__all__ = ["Cell", "Square", "Table", "table"]

_LEFT, _TOP, _WIDE, _HIGH, _SIDE, _GAP, _APART, _EDGE = 150, 52, 128, 34, 22, 3, 7, 14
_LETTERS: Final = {"dead": "†"}


@dataclass(frozen=True, slots=True)
class Square:
    """The outcome for one subject: its place, whether it is ``good``, ``bad`` or ``harm`` to others, and its letter.

    It is good that a stolen session is stopped, and that everybody else goes on.
    """

    x: int
    worth: str
    letter: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A method against a kind of session; no squares where it has no meaning."""

    x: int
    y: int
    squares: tuple[Square, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that the template draws, and in `rows` says in words; heads (in lines) and sides are a place, a name, and its words."""

    width: int
    height: int
    heads: tuple[tuple[int, tuple[str, ...], str], ...]
    sides: tuple[tuple[int, str, str], ...]
    cells: tuple[Cell, ...]
    outcomes: tuple[tuple[str, str, str], ...]
    subjects: tuple[tuple[str, str], ...]
    methods: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[tuple[str, str, str], ...]


def table(found: Containment) -> Table:
    """Draw the matrix: a column for each method, a row for each kind of session, a square for each subject."""
    known = {(cell.session, cell.method): cell for cell in found.cells}
    subjects = tuple(found.subjects)
    wide = max(_WIDE, len(subjects) * (_SIDE + _GAP) + _APART + 16)
    cells = [
        _cell(known[session, method], subjects, _LEFT + column * wide, _TOP + row * _HIGH)
        for row, session in enumerate(found.sessions)
        for column, method in enumerate(found.methods)
        if (session, method) in known
    ]
    return Table(
        width=_LEFT + len(found.methods) * wide + _EDGE,
        height=_TOP + len(found.sessions) * _HIGH + _EDGE,
        heads=tuple(
            (_LEFT + column * wide + (wide - 16) // 2, _lines(visible(name, 30)), visible(words))
            for column, (name, words) in enumerate(found.methods.items())
        ),
        sides=tuple(
            (_TOP + row * _HIGH + 20, visible(name, 30), visible(words))
            for row, (name, words) in enumerate(found.sessions.items())
        ),
        cells=tuple(cells),
        outcomes=tuple((visible(name, 30), _letter(name), visible(words)) for name, words in found.outcomes.items()),
        subjects=tuple((visible(name, 30), visible(words)) for name, words in found.subjects.items()),
        methods=tuple((visible(name, 30), visible(words)) for name, words in found.methods.items()),
        rows=tuple(
            (visible(name, 30), tuple(_told(known.get((name, method))) for method in found.methods))
            for name in found.sessions
        ),
        notes=tuple(_notes(found)),
    )


def _cell(cell: Answers, subjects: tuple[str, ...], x: int, y: int) -> Cell:
    squares = tuple(
        Square(
            x + index * (_SIDE + _GAP) + (_APART if index else 0),
            _worth(cell.outcomes[subject], thief=index == 0),
            _letter(cell.outcomes[subject]),
        )
        for index, subject in enumerate(subjects)
        if subject in cell.outcomes
    )
    note = f" ({cell.note})" if cell.note else ""
    return Cell(x, y, squares, visible(f"{cell.method} on {cell.session}: {_told(cell)}{note}", 400))


def _told(cell: Answers | None) -> str:
    outcomes = cell.outcomes.items() if cell else ()
    return visible(", ".join(f"{subject} {outcome}" for subject, outcome in outcomes), 200) or "has no meaning"


def _worth(outcome: str, *, thief: bool) -> str:
    if outcome == "allowed":
        return "bad" if thief else "good"
    return "good" if thief else "harm"


def _letter(outcome: str) -> str:
    return _LETTERS.get(outcome) or visible(outcome[:1].upper(), 1)


def _lines(name: str) -> tuple[str, ...]:
    """Break a name at its first hyphen, to fit over its column."""
    first, hyphen, rest = name.partition("-")
    return (first + hyphen, rest) if rest else (name,)


def _notes(found: Containment) -> list[tuple[str, str, str]]:
    """Give each note once, with its method and the kinds of session that it is about."""
    noted: dict[tuple[str, str], list[str]] = {}
    for cell in found.cells:
        if cell.note:
            noted.setdefault((cell.method, cell.note), []).append(cell.session)
    return [(visible(method), visible(", ".join(names)), visible(note)) for (method, note), names in noted.items()]
