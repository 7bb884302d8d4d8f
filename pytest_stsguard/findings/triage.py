"""Deciding which findings count: mutes and baseline applied, expired and unused mutes noticed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_stsguard.findings.baseline import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pytest_stsguard.findings.finding import Finding
    from pytest_stsguard.findings.mute import Mute

__all__ = ["Triage"]


class Triage:
    """Applies mutes and a baseline to findings.

    Args:
        mutes: in the order of the configuration; the first that covers a finding and has not expired counts.
        baseline: the findings that are known.
        at: the moment that expiry is counted from, aware.
    """

    def __init__(self, mutes: Sequence[Mute] = (), *, baseline: Baseline | None = None, at: datetime) -> None:
        self.mutes = tuple(mutes)
        self.baseline = baseline or Baseline()
        self.at = at

    def apply(self, findings: Iterable[Finding]) -> list[Finding]:
        """Mark the findings that are muted or in the baseline; none is dropped."""
        return [self._mark(finding) for finding in findings]

    def warnings(self, findings: Sequence[Finding]) -> list[str]:
        """Say which mutes have expired under a finding, and which cover none, given all findings of the run."""
        lines = []
        for mute in self.mutes:
            used = any(mute.covers(finding) for finding in findings)
            if not used:
                lines.append(f"{mute.place}: the mute of `{mute.control}` on `{mute.resource}` covers no finding")
            elif mute.expired(self.at):
                lines.append(
                    f"{mute.place}: the mute of `{mute.control}` on `{mute.resource}` expired on {mute.expiry}"
                )
        return lines

    def _mark(self, finding: Finding) -> Finding:
        mute = next((mute for mute in self.mutes if not mute.expired(self.at) and mute.covers(finding)), None)
        reason = None if mute is None else f"{mute.reason} ({mute.owner})"
        return replace(finding, muted=reason, baselined=finding in self.baseline)
