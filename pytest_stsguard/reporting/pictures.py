"""Pictures that stand alone, for documentation."""

from __future__ import annotations

from pytest_stsguard.reporting.builder import containment_of
from pytest_stsguard.reporting.templates import page, source
from pytest_stsguard.reporting.views.containment import table

__all__ = ["containment_svg"]


def containment_svg() -> str:
    """Draw the containment matrix as an SVG file of its own, light or dark as the reader's system is."""
    drawn = page("containment.svg.j2", drawing=table(containment_of()), style=source("containment.css"))
    return f"{drawn.strip()}\n"
