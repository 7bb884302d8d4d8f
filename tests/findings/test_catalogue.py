from __future__ import annotations

import json
import re
import shlex
from urllib.parse import urlsplit

import pytest
from botocore import xform_name
from botocore.session import Session

from pytest_stsguard.account.stack.yaml_text import read_yaml
from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings import Severity, control, controls

_GLOBAL = frozenset({"query", "output", "region", "profile", "max-items", "cli-input-json", "no-paginate"})
_RENAMED = {"s3api": "s3", "events": "events"}
SEVERITIES = {
    Severity.CRITICAL: [101, 105],
    Severity.HIGH: [102, 103, 104, 107, 108, 112, 203, 205, 302, 304],
    Severity.MEDIUM: [106, 109, 110, 111, 113, 201, 204, 305, 401],
    Severity.LOW: [202, 301, 303, 402],
}


def test_every_control_has_its_number_and_severity() -> None:
    expected = {f"STSG-{number}": severity for severity, numbers in SEVERITIES.items() for number in numbers}
    assert {name: entry.severity for name, entry in controls().items()} == dict(sorted(expected.items()))


def test_controls_are_listed_in_order() -> None:
    assert list(controls()) == sorted(controls())


@pytest.mark.parametrize("name", list(controls()))
def test_a_control_tells_a_person_all_of_it(name: str) -> None:
    entry = controls()[name]
    assert entry.id == name
    assert entry.title[0].isupper()
    assert not entry.title.endswith(".")
    assert "\n" not in entry.risk
    assert entry.risk.endswith(".")
    assert len(entry.risk) > 80
    assert entry.remediation.text.endswith(".")
    assert re.search(r"^(aws|stsguard) ", entry.remediation.cli, re.MULTILINE)
    for form in (entry.remediation.terraform, entry.remediation.cloudformation):
        assert form == form.strip() != ""
    assert entry.references
    for reference in entry.references:
        assert urlsplit(reference).scheme == "https"
    assert any("aws.amazon.com/" in reference for reference in entry.references)


@pytest.mark.parametrize("name", list(controls()))
def test_compliance_ids_have_the_form_of_their_framework(name: str) -> None:
    forms = {
        "CIS AWS Foundations 3.0": r"[1-5]\.\d{1,2}",
        "NIST 800-53 r5": r"[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?",
        "PCI DSS 4.0": r"\d{1,2}\.\d{1,2}\.\d{1,2}",
        "SOC 2": r"(CC|A)\d\.\d",
        "AWS FSBP": r"(IAM|EC2)\.\d{1,3}",
        "MITRE ATT&CK": r"T\d{4}(\.\d{3})?",
    }
    compliance = controls()[name].compliance
    assert {"NIST 800-53 r5", "PCI DSS 4.0", "SOC 2", "MITRE ATT&CK"} <= set(compliance) <= set(forms)
    for framework, ids in compliance.items():
        assert ids
        assert all(re.fullmatch(forms[framework], one) for one in ids), (framework, ids)


def test_a_framework_without_an_entry_for_a_control_is_known_to_have_none() -> None:
    """The other four frameworks speak of access in general; these two list settings, and have none for most trust policies."""
    everything = {name.removeprefix("STSG-") for name in controls()}
    having = {
        framework: {name.removeprefix("STSG-") for name, entry in controls().items() if entry.compliance.get(framework)}
        for framework in ("CIS AWS Foundations 3.0", "AWS FSBP")
    }
    assert having["CIS AWS Foundations 3.0"] == {
        "101", "102", "103", "105", "106", "107", "108", "113", "303", "304", "401", "402",
    }  # fmt: skip
    assert everything - having["AWS FSBP"] == everything - {"304", "401"}


@pytest.mark.parametrize("name", list(controls()))
def test_commands_of_the_cli_remediation_are_commands(name: str) -> None:
    """Each `aws` command names a service, an operation and parameters that botocore knows, and lacks none that is required."""
    session = Session()
    text = controls()[name].remediation.cli.replace("\\\n", " ")
    commands = [line for line in _commands(text) if line.startswith("aws ")]
    for command in commands:
        words = [word for word in shlex.split(command, comments=True)[1:] if word]
        words = words[: words.index("|")] if "|" in words else words
        service, operation, *rest = words
        model = session.get_service_model(_RENAMED.get(service, service))
        operations = {xform_name(one, "-"): one for one in model.operation_names}
        shape = model.operation_model(operations[operation]).input_shape
        known = {xform_name(one, "-") for one in shape.members} if shape else set()
        given = {word.removeprefix("--").partition("=")[0] for word in rest if word.startswith("--")}
        assert given - _GLOBAL <= known | {f"no-{one}" for one in known}, command
        needed = {xform_name(one, "-") for one in shape.required_members} if shape else set()
        assert needed <= given, command
    assert commands or "stsguard " in text


def _commands(text: str) -> list[str]:
    """Split a script into commands: quotes span lines, comments are none."""
    commands, held = [], ""
    for line in text.splitlines():
        if not held and line.startswith("#"):
            continue
        held = f"{held}\n{line}" if held else line
        if held.count("'") % 2 == 0:
            commands.append(held.strip())
            held = ""
    assert not held
    return commands


@pytest.mark.parametrize("name", list(controls()))
def test_cloudformation_remediation_is_yaml(name: str) -> None:
    read_yaml(controls()[name].remediation.cloudformation, name)


@pytest.mark.parametrize("name", list(controls()))
def test_terraform_remediation_is_balanced_blocks(name: str) -> None:
    """Every brace, bracket and quote is closed, and every line is a block, an argument, an item, a comment or an end."""
    text = re.sub(r"<<-?(\w+)\n.*?\n\s*\1", '"text"', controls()[name].remediation.terraform, flags=re.DOTALL)
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '"x"', re.sub(r"(?m)^\s*(#|//).*$", "", text))
    opened: list[str] = []
    for sign in bare:
        if sign in "([{":
            opened.append(sign)
        elif sign in ")]}":
            assert opened, text
            assert opened.pop() + sign in {"()", "[]", "{}"}, text
    assert not opened, text
    line = re.compile(r'[\w.-]+( "x")* \{.*|("x"|[\w.()/:*"-]+)\s*=\s*.+|[\]})]+[,\]})]*|("x"|[\w.\[\]{}"()=:, -]+),?')
    for one in bare.splitlines():
        assert not one.strip() or line.fullmatch(one.strip()), one


@pytest.mark.parametrize("name", list(controls()))
def test_policy_documents_of_the_cli_remediation_are_json(name: str) -> None:
    for text in re.findall(r"--policy-document '(.*?)'", controls()[name].remediation.cli, re.DOTALL):
        assert json.loads(text)["Version"] == "2012-10-17"


def test_a_control_is_found_whatever_its_case() -> None:
    assert control("stsg-101") is controls()["STSG-101"]


def test_an_unknown_control_gets_a_suggestion() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown control `STSG-40` \(did you mean `STSG-402`\?\)"):
        control("STSG-40")
    with pytest.raises(ConfigurationError, match="valid: STSG-101, STSG-102"):
        control("x")
