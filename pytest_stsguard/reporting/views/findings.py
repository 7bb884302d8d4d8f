"""Findings for a page: by control, by role, by date of cleanup; and the policy lines around what decides."""

from __future__ import annotations

import shlex
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.reporting.fix import FORMS, fitting
from pytest_stsguard.reporting.model import RANKS, Remediation
from pytest_stsguard.reporting.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.reporting.fix import Fitting
    from pytest_stsguard.reporting.model import Control, Finding, Run

__all__ = [
    "Card",
    "Cleanup",
    "Group",
    "Holder",
    "cards",
    "cleanups",
    "command",
    "excerpt",
    "facts",
    "globs",
    "groups",
    "holders",
]

_CONTEXT: Final = 6
_WHOLE: Final = 40
"""Lines of a policy that are shown whole; of a longer one, the deciding lines and some around them."""
_MOST_FACTS: Final = 16


@dataclass(frozen=True, slots=True)
class Card:
    """One finding on the page; `anchor` is unique on it, `fix` is what differs from the control's own."""

    finding: Finding
    anchor: str
    status: str
    facts: tuple[tuple[str, str], ...]
    path: tuple[str, ...]
    policy: tuple[str, str, str, str] | None
    command: str
    fix: Fitting | None = None

    @property
    def fixes(self) -> tuple[tuple[str, str], ...]:
        """Give titles and texts of the fix, as far as they hold the finding's own names."""
        texts = self.fix.texts() if self.fix else {}
        return tuple((title, texts[form]) for form, title in FORMS if form in texts)


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of a control, of which `shown` stand on the page itself."""

    control: Control
    severity: str
    count: int
    shown: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """A role, or another resource, with its findings."""

    resource: str
    name: str
    kind: str
    severity: str
    findings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A revoke policy and the moment from which it may go; `due`: it has passed."""

    date: str
    time: str
    due: bool
    resource: str
    name: str
    policy: str
    control: str


def cards(run: Run) -> list[Card]:
    """Make a card of every finding, in the run's order."""
    taken: set[str] = set()
    general = {control.id: _shown(control.remediation) for control in run.controls}
    made = []
    for finding in run.findings:
        anchor = stem = f"f-{finding.fingerprint[:16]}"
        number = 1
        while anchor in taken:
            number += 1
            anchor = f"{stem}-{number}"
        taken.add(anchor)
        fix = fitting(general[finding.control], finding) if finding.control in general else None
        made.append(_card(run, finding, anchor, fix))
    return made


def _shown(fix: Remediation) -> Remediation:
    """Make hidden characters of a fix visible, line by line, before marks are set into it."""
    texts = {form: "\n".join(map(visible, getattr(fix, form).split("\n"))) for form, _ in FORMS}
    return Remediation(**texts)


def groups(run: Run, made: Sequence[Card], *, most: int) -> list[Group]:
    """Group cards by control, the gravest first; the first `most` of all cards stand on the page."""
    by_control: dict[str, list[Card]] = defaultdict(list)
    shown: dict[str, list[Card]] = defaultdict(list)
    for index, card in enumerate(made):
        by_control[card.finding.control].append(card)
        if index < most:
            shown[card.finding.control].append(card)
    return [
        Group(run.control(name), found[0].finding.severity, len(found), tuple(shown[name]))
        for name, found in by_control.items()
    ]


def holders(made: Sequence[Card]) -> list[Holder]:
    """Group cards by resource, the gravest and the fullest first."""
    found: dict[str, list[Card]] = defaultdict(list)
    for card in made:
        if card.finding.active:
            found[card.finding.resource].append(card)
    rows = [
        Holder(
            resource,
            own[0].finding.name,
            _kind(resource),
            own[0].finding.severity,
            tuple((card.finding.control, card.finding.severity, card.anchor) for card in own),
        )
        for resource, own in found.items()
    ]
    return sorted(rows, key=lambda row: (RANKS.index(row.severity), -len(row.findings), row.resource))


