"""One statement, compiled: its elements together."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_stsguard.policy import Policy, Request, authorize

USER = "arn:aws:iam::111122223333:user/alice"


def decide(statement: dict[str, Any], resource: str = "*", context: dict[str, Any] | None = None) -> bool:
    found = {"Effect": "Allow", "Action": "*", "Resource": "*", **statement}
    policy = Policy.parse({"Version": "2012-10-17", "Statement": found})
    return authorize(Request("s3:GetObject", resource, USER, context), identity=[policy]).allowed


@pytest.mark.parametrize("missing", [None, "a:1", "a:2", "a:3", "a:4"])
def test_every_condition_must_hold(missing: str | None) -> None:
    keys = {f"a:{number}": "x" for number in range(1, 5)}
    given = {key: value for key, value in keys.items() if key != missing}
    assert decide({"Condition": {"StringEquals": keys}}, context=given) is (missing is None)


@pytest.mark.parametrize(
    ("resource", "matches"),
    [
        ("arn:aws:s3:::alice/x", True),
        ("arn:aws:s3:::111122223333/x", True),
        ("arn:aws:s3:::shared/x", True),
        ("arn:aws:s3:::public", True),
        ("arn:aws:s3:::bob/x", False),
    ],
)
def test_resources_with_and_without_variables_stand_beside_each_other(resource: str, *, matches: bool) -> None:
    variable = ["arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::${aws:PrincipalAccount}/*"]
    fixed = ["arn:aws:s3:::shared/*", "arn:aws:s3:::public"]
    assert decide({"Resource": [*fixed, *variable]}, resource) is matches
    without_fixed = {"Resource": variable}
    assert decide(without_fixed, resource) is (matches and "shared" not in resource and "public" not in resource)


@pytest.mark.parametrize("action", ["s3:GetObject", "S3:getobject", "s3:G*t?bject", "*:GetObject", "*"])
def test_actions_are_found_through_the_index(action: str) -> None:
    assert decide({"Action": ["ec2:RunInstances", action, "sqs:*"]})


def test_an_action_that_two_files_of_the_index_lead_to_counts_once() -> None:
    policy = Policy.parse({"Statement": {"Effect": "Allow", "Action": ["s3:Get*", "*"], "Resource": "*"}})
    decision = authorize(Request("s3:GetObject", "*", USER), identity=[policy])
    assert len(decision.deciding) == 1
