"""One report model, several formats.

A run becomes a `Run` (`build`), a `Run` becomes text (one module for each format), and `write` puts it into a file.
Nothing is imported until a report is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_stsguard.reporting.builder import build
    from pytest_stsguard.reporting.model import Run
    from pytest_stsguard.reporting.reading import read
    from pytest_stsguard.reporting.writer import FORMATS, parse_request, render, write

__all__ = ["FORMATS", "Run", "build", "parse_request", "read", "render", "write"]

_HOMES = {
    "FORMATS": "writer",
    "Run": "model",
    "build": "builder",
    "parse_request": "writer",
    "read": "reading",
    "render": "writer",
    "write": "writer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
