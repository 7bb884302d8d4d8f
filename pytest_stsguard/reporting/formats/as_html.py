"""HTML: one file, no network, readable without JavaScript, better with it."""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.reporting.fix import FORMS
from pytest_stsguard.reporting.model import RANKS
from pytest_stsguard.reporting.templates import page, source
from pytest_stsguard.reporting.text import visible
from pytest_stsguard.reporting.views.blast import graph
from pytest_stsguard.reporting.views.containment import table
from pytest_stsguard.reporting.views.findings import cards, cleanups, command, globs, groups, holders
from pytest_stsguard.reporting.views.matrix import matrix
from pytest_stsguard.reporting.views.timeline import is_drawn, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.reporting.model import Run
    from pytest_stsguard.reporting.views.findings import Card

__all__ = ["render"]

MOST_CARDS: Final = 400
"""Findings that stand on the page itself; the others are data, which JavaScript shows when they are looked for."""
MOST_HOLDERS: Final = 500
MOST_DRILLS: Final = 60
MOST_BLASTS: Final = 20
MOST_DATA: Final = 2_800_000
"""Characters of data, so that a page of 10,000 roles is under 5 MB."""
_TITLES: Final = dict(FORMS)


def render(run: Run) -> str:
    """Render as a page; its policy lets nothing run or load but the style and the script that it carries."""
    made = cards(run)
    style, script = source("report.css"), source("report.js")
    every, grouped = holders(made), groups(run, made, most=MOST_CARDS)
    drawn = [drill for drill in run.drills if is_drawn(drill)]
    noted = {gap.control: gap.reason for gap in (*run.not_evaluated, *run.errors)}
    counts = run.summary.by_control
    clean = [name for name in run.evaluated if not counts.get(name) and name not in noted]
    return page(
        "report.html.j2",
        run=run,
        ranks=RANKS,
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        headline=_headline(run),
        proven=sum(finding.active and finding.demonstrated is True for finding in run.findings),
        groups=grouped,
        places={group.control.id: number for number, group in enumerate(grouped, start=1)},
        matrix=matrix(made),
        holders=every[:MOST_HOLDERS],
        holders_left=len(every[MOST_HOLDERS:]),
        calendar=cleanups(run),
        drills=[picture(drill) for drill in drawn[:MOST_DRILLS]],
        plain=[drill for drill in run.drills if drill not in drawn[:MOST_DRILLS]],
        containment=None if run.containment is None else table(run.containment),
        blasts=[graph(blast) for blast in run.blast[:MOST_BLASTS]],
        proven_steps=any(edge.demonstrated for blast in run.blast for edge in blast.edges),
        blasts_left=len(run.blast[MOST_BLASTS:]),
        clean=[run.control(name) for name in clean],
        gaps=[(run.control(name), reason) for name, reason in sorted(noted.items())],
        data=_block(made[MOST_CARDS:], command(run), globs(run)),
        left=len(made[MOST_CARDS:]),
    )


def _failing(run: Run) -> int:
    levels = RANKS[: RANKS.index(run.fail_on) + 1]
    return sum(finding.active and finding.severity in levels for finding in run.findings)


def _headline(run: Run) -> str:
    failing = _failing(run)
    failed = sum(drill.outcome == "failed" for drill in run.drills)
    if run.verdict == "pass":
        return f"Nothing at {run.fail_on} or above" if run.summary.findings else "Nothing found"
    parts = [f"{failing:,} finding{'' if failing == 1 else 's'} at {run.fail_on} or above"] if failing else []
    parts += [f"{len(run.errors):,} without a verdict"] if run.errors else []
    parts += [f"{failed:,} drill{'' if failed == 1 else 's'} failed"] if failed else []
    return ", ".join(parts) or "A check failed"


def _digest(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _block(rest: Sequence[Card], again: str, roles: str) -> str:
    """Write the findings that are not on the page as JSON that may stand in a script element.

    They are compressed, so that ten thousand have room with their evidence, policies and fixes; when even that is too much,
    the last of them go without evidence and policy. ``<``, ``>`` and ``&`` are escaped, so that no text ends the element.
    """
    packed = _packed(rest, len(rest))
    if len(packed) > MOST_DATA:
        packed = _shortened(rest, len(packed))
    data = {"command": again, "roles": roles, "count": len(rest), "packed": packed}
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _shortened(rest: Sequence[Card], whole: int) -> str:
    """Pack as many findings whole as have room, where all would take `whole` characters: a few tries, whatever their number."""
    packed = _packed(rest, 0)
    room, size = MOST_DATA - len(packed), whole - len(packed)
    kept = len(rest) * max(room, 0) // max(size, 1)
    while kept:
        tried = _packed(rest, kept)
        if len(tried) <= MOST_DATA:
            return tried
        kept = kept * 3 // 4
    return packed


def _packed(rest: Sequence[Card], kept: int) -> str:
    """Write rows as JSON, compressed and in base64, the first `kept` of them whole; empty when there are none."""
    if not rest:
        return ""
    policies: dict[tuple[str, ...], int] = {}
    shapes: dict[tuple[tuple[str, str], ...], int] = {}
    rows = []
    for index, card in enumerate(rest):
        row = _row(card)
        shape = tuple((_TITLES[form], text) for form, text in card.fix.forms) if card.fix else None
        row += [shapes.setdefault(shape, len(shapes)), card.fix.values] if card.fix and shape else [None, None]
        row.append(card.facts if index < kept else None)
        whole = card.policy is not None and index < kept
        row.append(policies.setdefault(card.policy, len(policies)) if whole and card.policy else None)
        rows.append(row)
    data = {"rows": rows, "shapes": list(shapes), "policies": list(policies)}
    return b64encode(zlib.compress(json.dumps(data, separators=(",", ":")).encode())).decode()


def _row(card: Card) -> list[Any]:
    finding = card.finding
    where = f"{visible(finding.location.file, 200)}:{finding.location.line}" if finding.location else ""
    return [
        *(finding.control, RANKS.index(finding.severity), visible(finding.resource), visible(finding.message, 400)),
        *(card.anchor, card.status, visible(finding.place, 120), where),
    ]
