"""OCSF 1.9.0: a Compliance Finding (2003) for each finding, a Detection Finding (2004) for each drill that failed.

https://schema.ocsf.io/1.9.0/classes/compliance_finding
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.reporting.text import listed, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reporting.model import Control, Drill, Finding, Run

__all__ = ["VERSION", "render"]

VERSION: Final = "1.9.0"
_CATEGORY: Final = 2
_COMPLIANCE: Final = 2003
_DETECTION: Final = 2004
_CREATE: Final = 1
_AWS_ACCOUNT: Final = 10
_SEVERITIES: Final = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_TECHNIQUE = re.compile(r"(T\d{4})(\.\d{3})?")
_ATTACK: Final = "MITRE ATT&CK"


def render(run: Run) -> str:
    """Render as a JSON list of events: findings in the run's order, then failed drills."""
    return listed(_events(run))


def _events(run: Run) -> Iterator[dict[str, Any]]:
    controls = {control.id: control for control in run.controls}
    for finding in run.findings:
        yield _finding(run, finding, controls.get(finding.control) or run.control(finding.control))
    for drill in run.drills:
        if drill.outcome == "failed":
            yield _drill(run, drill)


def _event(run: Run, class_uid: int, severity: str) -> dict[str, Any]:
    """Give what every event of ours has; times are milliseconds since 1970."""
    number, word = _SEVERITIES[severity]
    return {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": class_uid,
        "class_name": "Compliance Finding" if class_uid == _COMPLIANCE else "Detection Finding",
        "type_uid": class_uid * 100 + _CREATE,
        "severity_id": number,
        "severity": word,
        "time": _milliseconds(run.at),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {
                "name": run.tool.name,
                "vendor_name": run.tool.name,
                "uid": "pytest-stsguard",
                **({"version": run.tool.version} if run.tool.version else {}),
            },
        },
        "cloud": {
            "provider": "AWS",
            "account": {"uid": visible(run.account), "type_id": _AWS_ACCOUNT, "type": "AWS Account"},
        },
    }


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _finding(run: Run, finding: Finding, control: Control) -> dict[str, Any]:
    frameworks = [name for name in control.compliance if name != _ATTACK]
    reason = finding.mute_reason or ("in the baseline" if finding.baselined else "")
    event = {
        **_event(run, _COMPLIANCE, finding.severity),
        "message": visible(finding.message),
        "status_id": 1 if finding.active else 3,
        "status": "New" if finding.active else "Suppressed",
        "finding_info": {
            "uid": finding.fingerprint,
            "title": visible(control.title),
            "desc": visible(finding.message),
            "types": [visible(finding.control)],
            "created_time": _milliseconds(run.at),
            **_attacks(control),
        },
        "compliance": {
            "control": visible(finding.control),
            "standards": [visible(name) for name in frameworks] or ["stsguard"],
            "requirements": [visible(f"{name} {one}") for name in frameworks for one in control.compliance[name]],
            "status_id": 3,
            "status": "Fail",
            "status_details": [visible(finding.message)],
        },
        "resources": [
            {
                "uid": visible(finding.resource),
                "name": visible(finding.name),
                "type": visible(finding.resource.split(":", 5)[-1].partition("/")[0]),
                "cloud_partition": visible(finding.resource.split(":")[1]) if ":" in finding.resource else "aws",
            }
        ],
        "unmapped": {"place": visible(finding.place), "target": visible(run.target)},
    }
    if finding.demonstrated is not None:
        event["unmapped"]["demonstrated"] = finding.demonstrated
    if reason:
        event["status_detail"] = visible(reason)
    if finding.location is not None:
        event["unmapped"] |= {"file": visible(finding.location.file), "line": finding.location.line}
    if control.remediation.text:
        links = [visible(link) for link in control.references]
        event["remediation"] = {"desc": visible(control.remediation.text), **({"references": links} if links else {})}
    return event


def _attacks(control: Control) -> dict[str, Any]:
    attacks: list[dict[str, Any]] = []
    for entry in control.compliance.get(_ATTACK, ()):
        match = _TECHNIQUE.fullmatch(entry)
        if match:
            attack: dict[str, Any] = {"technique": {"uid": match[1]}}
            attacks.append({**attack, "sub_technique": {"uid": entry}} if match[2] else attack)
    return {"attacks": attacks} if attacks else {}


def _drill(run: Run, drill: Drill) -> dict[str, Any]:
    said = f"the drill {visible(drill.test, 300)} failed: containment is not proved"
    name = hashlib.sha256(f"{run.target}\0{drill.test}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    times = [_milliseconds(step.at) for step in drill.steps]
    return {
        **_event(run, _DETECTION, "high"),
        "message": said,
        "status_id": 1,
        "status": "New",
        "is_alert": True,
        "finding_info": {
            "uid": name,
            "title": "A revocation drill failed",
            "desc": said,
            "created_time": _milliseconds(run.at),
            **({"first_seen_time": min(times), "last_seen_time": max(times)} if times else {}),
        },
    }
