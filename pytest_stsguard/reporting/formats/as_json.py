"""JSON: the report model itself, from which any other format can be rendered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_stsguard.reporting.text import indented

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Run

__all__ = ["render"]


def render(run: Run) -> str:
    """Render as JSON in ASCII, so that no mark of direction and no half surrogate reaches a terminal or an editor."""
    return indented(msgspec.to_builtins(run))
