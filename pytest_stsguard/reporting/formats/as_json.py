"""JSON: the report model itself, from which any other format can be rendered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_stsguard.reporting.fix import own_forms
from pytest_stsguard.reporting.text import indented

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Run

__all__ = ["render"]


def render(run: Run) -> str:
    """Render as JSON in ASCII, so that no mark of direction and no half surrogate reaches a terminal or an editor.

    Each finding has its fix with its own names in it, to be carried out by a script.
    """
    data = msgspec.to_builtins(run)
    general = {control.id: control.remediation for control in run.controls}
    for finding, plain in zip(run.findings, data["findings"], strict=True):
        own = own_forms(general[finding.control], finding) if finding.control in general else {}
        plain["fix"] = own or None
    return indented(data)
