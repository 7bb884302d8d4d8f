"""A request: its context keys in any case, and what it implies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Policy, Request, authorize

A = "111122223333"
USER = f"arn:aws:iam::{A}:user/alice"


def test_keys_fold_and_values_are_texts() -> None:
    request = Request("a:b", "*", USER, {"AWS:Flag": True, "a:N": 5, "a:L": ["x"], "a:E": [], "a:S": "s"})  # type: ignore[dict-item]
    assert [request.value(key) for key in ("aws:flag", "a:n", "a:l", "a:e", "a:s", "a:none")] == [
        "true",
        "5",
        ("x",),
        None,
        "s",
        None,
    ]
    assert Request("a:b", "*", USER, {"a:F": False}).value("a:f") == "false"  # type: ignore[dict-item]
    assert request.given("a:s") == "s"
    assert request.given("a:l") is None
    assert request.given("aws:principalarn") is None


@pytest.mark.parametrize("value", [None, 1j, [1], {"a": "b"}, b"x"])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(InputError, match="a text or a list of texts"):
        Request("a:b", "*", USER, {"a:b": value}).value("a:c")  # type: ignore[dict-item]


def test_the_context_is_the_requests_own() -> None:
    context = {"aws:PrincipalTag/x": "1"}
    condition = {"StringEquals": context.copy()}
    policy = Policy.parse({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}})
    decision = authorize(Request("s3:GetObject", "*", USER, context), identity=[policy])
    context["aws:PrincipalTag/x"] = "2"
    assert decision.allowed
    assert decision.deciding


def test_one_moment_for_all_conditions() -> None:
    request = Request("a:b", "*", USER)
    before = datetime.now(UTC) - timedelta(seconds=1)
    current, epoch = request.value("aws:currenttime"), request.value("aws:epochtime")
    assert isinstance(current, str)
    assert isinstance(epoch, str)
    moment = datetime.fromisoformat(current)
    assert before <= moment <= datetime.now(UTC)
    assert int(epoch) == int(moment.timestamp())
    assert request.value("aws:currenttime") == current


def test_who_owns_the_resource() -> None:
    assert Request("a:b", "arn:aws:sqs:x:444455556666:q", USER).owner == "444455556666"
    assert Request("a:b", "*", USER).owner == A
    assert Request("a:b", "*", USER, resource_account="777788889999").owner == "777788889999"
    assert Request("a:b", "*", "ec2.amazonaws.com").value("aws:resourceaccount") is None


def test_a_request_shows_itself() -> None:
    assert repr(Request("a:b", "*", USER, {"k:k": "v"})) == f"Request('a:b', '*', '{USER}', {{'k:k': 'v'}})"
