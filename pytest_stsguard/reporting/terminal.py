"""What the terminal says at the end of a run: how much was found, and what did not fail a check by itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_stsguard.findings import Finding, Severity

__all__ = ["markup", "summary_lines"]

_COLOURS = {
    "critical": {"red": True, "bold": True},
    "high": {"red": True},
    "medium": {"yellow": True},
    "low": {"cyan": True},
}


def summary_lines(
    findings: Iterable[Finding], *, fail_on: Severity, not_evaluated: Mapping[str, str], verbose: bool
) -> list[str]:
    """Give the lines of the summary; empty when there is nothing to say.

    Findings that fail a check stand in its failure already; the others are counted by control, and listed with `verbose`.
    """
    every = sorted(findings, key=lambda finding: finding.sort_key())
    lines = []
    if every:
        counts = Counter(str(finding.severity) for finding in every if finding.active)
        quiet = Counter(
            "muted" if finding.muted is not None else "baselined" for finding in every if not finding.active
        )
        lines.append("findings: " + ", ".join(f"{count} {word}" for word, count in (counts + quiet).items()))
    below = [finding for finding in every if finding.active and not finding.fails(fail_on)]
    if verbose:
        lines += [
            f"{finding.severity!s:8} {finding.control}  {finding.resource}: {finding.message}{_proof(finding)}"
            for finding in below
        ]
    else:
        by_control = Counter((str(finding.severity), finding.control) for finding in below)
        lines += [
            f"{severity:8} {control}  {count} below {fail_on!s}" for (severity, control), count in by_control.items()
        ]
    lines += [f"not evaluated: {control}: {reason}" for control, reason in sorted(not_evaluated.items())]
    return lines


def _proof(finding: Finding) -> str:
    return " [demonstrated]" if finding.evidence.get("demonstrated") is True else ""


def markup(line: str) -> dict[str, bool]:
    """Give pytest's markup for a line of the summary: the colour of the severity that it begins with."""
    return _COLOURS.get(line.partition(" ")[0], {})
