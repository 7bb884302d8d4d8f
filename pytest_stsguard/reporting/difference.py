"""What changed between two runs: findings that are new, fixed, or still there, by fingerprint."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Finding, Run

__all__ = ["Difference", "compare"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Findings by what became of them, each group in the order of its report.

    Attributes:
        new: in the later run alone.
        fixed: in the earlier run alone, and the control was evaluated in the later one.
        gone: in the earlier run alone, but the later one came to no verdict on the control: nothing is known of them.
        unchanged: in both, as the later run has them.
    """

    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    unchanged: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the groups, JSON-able, with counts first."""
        groups = {"new": self.new, "fixed": self.fixed, "not_evaluated": self.gone, "unchanged": self.unchanged}
        counts = {name: len(findings) for name, findings in groups.items()}
        return {"schema": 1, "counts": counts, **{name: _plain(findings) for name, findings in groups.items()}}


def compare(old: Run, new: Run) -> Difference:
    """Compare two runs; findings with the same fingerprint are paired one to one."""
    unsettled = {gap.control for gap in (*new.not_evaluated, *new.errors)}
    added, kept = _split(new.findings, old.findings)
    missing, _ = _split(old.findings, new.findings)
    return Difference(
        new=added,
        fixed=tuple(finding for finding in missing if finding.control not in unsettled),
        gone=tuple(finding for finding in missing if finding.control in unsettled),
        unchanged=kept,
    )


def _split(
    findings: tuple[Finding, ...], known: tuple[Finding, ...]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Part findings into those that `known` lacks and those that it has."""
    left = Counter(finding.fingerprint for finding in known)
    lacking, having = [], []
    for finding in findings:
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
            having.append(finding)
        else:
            lacking.append(finding)
    return tuple(lacking), tuple(having)


def _plain(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    names = ("control", "severity", "resource", "message", "fingerprint", "muted", "location")
    plain: list[dict[str, Any]] = msgspec.to_builtins(findings)
    return [{name: finding[name] for name in names} for finding in plain]
