"""Reports written to files: ``--stsguard-report FORMAT:PATH`` and ``stsguard audit --report FORMAT:PATH``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings import suggest
from pytest_stsguard.findings.suggestion import show

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.findings import Report

__all__ = ["ReportFile"]

_LATER = ("html", "sarif", "ocsf", "asff", "markdown")


def _write_json(report: Report) -> str:
    return json.dumps(report.as_json(), indent=2) + "\n"


_WRITERS: dict[str, Callable[[Report], str]] = {"json": _write_json}


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One report that was asked for."""

    format: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> ReportFile:
        """Read ``FORMAT:PATH``.

        Raises:
            ConfigurationError: an unknown format, one that is not there yet, or a path that cannot be written.
        """
        name, colon, path = text.partition(":")
        if name in _LATER:
            raise ConfigurationError(f"reports in the format `{name}` are not there yet", hint=f"use {_known()}")
        if name not in _WRITERS or not colon:
            raise ConfigurationError(
                f"`{show(text)}` names no report",
                hint=f"write FORMAT:PATH, as json:report.json; {suggest(name, _WRITERS)}",
            )
        if not path:
            raise ConfigurationError(f"the report `{name}:` names no file", hint=f"{name}:report.{name}")
        found = cls(name, Path(path))
        found._check()
        return found

    def write(self, report: Report) -> None:
        """Write the report.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        try:
            self.path.write_text(_WRITERS[self.format](report), encoding="utf-8")
        except (OSError, ValueError) as error:
            raise self._refused(error) from error

    def _check(self) -> None:
        """Refuse before the run what could not be written after it."""
        folder = self.path.parent
        try:
            reason = (
                "is a folder" if self.path.is_dir()
                else f"there is no folder `{show(folder)}`" if not folder.is_dir()
                else "permission denied" if not os.access(self.path if self.path.exists() else folder, os.W_OK)
                else None
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise self._refused(error) from error
        if reason:
            raise ConfigurationError(f"the report cannot be written: {reason}", location=show(self.path))

    def _refused(self, error: OSError | ValueError) -> ConfigurationError:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return ConfigurationError(f"the report cannot be written: {told.lower()}", location=show(self.path))


def _known() -> str:
    return ", ".join(_WRITERS)
