"""ASFF: findings as ``securityhub:BatchImportFindings`` takes them, a JSON list of which each call takes a hundred.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.reporting.text import listed, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reporting.model import Control, Finding, Run

__all__ = ["render"]

_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]*):(?P<region>[a-z0-9-]*):(?P<account>\d{12})?:")
_ACCOUNT = re.compile(r"\d{12}")
_HOMES: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Where IAM, which has no region of its own, is at home in each partition."""
_KINDS: Final = {
    "iam:role": "AwsIamRole",
    "iam:user": "AwsIamUser",
    "iam:group": "AwsIamGroup",
    "iam:policy": "AwsIamPolicy",
    "ec2:instance": "AwsEc2Instance",
}
_TYPES: Final = ["Software and Configuration Checks/AWS Security Best Practices"]
_NOWHERE: Final = "0" * 12
_MOST_REQUIREMENTS: Final = 32


def render(run: Run) -> str:
    """Render as a JSON list of findings; what is muted or in the baseline is marked as suppressed."""
    return listed(_findings(run))


def _findings(run: Run) -> Iterator[dict[str, Any]]:
    counts: Counter[str] = Counter()
    controls = {control.id: control for control in run.controls}
    for finding in run.findings:
        counts[finding.fingerprint] += 1
        control = controls.get(finding.control) or run.control(finding.control)
        yield _finding(run, finding, control, counts[finding.fingerprint])


def _text(text: str, limit: int) -> str:
    """Give a text that is not blank and not too long for Security Hub."""
    return visible(text, limit - 1) if text.strip() else "-"


def _finding(run: Run, finding: Finding, control: Control, number: int) -> dict[str, Any]:
    match = _ARN.match(finding.resource)
    partition = match["partition"] if match else "aws"
    region = (match["region"] if match else "") or _HOMES.get(partition, "us-east-1")
    account = next(
        (one for one in (match and match["account"], run.account) if one and _ACCOUNT.fullmatch(one)), _NOWHERE
    )
    name = f"{finding.fingerprint}-{number}" if number > 1 else finding.fingerprint
    label = finding.severity.upper()
    data: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": _text(f"stsguard/{account}/{name}", 512),
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": _text(f"stsguard/{finding.control}", 512),
        "AwsAccountId": account,
        "Types": _TYPES,
        "CreatedAt": visible(run.at),
        "UpdatedAt": visible(run.at),
        "Severity": {"Label": label, "Original": finding.severity},
        "Title": _text(f"{finding.control} {control.title}", 256),
        "Description": _text(f"{finding.name}: {finding.message}", 1024),
        "ProductFields": _fields(run, finding),
        "Resources": [_resource(finding, match, partition, region)],
        "Compliance": {"Status": "FAILED", **_requirements(control)},
        "Workflow": {"Status": "NEW" if finding.active else "SUPPRESSED"},
        "RecordState": "ACTIVE",
        "FindingProviderFields": {"Severity": {"Label": label, "Original": finding.severity}, "Types": _TYPES},
    }
    if control.remediation.text:
        data["Remediation"] = {"Recommendation": {"Text": _text(control.remediation.text, 512), **_link(control)}}
    return data


def _link(control: Control) -> dict[str, str]:
    return {"Url": visible(control.references[0], 2000)} if control.references else {}


def _fields(run: Run, finding: Finding) -> dict[str, str]:
    where = f"{finding.location.file}:{finding.location.line}" if finding.location else ""
    fields = {
        "stsguard/Version": run.tool.version,
        "stsguard/Target": run.target,
        "stsguard/Place": finding.place,
        "stsguard/Location": where,
        "stsguard/MuteReason": finding.mute_reason or "",
        "stsguard/Fingerprint": finding.fingerprint,
        "stsguard/Demonstrated": {True: "true", False: "false", None: ""}[finding.demonstrated],
    }
    return {name: _text(text, 1024) for name, text in fields.items() if text}


def _resource(finding: Finding, match: re.Match[str] | None, partition: str, region: str) -> dict[str, str]:
    kind = finding.resource.split(":", 5)[-1].partition("/")[0]
    service = match["service"] if match else ""
    found = {"Type": _KINDS.get(f"{service}:{kind}", "Other"), "Id": _text(finding.resource, 512), "Region": region}
    return {**found, "Partition": partition} if partition in _HOMES else found


def _requirements(control: Control) -> dict[str, list[str]]:
    entries = [f"{framework} {entry}" for framework, ids in control.compliance.items() for entry in ids]
    return {"RelatedRequirements": [_text(entry, 64) for entry in entries[:_MOST_REQUIREMENTS]]} if entries else {}
