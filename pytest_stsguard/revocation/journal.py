"""A journal on disk: what is going to be done, written and synced before it is done; one JSON object a line.

It holds policies, names and access key ids, never a secret or a session token. A line that a crash cut off at the end is
dropped: what it announced had not begun.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMA", "Journal"]

SCHEMA = 1
_OWNER_ONLY = 0o600


class Journal:
    """Appends entries to a file, safe to share between threads; use `create` or `open`."""

    def __init__(self, path: Path, descriptor: int, entries: list[dict[str, Any]]) -> None:
        self.path = path
        self._descriptor = descriptor
        self._entries = entries
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """Begin a journal in a file that does not exist.

        Raises:
            InputError: the file exists, or cannot be written.
        """
        path = Path(path)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, _OWNER_ONLY)
        except FileExistsError:
            raise InputError(
                f"`{path}` exists", hint="finish it with --resume or --rollback, or name another journal"
            ) from None
        except OSError as error:
            raise InputError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from None
        _sync_folder(path)
        return cls(path, descriptor, [])

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Go on with a journal, after dropping a line that a crash has cut off.

        Raises:
            InputError: no such file, or it is no journal.
        """
        path = Path(path)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise InputError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
        try:
            text = path.read_bytes()
            whole = text.rfind(b"\n") + 1
            entries = [_entry(line, path, number) for number, line in enumerate(text[:whole].splitlines(), start=1)]
            if whole < len(text):
                os.ftruncate(descriptor, whole)
                os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor, entries)

    def write(self, entry: str, **members: Any) -> None:
        """Append an entry; it is on disk when this returns.

        Raises:
            InputError: it cannot be written, on a disk that is full for one: what it announces must not be done.
        """
        data = {"entry": entry, **members}
        line = json.dumps(data, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            whole = os.fstat(self._descriptor).st_size
            try:
                left = memoryview(line)
                while left:
                    left = left[os.write(self._descriptor, left) :]
                os.fsync(self._descriptor)
            except OSError as error:
                with suppress(
                    OSError
                ):  # half a line must not come before the next one; where it stays, `open` drops it
                    os.ftruncate(self._descriptor, whole)
                raise InputError(
                    f"`{self.path}` cannot be written: {(error.strerror or str(error)).lower()}",
                    hint="nothing is changed that is not noted first: make room, then go on with the journal",
                ) from None
            self._entries.append(data)

    def entries(self, kind: str | None = None) -> Iterator[dict[str, Any]]:
        """Go through the entries so far, or those of one kind."""
        with self._lock:
            held = list(self._entries)
        return (entry for entry in held if kind is None or entry["entry"] == kind)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _entry(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    if not isinstance(data, dict) or not isinstance(data.get("entry"), str):
        raise InputError("is no entry of a journal", location=f"{path}:{number}")
    return data


def _sync_folder(path: Path) -> None:
    """Make the file's name last as well, where folders can be synced."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
