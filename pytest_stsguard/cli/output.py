"""What the commands print with: data that never ends in a traceback, and text that any terminal takes."""

from __future__ import annotations

import os
import sys

__all__ = ["emit", "printable"]


def emit(text: str) -> None:
    """Write data to stdout; a reader that has seen enough is no error."""
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What Python still holds must not be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str) -> str:
    """Give text without what a terminal would act upon or could not encode."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
