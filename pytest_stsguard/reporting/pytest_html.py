"""What pytest-html shows of a check: its control, its severity, the steps of its drill; every cell escaped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pytest_stsguard.reporting.templates import macros

__all__ = ["expand", "header_cells", "link", "row_cells"]

_TEMPLATE = "pytest_html.html.j2"
_TITLE = "stsguard timeline"


def header_cells() -> list[str]:
    """Give the header cells of our two columns."""
    return str(macros(_TEMPLATE).header()).splitlines()


def link(report: Path, page: str) -> str:
    """Give the link from pytest-html's page to our report, relative, so that both can be moved together."""
    target = Path(os.path.relpath(report, Path(page).absolute().parent)).as_posix()
    return str(macros(_TEMPLATE).link(quote(target)))


def row_cells(report: Any) -> list[str]:
    """Give the two cells of one test's row; empty for a test that is no check."""
    control = " ".join(str(getattr(report, "stsguard_control", "")).split())
    severity = str(getattr(report, "stsguard_severity", ""))
    return str(macros(_TEMPLATE).row(control, severity)).splitlines()


def expand(report: Any, data: list[str]) -> None:
    """Put the timeline of the drill before what pytest-html shows in the expanded row."""
    steps = [line for title, text in getattr(report, "sections", ()) if title == _TITLE for line in text.splitlines()]
    if steps:
        data.insert(0, str(macros(_TEMPLATE).timeline(_TITLE, steps)))
