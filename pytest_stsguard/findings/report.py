"""The outcome of an audit as data, in the shape of ``stsguard audit --output json``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.findings.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_stsguard.findings.finding import Finding

__all__ = ["Report"]

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit says.

    Attributes:
        target: what was audited, as the user named it.
        account: its id.
        at: the moment that ages and cleanup dates are counted from, aware.
        findings: every finding, muted and baselined ones too.
        not_evaluated: control id to the reason, for the controls whose input the source lacks.
        errors: control id to the reason, for the controls that failed to reach a verdict.
        warnings: what the user should know beside that: mutes that cover nothing.
    """

    target: str
    account: str
    at: datetime
    findings: tuple[Finding, ...] = ()
    not_evaluated: Mapping[str, str] = field(default_factory=dict, hash=False)
    errors: Mapping[str, str] = field(default_factory=dict, hash=False)
    warnings: tuple[str, ...] = ()

    @property
    def active(self) -> tuple[Finding, ...]:
        """The findings that count: neither muted nor in the baseline."""
        return tuple(finding for finding in self.findings if finding.active)

    def fails(self, threshold: Severity) -> bool:
        """Whether the run fails: an active finding at the threshold, or a control without a verdict."""
        return bool(self.errors) or any(finding.fails(threshold) for finding in self.findings)

    def summary(self) -> dict[str, Any]:
        """Count: active findings by severity and by control, and what does not count."""
        active = self.active
        severities = Counter(finding.severity for finding in active)
        return {
            "findings": len(active),
            "by_severity": {str(severity): severities[severity] for severity in reversed(Severity)},
            "by_control": dict(sorted(Counter(finding.control for finding in active).items())),
            "muted": sum(finding.muted is not None for finding in self.findings),
            "baselined": sum(finding.baselined and finding.muted is None for finding in self.findings),
            "not_evaluated": len(self.not_evaluated),
            "errors": len(self.errors),
        }

    def as_json(self) -> dict[str, Any]:
        """Give the whole report, JSON-able, findings in a stable order."""
        findings = sorted(self.findings, key=lambda finding: finding.sort_key())
        return {
            "schema": SCHEMA,
            "target": self.target,
            "account": self.account,
            "at": isoformat(self.at),
            "findings": [finding.as_json() for finding in findings],
            "not_evaluated": [{"control": k, "reason": v} for k, v in sorted(self.not_evaluated.items())],
            "errors": [{"control": k, "reason": v} for k, v in sorted(self.errors.items())],
            "warnings": list(self.warnings),
            "summary": self.summary(),
        }
