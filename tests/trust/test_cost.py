"""Large policies as people do write them are decided within the budget, whatever the machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_stsguard.trust import Zones, prove
from pytest_stsguard.trust.budget import STEPS

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OWN, FOREIGN, ORG, ISSUER = "111122223333", "999988887777", "o-a1b2c3d4e5", "id.corp.example"
GITHUB = "token.actions.githubusercontent.com"
ACCOUNTS = [f"{100_000_000_000 + number}" for number in range(300)]
STAR = {"AWS": "*"}
ROLES = [f"arn:aws:iam::{account}:role/deploy-*" for account in ACCOUNTS]


def statement(principal: Any, conditions: Any = None, action: str = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return {**found, "Condition": conditions} if conditions is not None else found


def token(issuer: str, conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    provider = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{issuer}"}
    named = {
        operator: {f"{issuer}:{claim}": values for claim, values in claims.items()}
        for operator, claims in conditions.items()
    }
    return statement(provider, named, "sts:AssumeRoleWithWebIdentity", **more)


def zones(**trust: Any) -> Zones:
    return Zones.parse({"account": OWN, "org_id": ORG, "trust": trust})


NAMES = [f"value-{number}" for number in range(4_000)]
PERIMETER = {
    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG},
    "ArnNotLikeIfExists": {"aws:PrincipalArn": ROLES[:100]},
    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
}
CLAIMS = ("actor", "actor_id", "ref", "workflow", "job_workflow_ref", "environment", "repository_id")
LARGE: dict[str, tuple[list[dict[str, Any]], Zones, str]] = {
    "roles of many accounts, all of one organization": (
        [statement(STAR, {"ArnLike": {"aws:PrincipalArn": ROLES}, "StringEquals": {"aws:PrincipalOrgID": ORG}})],
        zones(),
        "narrow",
    ),
    "a perimeter that spares many foreign roles": (
        [statement(STAR), statement(STAR, PERIMETER, Effect="Deny")],
        zones(),
        "too_broad",
    ),
    "many accounts, all declared": (
        [statement(STAR, {"StringEquals": {"aws:PrincipalAccount": ACCOUNTS}})],
        zones(accounts=[{"id": account} for account in ACCOUNTS]),
        "narrow",
    ),
    "thousands of subjects, all declared": (
        [token(ISSUER, {"StringEquals": {"sub": NAMES}})],
        zones(oidc=[{"issuer": ISSUER, "sub": NAMES}]),
        "narrow",
    ),
    "thousands of subjects, all but one declared": (
        [token(ISSUER, {"StringEquals": {"sub": NAMES}})],
        zones(oidc=[{"issuer": ISSUER, "sub": NAMES[:-1]}]),
        "too_broad",
    ),
    "many Denies of two conditions, one of which is easily missed": (
        [
            token(GITHUB, {"StringLike": {"sub": "repo:*"}}),
            *(
                token(
                    GITHUB,
                    {
                        "StringNotLike": {claim: [f"*{letter}{number}*" for letter in "abcdefghij"]},
                        "StringLike": {"sub": f"*{number}*{number}*"},
                    },
                    Effect="Deny",
                )
                for number, claim in enumerate(CLAIMS * 6)
            ),
        ],
        zones(oidc=[{"issuer": GITHUB, "sub": ["repo:acme/*"]}]),
        "too_broad",
    ),
    "sessions of many roles, any of which may lie inside": (
        [statement({"AWS": [f"arn:aws:sts::{OWN}:assumed-role/r{number}/s" for number in range(200)]})],
        zones(
            organization=False,
            own_principals=[f"arn:aws:iam::{OWN}:role/*{one}*{other}*" for one in "abcdef" for other in "ghijk"],
        ),
        "undecided",
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_policy_is_decided_within_the_budget(name: str) -> None:
    statements, declared, expected = LARGE[name]
    proof = prove({"Version": "2012-10-17", "Statement": statements}, declared, now=NOW, budget=STEPS)
    assert proof.verdict == expected
    assert expected != "undecided" or "the path of the session's role is not known" in proof.reasons[0]
