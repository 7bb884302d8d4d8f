"""What the commands print with: data that never ends in a traceback, and text that any terminal takes."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["coloured", "emit", "emit_data", "printable", "progress"]


def emit(text: str) -> None:
    """Write data to stdout, all at once; the module `streams` sees to a reader that has gone and to a full disk."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def emit_data(data: Any, form: str, *, lines: Iterable[Any] | None = None) -> None:
    """Write JSON: one document, or with the form ``ndjson`` a line each.

    Args:
        data: what the form ``json`` writes.
        form: ``json`` or ``ndjson``.
        lines: what ``ndjson`` writes; default: the entries of a list, else the data as one line.
    """
    if form != "ndjson":
        emit(json.dumps(data, indent=2))
        return
    entries = lines if lines is not None else data if isinstance(data, list) else [data]
    text = "\n".join(json.dumps(entry) for entry in entries)
    if text:
        emit(text)


def printable(text: str) -> str:
    """Give text without what a terminal or a pipeline's log would act upon, or could not encode."""
    from pytest_stsguard.reporting.text import unobeyed

    text = unobeyed(text)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def coloured() -> bool:
    """Whether stdout is to be coloured: at a terminal, unless NO_COLOR is set (https://no-color.org); or FORCE_COLOR."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


@contextmanager
def progress(title: str) -> Iterator[None]:
    """Show on stderr that something goes on, while it goes on; silent where nobody watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    # The stream of now: a command may redirect what its libraries say.
    with Console(file=sys.stderr, highlight=False).status(title):
        yield
