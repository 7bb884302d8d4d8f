"""Writing a report: ``FORMAT:PATH`` read and checked before the run, rendered and written after it."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings import suggest

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Run

__all__ = ["FORMATS", "parse_request", "render", "write"]

FORMATS: Final = ("asff", "csv", "html", "json", "markdown", "ocsf", "sarif")
"""The formats, each a module of `pytest_stsguard.reporting.formats` with a function `render(run) -> str`."""


def parse_request(text: str, *, folder: str | Path = ".") -> tuple[str, Path]:
    """Read ``FORMAT:PATH``, and see that the path could be written.

    Args:
        text: as the user gave it.
        folder: what a relative path starts from.

    Raises:
        ConfigurationError: no such format, no path, or a path that cannot be written.
    """
    name, colon, path = text.partition(":")
    if name not in FORMATS:
        raise ConfigurationError(f"unknown report format `{_short(name)}`", hint=suggest(name, FORMATS))
    if not colon or not path:
        raise ConfigurationError(f"`{_short(text)}` names no file for the report", hint=f"write it as {name}:PATH")
    file = Path(folder) / path
    try:
        reason = _obstacle(file)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    if reason:
        raise ConfigurationError(f"the report cannot be written: {reason}", location=_short(path))
    return name, file


def render(run: Run, name: str) -> str:
    """Render a run in a format.

    Raises:
        ConfigurationError: no such format.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"unknown report format `{_short(name)}`", hint=suggest(name, FORMATS))
    text: str = import_module(f"pytest_stsguard.reporting.formats.as_{name}").render(run)
    return text


def write(run: Run, name: str, path: str | Path) -> None:
    """Render a run in a format, and write it as UTF-8.

    Raises:
        ConfigurationError: no such format, or a path that cannot be written.
    """
    data = render(run, name).encode("utf-8", "backslashreplace")
    try:
        Path(path).write_bytes(data)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise ConfigurationError(f"the report cannot be written: {reason}", location=_short(str(path))) from error


def _obstacle(file: Path) -> str:
    """Say why a file cannot be written; empty when it can."""
    if "\0" in str(file):
        return "a NUL in its name"
    if file.is_dir():
        return "is a directory"
    if not file.parent.is_dir():
        return "no such directory"
    if file.exists() and not os.access(file, os.W_OK):
        return "permission denied"
    if not file.exists() and not os.access(file.parent, os.W_OK | os.X_OK):
        return "permission denied"
    return ""


def _short(text: str) -> str:
    from pytest_stsguard.reporting.text import visible  # noqa: PLC0415 - only a mistake needs it

    return visible(text, 120)
