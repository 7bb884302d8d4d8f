"""How a condition meets a key: as written or in another case, one value or several."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_stsguard.policy import Policy, Request
from pytest_stsguard.policy.conditions import compile_condition
from pytest_stsguard.policy.operators import OPERATORS

USER = "arn:aws:iam::111122223333:user/alice"


def holds(operator: str, values: Any, context: dict[str, Any], *, version: str | None = None) -> bool:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {"aws:TagKeys": values}}}
    (condition,) = Policy.parse({"Statement": statement}).statements[0].conditions
    return compile_condition(condition, version)(Request("s3:GetObject", "*", USER, context)) is True


@pytest.mark.parametrize("key", ["aws:TagKeys", "AWS:TAGKEYS"])
@pytest.mark.parametrize(
    ("operator", "values", "given", "expected"),
    [
        ("StringEquals", "x", "x", True),
        ("StringEquals", "x", "y", False),
        ("StringEquals", "x", "", False),
        ("StringEquals", "x", ["x"], True),
        ("StringEquals", "x", ["y"], False),
        ("StringEquals", "x", ["x", "x"], False),
        ("StringNotEquals", "x", ["y", "z"], False),
        ("StringNotEquals", "x", ["y"], True),
        ("ForAllValues:StringEquals", "x", "", True),
        ("ForAllValues:StringEquals", "x", "x", True),
        ("ForAllValues:StringEquals", "x", "y", False),
        ("ForAllValues:StringEquals", "x", [""], True),
        ("ForAllValues:StringEquals", "x", ["", "y"], False),
        ("ForAnyValue:StringEquals", "x", "", False),
        ("ForAnyValue:StringEquals", "x", ["y", "x"], True),
    ],
)
def test_values(key: str, operator: str, values: str, given: Any, *, expected: bool) -> None:
    assert holds(operator, values, {key: given}) is expected


def test_the_table_of_operators_is_whole() -> None:
    negated = {name for name, operator in OPERATORS.items() if operator.negated}
    assert len(OPERATORS) == 26
    assert negated == {name for name in OPERATORS if "Not" in name}
    assert all(operator.name == name and isinstance(operator.negated, bool) for name, operator in OPERATORS.items())
    texts = {name for name in OPERATORS if name.startswith(("String", "Arn"))}
    assert {name for name, operator in OPERATORS.items() if operator.variables is True} == texts
    assert {name for name, operator in OPERATORS.items() if operator.wildcards is True} == {
        name for name in texts if name.startswith("Arn") or name.endswith("Like")
    }


@pytest.mark.parametrize(
    ("operator", "given", "expected"),
    [
        ("StringEquals", {}, False),
        ("StringNotEquals", {}, True),
        ("StringLikeIfExists", {}, True),
        ("ForAllValues:StringEquals", {"aws:TagKeys": []}, True),
        ("ForAnyValue:StringEquals", {"aws:TagKeys": ["x", "a-rather-long-value"]}, True),
        ("ForAllValues:StringEquals", {"aws:TagKeys": ["a-rather-long-value"]}, True),
        ("StringEquals", {"aws:TagKeys": "a-rather-long-value"}, True),
        ("StringNotEquals", {"aws:TagKeys": "a-rather-long-value"}, False),
        ("StringNotEquals", {"aws:TagKeys": ""}, True),
    ],
)
def test_values_with_variables(operator: str, given: dict[str, Any], *, expected: bool) -> None:
    context = {"aws:PrincipalTag/x": "a-rather-long-value", **given}
    assert holds(operator, "${aws:PrincipalTag/x}", context, version="2012-10-17") is expected
