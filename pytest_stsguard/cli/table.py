"""A report for people, as ``stsguard audit`` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_stsguard.cli.output import coloured, printable
from pytest_stsguard.clock import isoformat

if TYPE_CHECKING:
    from pytest_stsguard.findings import Finding, Report

__all__ = ["table_of"]

_COLOURS = {"critical": "magenta", "high": "red", "medium": "yellow", "low": "cyan"}


def table_of(report: Report) -> str:
    """Give the findings, the gravest first, then what was not evaluated, what broke, and the sum."""
    lines = [f"{printable(report.target)}  account {report.account}  as of {isoformat(report.at)}", ""]
    for finding in sorted(report.findings, key=lambda finding: finding.sort_key()):
        lines += _entry(finding)
    lines += [f"error          {name}  {printable(reason)}" for name, reason in sorted(report.errors.items())]
    lines += [f"not evaluated  {name}  {printable(reason)}" for name, reason in sorted(report.not_evaluated.items())]
    return "\n".join([*lines, *([""] if lines[-1] else []), _sum(report)])


def _entry(finding: Finding) -> list[str]:
    where = f"  [{printable(finding.location[0])}:{finding.location[1]}]" if finding.location else ""
    state = "  (muted)" if finding.muted is not None else "  (baseline)" if finding.baselined else ""
    if finding.evidence.get("demonstrated") is True:
        state += "  (demonstrated)"
    return [
        f"{_coloured(str(finding.severity))}  {finding.control}  {printable(finding.resource)}{state}",
        f"          {printable(finding.message)}{where}",
    ]


def _coloured(severity: str) -> str:
    text = f"{severity:8}"
    return click.style(text, fg=_COLOURS.get(severity), bold=True) if coloured() else text


def _sum(report: Report) -> str:
    summary = report.summary()
    counts = [f"{count} {name}" for name, count in summary["by_severity"].items() if count]
    count = summary["findings"]
    parts = [f"{count} finding{'' if count == 1 else 's'}" + (f": {', '.join(counts)}" if counts else "")]
    parts += [
        f"{summary[key]} {word}"
        for key, word in (
            ("muted", "muted"),
            ("baselined", "in the baseline"),
            ("not_evaluated", "controls not evaluated"),
            ("errors", "controls in error"),
        )
        if summary[key]
    ]
    return "; ".join(parts)
