"""Reading an input file: plain, gzip, with or without a byte order mark; one clear error for each thing that can be wrong."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from typing import Final

__all__ = ["LIMIT", "read_text"]

LIMIT: Final = 512 * 1024 * 1024
"""The most bytes of one file, after decompression: ten times the export of an account at every quota."""

_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: the two marks begin alike
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # what `>` writes in Windows PowerShell
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: str | Path, *, limit: int = LIMIT) -> str:
    """Read a text file, decompressed and decoded.

    Args:
        path: a file, a pipe or ``/dev/stdin``.
        limit: the most bytes to accept, after decompression.

    Raises:
        InputError: missing, unreadable, empty, cut off, too large, or no text.
    """
    data = _read(Path(path), limit=limit)
    if not data.strip():
        raise InputError("the file is empty", location=str(path))
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            data = data.removeprefix(mark) if encoding == "utf-8" else data
            break
    else:
        encoding = "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"the file is no {encoding.upper()} text: byte {error.start} is `0x{data[error.start]:02x}`",
            location=f"{path}:{line}",
            hint="save it as UTF-8",
        ) from error


def _read(path: Path, *, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if data.startswith(_GZIP):
            with gzip.open(io.BytesIO(data)) as compressed:
                data = _upto(compressed, limit=limit)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            "the gzip data is cut off or damaged", location=str(path), hint="fetch the file again"
        ) from error
    except IsADirectoryError as error:
        raise InputError("is a directory, not a file", location=str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"cannot be read: {reason.lower()}", location=str(path)) from error
    if len(data) > limit:
        raise InputError(
            f"is larger than {limit:,} bytes", location=str(path), hint="split it into pages in a directory"
        )
    return data


def _upto(file: BinaryIO | gzip.GzipFile, *, limit: int) -> bytes:
    """Read what there is, one byte past `limit` at most: a small archive can hold a very large file."""
    return file.read(limit + 1)
