"""The catalogue of controls as data and as Markdown: what ``stsguard controls`` prints and docs/controls.md holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.findings import Control

__all__ = ["control_as_json", "controls_as_markdown"]

_FORMS = (("cli", "AWS CLI", "sh"), ("terraform", "Terraform", "hcl"), ("cloudformation", "CloudFormation", "yaml"))
_HUNDREDS = {
    "1": "Who can assume a role",
    "2": "What was done to end sessions, and what is left of it",
    "3": "How far and how long a session reaches",
    "4": "Where instances hand credentials out",
}


def control_as_json(control: Control) -> dict[str, Any]:
    """Give a control as plain data."""
    return {
        "id": control.id,
        "title": control.title,
        "severity": str(control.severity),
        "risk": control.risk,
        "remediation": {
            "text": control.remediation.text,
            "cli": control.remediation.cli,
            "terraform": control.remediation.terraform,
            "cloudformation": control.remediation.cloudformation,
        },
        "references": list(control.references),
        "compliance": {framework: list(ids) for framework, ids in control.compliance.items()},
        "needs": list(control.needs),
    }


def controls_as_markdown(controls: Iterable[Control]) -> str:
    """Give the reference of all controls, a table first."""
    every = list(controls)
    lines = [
        "# Controls",
        "",
        "Made from the catalogue by `stsguard controls --output markdown`; change the catalogue, not this file.",
        "",
        "| control | severity | what it finds |",
        "|---|---|---|",
        *(f"| [{one.id}](#{one.id.lower()}) | {one.severity} | {one.title} |" for one in every),
    ]
    group = ""
    for one in every:
        hundred = one.id.rpartition("-")[2][:1]
        if hundred != group:
            group = hundred
            lines += ["", f"## {_HUNDREDS.get(hundred, 'Others')}"]
        lines += _section(one)
    return "\n".join(lines) + "\n"


def _section(control: Control) -> list[str]:
    lines = [
        "",
        f"### {control.id}",
        "",
        f"**{control.title}.** Severity: {control.severity}.",
        "",
        control.risk,
        "",
        f"What to do: {control.remediation.text}",
    ]
    for name, title, language in _FORMS:
        lines += ["", f"{title}:", "", f"```{language}", getattr(control.remediation, name), "```"]
    if control.needs:
        lines += ["", f"Not evaluated when the source lacks: {', '.join(control.needs)}."]
    lines += [
        "",
        "Compliance: " + "; ".join(f"{name} {', '.join(ids)}" for name, ids in control.compliance.items()) + ".",
    ]
    lines += ["", "References:", "", *(f"- <{reference}>" for reference in control.references)]
    return lines