def cleanups(run: Run) -> list[tuple[str, list[Cleanup]]]:
    """List the revoke policies that may be removed now or later, by month."""
    entries = sorted(_cleanups(run), key=lambda entry: (entry.date, entry.time, entry.resource))
    months: dict[str, list[Cleanup]] = defaultdict(list)
    for entry in entries:
        months[entry.date[:7]].append(entry)
    return list(months.items())


def _cleanups(run: Run) -> Iterator[Cleanup]:
    for finding in run.findings:
        safe = finding.evidence.get("safe_date")
        if isinstance(safe, str) and len(safe) >= len("2026-01-01T00:00") and finding.active:
            policy = str(finding.evidence.get("policy", ""))
            yield Cleanup(
                visible(safe[:10]),
                visible(safe[11:16]),
                safe <= run.at,
                finding.resource,
                finding.name,
                policy,
                finding.control,
            )


def _card(run: Run, finding: Finding, anchor: str, fix: Fitting | None) -> Card:
    cycle = finding.evidence.get("cycle")
    path = tuple(visible(str(step), 80) for step in cycle[:12]) if isinstance(cycle, list) else ()
    return Card(
        finding,
        anchor,
        "muted" if finding.muted else "baselined" if finding.baselined else "active",
        facts({name: value for name, value in finding.evidence.items() if name != "cycle"}),
        path,
        None if finding.policy is None else excerpt(run, finding),
        command(run, finding),
        fix,
    )


def facts(evidence: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Flatten evidence into names and texts, yes or no in words; what is empty is left out."""
    found = list(_facts(evidence, ""))
    more = len(found) - _MOST_FACTS
    return tuple(found[:_MOST_FACTS] + ([("more", f"{more} in the JSON report")] if more > 0 else []))


def _facts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _facts(inner, key if name in {"", "context"} else f"{name} {key}")
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for index, inner in enumerate(value):
            yield from _facts(inner, f"{name} {index + 1}")
    elif value not in (None, "", []):
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        text = ("no", "yes")[value] if isinstance(value, bool) else text
        yield visible(name.replace("_", " "), 120), visible(text, 400)


def excerpt(run: Run, finding: Finding) -> tuple[str, str, str, str]:
    """Give a policy's name, and its lines before, of and after what decides; of a long one only those around it."""
    policy = run.policies[finding.policy or 0]
    lines = [visible(line, 400) for line in policy.text.split("\n")]
    first, last = finding.lines or (1, 0)
    before, marked, after = lines[: first - 1], lines[first - 1 : last], lines[last:]
    if not marked:
        before, after = [], lines
    if len(lines) > _WHOLE:
        before = ["  …", *before[-_CONTEXT:]] if len(before) > _CONTEXT else before
        marked = [*marked[:_WHOLE], "      …"] if len(marked) > _WHOLE else marked
        room = _WHOLE if not marked else _CONTEXT
        after = [*after[:room], "  …"] if len(after) > room else after
    return visible(policy.name), _joined(before), _joined(marked), _joined(after)


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _kind(resource: str) -> str:
    return visible(resource.split(":", 5)[-1].partition("/")[0], 20)


def command(run: Run, finding: Finding | None = None) -> str:
    """Give the command that makes a run again, or as much of it as shows one finding; of a run without its globs of roles."""
    words = ["stsguard", "audit", run.target, "--at", run.at]
    for name, values in run.options.items():
        if name != "role":
            words += [word for value in values for word in (f"--{name}", value)] or [f"--{name}"]
    if finding is not None and ":role/" in finding.resource:
        words += ["--role", finding.resource.rpartition("/")[2]]
    text = shlex.join(visible(word, 300) for word in words)
    return text if finding is None or ":role/" in finding.resource else text + globs(run)


def globs(run: Run) -> str:
    """Give the end of a command that names the globs of roles which the run was given; empty when it had none."""
    return "".join(f" --role {shlex.quote(visible(glob, 300))}" for glob in run.options.get("role", ()))
