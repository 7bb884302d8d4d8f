"""What pytest-html shows of a check: its control, its severity, the steps of its drill; every cell escaped."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["expand", "header_cells", "row_cells"]

_TITLE = "stsguard timeline"


def header_cells() -> list[str]:
    """Give the header cells of our two columns."""
    return [
        '<th class="sortable" data-column-type="control">Control</th>',
        '<th class="sortable" data-column-type="severity">Severity</th>',
    ]


def row_cells(report: Any) -> list[str]:
    """Give the two cells of one test's row; empty for a test that is no check."""
    control = escape(str(getattr(report, "stsguard_control", "")))
    severity = escape(str(getattr(report, "stsguard_severity", "")))
    return [f'<td class="col-control">{control}</td>', f'<td class="col-severity">{severity}</td>']


def expand(report: Any, data: list[str]) -> None:
    """Put the timeline of the drill before what pytest-html shows in the expanded row."""
    steps = [text for title, text in getattr(report, "sections", ()) if title == _TITLE]
    if steps:
        rows = "".join(f"<li>{escape(line)}</li>" for text in steps for line in text.splitlines())
        data.insert(0, f'<div class="stsguard-timeline"><strong>{_TITLE}</strong><ol>{rows}</ol></div>')
