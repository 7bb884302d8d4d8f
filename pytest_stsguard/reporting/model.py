"""The report model: a run as data, JSON-able, from which every format is rendered.

It is a superset of what ``stsguard audit --output json`` prints, so that either can be rendered again. The JSON schema of it
is published in ``reports/report.schema.json``.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from pytest_stsguard.errors import InputError
from pytest_stsguard.findings.suggestion import show

__all__ = [
    "RANKS",
    "SCHEMA",
    "Changes",
    "Control",
    "Drill",
    "Finding",
    "Gap",
    "Location",
    "Policy",
    "Remediation",
    "Run",
    "Step",
    "Summary",
    "Tool",
    "read",
    "schema",
]

SCHEMA: Final = 1
"""The version of the shape; a change that a reader would notice raises it."""

Severity = Literal["critical", "high", "medium", "low"]
RANKS: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low")
"""The severities, the gravest first."""


class Location(msgspec.Struct, frozen=True):
    """A file as the user named it, and a line, from 1."""

    file: str
    line: int


class Policy(msgspec.Struct, frozen=True):
    """A policy document, indented by two spaces, that findings point into."""

    name: str
    text: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one resource; `policy` is an index into `Run.policies`, `lines` the deciding lines of it, from 1."""

    control: str
    severity: Severity
    resource: str
    message: str
    evidence: dict[str, Any] = {}
    fingerprint: str
    place: str = ""
    muted: bool = False
    mute_reason: str | None = None
    baselined: bool = False
    location: Location | None = None
    policy: int | None = None
    lines: tuple[int, int] | None = None

    @property
    def active(self) -> bool:
        """Whether it counts: neither muted nor in the baseline."""
        return not (self.muted or self.baselined)

    @property
    def name(self) -> str:
        """The resource's own name, without the ARN before it."""
        tail = self.resource.split(":", 5)[-1]
        return tail.partition("/")[2] or tail


class Remediation(msgspec.Struct, frozen=True):
    """How to set a fault right, as text to copy."""

    text: str = ""
    cli: str = ""
    terraform: str = ""
    cloudformation: str = ""


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the catalogue, as far as a report shows it."""

    id: str
    title: str
    severity: Severity
    risk: str = ""
    remediation: Remediation = Remediation()
    references: tuple[str, ...] = ()
    compliance: dict[str, tuple[str, ...]] = {}


class Gap(msgspec.Struct, frozen=True):
    """A control without a verdict, and why."""

    control: str
    reason: str


class Step(msgspec.Struct, frozen=True):
    """One thing that was done or seen in a drill; `at` is ISO 8601 in UTC."""

    at: str
    action: str
    detail: str


class Drill(msgspec.Struct, frozen=True):
    """One drill: the test, its outcome (``passed``, ``failed``), its steps, oldest first."""

    test: str
    outcome: str
    steps: tuple[Step, ...] = ()


class Changes(msgspec.Struct, frozen=True):
    """What differs from the baseline: findings that it lacks, that it knows, and entries of it that are gone."""

    new: int
    known: int
    fixed: int


class Tool(msgspec.Struct, frozen=True):
    """What made the report."""

    name: str
    version: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the active findings, and of what does not count."""

    findings: int
    by_severity: dict[str, int]
    by_control: dict[str, int]
    muted: int = 0
    baselined: int = 0
    not_evaluated: int = 0
    errors: int = 0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run: what was examined, as of when, what was found, and what could not be looked at.

    `verdict` is ``pass`` or ``fail``; `controls` holds every control that the run speaks of, `evaluated` those that were
    looked at, `checks` how many tests of them passed, failed and were skipped.
    """

    schema: int
    target: str
    account: str
    at: str
    findings: tuple[Finding, ...]
    summary: Summary
    tool: Tool = Tool("stsguard", "")
    fail_on: Severity = "high"
    verdict: Literal["pass", "fail"] | None = None
    not_evaluated: tuple[Gap, ...] = ()
    errors: tuple[Gap, ...] = ()
    warnings: tuple[str, ...] = ()
    changes: Changes | None = None
    checks: dict[str, int] = {}
    evaluated: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    policies: tuple[Policy, ...] = ()
    drills: tuple[Drill, ...] = ()

    def control(self, name: str) -> Control:
        """Find a control by id; one that the report does not describe is given with its id alone."""
        found = next((control for control in self.controls if control.id == name), None)
        worst: Severity = next((finding.severity for finding in self.findings if finding.control == name), "low")
        return found or Control(id=name, title=name, severity=worst)


def read(path: str | Path) -> Run:
    """Read a run from a JSON report, or from what ``stsguard audit --output json`` printed.

    Raises:
        InputError: missing, unreadable, not JSON, another version, or another shape.
    """
    from pytest_stsguard.reporting.builder import completed  # noqa: PLC0415 - the builder knows this module

    try:
        data = json.loads(Path(path).read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"the report cannot be read: {reason}", location=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError("the report is not JSON", location=str(path), hint=_HINT) from error
    version = data.get("schema") if isinstance(data, dict) else None
    if version != SCHEMA or isinstance(version, bool):
        raise InputError(f"is no report of schema {SCHEMA}", location=str(path), hint=_HINT)
    try:
        run = msgspec.convert(data, Run)
    except msgspec.ValidationError as error:
        reason = str(error)
        raise InputError(f"is no report: {reason[0].lower()}{reason[1:]}", location=str(path), hint=_HINT) from error
    for moment in (run.at, *(step.at for drill in run.drills for step in drill.steps)):
        if not _is_moment(moment):
            raise InputError(f"`{show(moment)}` is no moment", location=str(path), hint="as 2026-11-20T12:00:00Z")
    for index, finding in enumerate(run.findings):
        if finding.policy is not None and not 0 <= finding.policy < len(run.policies):
            raise InputError("points at no policy of the report", location=f"{path}: findings[{index}].policy")
    return completed(run)


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def schema() -> dict[str, Any]:
    """Give the JSON schema of the report."""
    found = msgspec.json.schema(Run)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "stsguard report", **found}
    plain: dict[str, Any] = json.loads(json.dumps(whole))  # defaults are tuples there, which JSON does not know
    return plain


_HINT = "make one with --stsguard-report json:PATH"
