"""One runner at a time: two that change the same role at once could each overwrite what the other has just written.

The lock is a file of this user on this machine, which the system lets go when its process ends, however it ends. Runners on
two machines do not see each other: nothing in IAM could tell them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["locked"]

_SECONDS = 30.0
_PAUSE = 0.05
_OWNER_ONLY = 0o700
_ELSEWHERE = "set TMPDIR to a folder of yours that can be written"


@contextmanager
def locked(what: str, *, seconds: float = _SECONDS, folder: Path | None = None) -> Iterator[None]:
    """Hold the lock of something, as ``"111122223333/my-role"``, which no other process holds meanwhile.

    Args:
        what: its name.
        seconds: how long is waited for another to let it go.
        folder: where the files lie; default: one of this user's in the folder for temporary files.

    Raises:
        InputError: another process holds it still, or the file cannot be made.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ImportError:  # no such locks there
        yield
        return
    file = (folder or _folder()) / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.lock"
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InputError(
            f"`{file}` cannot be written: {(error.strerror or str(error)).lower()}", hint=_ELSEWHERE
        ) from None
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise InputError(
                        f"`{what}` is being changed by another run of stsguard", hint="wait until it has ended"
                    ) from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _folder() -> Path:
    """Give the folder of this user's locks; nobody else may have made it."""
    user = os.getuid()
    path = Path(tempfile.gettempdir()) / f"stsguard-{user}"
    try:
        path.mkdir(mode=_OWNER_ONLY, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise InputError(
            f"`{path}` cannot be made: {(error.strerror or str(error)).lower()}", hint=_ELSEWHERE
        ) from None
    if found.st_uid != user or path.is_symlink():
        raise InputError(f"`{path}` is somebody else's", hint=_ELSEWHERE)
    return path
