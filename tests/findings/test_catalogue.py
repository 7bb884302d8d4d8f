from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings import Severity, control, controls

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
