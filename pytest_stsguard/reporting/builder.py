"""From a run's findings, account and drills to the report model."""

from __future__ import annotations

import re
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_stsguard.reporting import model
from pytest_stsguard.reporting.excerpt import Excerpts
from pytest_stsguard.reporting.text import redact, redact_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.findings import Baseline, Control, Finding, Report, Severity

__all__ = ["blast_of", "build", "completed", "containment_of", "counted", "drill", "fails"]

_STEP = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z)  (?P<action>\S+)\s+(?P<detail>.*)", re.DOTALL)


def build(
    report: Report,
    *,
    fail_on: Severity,
    controls: Mapping[str, Control] | None = None,
    account: Account | None = None,
    shown_as: str = "",
    baseline: Baseline | None = None,
    drills: Iterable[model.Drill] = (),
    checks: Mapping[str, int] | None = None,
    evaluated: Iterable[str] = (),
    blasts: Iterable[Mapping[str, Any]] = (),
    options: Mapping[str, Sequence[str]] | None = None,
) -> model.Run:
    """Make the report model.

    Args:
        report: what was found.
        fail_on: the lowest severity that fails the run.
        controls: the catalogue with a project's own controls; default: the catalogue.
        account: what was examined, to show the deciding statements; None: they are not shown.
        shown_as: what to add to the names of the account's policies, when they may differ from those that were examined.
        baseline: what was known; None: no comparison.
        drills: the drills of the run, in any order.
        checks: how many checks passed, failed, and were skipped.
        evaluated: the controls that were looked at, with or without findings.
        blasts: what stolen sessions can become, each as ``stsguard blast --output json`` prints it, in the order to show.
        options: what the run was given beside target and moment: options of ``stsguard audit`` and their values.
    """
    excerpts = Excerpts(account, note=shown_as)
    findings = tuple(_finding(finding, excerpts) for finding in sorted(report.findings, key=_order))
    played = tuple(sorted(drills, key=lambda entry: (entry.test, entry.steps[0].at if entry.steps else "")))
    failed = report.fails(fail_on) or any(entry.outcome == "failed" for entry in played) or (checks or {}).get("failed")
    data = report.as_json()
    run = model.Run(
        schema=model.SCHEMA,
        tool=model.Tool("stsguard", version("pytest-stsguard")),
        target=report.target,
        account=report.account,
        at=data["at"],
        fail_on=_severity(fail_on),
        verdict="fail" if failed else "pass",
        findings=findings,
        not_evaluated=tuple(model.Gap(gap["control"], redact(gap["reason"])) for gap in data["not_evaluated"]),
        errors=tuple(model.Gap(gap["control"], redact(gap["reason"])) for gap in data["errors"]),
        warnings=tuple(map(redact, report.warnings)),
        summary=msgspec.convert(data["summary"], model.Summary),
        changes=_changes(report, baseline),
        options={name: tuple(map(redact, values)) for name, values in (options or {}).items()},
        checks=dict(sorted((checks or {}).items())),
        evaluated=tuple(sorted(evaluated)),
        policies=tuple(excerpts.policies),
        drills=played,
        containment=containment_of() if played else None,
        blast=tuple(map(blast_of, blasts)),
    )
    return completed(run, controls)


def completed(run: model.Run, controls: Mapping[str, Control] | None = None) -> model.Run:
    """Add the descriptions of the controls that the run speaks of, and its verdict, where they are missing."""
    if controls is None:
        from pytest_stsguard.findings import controls as catalogue  # noqa: PLC0415 - read when asked for

        controls = catalogue()
    named = {finding.control for finding in run.findings} | {gap.control for gap in (*run.not_evaluated, *run.errors)}
    named |= set(run.evaluated)
    missing = sorted(named - {control.id for control in run.controls})
    added = [_control(controls[name]) for name in missing if name in controls]
    verdict = run.verdict or ("fail" if fails(run) else "pass")
    everything = sorted((*run.controls, *added), key=lambda control: control.id)
    return msgspec.structs.replace(run, controls=tuple(everything), verdict=verdict)


