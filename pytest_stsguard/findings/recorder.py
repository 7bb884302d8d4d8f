"""What one check found: the object behind the fixture ``sts_findings``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pytest_stsguard.findings.finding import Finding
from pytest_stsguard.findings.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.findings.finding import Place

__all__ = ["Recorder"]


class Recorder:
    """Collects the findings of one check; threads may share it.

    Args:
        control: the id of the control that the check is for.
        severity: the severity of a finding that names none.
        account: the account that is looked at, where there are several.
    """

    def __init__(self, control: str, *, severity: Severity = Severity.MEDIUM, account: str = "") -> None:
        self.control = control
        self.severity = severity
        self.account = account
        self._findings: list[Finding] = []
        self._not_evaluated: list[str] = []
        self._errors: list[str] = []
        self._lock = threading.Lock()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was recorded, in order."""
        with self._lock:
            return tuple(self._findings)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the control was not evaluated, or not on everything; each reason once."""
        with self._lock:
            return tuple(dict.fromkeys(self._not_evaluated))

    @property
    def errors(self) -> tuple[str, ...]:
        """What kept the control from a verdict, each once: an error is neither a pass nor a finding."""
        with self._lock:
            return tuple(dict.fromkeys(self._errors))

    def add(
        self,
        resource: str,
        message: str,
        *,
        evidence: Mapping[str, Any] | None = None,
        severity: Severity | str | None = None,
        place: str | None = None,
        location: Place | tuple[str, int] | None = None,
    ) -> Finding:
        """Record a finding.

        Args:
            resource: the ARN of what is at fault.
            message: one line; line breaks become spaces.
            evidence: what shows it, JSON-able.
            severity: other than the control's own.
            place: the deciding place inside the resource, as ``trust policy Statement[0]``.
            location: file and line, or anything with `file` and `line`.

        Raises:
            ConfigurationError: an unknown severity.
        """
        finding = Finding(
            control=self.control,
            severity=self.severity if severity is None else Severity.parse(severity),
            resource=str(resource),
            message=" ".join(message.split()),
            evidence=dict(evidence or {}),
            location=_position(location),
            place=place or "",
            account=self.account,
        )
        with self._lock:
            self._findings.append(finding)
        return finding

    def not_evaluated(self, reason: str) -> None:
        """Say that the control could not be evaluated, and why: what the source lacks. Never a pass."""
        with self._lock:
            self._not_evaluated.append(reason)

    def error(self, reason: str) -> None:
        """Say that the control failed to reach a verdict although the input was there. Never a pass."""
        with self._lock:
            self._errors.append(reason)

    def __len__(self) -> int:
        with self._lock:
            return len(self._findings)


def _position(location: Place | tuple[str, int] | None) -> tuple[str, int] | None:
    if location is None:
        return None
    file, line = location if isinstance(location, tuple) else (location.file, location.line)
    return (file, line) if file is not None and line is not None else None
