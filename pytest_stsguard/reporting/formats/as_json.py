"""JSON: the report model itself, from which any other format can be rendered again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Run

__all__ = ["render"]


def render(run: Run) -> str:
    """Render as JSON in ASCII, so that no mark of direction and no half surrogate reaches a terminal or an editor."""
    return json.dumps(msgspec.to_builtins(run), indent=2) + "\n"