def drill(test: str, outcome: str, lines: Iterable[str]) -> model.Drill:
    """Make a drill of the lines of its timeline; a line that is no step of a drill is left out."""
    found = [match for line in lines if (match := _STEP.fullmatch(line))]
    steps = tuple(model.Step(match["at"], redact(match["action"]), redact(match["detail"])) for match in found)
    return model.Drill(test, outcome, steps)


def blast_of(data: Mapping[str, Any]) -> model.Blast:
    """Make a blast radius of what ``stsguard blast --output json`` prints; equal steps of it are kept once."""
    found = msgspec.convert(redact_all(data), model.Blast)
    edges = {repr(edge): edge for edge in found.edges}
    return msgspec.structs.replace(found, edges=tuple(edges.values()))


def containment_of() -> model.Containment:
    """Give what each way to end sessions does to each kind of session, as the drills hold it."""
    from pytest_stsguard.revocation.matrix import matrix  # noqa: PLC0415 - only a report of drills needs it

    known = matrix()
    cells = tuple(
        model.Answers(method, session, dict(cell.outcomes) if cell else {}, cell.note if cell else "")
        for (session, method), cell in known.cells.items()
    )
    return model.Containment(
        outcomes=dict(known.outcomes),
        subjects=dict(known.subjects),
        sessions=dict(known.kinds),
        methods=dict(known.methods),
        cells=cells,
    )


def fails(run: model.Run) -> bool:
    """Tell whether what a run holds makes it fail: a finding, a control without a verdict, a check or a drill that failed."""
    levels = model.RANKS[: model.RANKS.index(run.fail_on) + 1]
    grave = any(finding.active and finding.severity in levels for finding in run.findings)
    played = any(drill.outcome == "failed" for drill in run.drills)
    return bool(grave or played or run.errors or run.checks.get("failed"))


def counted(run: model.Run) -> model.Summary:
    """Count what a run holds."""
    active = [finding for finding in run.findings if finding.active]
    severities = Counter[str](finding.severity for finding in active)
    return model.Summary(
        findings=len(active),
        by_severity={rank: severities[rank] for rank in model.RANKS},
        by_control=dict(sorted(Counter(finding.control for finding in active).items())),
        muted=sum(finding.muted for finding in run.findings),
        baselined=sum(finding.baselined and not finding.muted for finding in run.findings),
        not_evaluated=len(run.not_evaluated),
        errors=len(run.errors),
    )


def _order(finding: Finding) -> tuple[Any, ...]:
    """Order findings so that no two runs differ: the message and the place in the input decide between equals."""
    return (*finding.sort_key(), finding.message, finding.location or ("", 0), repr(finding.evidence))


def _severity(severity: Severity) -> model.Severity:
    return model.RANKS[-severity]


def _finding(finding: Finding, excerpts: Excerpts) -> model.Finding:
    policy, lines, location = excerpts.find(finding)
    return model.Finding(
        control=finding.control,
        severity=_severity(finding.severity),
        resource=redact(finding.resource),
        message=redact(finding.message),
        evidence=redact_all(finding.evidence),
        fingerprint=finding.fingerprint,
        place=redact(finding.place),
        muted=finding.muted is not None,
        mute_reason=None if finding.muted is None else redact(finding.muted),
        baselined=finding.baselined,
        location=location,
        policy=policy,
        lines=lines,
    )


def _control(control: Control) -> model.Control:
    fix = control.remediation
    return model.Control(
        id=control.id,
        title=control.title,
        severity=_severity(control.severity),
        risk=control.risk,
        remediation=model.Remediation(fix.text, fix.cli, fix.terraform, fix.cloudformation),
        references=tuple(control.references),
        compliance={framework: tuple(entries) for framework, entries in control.compliance.items()},
    )


def _changes(report: Report, baseline: Baseline | None) -> model.Changes | None:
    if baseline is None:
        return None
    seen = {finding.fingerprint for finding in report.findings}
    known = baseline.fingerprints
    return model.Changes(new=len(seen - known), known=len(seen & known), fixed=len(known - seen))
