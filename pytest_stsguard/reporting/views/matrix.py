"""The matrix of roles and controls, readable at thousands of roles: roles with the same findings share a row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.model import RANKS
from pytest_stsguard.reporting.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.reporting.views.findings import Card

__all__ = ["Matrix", "Row", "matrix"]

_INLINE: Final = 3
_LINE: Final = 30
_LONGEST: Final = 120
"""Characters of a name, of which IAM allows 64, and of its path."""


@dataclass(frozen=True, slots=True)
class Row:
    """Roles that share their findings; a cell is a severity or empty."""

    names: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def apart(self) -> bool:
        """Whether the first names are too long for one line."""
        return sum(map(len, self.names[: _INLINE if len(self.names) <= _INLINE else 2])) > _LINE


@dataclass(frozen=True, slots=True)
class Matrix:
    """Columns are controls, rows are groups of roles, the gravest first; `roles` counts the roles."""

    controls: tuple[str, ...]
    rows: tuple[Row, ...]
    roles: int


def matrix(made: Sequence[Card]) -> Matrix:
    """Make the matrix of the active findings."""
    worst: dict[str, dict[str, str]] = defaultdict(dict)
    names = {}
    for card in made:
        finding = card.finding
        if finding.active:
            names[finding.resource] = visible(finding.name, _LONGEST)
            worst[finding.resource].setdefault(finding.control, finding.severity)
    controls = tuple(sorted({control for own in worst.values() for control in own}))
    patterns: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, own in worst.items():
        patterns[tuple(own.get(control, "") for control in controls)].append(names[resource])
    rows = [Row(tuple(sorted(own)), cells) for cells, own in patterns.items()]
    return Matrix(controls, tuple(sorted(rows, key=_gravity)), len(worst))


def _gravity(row: Row) -> tuple[object, ...]:
    counts = tuple(-sum(cell == rank for cell in row.cells) for rank in RANKS)
    return (*counts, -len(row.names), row.names)
