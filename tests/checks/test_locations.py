"""A finding points at the line of the statement that decides, in every kind of file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_stsguard.cli.checks import run_checks

if TYPE_CHECKING:
    from pytest_stsguard.findings import Finding

AT = ("at", "2026-11-20T12:00:00Z")
TEMPLATE = """\
Resources:
  Shared:
    Type: AWS::IAM::Role
    Properties:
      RoleName: shared
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: ec2.amazonaws.com}
            Action: sts:AssumeRole
          - Effect: Allow
            Principal: {AWS: "arn:aws:iam::444455556666:root"}
            Action: sts:AssumeRole
          - Effect: Allow
            Principal: {AWS: !Ref Vendor}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: AWSRevokeOlderSessions
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: s3:GetObject
                Resource: "*"
              - Effect: Deny
                Action: "*"
                Resource: "*"
                Condition: {DateLessThan: {"aws:TokenIssueTime": "2026-11-01T00:00:00Z"}}
        - PolicyName: broken
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: s3:GetObject
                Resource: "*"
              - Effect: Permit
                Action: s3:GetObject
                Resource: "*"
Parameters:
  Vendor: {Type: String}
"""


def lines_of(target: str, *options: tuple[str, str]) -> dict[tuple[str, str], str]:
    """Audit; give the text of the line that each finding with a statement points at, by control and statement."""
    report = run_checks([("target", target), AT, *options]).report
    return {(finding.control, _statement(finding)): _line(finding) for finding in report.findings}


def _statement(finding: Finding) -> str:
    match = re.search(r"Statement\S*", finding.place)
    return match[0] if match else ""


def _line(finding: Finding) -> str:
    if finding.location is None:
        return ""
    return Path(finding.location[0]).read_text().splitlines()[finding.location[1] - 1].strip()


def numbers_of(target: str, *options: tuple[str, str]) -> dict[tuple[str, str], int]:
    report = run_checks([("target", target), AT, *options]).report
    return {
        (finding.control, _statement(finding)): finding.location[1] if finding.location else 0
        for finding in report.findings
    }


def test_template(tmp_path: Path) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(TEMPLATE)
    found = numbers_of(f"cfn:{file}")
    lines = TEMPLATE.splitlines()
    outsider = next(n for n, line in enumerate(lines) if "444455556666" in line)  # the line before, counted from 1
    assert found["STSG-103", "Statement[1]"] == outsider
    assert found["STSG-110", "Statement[1]"] == outsider
    assert found["STSG-111", ""] == next(n for n, line in enumerate(lines) if "!Ref Vendor" in line)
    assert found["STSG-201", "Statement[1]"] == next(n for n, line in enumerate(lines) if 'Action: "*"' in line)
    assert found["STSG-112", ""] == 1 + next(n for n, line in enumerate(lines) if "Permit" in line)


def test_an_account_that_the_zones_name_is_the_templates_own(tmp_path: Path) -> None:
    file, config = tmp_path / "stack.yaml", tmp_path / "stsguard.toml"
    file.write_text(TEMPLATE)
    config.write_text('[zones]\naccount = "444455556666"\n')
    without = run_checks([("target", f"cfn:{file}"), AT]).report
    report = run_checks([("target", f"cfn:{file}"), AT, ("config", str(config))]).report
    assert (without.account, report.account) == ("000000000000", "444455556666")
    assert "STSG-103" in {finding.control for finding in without.findings}
    assert "STSG-103" not in {finding.control for finding in report.findings}
    assert {finding.resource for finding in report.findings} == {"arn:aws:iam::444455556666:role/shared"}


def test_a_role_without_mfa_points_at_the_statement_that_lets_the_user_in(tmp_path: Path) -> None:
    template = """\
Resources:
  Jane:
    Type: AWS::IAM::User
    Properties: {UserName: jane}
  Ops:
    Type: AWS::IAM::Role
    Properties:
      RoleName: ops
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: ec2.amazonaws.com}
            Action: sts:AssumeRole
          - Effect: Allow
            Principal: {AWS: !GetAtt Jane.Arn}
            Action: sts:AssumeRole
"""
    file = tmp_path / "stack.yaml"
    file.write_text(template)
    lines = template.splitlines()
    found = numbers_of(f"cfn:{file}")
    assert found["STSG-113", ""] == next(
        n for n, line in enumerate(lines) if "Jane.Arn" in line
    )  # the line before, from 1


def test_examples_of_every_kind(checkout: Path) -> None:
    for target in ("cfn:examples/stack.yaml", "export:examples/account.json"):
        scheme, _, file = target.partition(":")
        found = lines_of(f"{scheme}:{checkout / file}")
        pointed = {key: line for key, line in found.items() if key[1].startswith("Statement[")}
        assert len(pointed) >= (3 if scheme == "cfn" else 10)
        assert set(pointed.values()) <= {"{", "- Effect: Allow", "- Effect: Deny"}


def test_a_plan_and_a_raw_answer_hold_documents_as_texts_of_one_line(checkout: Path, tmp_path: Path) -> None:
    found = lines_of(f"tfplan:{checkout / 'examples' / 'plan.json'}")
    assert "assume_role_policy" in found["STSG-101", "Statement[0]"]
    trust = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    role = {
        "RoleName": "open",
        "Arn": "arn:aws:iam::111122223333:role/open",
        "Path": "/",
        "RoleId": "AROAEXAMPLEEXAMPLE123",
        "CreateDate": "2026-11-01T00:00:00Z",
        "AssumeRolePolicyDocument": quote(json.dumps({"Version": "2012-10-17", "Statement": [trust]})),
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "InstanceProfileList": [],
    }
    file = tmp_path / "raw.json"
    file.write_text(json.dumps({"RoleDetailList": [role]}, indent=1))
    assert lines_of(f"export:{file}")["STSG-101", "Statement[0]"].startswith('"AssumeRolePolicyDocument": "%7B')
