"""The answers of a live account in a directory: an interrupted run goes on from them, and ``export:DIRECTORY`` reads them.

A page is written before the note that it is there, so that a run that is killed at any moment leaves nothing half done.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Lock
from typing import Any, Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

__all__ = ["Keep"]

_PROGRESS: Final = "progress.state"  # no ending that `export:DIRECTORY` reads
_PRIVATE: Final = 0o700
_OWN: Final = 0o600


class Keep:
    """A directory that keeps the pages of one account, by step.

    Args:
        folder: made when it is not there.
        account: the account that is being read.

    Raises:
        InputError: the directory cannot be used, or is of another account.
    """

    def __init__(self, folder: str | Path, account: str) -> None:
        self.folder = Path(folder)
        self._lock = Lock()
        self._steps: dict[str, dict[str, Any]] = {}
        self.account = account
        try:
            self.folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            self._read()
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "its progress cannot be read"
            hint = "empty the directory, or give another"
            raise InputError(f"cannot be used: {reason.lower()}", location=str(folder), hint=hint) from error

    def state(self, step: str) -> tuple[list[str], str | None, bool]:
        """Give the pages of a step, the token of the page that comes next, and whether there is none."""
        noted = self._steps.get(step)
        if noted is None:
            return [], None, False
        pages = [self._file(step, number).read_text(encoding="utf-8") for number in range(noted["pages"])]
        return pages, noted["token"], noted["token"] is None

    def add(self, step: str, page: str, token: str | None) -> None:
        """Keep a page; `token` asks for the next one, None: it is the last."""
        with self._lock:
            number = self._steps.get(step, {"pages": 0})["pages"]
            _write(self._file(step, number), page)
            self._steps[step] = {"pages": number + 1, "token": token or None}
            self._note(complete=False)

    def drop(self, step: str) -> None:
        """Forget the pages of a step."""
        with self._lock:
            for number in range(self._steps.pop(step, {"pages": 0})["pages"]):
                self._file(step, number).unlink(missing_ok=True)
            self._note(complete=False)

    def finish(self) -> None:
        """Note that all is read: the next run begins anew."""
        with self._lock:
            self._note(complete=True)

    def _read(self) -> None:
        path = self.folder / _PROGRESS
        if not path.exists():
            return
        noted = json.loads(path.read_text(encoding="utf-8"))
        if noted["account"] != self.account:
            raise InputError(
                f"keeps the account `{short(noted['account'])}`, and the credentials are of `{self.account}`",
                location=str(self.folder),
                hint="give another directory",
            )
        self._steps = {
            str(name): {"pages": int(one["pages"]), "token": one["token"]} for name, one in noted["steps"].items()
        }
        missing = [
            name
            for name, one in self._steps.items()
            if not all(self._file(name, n).exists() for n in range(one["pages"]))
        ]
        for name in list(self._steps) if noted["complete"] else missing:
            self.drop(name)

    def _file(self, step: str, number: int) -> Path:
        return self.folder / f"{step}-{number:04}.json"

    def _note(self, *, complete: bool) -> None:
        noted = {"account": self.account, "steps": self._steps, "complete": complete}
        _write(self.folder / _PROGRESS, json.dumps(noted))


def _write(path: Path, text: str) -> None:
    """Write a file whole, or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.touch(mode=_OWN)
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105 - it replaces on every system, by its name
