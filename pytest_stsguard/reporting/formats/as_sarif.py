"""SARIF 2.1.0, as GitHub code scanning takes it.

https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit
"""

from __future__ import annotations

import re
import zlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pytest_stsguard.reporting.fix import own_forms
from pytest_stsguard.reporting.markup import escaped, fenced, ticked
from pytest_stsguard.reporting.model import RANKS
from pytest_stsguard.reporting.text import indented, visible

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Control, Finding, Gap, Run

__all__ = ["render"]

MOST_RESULTS: Final = 25_000
"""GitHub refuses a run with more."""
MOST_SHOWN: Final = 5_000
"""Of more results GitHub keeps so many, by severity."""
MOST_BYTES: Final = 10_000_000
"""GitHub refuses a larger file; compressed, as it is uploaded."""
_FAST: Final = 1
# as `indented` writes them; no text holds a line's end, so that they stand nowhere else
_RESULTS: Final = '\n      "results": ['
_RESULT: Final = "\n        {\n"
_CLOSED: Final = "\n      ]"
_MOST_TAGS: Final = 10  # GitHub refuses a rule with more than 20, and shows 10
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SITE: Final = "https://pypi.org/project/pytest-stsguard/"
_LEVELS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# GitHub reads over 9.0 as critical, 7.0 to 8.9 as high, 4.0 to 6.9 as medium, 0.1 to 3.9 as low
_SCORES: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5"}
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


def render(run: Run) -> str:
    """Render as a SARIF log with one run: the gravest results first, as many as GitHub takes."""
    rules = {control.id: index for index, control in enumerate(run.controls)}
    descriptions = list(run.controls)
    for finding in run.findings:
        if finding.control not in rules:
            rules[finding.control] = len(descriptions)
            descriptions.append(run.control(finding.control))
    findings = sorted(run.findings, key=lambda finding: RANKS.index(finding.severity))[:MOST_RESULTS]
    results = [_result(finding, rules[finding.control], run, descriptions) for finding in findings]
    head = [_rule(control) for control in descriptions]
    text = indented(_log(run, head, results, shown=len(results)))
    # The second round finds that it fits, unless the words on what is left out took the rest of the room.
    while (end := _end(text)) is not None and _RESULT in text[text.index(_RESULTS) :]:
        text = _shortened(run, head, text, end=end)
    return text


def _shortened(run: Run, head: list[dict[str, Any]], text: str, *, end: int) -> str:
    """Keep the results that lie before `end`, and at least one fewer than there are; their text is used as it is."""
    start = text.index(_RESULTS) + len(_RESULTS)
    last = max(text.rfind(f",{_RESULT}", start, end), start)
    kept = text.count(_RESULT, start, last)
    before, _, after = indented(_log(run, head, [], shown=kept)).partition(f"{_RESULTS}]")
    return f"{before}{_RESULTS}{text[start:last]}{_CLOSED if kept else ']'}{after}"


def _end(text: str) -> int | None:
    """Find the place up to which a log, compressed, nearly fills what GitHub takes; None: all of it fits.

    One pass with running totals, which ends at the limit: what lies behind it costs nothing. The parts are compressed a
    little worse than the whole would be, so that what is found to fit does.
    """
    if len(text) <= MOST_BYTES:
        return None
    squeeze, size, end = zlib.compressobj(_FAST), 0, 0
    step = max(MOST_BYTES // 100, 16_384)
    for start in range(0, len(text), step):
        size += len(squeeze.compress(text[start : start + step].encode())) + len(squeeze.flush(zlib.Z_SYNC_FLUSH))
        if size > MOST_BYTES:
            return end
        if size <= MOST_BYTES * 98 // 100:
            end = min(start + step, len(text))
    return None


def _log(run: Run, rules: list[dict[str, Any]], results: list[dict[str, Any]], *, shown: int) -> dict[str, Any]:
    driver = {"name": run.tool.name, "informationUri": _SITE, "rules": rules}
    if run.tool.version:
        driver["version"] = run.tool.version
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": f"stsguard/{visible(run.target, 200)}/"},
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "the root of the repository"}}},
                "columnKind": "utf16CodeUnits",
                "invocations": [_invocation(run, shown=shown)],
                "results": results,
                "properties": {"account": visible(run.account), "at": run.at, "verdict": run.verdict},
            }
        ],
    }


