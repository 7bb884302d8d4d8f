"""CSV, for a spreadsheet: one finding a line; no cell is a formula, whatever an account's names are."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.text import visible

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Finding, Run

__all__ = ["render"]

_COLUMNS: Final = (
    *("control", "title", "severity", "status", "resource", "message"),
    *("place", "file", "line", "reason", "fingerprint", "demonstrated"),
)
# OWASP, CSV injection: what makes a spreadsheet read a cell as a formula, with the full-width forms that Excel accepts
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_AFTER = re.compile(rf"(;\s*)(?=[{re.escape(''.join(_FORMULA))}])")


def render(run: Run) -> str:
    """Render as CSV of RFC 4180: every cell quoted, CRLF between lines."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    titles = {control.id: control.title for control in run.controls}
    for finding in run.findings:
        writer.writerow([_cell(text) for text in _row(finding, titles.get(finding.control, ""))])
    return stream.getvalue()


def _row(finding: Finding, title: str) -> tuple[str, ...]:
    status = "muted" if finding.muted else "baselined" if finding.baselined else "active"
    file = finding.location.file if finding.location else ""
    line = str(finding.location.line) if finding.location else ""
    return (
        *(finding.control, title, finding.severity, status, finding.resource, finding.message),
        *(finding.place, file, line, finding.mute_reason or "", finding.fingerprint),
        {True: "yes", False: "no", None: ""}[finding.demonstrated],
    )


def _cell(text: str) -> str:
    # where the list separator is a semicolon, what follows one in a cell may be read as the next cell
    shown = _AFTER.sub(r"\1'", visible(text))
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
