"""The streams of a command: a reader that has gone, a full disk and a stream that was never open end in no traceback."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer

__all__ = ["own_streams", "unread"]

_STREAMS: Final = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY, "stderr": os.O_WRONLY}
"""By the number of their descriptors, with how each is opened."""


class _Output(io.FileIO):
    """What a command prints to, whatever writes to it: this package, click or rich.

    A reader that has seen enough (``| head``) is no error: what comes after goes nowhere, and the exit code stays that of
    the command. Data that cannot be written for another reason was asked for and is lost: that is an error, once.
    """

    def __init__(self, descriptor: int, *, holds_data: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._holds_data = holds_data
        self.lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what can be written.

        Raises:
            InputError: the disk is full, or the like.
        """
        size = memoryview(data).nbytes
        if size and not self.lost:  # click asks what a stream takes by writing nothing
            try:
                return super().write(data)
            except OSError as error:
                # What is still held is flushed at exit: into nothing, so that the error is told once.
                self.lost = True
                if self._holds_data and not isinstance(error, BrokenPipeError):
                    reason = (error.strerror or str(error)).lower()
                    raise InputError(f"cannot be written: {reason}", location="standard output") from error
        return size


@contextmanager
def own_streams() -> Iterator[None]:
    """Have a command print to streams that end in no traceback, and to nothing where one is closed.

    A stream that somebody has put in the place of Python's own (a test, a notebook) stays.

    Raises:
        InputError: what was printed last cannot be written.
    """
    for number, (name, mode) in enumerate(_STREAMS.items()):
        if getattr(sys, name) is None:
            # The lowest descriptor that is free is the stream's own, so that no file of the command takes its place.
            descriptor = os.open(os.devnull, mode)
            direction = "r" if mode == os.O_RDONLY else "w"
            stream = os.fdopen(descriptor, direction, encoding="utf-8", closefd=descriptor != number)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)  # where pytest's own plugins look
    before = sys.stdout, sys.stderr
    if before[0] is sys.__stdout__:
        sys.stdout = _guarded(before[0], holds_data=True)
    if before[1] is sys.__stderr__:
        sys.stderr = _guarded(before[1], holds_data=False)
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout, sys.stderr = before


def unread() -> bool:
    """Whether nobody reads standard output any more, so that an endless command may end."""
    buffer = getattr(sys.stdout, "buffer", None)
    output = getattr(buffer, "raw", buffer)
    return isinstance(output, _Output) and output.lost


def _guarded(stream: TextIO | None, *, holds_data: bool) -> Any:
    """Give a stream that writes to the same file; a console of Windows, which is written to in another way, stays as it is."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    unbuffered = isinstance(stream.buffer, io.FileIO)  # as PYTHONUNBUFFERED asks for
    if not unbuffered and not isinstance(getattr(stream.buffer, "raw", None), io.FileIO):
        return stream
    stream.flush()
    output = _Output(stream.fileno(), holds_data=holds_data)
    return io.TextIOWrapper(
        output if unbuffered else io.BufferedWriter(output),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
