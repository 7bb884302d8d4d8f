"""The source ``export:``: a file of GetAccountAuthorizationDetails, or a directory with it and other listings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.account.text import read_text
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pytest_stsguard.account.model import Account

__all__ = ["read_export"]

_ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


def read_export(path: str, *, source: str | None = None) -> Account:
    """Read an account from a file, or from every JSON file of a directory.

    Args:
        path: a file: one page, several pages in a list or one after the other, JSON Lines; plain or gzip. Or a directory.
        source: what to call it; default ``export:PATH``.

    Raises:
        InputError: with file, line, and what to do.
    """
    builder = AccountBuilder(source or f"export:{path}")
    for file in _files(Path(path)):
        builder.add_text(read_text(file), str(file))
    return builder.build()


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        files = sorted(file for file in path.iterdir() if file.name.endswith(_ENDINGS))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"cannot be read: {reason.lower()}", location=str(path)) from error
    if not files:
        raise InputError(f"the directory holds no file that ends in {', '.join(_ENDINGS)}", location=str(path))
    return files
