"""Writing a report: ``FORMAT:PATH`` read and checked before the run, rendered and written after it."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_stsguard.reporting.model import Run

    Formats = Mapping[str, Callable[[Run], str]]

__all__ = ["FORMATS", "join_formats", "parse_request", "render", "write"]

FORMATS: Final = ("asff", "csv", "html", "json", "markdown", "ocsf", "sarif")
"""The formats, each a module of `pytest_stsguard.reporting.formats` with a function `render(run) -> str`."""


def join_formats(several: Iterable[Formats]) -> dict[str, Callable[[Run], str]]:
    """Join the formats that a project's hooks give.

    Raises:
        ConfigurationError: a name that is taken or cannot be asked for, or something that renders nothing.
    """
    found: dict[str, Callable[[Run], str]] = {}
    for formats in several:
        for name, renderer in formats.items():
            if name in FORMATS or name in found:
                raise ConfigurationError(f"report format `{_short(name)}` is defined twice", hint="use another name")
            if not name.isidentifier():
                raise ConfigurationError(
                    f"`{_short(name)}` is no name of a report format", hint="use letters and digits"
                )
            if not callable(renderer):
                raise ConfigurationError(f"report format `{name}` is no function", hint="give one that takes the run")
            found[name] = renderer
    return found


def parse_request(text: str, *, folder: str | Path = ".", formats: Formats | None = None) -> tuple[str, Path]:
    """Read ``FORMAT:PATH``, and see that the path could be written.

    Args:
        text: as the user gave it.
        folder: what a relative path starts from.
        formats: the project's own, beside `FORMATS`.

    Raises:
        ConfigurationError: no such format, no path, or a path that cannot be written.
    """
    name, colon, path = text.partition(":")
    _check(name, formats)
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


def render(run: Run, name: str, *, formats: Formats | None = None) -> str:
    """Render a run in a format, one of `FORMATS` or of the project's own.

    Raises:
        ConfigurationError: no such format, or a project's own that gives no text.
    """
    _check(name, formats)
    if name in FORMATS:
        text: object = import_module(f"pytest_stsguard.reporting.formats.as_{name}").render(run)
    else:
        text = (formats or {})[name](run)
    if not isinstance(text, str):
        raise ConfigurationError(f"report format `{name}` gives no text", hint="its function returns a str")
    return text


def write(run: Run, name: str, path: str | Path, *, formats: Formats | None = None) -> None:
    """Render a run in a format, and write it as UTF-8.

    Raises:
        ConfigurationError: no such format, or a path that cannot be written.
    """
    data = render(run, name, formats=formats).encode("utf-8", "backslashreplace")
    try:
        Path(path).write_bytes(data)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise ConfigurationError(f"the report cannot be written: {reason}", location=_short(str(path))) from error


def _check(name: str, formats: Formats | None) -> None:
    known = (*FORMATS, *(formats or ()))
    if name not in known:
        raise ConfigurationError(f"unknown report format `{_short(name)}`", hint=suggest(name, known))


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
