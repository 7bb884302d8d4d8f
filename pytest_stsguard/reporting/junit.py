"""What pytest's own JUnit file says of a check: each finding as a property of its test case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.text import redact, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.findings import Finding

__all__ = ["MOST", "properties"]

MOST: Final = 500
"""Findings of one check that become properties; pytest-xdist hands them from process to process with every report."""


def properties(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Give the count, then severity, control, fingerprint and resource of each finding, the gravest first."""
    every = sorted(findings, key=lambda finding: finding.sort_key())
    told = [
        f"{finding.severity} {visible(finding.control, 60)} {finding.fingerprint} {visible(redact(finding.resource), 300)}"
        for finding in every[:MOST]
    ]
    told += [f"{len(every) - MOST} more"] if len(every) > MOST else []
    return [("stsguard_findings", str(len(every))), *(("stsguard_finding", text) for text in told)]
