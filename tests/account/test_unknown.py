from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.account import Document, Location
from pytest_stsguard.account.location import JsonText
from pytest_stsguard.account.unknown import marker
from pytest_stsguard.errors import UnsupportedError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.trust import Zones, prove

ACCOUNT = "111122223333"
ZONES = Zones.parse({"account": ACCOUNT})
UNKNOWN = marker("parameter `Vendor`, which has no default")
NARROW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Id": "x",
    "Statement": [
        {
            "Sid": "Lambda",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:role/app"]},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT]}, "Bool": {"aws:SecureTransport": True}},
        },
        {"Effect": "Deny", "Principal": "*", "NotAction": "sts:TagSession", "Condition": {"Null": {"aws:x": "true"}}},
    ],
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in members:
        found += paths(inner, (*path, step))
    return found


def put(path: tuple[Any, ...], value: Any = UNKNOWN) -> Any:
    if not path:
        return value
    document = json.loads(json.dumps(NARROW))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return document


def place(path: tuple[Any, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def test_what_the_unknown_values_stand_in_is_narrow_itself() -> None:
    assert prove(NARROW, ZONES).verdict == "narrow"


@pytest.mark.parametrize("path", paths(NARROW), ids=place)
def test_an_unknown_value_anywhere_is_named_and_undecided(path: tuple[Any, ...]) -> None:
    document = Document("trust policy", "trust", json.dumps(put(path)))
    message = "unknown value: parameter `Vendor`, which has no default"
    assert str(document.problems[0]) == (f"{place(path)}: {message}" if path else message)
    assert not any("expected" in str(problem) for problem in document.problems)
    assert prove(document.policy, ZONES).verdict == "undecided"
    assert prove(Policy.parse(document.text, kind="trust", lenient=True), ZONES).verdict == "undecided"
    assert not any(problem.location is None and path for problem in document.problems)


@pytest.mark.parametrize("path", [path for path in paths(NARROW) if len(path) > 1 and path[-1] != "Sid"], ids=place)
def test_a_statement_with_an_unknown_value_is_never_applied_nor_left_out(path: tuple[Any, ...]) -> None:
    policy = Document("trust policy", "trust", json.dumps(put(path))).policy
    unread = [statement.readable for statement in policy.statements]
    assert unread[path[1]] is False
    assert unread.count(True) == 2
    role = f"arn:aws:iam::{ACCOUNT}:role/target"
    caller = "lambda.amazonaws.com" if path[1] == 0 else f"arn:aws:iam::{ACCOUNT}:role/app"
    with pytest.raises(UnsupportedError):
        authorize(Request("sts:AssumeRole", role, caller, {"aws:x": "1"}), resource=policy)


@given(st.lists(st.sampled_from(paths(NARROW)), min_size=1, max_size=3), st.sampled_from([None, [], {}, [[]], 3]))
def test_no_place_hides_an_unknown_value(chosen: list[tuple[Any, ...]], other: Any) -> None:
    document = put(chosen[0])
    for path in chosen[1:]:
        holder, known = document, True
        for step in path[:-1]:
            inside = isinstance(holder, (dict, list)) and not (isinstance(holder, list) and not isinstance(step, int))
            known = inside and (step in holder if isinstance(holder, dict) else step < len(holder))
            if not known:
                break
            holder = holder[step]
        if known and path and isinstance(holder, dict) and path[-1] in holder:
            holder[path[-1]] = other
    text = json.dumps(document)
    if "stsguard:unknown" in text:
        policy = Document("trust policy", "trust", text).policy
        assert any("unknown value: parameter `Vendor`" in str(problem) for problem in policy.problems)
        assert prove(policy, ZONES).verdict == "undecided"


def test_a_mark_alone_is_no_unknown_value() -> None:
    for value in ({"stsguard:unknown": "x"}, [{"stsguard:unknown": 3}], [{"stsguard:unknown": "x"}, "y"]):
        document = Document("d", "identity", json.dumps(put(("Statement", 0, "Action"), value)))
        assert document.problems
        assert not any("unknown value" in str(problem) for problem in document.problems)


def test_statements_are_located() -> None:
    text = json.dumps({"P": NARROW}, indent=1)
    document = Document("d", "trust", json.dumps(NARROW), location=Location("f", ("P",), text=JsonText("f", text)))
    lines = text.splitlines()
    for index in range(3):
        for suffix in ("", ".Principal.AWS", ".Action[1]"):
            found = document.locate(f"Statement[{index}]{suffix}")
            assert found is not None
            assert found.pointer == f"/P/Statement/{index}"
            assert found.line == [number for number, line in enumerate(lines, 1) if line == "   {"][index]
    single = document.locate("Statement.Effect")
    assert single is not None
    assert single.pointer == "/P/Statement"
    for elsewhere in ("", "Version", "Statements[1]"):
        assert document.locate(elsewhere) is document.location
    assert Document("d", "trust", "{}").locate("Statement[0]") is None
