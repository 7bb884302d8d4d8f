"""Markdown, for a pull request's comment or a job's summary on GitHub or GitLab."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.model import RANKS
from pytest_stsguard.reporting.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reporting.model import Finding, Run

__all__ = ["render"]

LARGEST: Final = 60_000
"""Characters; GitHub accepts 65,536 in a comment."""

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&$]|^[-+=#]|^\d+(?=[.)]))")
_LINKS = re.compile(r"@|#(?=\d)|(?<=:)//|(?<=www)\.", re.IGNORECASE)
_NAME = 200
_MESSAGE = 400


def render(run: Run) -> str:
    """Render as Markdown: the verdict, the counts, then the findings by control, the gravest first, as far as they fit."""
    lines = [*_head(run), *_gaps(run), *_drills(run)]
    size = sum(map(len, lines))
    shown = 0
    active = [finding for finding in run.findings if finding.active]
    for control, group in groupby(active, key=lambda finding: (finding.severity, finding.control)):
        findings = list(group)
        block = list(_heading(run, control[1], findings))
        for finding in findings:
            line = _item(finding)
            if size + sum(map(len, block)) + len(line) > LARGEST:
                break
            block.append(line)
            shown += 1
        if len(block) == len(list(_heading(run, control[1], findings))):
            break
        lines += block
        size += sum(map(len, block))
    if shown < len(active):
        lines += ["", f"**{len(active) - shown:,} more findings did not fit here; the JSON report holds them all.**"]
    return "\n".join(lines) + "\n"


def _head(run: Run) -> Iterator[str]:
    counts = run.summary.by_severity
    word = "passes" if run.verdict == "pass" else "fails"
    mark = "✅" if run.verdict == "pass" else "❌"
    yield f"## {mark} stsguard: {_code(run.target)} {word}"
    yield ""
    yield f"Account {_code(run.account)} as of {_code(run.at)}, stsguard {_escape(run.tool.version or '?')}; fails from {run.fail_on}."
    yield ""
    yield "| " + " | ".join((*RANKS, "muted", "baselined", "not evaluated")) + " |"
    yield "| " + " | ".join(["---:"] * (len(RANKS) + 3)) + " |"
    cells = (*(counts.get(rank, 0) for rank in RANKS), run.summary.muted, run.summary.baselined)
    yield "| " + " | ".join(f"{cell:,}" for cell in (*cells, run.summary.not_evaluated)) + " |"
    if run.changes is not None:
        yield ""
        yield f"Since the baseline: {run.changes.new:,} new, {run.changes.fixed:,} fixed, {run.changes.known:,} unchanged."


def _gaps(run: Run) -> Iterator[str]:
    for title, gaps in (("No verdict", run.errors), ("Not evaluated", run.not_evaluated)):
        if gaps:
            yield ""
            yield f"**{title}:**"
            yield ""
            for gap in gaps:
                yield f"- {_code(gap.control)}: {_escape(visible(gap.reason, _MESSAGE))}"


def _drills(run: Run) -> Iterator[str]:
    if not run.drills:
        return
    failed = [drill for drill in run.drills if drill.outcome == "failed"]
    yield ""
    yield f"**Drills:** {len(run.drills) - len(failed):,} passed, {len(failed):,} failed."
    for drill in failed[:20]:
        yield f"- {_code(visible(drill.test, _NAME))} failed"


def _heading(run: Run, name: str, findings: list[Finding]) -> Iterator[str]:
    control = run.control(name)
    yield ""
    yield f"### {_escape(control.id)} {_escape(control.title)} ({findings[0].severity}, {len(findings):,})"
    yield ""
    if control.risk:
        yield f"{_escape(control.risk)}"
        yield ""
    if control.remediation.text:
        yield f"Fix: {_escape(control.remediation.text)}"
        yield ""


def _item(finding: Finding) -> str:
    where = ""
    if finding.location is not None:
        where = f" ({_code(visible(finding.location.file, _NAME) + ':' + str(finding.location.line))})"
    return f"- {_code(visible(finding.resource, _NAME))}: {_escape(visible(finding.message, _MESSAGE))}{where}"


def _escape(text: str) -> str:
    """Write text so that nothing in it is markup, a link or a mention of somebody."""
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}" if not match[0].isdigit() else f"{match[0]}\\", visible(text))
    return _LINKS.sub(lambda match: f"{match[0][0]}<!-- -->{match[0][1:]}", escaped)


def _code(text: str) -> str:
    """Write text as code: nothing in it is markup or a mention; the fence is longer than any in it."""
    shown = visible(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{space}{shown}{space}{fence}"
