"""Steps that write to IAM, with conditions, denials and boundaries of every kind: what is told can be done."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.reach.blast import Ground, blast_radius
from pytest_stsguard.replay import Stage
from pytest_stsguard.replay.blast import walk

if TYPE_CHECKING:
    from pytest_stsguard.account import Account

HOME = "111122223333"
FENCE = f"arn:aws:iam::{HOME}:policy/Fence"
ACTIONS = [
    *(
        "iam:CreateAccessKey",
        "iam:UpdateAssumeRolePolicy",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:CreateUser",
    ),
    *("iam:PutUserPolicy", "iam:DeleteRolePolicy", "iam:CreatePolicyVersion", "iam:DeleteRolePermissionsBoundary"),
    *("iam:*", "iam:Create*"),
]
CONDITIONS: list[dict[str, Any]] = [
    {"StringEquals": {"iam:ResourceTag/team": "a"}},
    {"StringEquals": {"aws:ResourceTag/team": "a"}},
    {"StringEquals": {"aws:PrincipalTag/team": "a"}},
    {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}},
    {"ArnLike": {"iam:PermissionsBoundary": FENCE}},
    {"Null": {"iam:PermissionsBoundary": "true"}},
]


def arn(name: str, noun: str = "role") -> str:
    return f"arn:aws:iam::{HOME}:{noun}/{name}"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(pick: random.Random, effect: str) -> dict[str, Any]:
    actions = pick.sample(ACTIONS, pick.randint(1, 3)) if effect == "Allow" else [pick.choice(ACTIONS)]
    resource = pick.choice(["*", arn("r*"), arn("r1"), arn("u*", "user"), arn("*", "user"), FENCE, arn("r?")])
    made: dict[str, Any] = {"Effect": effect, "Action": actions, "Resource": resource}
    return made if pick.random() < 0.6 else {**made, "Condition": pick.choice(CONDITIONS)}


def tags(pick: random.Random) -> list[dict[str, str]]:
    return [{"Key": "team", "Value": pick.choice("ab")}] if pick.random() < 0.6 else []


def role(pick: random.Random, number: int) -> dict[str, Any]:
    statements = [statement(pick, "Allow") for _ in range(pick.randint(0, 3))]
    statements += [statement(pick, "Deny")] if pick.random() < 0.3 else []
    trust = {"Effect": "Allow", "Principal": {"AWS": arn(f"r{(number + 1) % 4}")}, "Action": "sts:AssumeRole"}
    made: dict[str, Any] = {
        "RoleName": f"r{number}",
        "Arn": arn(f"r{number}"),
        "Path": "/",
        "AssumeRolePolicyDocument": document(trust),
        "RolePolicyList": [{"PolicyName": "Own", "PolicyDocument": document(*statements)}] if statements else [],
        "Tags": tags(pick),
        "AttachedManagedPolicies": [{"PolicyName": "Fence", "PolicyArn": FENCE}] if pick.random() < 0.3 else [],
    }
    if pick.random() < 0.25:
        made["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": FENCE}
    return made


def account_of(seed: int) -> Account:
    pick = random.Random(seed)
    everything = {"Effect": "Allow", "Action": pick.choice(["*", "iam:*", "s3:*"]), "Resource": "*"}
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document(everything)}
    page = {
        "RoleDetailList": [role(pick, number) for number in range(4)],
        "UserDetailList": [
            {"UserName": name, "Arn": arn(name, "user"), "Path": "/", "Tags": tags(pick)} for name in ("u0", "u1")
        ],
        "GroupDetailList": [],
        "Policies": [{"PolicyName": "Fence", "Arn": FENCE, "Path": "/", "PolicyVersionList": [version]}],
    }
    builder = AccountBuilder("random")
    builder.add_text(json.dumps(page), None)
    return builder.build()


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_every_step_that_is_told_can_be_taken(seed: int) -> None:
    account = account_of(seed)
    ground = Ground([account], now=datetime.now(UTC))
    taken = 0
    for start in ("r0", "r2"):
        blast = blast_radius(ground, start)
        with Stage(account) as stage:
            for edge, shown in walk(stage, blast).items():
                own = edge.kind == "undo-containment" and edge.source == edge.to
                if own or edge.kind.endswith("login-profile"):
                    assert not shown.done  # the denial covers it; passwords are not simulated
                else:
                    assert shown.done, (edge, shown.reason)
                    taken += 1
    assert taken > 0
