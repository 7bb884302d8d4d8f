"""Markdown, for a pull request's comment or a job's summary on GitHub or GitLab."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.fix import own_forms
from pytest_stsguard.reporting.markup import code, escaped, fenced, ticked
from pytest_stsguard.reporting.model import RANKS
from pytest_stsguard.reporting.text import visible
from pytest_stsguard.reporting.views.blast import spots
from pytest_stsguard.reporting.views.containment import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reporting.model import Blast, Finding, Run

__all__ = ["render"]

LARGEST: Final = 60_000
"""Characters; GitHub accepts 65,536 in a comment."""

_NAME = 200
_MESSAGE = 400
_MOST_BLASTS: Final = 3
_MOST_SPOTS: Final = 25
_MOST_WIRES: Final = 60
_MOST_NAMES: Final = 20


def render(run: Run) -> str:
    """Render as Markdown: the verdict, the counts, then the findings by control, the gravest first, as far as they fit.

    What room is left goes to the findings' own fixes, folded.
    """
    lines = [*_head(run), *_gaps(run), *_drills(run), *_containment(run), *_blasts(run)]
    size = sum(map(len, lines))
    places: dict[int, Finding] = {}
    active = [finding for finding in run.findings if finding.active]
    for control, group in groupby(active, key=lambda finding: (finding.severity, finding.control)):
        findings = list(group)
        block = list(_heading(run, control[1], findings))
        for finding in findings:
            line = _item(finding)
            if size + sum(map(len, block)) + len(line) > LARGEST:
                break
            block.append(line)
            places[len(lines) + len(block) - 1] = finding
        if len(block) == len(list(_heading(run, control[1], findings))):
            break
        lines += block
        size += sum(map(len, block))
    size, left = _add_fixes(run, lines, places, size)
    if left:
        lines += ["", f"The fixes of {left:,} findings did not fit here; the JSON report holds them all."]
    if len(places) < len(active):
        lines += [
            "",
            f"**{len(active) - len(places):,} more findings did not fit here; the JSON report holds them all.**",
        ]
    return "\n".join(lines) + "\n"


def _add_fixes(run: Run, lines: list[str], places: dict[int, Finding], size: int) -> tuple[int, int]:
    """Put the fix of each finding behind its line while there is room: gives the size, and how many did not fit."""
    general = {control.id: control.remediation for control in run.controls}
    left = 0
    for index, finding in places.items():
        own = own_forms(general[finding.control], finding).get("cli") if finding.control in general else None
        if own is None:
            continue
        fix = f"\n  <details><summary>Fix</summary>\n\n{fenced(own, 'sh', '  ')}\n\n  </details>"
        if left or size + len(fix) > LARGEST:
            left += 1
        else:
            lines[index] += fix
            size += len(fix)
    return size, left


def _head(run: Run) -> Iterator[str]:
    counts = run.summary.by_severity
    word = "passes" if run.verdict == "pass" else "fails"
    mark = "✅" if run.verdict == "pass" else "❌"
    yield f"## {mark} stsguard: {code(run.target)} {word}"
    yield ""
    yield f"Account {code(run.account)} as of {code(run.at)}, stsguard {escaped(run.tool.version or '?')}; fails from {run.fail_on}."
    yield ""
    yield "| " + " | ".join((*RANKS, "muted", "baselined", "not evaluated")) + " |"
    yield "| " + " | ".join(["---:"] * (len(RANKS) + 3)) + " |"
    cells = (*(counts.get(rank, 0) for rank in RANKS), run.summary.muted, run.summary.baselined)
    yield "| " + " | ".join(f"{cell:,}" for cell in (*cells, run.summary.not_evaluated)) + " |"
    proven = sum(finding.active and finding.demonstrated is True for finding in run.findings)
    if proven:
        yield ""
        yield f"{proven:,} of them demonstrated in the simulated cloud."
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
                yield f"- {code(gap.control)}: {escaped(visible(gap.reason, _MESSAGE))}"


def _drills(run: Run) -> Iterator[str]:
    if not run.drills:
        return
    failed = [drill for drill in run.drills if drill.outcome == "failed"]
    yield ""
    yield f"**Drills:** {len(run.drills) - len(failed):,} passed, {len(failed):,} failed."
    for drill in failed[:20]:
        yield f"- {code(visible(drill.test, _NAME))} failed"


def _containment(run: Run) -> Iterator[str]:
    """Tell what each way to end sessions does to a stolen session of each kind."""
    if run.containment is None:
        return
    found = table(run.containment)
    yield ""
    yield "**Containment:** does it stop a stolen session?"
    yield ""
    yield "| session | " + " | ".join(escaped(name) for name, _ in found.methods) + " |"
    yield "|---" * (len(found.methods) + 1) + "|"
    cells = {(cell.session, cell.method): cell.outcomes for cell in run.containment.cells}
    first = next(iter(run.containment.subjects), "")
    for session in run.containment.sessions:
        said = [cells.get((session, method), {}).get(first, "") for method in run.containment.methods]
        words = ["yes" if one not in {"", "allowed"} else "**no**" if one else "" for one in said]
        yield f"| {escaped(visible(session, 60))} | {' | '.join(words)} |"


def _blasts(run: Run) -> Iterator[str]:
    for blast in run.blast[:_MOST_BLASTS]:
        start = next(node for node in blast.nodes if node.id == blast.start)
        survivors = sum(node.survives_revocation for node in blast.nodes if node is not start)
        yield ""
        yield (
            f"**Blast radius** of {code(visible(start.name, _NAME))}: {len(blast.nodes) - 1:,} more, of which "
            f"{survivors:,} survive a revocation of it alone{', as it does itself' if start.survives_revocation else ''}."
        )
        yield ""
        yield "```mermaid"
        yield from _mermaid(blast)
        yield "```"
        if blast.unbounded:
            yield ""
            yield f"No set of revocations is enough: {escaped(visible(blast.unbounded, _MESSAGE))}"
        if blast.revocation_set:
            shown = ", ".join(code(visible(arn, _NAME)) for arn in blast.revocation_set[:_MOST_NAMES])
            more = len(blast.revocation_set) - _MOST_NAMES
            yield ""
            yield f"Revoke together: {shown}{f' and {more:,} more' if more > 0 else ''}."


def _mermaid(blast: Blast) -> Iterator[str]:
    """Write a graph in Mermaid, which GitHub and GitLab draw: every character of a name that could be syntax is a number."""
    found = spots(blast, most=_MOST_SPOTS)
    home = {name: index for index, spot in enumerate(found) for name in spot.ids}
    yield "flowchart LR"
    for index, spot in enumerate(found):
        words = {"start": "stolen", "survives": f"{spot.kind}, survives"}.get(spot.state, spot.kind)
        style = ":::survives" if "survives" in spot.state else ":::start" if spot.state == "start" else ""
        yield f'  n{index}["{_numbered(spot.name)}<br>{_numbered(words)}"]{style}'
    joined = dict.fromkeys((home[edge.source], home[edge.to], visible(edge.kind, 40)) for edge in blast.edges)
    for source, to, kind in list(joined)[:_MOST_WIRES]:
        yield f'  n{source} -->|"{_numbered(kind)}"| n{to}'
    yield "  classDef start fill:#18212c,color:#ffffff"
    yield "  classDef survives fill:#fde8ee,stroke:#a3123a,color:#18212c"


def _numbered(text: str) -> str:
    return "".join(char if char.isalnum() or char in " _-.,/:" else f"#{ord(char)};" for char in visible(text, 60))


def _heading(run: Run, name: str, findings: list[Finding]) -> Iterator[str]:
    control = run.control(name)
    yield ""
    yield f"### {escaped(control.id)} {ticked(control.title)} ({findings[0].severity}, {len(findings):,})"
    yield ""
    if control.risk:
        yield ticked(control.risk)
        yield ""
    if control.remediation.text:
        yield f"Fix: {ticked(control.remediation.text)}"
        yield ""


def _item(finding: Finding) -> str:
    where = ""
    if finding.location is not None:
        where = f" ({code(visible(finding.location.file, _NAME) + ':' + str(finding.location.line))})"
    proof = " **demonstrated**" if finding.demonstrated else ""
    return f"- {code(visible(finding.resource, _NAME))}: {ticked(visible(finding.message, _MESSAGE))}{where}{proof}"
