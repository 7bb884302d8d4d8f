"""Bytes that are too many to hold in memory: a temporary file that several threads may read at once."""

from __future__ import annotations

import os
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BLOCK", "IN_MEMORY", "Spool", "View"]

IN_MEMORY = 4 * 1024 * 1024
"""The size, in bytes, up to which a body is held in memory."""

BLOCK = 256 * 1024


class View:
    """A range of a file, kept open for as long as the view is: what becomes of the file meanwhile does not matter.

    It has a length and takes slices, as bytes do, so that code which only measures and cuts bytes can pass it on.
    """

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._start = start
        self._end = end

    def __len__(self) -> int:
        return self._end - self._start

    def __getitem__(self, part: slice) -> View:
        start, end, _ = part.indices(len(self))
        return View(self._descriptor, self._start + start, self._start + max(start, end))

    def __iter__(self) -> Iterator[bytes]:
        """Give the bytes in blocks."""
        at = self._start
        while at < self._end:
            # A position of its own for each read: other readers share the descriptor's.
            block = os.pread(self._descriptor, min(BLOCK, self._end - at), at)
            if not block:
                return
            yield block
            at += len(block)

    def __bytes__(self) -> bytes:
        return b"".join(self)

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()


class Spool:
    """A growing temporary file without a name; `file` may be taken over by whoever keeps the bytes."""

    def __init__(self) -> None:
        # Closed by `close`, or by the owner that took it over: it outlives every block of code.
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as said
        self.size = 0
        self._kept = False

    def __len__(self) -> int:
        return self.size

    def write(self, data: bytes) -> None:
        """Add `data` at the end."""
        self.file.write(data)
        self.size += len(data)

    def view(self) -> View:
        """Give what has been written so far."""
        self.file.flush()
        return View(self.file.fileno(), 0, self.size)

    def keep(self) -> IO[bytes]:
        """Hand the file over to a new owner, who closes it."""
        self.file.flush()
        self._kept = True
        return self.file

    def close(self) -> None:
        """Remove the file, unless it was handed over; a second call does nothing."""
        if not self._kept:
            self.file.close()
