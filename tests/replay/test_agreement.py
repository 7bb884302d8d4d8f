"""The blast radius and the simulated cloud agree in both directions: what is told can be done, and nothing else can."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.cloud.stolen import stolen_session
from pytest_stsguard.reach.blast import Ground, blast_radius
from pytest_stsguard.replay import Stage

if TYPE_CHECKING:
    from pytest_stsguard.account import Account

HOME = "111122223333"
NAMES = [f"r{number}" for number in range(6)]
FENCE = f"arn:aws:iam::{HOME}:policy/Fence"


def arn(name: str) -> str:
    return f"arn:aws:iam::{HOME}:role/{name}"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


class Maker:
    """Makes the same account for the same seed: every form of trust, permission, boundary, deny and condition may occur."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def account(self) -> Account:
        fence = {"VersionId": "v1", "IsDefaultVersion": True, "Document": policy(self.statement("Allow"))}
        page = {
            "RoleDetailList": [self.role(name) for name in NAMES],
            "UserDetailList": [],
            "GroupDetailList": [],
            "Policies": [{"PolicyName": "Fence", "Arn": FENCE, "Path": "/", "PolicyVersionList": [fence]}],
        }
        builder = AccountBuilder("random")
        builder.add_text(json.dumps(page), None)
        return builder.build()

    def role(self, name: str) -> dict[str, Any]:
        pick = self.random
        statements = [self.statement("Allow") for _ in range(pick.randint(0, 2))]
        statements += [self.statement("Deny")] if pick.random() < 0.2 else []
        made: dict[str, Any] = {
            "RoleName": name,
            "Arn": arn(name),
            "Path": "/",
            "AssumeRolePolicyDocument": policy(*(self.trust() for _ in range(pick.randint(1, 2)))),
            "RolePolicyList": [{"PolicyName": "Own", "PolicyDocument": policy(*statements)}] if statements else [],
            "Tags": [{"Key": "team", "Value": pick.choice("ab")}] if pick.random() < 0.6 else [],
        }
        if pick.random() < 0.25:
            made["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": FENCE}
        return made

    def trust(self) -> dict[str, Any]:
        pick = self.random
        session = f"arn:aws:sts::{HOME}:assumed-role/{pick.choice(NAMES)}/stolen"
        principal = pick.choice([arn(pick.choice(NAMES)), arn(pick.choice(NAMES)), HOME, "*", session])
        made: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
        made |= {"Effect": "Deny"} if pick.random() < 0.1 else {}
        return made | self.condition()

    def statement(self, effect: str) -> dict[str, Any]:
        pick = self.random
        action = pick.choice(["sts:AssumeRole", "sts:*", "*", "s3:*"]) if effect == "Deny" else "sts:AssumeRole"
        resource = pick.choice([arn(pick.choice(NAMES)), arn("r*"), "*", arn("r?"), arn("${aws:PrincipalTag/team}*")])
        return {"Effect": effect, "Action": action, "Resource": resource} | self.condition()

    def condition(self) -> dict[str, Any]:
        pick = self.random
        if pick.random() < 0.6:
            return {}
        return {
            "Condition": pick.choice(
                [
                    {"StringEquals": {"aws:PrincipalTag/team": "a"}},
                    {"StringNotEquals": {"aws:PrincipalTag/team": "a"}},
                    {"StringEquals": {"aws:ResourceTag/team": "b"}},
                    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
                    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
                    {"ArnLike": {"aws:PrincipalArn": arn("r[0-2]").replace("[0-2]", "?")}},
                    {"StringEquals": {"sts:ExternalId": "secret"}},
                    {"Null": {"aws:TokenIssueTime": "false"}},
                ]
            )
        }


def refusal(sts: Any, RoleArn: str, **sent: str) -> str:  # noqa: N803 - the names of the API
    """Give the error of assuming a role; empty when it is allowed."""
    try:
        sts.assume_role(**{"RoleArn": RoleArn, "RoleSessionName": "stsguard-thief"} | sent)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize("seed", range(6))
def test_who_is_said_to_assume_whom_does_and_nobody_else(seed: int) -> None:
    account = Maker(seed).account()
    ground = Ground([account], now=datetime.now(UTC))
    with Stage(account) as stage:
        for name in NAMES:
            blast = blast_radius(ground, f"arn:aws:sts::{HOME}:assumed-role/{name}/stolen")
            steps = [edge for edge in blast.edges if edge.source == arn(name) and edge.kind == "assume-role"]
            told = {edge.to: dict(edge.calls[0].parameters) for edge in steps}
            sts = stage.cloud.client("sts", stolen_session(stage.cloud, arn(name), session_name="stolen"))
            for other in NAMES:
                if arn(other) in told:
                    assert not refusal(sts, **told[arn(other)]), f"{name} to {other}"
                    continue
                for sent in ({}, {"ExternalId": "secret"}):
                    assert refusal(sts, arn(other), **sent) == "AccessDenied", f"{name} to {other}: allowed"
