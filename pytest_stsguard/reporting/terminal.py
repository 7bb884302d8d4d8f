"""What the terminal says at the end of a run: how much was found, and what did not fail a check by itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.text import redact, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_stsguard.findings import Finding, Severity

__all__ = ["markup", "summary_lines"]

_LONGEST: Final = 400
_COLOURS = {
    "critical": {"red": True, "bold": True},
    "high": {"red": True},
    "medium": {"yellow": True},
    "low": {"cyan": True},
}


def summary_lines(
    findings: Iterable[Finding],
    *,
    fail_on: Severity,
    not_evaluated: Mapping[str, str],
    verbose: bool,
    titles: Mapping[str, str] | None = None,
) -> list[str]:
    """Give the lines of the summary; empty when there is nothing to say.

    The findings are counted by control, the gravest first. Those that fail a check stand in its failure already; the others
    are listed with `verbose`. Controls that could not be evaluated for the same reason share a line.
    """
    every = sorted(findings, key=lambda finding: finding.sort_key())
    lines = [_counts(every)] if every else []
    active = [finding for finding in every if finding.active]
    groups = Counter((str(finding.severity), finding.control, finding.fails(fail_on)) for finding in active)
    wide = max((len(str(count)) for count in groups.values()), default=1)
    for (severity, control, fails), count in groups.items():
        title = (titles or {}).get(control, "")
        lines.append(
            f"{severity:8} {_shown(control)}  {count:{wide}}{'' if fails else f' below {fail_on!s}'}  {title}".rstrip()
        )
        if verbose and not fails:
            lines += [
                f"         {_shown(finding.resource)}: {_shown(finding.message)}{_proof(finding)}"
                for finding in active
                if (str(finding.severity), finding.control) == (severity, control)
            ]
    reasons: dict[str, list[str]] = {}
    for control, reason in sorted(not_evaluated.items()):
        reasons.setdefault(_shown(reason), []).append(_shown(control))
    return [*lines, *(f"not evaluated: {', '.join(names)}: {reason}" for reason, names in reasons.items())]


def _counts(every: list[Finding]) -> str:
    counts = Counter(str(finding.severity) for finding in every if finding.active)
    quiet = Counter("muted" if finding.muted is not None else "baselined" for finding in every if not finding.active)
    proven = sum(finding.evidence.get("demonstrated") is True for finding in every)
    told = ", ".join(f"{count} {word}" for word, count in (counts + quiet).items())
    return f"findings: {told}" + (f"; {proven} demonstrated" if proven else "")


def _shown(text: str) -> str:
    """Give a text that is one line and moves no cursor, whatever an account's names are."""
    return visible(redact(text), _LONGEST)


def _proof(finding: Finding) -> str:
    return " [demonstrated]" if finding.evidence.get("demonstrated") is True else ""


def markup(line: str) -> dict[str, bool]:
    """Give pytest's markup for a line of the summary: the colour of the severity that it begins with."""
    return _COLOURS.get(line.partition(" ")[0], {})
