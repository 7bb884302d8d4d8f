"""What each way to end sessions does to each kind of session, as data that tests, documentation and drills share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Cell", "Matrix", "matrix"]


@dataclass(frozen=True, slots=True)
class Cell:
    """The outcome for each subject, by its name: ``allowed``, ``denied``, ``refused`` or ``dead``."""

    outcomes: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Kinds of session by methods of revocation.

    `outcomes`, `subjects`, `kinds` and `methods` say in words what their names mean, in the order in which to show them;
    `cells` is by kind and method, None where the method has no meaning for the kind.
    """

    outcomes: Mapping[str, str]
    subjects: Mapping[str, str]
    kinds: Mapping[str, str]
    methods: Mapping[str, str]
    cells: Mapping[tuple[str, str], Cell | None]

    def markdown(self) -> str:
        """Write the matrix as a table: a row for each kind, a column for each method; the notes come below it."""
        head = f"| session | {' | '.join(self.methods)} |"
        lines = [head, "|" + "---|" * (len(self.methods) + 1)]
        lines += [
            f"| {kind} | {' | '.join(_shown(self.cells[kind, method]) for method in self.methods)} |"
            for kind in self.kinds
        ]
        noted: dict[tuple[str, str], list[str]] = {}
        for (kind, method), cell in self.cells.items():
            if cell is not None and cell.note:
                noted.setdefault((method, cell.note), []).append(kind)
        notes = [f"- {method}, {', '.join(kinds)}: {note}" for (method, note), kinds in noted.items()]
        return "\n".join((*lines, "", f"Each cell: {', '.join(self.subjects)}.", "", *notes))


def _shown(cell: Cell | None) -> str:
    return "-" if cell is None else ", ".join(cell.outcomes.values())


@cache
def matrix() -> Matrix:
    """Read the matrix, once."""
    data: dict[str, Any] = json.loads((files(__package__) / "matrix.json").read_text(encoding="utf-8"))
    cells: dict[tuple[str, str], Cell | None] = {}
    for kind, row in data.pop("cells").items():
        for method, entry in row.items():
            note = entry.pop("note", "") if entry else ""
            cells[kind, method] = Cell(entry, note) if entry else None
    return Matrix(**data, cells=cells)
