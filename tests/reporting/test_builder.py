"""From findings and an account to the report model: order, deciding statements, redaction, verdict."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_stsguard.account import load
from pytest_stsguard.findings import Baseline, Finding, Report, Severity
from pytest_stsguard.reporting import build
from pytest_stsguard.reporting.builder import drill
from pytest_stsguard.reporting.model import Location, Run, Step
from pytest_stsguard.reporting.text import visible

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/app"
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}


def account_file(path: Path, trust: Any) -> Path:
    role = {
        "Path": "/",
        "RoleName": "app",
        "RoleId": "AROAAAAAAAAAAAAAAAAA1",
        "Arn": ROLE,
        "CreateDate": "2026-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": trust,
        "InstanceProfileList": [],
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
    }
    text = json.dumps({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": []}, indent=1)
    path.write_text(text)
    return path


def finding(**fields: Any) -> Finding:
    known: dict[str, Any] = {"control": "STSG-101", "severity": Severity.CRITICAL, "resource": ROLE, "message": "open"}
    return Finding(**{**known, **fields})


def made(*findings: Finding, **options: Any) -> Run:
    return build(Report("export:x", "111122223333", AT, findings), fail_on=Severity.HIGH, **options)


def test_deciding_statement_is_found_with_its_line(tmp_path: Path) -> None:
    trust = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": "First"}, {**ALLOW, "Sid": "Second"}]}
    path = account_file(tmp_path / "account.json", trust)
    account = load(f"export:{path}")
    document = account.roles[0].trust.location
    assert document is not None
    found = finding(place="trust policy Statement[1] any-account", location=(str(path), document.line or 0))
    (shown,) = (run := made(found, account=account)).findings
    assert shown.lines is not None
    lines = run.policies[shown.policy or 0].text.split("\n")[shown.lines[0] - 1 : shown.lines[1]]
    assert json.loads("\n".join(lines))["Sid"] == "Second"
    assert shown.location is not None
    after = "\n".join(path.read_text().split("\n")[shown.location.line - 1 :])
    assert json.JSONDecoder().raw_decode(after.lstrip())[0]["Sid"] == "Second"


def test_single_statement_without_a_list_is_marked(tmp_path: Path) -> None:
    account = load(f"export:{account_file(tmp_path / 'a.json', {'Version': '2012-10-17', 'Statement': ALLOW})}")
    (shown,) = (run := made(finding(place="trust policy Statement[0]"), account=account)).findings
    assert shown.lines is not None
    text = run.policies[0].text.split("\n")[shown.lines[0] - 1 : shown.lines[1]]
    assert json.loads("{" + "\n".join(text).rstrip(",") + "}") == {"Statement": ALLOW}


@pytest.mark.parametrize(
    ("target", "resource", "place", "sid"),
    [
        (
            "tfplan:examples/plan.json",
            "role/vendor-monitoring",
            "trust policy Statement[0] external-account",
            "AssumeRole",
        ),
        (
            "tfplan:examples/plan.json",
            "role/shop-web",
            "aws_iam_role_policy.revoke: AWSRevokeOlderSessions Statement[0]",
            "*",
        ),
        (
            "cfn:examples/stack.yaml",
            "role/shop-production-debug",
            "trust policy Statement[0] any-account",
            "AssumeRole",
        ),
    ],
)
def test_statement_is_found_in_plans_and_templates(target: str, resource: str, place: str, sid: str) -> None:
    kind, _, path = target.partition(":")
    account = load(f"{kind}:{ROOT / path}")
    arn = next(role.arn for role in account.roles if role.arn.endswith(resource))
    (shown,) = (run := made(finding(resource=arn, place=place), account=account)).findings
    assert shown.lines is not None
    marked = run.policies[0].text.split("\n")[shown.lines[0] - 1 : shown.lines[1]]
    assert sid in "\n".join(marked)
    assert shown.location is not None
    assert shown.location.file.endswith(path)


@pytest.mark.parametrize("trust", ["no json", "{}", '{"Statement": 7}'])
def test_policy_that_cannot_be_read_is_no_obstacle(trust: str, tmp_path: Path) -> None:
    account = load(f"export:{account_file(tmp_path / 'a.json', trust)}")
    (shown,) = made(finding(place="trust policy Statement[4]", location=("a.json", 7)), account=account).findings
    assert shown.lines is None
    assert shown.message == "open"


def test_huge_policy_is_not_shown(tmp_path: Path) -> None:
    huge = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": f"S{number}"} for number in range(400)]}
    account = load(f"export:{account_file(tmp_path / 'a.json', huge)}")
    run = made(finding(place="trust policy Statement[1]", location=("a.json", 7)), account=account)
    assert run.policies == ()
    assert run.findings[0].location == Location("a.json", 7)


def test_equal_policies_are_kept_once(tmp_path: Path) -> None:
    account = load(f"export:{account_file(tmp_path / 'a.json', {'Version': '2012-10-17', 'Statement': [ALLOW]})}")
    run = made(*(finding(place=f"trust policy Statement[0] {n}") for n in range(3)), account=account)
    assert len(run.policies) == 1
    assert [one.policy for one in run.findings] == [0, 0, 0]


def test_order_of_the_findings_does_not_matter() -> None:
    several = [finding(message=text, place=place) for text in "ba" for place in ("y", "x")]
    several.append(finding(control="STSG-303", severity=Severity.LOW))
    assert made(*several) == made(*reversed(several))


def test_secrets_are_redacted() -> None:
    token = "IQoJb3JpZ2luX2VjEXAMPLE" + "A1b2" * 40
    key = "AKIAIOSFODNN7" + "EXAMPLE"
    evidence = {"key": key, "SecretAccessKey": "hidden", "deep": [{"session_token": "hidden", "text": f"x {token}"}]}
    run = made(finding(message=f"uses {key} and {token}", evidence=evidence, muted=f"see {key}"))
    text = json.dumps(run.findings[0].evidence) + run.findings[0].message + (run.findings[0].mute_reason or "")
    assert key not in text
    assert token not in text
    assert "hidden" not in text
    assert run.findings[0].message == "uses ****MPLE and ****"


def test_finding_without_a_file_keeps_the_place_that_it_has() -> None:
    assert made(finding(location=("x.json", 3))).findings[0].location == Location("x.json", 3)
    assert made(finding()).findings[0].location is None


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({}, "pass"),
        ({"checks": {"passed": 2}}, "pass"),
        ({"checks": {"failed": 1}}, "fail"),
        ({"drills": [drill("x", "failed", ())]}, "fail"),
        ({"drills": [drill("x", "passed", ())]}, "pass"),
    ],
)
def test_verdict(options: dict[str, Any], verdict: str) -> None:
    assert made(**options).verdict == verdict


def test_verdict_of_findings() -> None:
    assert made(finding()).verdict == "fail"
    assert made(finding(severity=Severity.MEDIUM)).verdict == "pass"
    assert made(finding(muted="known")).verdict == "pass"


def test_changes_since_the_baseline_are_counted() -> None:
    known, new = finding(place="a", baselined=True), finding(place="b")
    run = made(known, new, baseline=Baseline(frozenset({known.fingerprint, "0" * 32, "1" * 32})))
    assert run.changes is not None
    assert (run.changes.new, run.changes.known, run.changes.fixed) == (1, 1, 2)


def test_lines_of_a_timeline_become_steps() -> None:
    lines = ["2026-11-20T12:00:00.123Z  stolen    arn, key ****ABCD", "something else"]
    assert drill("t", "passed", lines).steps == (Step("2026-11-20T12:00:00.123Z", "stolen", "arn, key ****ABCD"),)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Übung 日本", "Übung 日本"),
        ("a\nb", "a\\nb"),
        ("a\u202eb\0", "a\\u202eb\\u0000"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
        ("x" * 1001, "x" * 1000 + "…"),
        ("ä" * 5000, "ä" * 1000 + "…"),
    ],
)
def test_hidden_characters_are_shown(text: str, shown: str) -> None:
    assert visible(text) == shown
