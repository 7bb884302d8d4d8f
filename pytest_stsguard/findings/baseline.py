"""A baseline: the findings of a day, which from then on do not fail a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.findings.finding import Finding

__all__ = ["Baseline"]

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known findings by fingerprint: control, resource and place, never the message or the test that found them."""

    fingerprints: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: str | Path) -> Baseline:
        """Read a file that `write` made.

        Raises:
            InputError: missing, unreadable, not JSON, or another shape.
        """
        try:
            data = json.loads(Path(path).read_bytes())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(f"the baseline cannot be read: {reason}", location=str(path)) from error
        except (ValueError, RecursionError) as error:
            raise InputError("the baseline is not JSON", location=str(path), hint=_HINT) from error
        if not isinstance(data, dict) or data.get("schema") != _SCHEMA or not isinstance(data.get("findings"), list):
            raise InputError(f"is no baseline of schema {_SCHEMA}", location=str(path), hint=_HINT)
        return cls(frozenset(_fingerprint(entry, index, path) for index, entry in enumerate(data["findings"])))

    @staticmethod
    def write(path: str | Path, findings: Iterable[Finding]) -> None:
        """Write the findings to a file, sorted, one a line's block, so that a change of it reads well in a review.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        entries: dict[str, dict[str, Any]] = {}
        for finding in sorted(findings, key=lambda finding: finding.sort_key()):
            entries.setdefault(
                finding.fingerprint,
                {
                    "control": finding.control,
                    "resource": finding.resource,
                    "place": finding.place,
                    "fingerprint": finding.fingerprint,
                },
            )
        text = json.dumps({"schema": _SCHEMA, "findings": list(entries.values())}, indent=2)
        try:
            Path(path).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ConfigurationError(f"the baseline cannot be written: {reason}", location=str(path)) from error

    def __contains__(self, finding: Finding) -> bool:
        return finding.fingerprint in self.fingerprints


_HINT = "make one with --stsguard-write-baseline"


def _fingerprint(entry: Any, index: int, path: str | Path) -> str:
    value = entry.get("fingerprint") if isinstance(entry, dict) else None
    if not isinstance(value, str):
        raise InputError(
            "an entry of the baseline has no fingerprint", location=f"{path}: findings[{index}]", hint=_HINT
        )
    return value
