"""What a template asks to be ignored: where it may stand, what it covers, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.account import Account, load
from pytest_stsguard.cli.checks import run_checks
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_stsguard.findings import Report

AT = "2026-11-20T12:00:00Z"
OPEN = """\
    Type: AWS::IAM::Role
    Properties:
      RoleName: {name}
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: "*"{comment}
            Action: sts:AssumeRole
"""
TEMPLATE = (
    "Resources:\n  # stsguard:ignore STSG-101 the demo is public until=2027-01-01\n  First:\n"
    + OPEN.format(name="first", comment="")
    + "  Second:\n    # stsguard:ignore STSG-101,STSG-303 known\n"
    + OPEN.format(name="second", comment="")
    + "  Third:\n"
    + OPEN.format(name="third", comment="  # stsguard:ignore STSG-101 a comment behind a value")
    + "      # stsguard:ignore STSG-301 deeper than the next name, so it is the third's\n  Fourth:\n"
    + OPEN.format(name="fourth", comment="")
)


def read(folder: Path, text: str, name: str = "stack.yaml") -> Account:
    file = folder / name
    file.write_text(text)
    return load(f"cfn:{file}")


def audited(folder: Path, text: str, name: str = "stack.yaml", at: str = AT) -> Report:
    file = folder / name
    file.write_text(text)
    return run_checks([("target", f"cfn:{file}"), ("at", at)]).report


def states(report: Report, control: str = "STSG-101") -> dict[str, bool]:
    return {one.resource.rpartition("/")[2]: one.muted is not None for one in report.findings if one.control == control}


def test_a_comment_is_for_the_resource_below_it_or_around_it(tmp_path: Path) -> None:
    found = [(one.control, one.resources[0].rpartition("/")[2]) for one in read(tmp_path, TEMPLATE).pragmas]
    assert found == [
        ("STSG-101", "first"),
        ("STSG-101", "second"),
        ("STSG-303", "second"),
        ("STSG-101", "third"),
        ("STSG-301", "third"),
    ]
    first = read(tmp_path, TEMPLATE).pragmas[0]
    assert (first.reason, first.until, first.line) == ("the demo is public", date(2027, 1, 1), 2)


def test_what_is_ignored_is_muted_with_its_reason_and_what_is_unused_or_expired_is_said(tmp_path: Path) -> None:
    report = audited(tmp_path, TEMPLATE)
    assert states(report) == {"first": True, "second": True, "third": True, "fourth": False}
    reasons = {one.resource.rpartition("/")[2]: one.muted for one in report.findings if one.control == "STSG-101"}
    assert reasons["first"] == f"the demo is public ({tmp_path / 'stack.yaml'}:2)"
    assert [line for line in report.warnings if "STSG-303" in line and "covers no finding" in line]
    later = audited(tmp_path, TEMPLATE, at="2027-01-02T00:00:00Z")
    assert states(later) == {"first": False, "second": True, "third": True, "fourth": False}
    assert [line for line in later.warnings if line.endswith("expired on 2027-01-01")]


def test_a_finding_of_another_resource_is_covered_where_it_stands(tmp_path: Path) -> None:
    text = "Resources:\n  Role:\n" + OPEN.format(name="app", comment="").replace('"*"', "{Service: ec2.amazonaws.com}")
    text += """\
  # stsguard:ignore STSG-201 goes with the next release
  Leftover:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: AWSRevokeOlderSessions
      Roles: [!Ref Role]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Deny
            Action: "*"
            Resource: "*"
            Condition: {DateLessThan: {"aws:TokenIssueTime": "2026-11-01T00:00:00Z"}}
"""
    assert states(audited(tmp_path, text), "STSG-201") == {"app": True}
    assert states(audited(tmp_path, text.replace("  # stsguard:ignore", "  # ignore")), "STSG-201") == {"app": False}


@pytest.mark.parametrize(
    "entry",
    [
        "STSG-101 the demo is public until=2027-01-01",
        {"control": "STSG-101", "reason": "the demo is public", "until": "2027-01-01"},
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_metadata_of_a_resource_in_json(tmp_path: Path, entry: Any, indent: int | None) -> None:
    document = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
    roles: dict[str, Any] = {
        name: {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": document}}
        for name in ("first", "second", "third")
    }
    roles["second"]["Metadata"] = {"stsguard": {"ignore": [entry]}}
    text = json.dumps({"Resources": roles}, indent=indent)
    report = audited(tmp_path, text, "stack.json")
    assert states(report) == {"first": False, "second": True, "third": False}
    assert report.warnings == ()


def test_what_only_looks_like_a_comment_is_none(tmp_path: Path) -> None:
    text = TEMPLATE.replace("  Fourth:\n", '  Fourth:\n    Description: "x # stsguard:ignore STSG-101 no"\n')
    text = text.replace("Resources:", "Description: |\n  about\n  # stsguard:ignore STSG-101 no\nResources:", 1)
    assert states(audited(tmp_path, text))["fourth"] is False
    assert len(read(tmp_path, text).pragmas) == 5
    assert read(tmp_path, TEMPLATE.replace("# stsguard:ignore ", "# stsguard:ignored ")).pragmas == ()


def test_a_comment_in_no_resource_covers_nothing_and_is_said(tmp_path: Path) -> None:
    report = audited(tmp_path, "# stsguard:ignore STSG-101 everything\nDescription: x\n" + TEMPLATE)
    assert states(report)["fourth"] is False
    assert [line for line in report.warnings if "stack.yaml:1: the mute of `STSG-101` on `no resource`" in line]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("", "`` is no control"),
        ("*", "`*` is no control"),
        ("STSG-101", "a finding is ignored without a reason"),
        ("STSG-101 until=2027-01-01", "a finding is ignored without a reason"),
        ("STSG-101 known until=tomorrow", "`tomorrow` is no date"),
        ("STSG-101 known until=2027-01-01 until=2028-01-01", "`until=` comes twice"),
    ],
)
def test_what_is_not_written_as_it_must_be_is_one_line(tmp_path: Path, comment: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, TEMPLATE.replace("STSG-101 the demo is public until=2027-01-01", comment))
    assert str(caught.value).startswith(f"{tmp_path / 'stack.yaml'}:2: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"ignored": []}, "`stsguard` holds `ignore` and nothing else"),
        ({"ignore": [], "more": 1}, "`stsguard` holds `ignore` and nothing else"),
        ([], "`stsguard` holds `ignore` and nothing else"),
        ({"ignore": [3]}, "`3` is no control"),
        ({"ignore": [True]}, "nothing that can be ignored"),
        ({"ignore": [{"control": "STSG-101", "why": "x"}]}, "nothing that can be ignored"),
        ({"ignore": [{"control": "STSG-101", "reason": ["x"]}]}, "nothing that can be ignored"),
        ({"ignore": [{"reason": "x"}]}, "nothing that can be ignored"),
        ({"ignore": [{"control": "*", "reason": "x"}]}, "`*` is no control"),
    ],
)
def test_metadata_that_is_not_as_it_must_be_is_one_line(tmp_path: Path, metadata: Any, message: str) -> None:
    role = {"Type": "AWS::IAM::Role", "Metadata": {"stsguard": metadata}, "Properties": {}}
    with pytest.raises(InputError) as caught:
        read(tmp_path, json.dumps({"Resources": {"Role": role}}, indent=1), "stack.json")
    assert message in str(caught.value)
    assert "stack.json:" in str(caught.value)
