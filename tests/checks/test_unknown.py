"""What only a deployment knows is not evaluated by the controls that would have to ask, and never passed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cli.checks import run_checks

if TYPE_CHECKING:
    from pathlib import Path

ASKING = {"STSG-205", "STSG-302", "STSG-304"}
LEFTOVERS = {"STSG-201", "STSG-202", "STSG-203", "STSG-204"}
UNKNOWN = {"Ref": "Nobody"}


def statement(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | more


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


EC2 = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (policy(statement()), set()),
        (policy(statement(Resource=UNKNOWN)), set()),
        (policy(statement(Action="iam:PutRolePolicy", Resource=UNKNOWN)), {"STSG-205", "STSG-304"}),
        (policy(statement(Action="sts:AssumeRole", Resource=UNKNOWN)), {"STSG-302", "STSG-304"}),
        (policy(statement(Action=UNKNOWN)), ASKING),
        (policy(statement(Effect="Deny", Action="iam:*", Condition=UNKNOWN)), {"STSG-205", "STSG-304"} | LEFTOVERS),
        (policy(UNKNOWN), ASKING | LEFTOVERS),
        (UNKNOWN, ASKING | LEFTOVERS),
    ],
)
def test_unknown_part_of_a_policy(document: Any, expected: set[str], tmp_path: Path) -> None:
    properties = {"AssumeRolePolicyDocument": EC2, "Policies": [{"PolicyName": "own", "PolicyDocument": document}]}
    file = tmp_path / "stack.json"
    file.write_text(json.dumps({"Resources": {"A": {"Type": "AWS::IAM::Role", "Properties": properties}}}))
    report = run_checks([("target", f"cfn:{file}"), ("at", "2026-11-20T12:00:00Z")]).report
    told = {control for control, reasons in report.not_evaluated.items() if "only a deployment knows" in str(reasons)}
    assert told == expected
    assert report.errors == {}


def test_policy_that_a_plan_does_not_tell(tmp_path: Path) -> None:
    role = {"name": "r", "assume_role_policy": json.dumps(EC2)}
    own = {"name": "own", "role": "r"}
    resources = [
        {"address": "aws_iam_role.r", "type": "aws_iam_role", "name": "r", "values": role},
        {"address": "aws_iam_role_policy.p", "type": "aws_iam_role_policy", "name": "p", "values": own},
    ]
    change = {"actions": ["create"], "after": own, "after_unknown": {"policy": True}}
    file = tmp_path / "plan.json"
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": [{"address": "aws_iam_role_policy.p", "type": "aws_iam_role_policy", "change": change}],
    }
    file.write_text(json.dumps(plan))
    report = run_checks([("target", f"tfplan:{file}"), ("at", "2026-11-20T12:00:00Z")]).report
    assert report.not_evaluated.keys() >= ASKING | LEFTOVERS


def test_policy_that_nobody_holds_is_not_taken_for_no_revocation(tmp_path: Path) -> None:
    role = {
        "RoleName": "r",
        "Arn": "arn:aws:iam::111122223333:role/r",
        "Path": "/",
        "RoleId": "AROAEXAMPLEEXAMPLE123",
        "CreateDate": "2026-11-01T00:00:00Z",
        "AssumeRolePolicyDocument": EC2,
        "RolePolicyList": [],
        "InstanceProfileList": [],
        "AttachedManagedPolicies": [
            {"PolicyName": "Own", "PolicyArn": "arn:aws:iam::111122223333:policy/Own"},
            {"PolicyName": "ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        ],
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"RoleDetailList": [role]}))
    report = run_checks([("target", f"export:{file}"), ("at", "2026-11-20T12:00:00Z")]).report
    for control in LEFTOVERS:
        assert str(report.not_evaluated[control]).count("policy/Own") == 1
        assert "ReadOnlyAccess" not in str(report.not_evaluated[control])


def test_people_whose_permissions_nobody_holds_are_not_taken_for_none(tmp_path: Path) -> None:
    user = {
        "UserName": "jane",
        "Arn": "arn:aws:iam::111122223333:user/jane",
        "Path": "/",
        "UserId": "AIDAEXAMPLEEXAMPLE123",
        "CreateDate": "2026-11-01T00:00:00Z",
        "GroupList": ["staff"],
        "AttachedManagedPolicies": [],
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"UserDetailList": [user], "RoleDetailList": [], "GroupDetailList": []}))
    report = run_checks([("target", f"export:{file}"), ("at", "2026-11-20T12:00:00Z")]).report
    assert "group staff" in str(report.not_evaluated["STSG-113"])