def _rule(control: Control) -> dict[str, Any]:
    fix = control.remediation
    parts = [part for part in (control.risk, fix.text) if part]
    blocks = [
        f"**{title}**\n\n{fenced(text, language)}"
        for title, language, text in (
            ("AWS CLI", "sh", fix.cli),
            ("Terraform", "hcl", fix.terraform),
            ("CloudFormation", "yaml", fix.cloudformation),
        )
        if text
    ]
    links = [f"- <{_address(link)}>" for link in control.references if link.startswith("https://")]
    frameworks = ["- " + escaped(f"{name}: {', '.join(entries)}") for name, entries in control.compliance.items()]
    markdown = "\n\n".join([*map(ticked, parts), *blocks, *filter(None, ("\n".join(frameworks), "\n".join(links)))])
    rule: dict[str, Any] = {
        "id": visible(control.id, 255),
        "name": "".join(word.capitalize() for word in _UNSAFE.split(control.title))[:255] or "Control",
        "shortDescription": {"text": visible(control.title)},
        "fullDescription": {"text": visible(control.risk or control.title)},
        "help": {"text": visible(" ".join(parts) or control.title), "markdown": markdown or visible(control.title)},
        "defaultConfiguration": {"level": _LEVELS[control.severity]},
        "properties": {
            "precision": "very-high",
            "security-severity": _SCORES[control.severity],
            "tags": ["security", "aws", "iam", *_tags(control)][:_MOST_TAGS],
        },
    }
    if control.references and control.references[0].startswith("https://"):
        rule["helpUri"] = _address(control.references[0])
    return rule


def _address(link: str) -> str:
    """Write a link so that it is an address, whatever stands in it (RFC 3986)."""
    return quote(visible(link), safe="/:?#@!$&'()*+,;=%~")


def _tags(control: Control) -> list[str]:
    return [
        f"{visible(framework, 60)}: {visible(entry, 40)}"
        for framework, entries in control.compliance.items()
        for entry in entries
    ]


def _result(finding: Finding, rule: int, run: Run, descriptions: list[Control]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": visible(finding.control, 255),
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(f"{visible(finding.name, 200)}: {visible(finding.message)}")},
        "locations": [_location(finding)],
        # the second is GitHub's own: it would hash the line's text, which a neighbour's change can alter
        "partialFingerprints": {
            "stsguard/v1": finding.fingerprint,
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
        },
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "resource": visible(finding.resource),
            "place": visible(finding.place),
        },
    }
    if finding.demonstrated is not None:
        result["properties"]["demonstrated"] = finding.demonstrated
    # SARIF's own `fixes` change files; in a message braces would have to be doubled, and could not be copied
    fix = own_forms(descriptions[rule].remediation, finding)
    if fix:
        result["properties"]["fix"] = {form: _lines(text) for form, text in fix.items()}
    if run.changes is not None:
        result["baselineState"] = "unchanged" if finding.baselined else "new"
    if finding.muted:
        reason = visible(finding.mute_reason or "muted")
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return result


def _lines(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def _plain(text: str) -> str:
    """Write text so that nothing in it is a link or a placeholder of SARIF (3.11.5, 3.11.6)."""
    return text.replace("](", "\\](").replace("{", "{{").replace("}", "}}")


def _location(finding: Finding) -> dict[str, Any]:
    if finding.location is not None:
        artifact = _artifact(finding.location.file)
        line = max(finding.location.line, 1)
    else:
        # GitHub shows no result without a file: what no file describes is shown under its ARN
        artifact = {"uri": "aws/" + quote(visible(finding.resource), safe="/:"), "uriBaseId": "%SRCROOT%"}
        line = 1
    kind = "resource"
    return {
        "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}},
        "logicalLocations": [{"fullyQualifiedName": visible(finding.resource), "kind": kind}],
    }


def _artifact(file: str) -> dict[str, str]:
    windows = PureWindowsPath(file)
    path = windows.as_posix() if windows.drive else file
    if windows.drive or PurePosixPath(path).is_absolute():
        return {"uri": "file:///" + quote(visible(path).lstrip("/"), safe="/:")}
    return {"uri": quote(visible(path.removeprefix("./")), safe="/"), "uriBaseId": "%SRCROOT%"}


def _invocation(run: Run, *, shown: int) -> dict[str, Any]:
    notes = [
        *(_note(gap, "error") for gap in run.errors),
        *(_note(gap, "note", "not evaluated: ") for gap in run.not_evaluated),
    ]
    if shown < len(run.findings):
        text = f"{len(run.findings) - shown:,} findings of lesser severity are left out: GitHub takes {MOST_RESULTS:,} of at most 10 MB"
        notes.append({"level": "warning", "message": {"text": text}})
    if shown > MOST_SHOWN:
        text = f"GitHub shows the {MOST_SHOWN:,} gravest of these {shown:,} results"
        notes.append({"level": "warning", "message": {"text": text}})
    return {"executionSuccessful": not run.errors, "toolExecutionNotifications": notes}


def _note(gap: Gap, level: str, lead: str = "") -> dict[str, Any]:
    return {"level": level, "message": {"text": _plain(f"{lead}{visible(gap.control)}: {visible(gap.reason)}")}}
