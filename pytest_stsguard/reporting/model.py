"""The report model: a run as data, JSON-able, from which every format is rendered.

It is a superset of what ``stsguard audit --output json`` prints, so that either can be rendered again. The JSON schema of it
is published in ``reports/report.schema.json``.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import msgspec

__all__ = [
    "RANKS",
    "SCHEMA",
    "Answers",
    "Blast",
    "Changes",
    "Containment",
    "Control",
    "Drill",
    "Edge",
    "Finding",
    "Gap",
    "Location",
    "Node",
    "Policy",
    "Remediation",
    "Run",
    "Step",
    "Summary",
    "Tool",
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


class Remediation(msgspec.Struct, frozen=True):
    """How to set a fault right, as text to copy."""

    text: str = ""
    cli: str = ""
    terraform: str = ""
    cloudformation: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one resource; `policy` is an index into `Run.policies`, `lines` the deciding lines of it, from 1.

    `fix` holds the forms of the control's fix that differ when the finding's own names stand in them. A JSON report has it
    filled in; elsewhere it is None, since `Run.fix` makes it.
    """

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
    fix: Remediation | None = None

    @property
    def active(self) -> bool:
        """Whether it counts: neither muted nor in the baseline."""
        return not (self.muted or self.baselined)

    @property
    def demonstrated(self) -> bool | None:
        """Whether what it says was done in the simulated cloud, and allowed; None: nobody tried."""
        told = self.evidence.get("demonstrated")
        return told if isinstance(told, bool) else None

    @property
    def name(self) -> str:
        """The resource's own name, without the ARN before it."""
        tail = self.resource.split(":", 5)[-1]
        return tail.partition("/")[2] or tail


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


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """What a thief can become or hold: a session, a role, a user, a key; `arn` is None for what does not exist yet."""

    id: str
    kind: str
    arn: str | None = None
    survives_revocation: bool = False

    @property
    def name(self) -> str:
        """The resource's own name, without the ARN before it; an account's id."""
        parts = (self.arn or self.id).split(":", 5)
        if parts[-1] == "root" and len(parts) > 1:
            return f"account {parts[-2]}"
        return parts[-1].partition("/")[2] or parts[-1]


class Edge(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """A step from one node to another: `statement` is what allows it, `calls` are those that a thief would make.

    `demonstrated` tells whether the calls were made in the simulated cloud, and allowed, `reason` why they were not; None:
    nobody tried.
    """

    source: str
    to: str
    kind: str
    statement: Any = None
    calls: tuple[Any, ...] = ()
    demonstrated: bool | None = None
    reason: str | None = None


class Blast(msgspec.Struct, frozen=True, kw_only=True):
    """What one stolen session can become, as ``stsguard blast --output json`` prints it.

    `start` is the id of a node; `revocation_set` the ARNs that must be revoked together; `unbounded` says why no set of
    revocations is enough; `left_out` what was not looked at.
    """

    schema: int = 1
    start: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    revocation_set: tuple[str, ...] = ()
    unbounded: str | None = None
    left_out: tuple[str, ...] = ()


class Answers(msgspec.Struct, frozen=True):
    """What a method did to a kind of session: the outcome for each subject, by its name; empty where it has no meaning."""

    method: str
    session: str
    outcomes: dict[str, str] = {}
    note: str = ""


class Containment(msgspec.Struct, frozen=True, kw_only=True):
    """What each way to end sessions does to each kind of session; all names come with their words, in order."""

    outcomes: dict[str, str]
    subjects: dict[str, str]
    sessions: dict[str, str]
    methods: dict[str, str]
    cells: tuple[Answers, ...]


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
    looked at, `options` what the run was given beside target and moment (an option of ``stsguard audit`` and its values, none for
    a flag), `checks` how many tests of them passed, failed and were skipped. `containment` comes with drills, `blast` tells what
    stolen sessions can become.
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
    options: dict[str, tuple[str, ...]] = {}
    checks: dict[str, int] = {}
    evaluated: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    policies: tuple[Policy, ...] = ()
    drills: tuple[Drill, ...] = ()
    containment: Containment | None = None
    blast: tuple[Blast, ...] = ()

    def control(self, name: str) -> Control:
        """Find a control by id; one that the report does not describe is given with its id alone."""
        found = next((control for control in self.controls if control.id == name), None)
        worst: Severity = next((finding.severity for finding in self.findings if finding.control == name), "low")
        return found or Control(id=name, title=name, severity=worst)


def schema() -> dict[str, Any]:
    """Give the JSON schema of the report."""
    found = msgspec.json.schema(Run)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "stsguard report", **found}
    plain: dict[str, Any] = json.loads(json.dumps(whole))  # defaults are tuples there, which JSON does not know
    return plain
