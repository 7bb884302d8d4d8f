"""Policy variables are read from a text in one pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.policy.variables import (
    LANGUAGE,
    Literal,
    Variable,
    has_variables,
    plain_text,
    read_template,
    resolve,
)

USER = "arn:aws:iam::111122223333:user/alice"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain*", ("plain*",)),
        ("a${aws:username}b", ("a", Variable("aws:username", "aws:username", None), "b")),
        ("${ AWS:UserName }", (Variable("AWS:UserName", "aws:username", None),)),
        ("${a:b, 'x y'}", (Variable("a:b", "a:b", "x y"),)),
        ("${a:b,''}", (Variable("a:b", "a:b", ""),)),
        (
            "${aws:PrincipalTag/cost center}",
            (Variable("aws:PrincipalTag/cost center", "aws:principaltag/cost center", None),),
        ),
        ("${*}${?}${$}", (Literal("*"), Literal("?"), Literal("$"))),
        ("${}", ("${}",)),
        ("${a:b, x}", ("${a:b, x}",)),
        ("${a:b, '}", ("${a:b, '}",)),
        ("${, 'x'}", ("${, 'x'}",)),
        ("${a:b", ("${a:b",)),
        ("$${a:b}", ("$", Variable("a:b", "a:b", None))),
        ("${${a:b}}", ("${", Variable("a:b", "a:b", None), "}")),
        ("${}x${a:b}", ("${}x", Variable("a:b", "a:b", None))),
    ],
)
def test_templates(text: str, parts: tuple[object, ...]) -> None:
    assert read_template(text) == parts
    assert has_variables(text, LANGUAGE) is any(not isinstance(part, str) for part in parts)
    assert not has_variables(text, "2008-10-17")
    assert not has_variables(text, None)


@given(st.text(alphabet="${}*?,' a:", max_size=40))
def test_every_character_is_kept(text: str) -> None:
    written = {Variable: lambda part: None, Literal: lambda part: f"${{{part.text}}}", str: str}
    parts = [written[type(part)](part) for part in read_template(text)]
    if None not in parts:
        assert "".join(str(part) for part in parts) == text


@pytest.mark.parametrize("text", ["${a" + " " * 200_000, "${" * 100_000, "${a:b," * 50_000, "${a:b, '" + "x" * 200_000])
def test_hostile_texts_end(text: str) -> None:
    # A backtracking reader would take hours for the first of these.
    assert read_template(text) == (text,)


def test_resolution() -> None:
    request = Request("a:b", "*", USER, {"a:one": "*", "a:many": ["x"]})
    found = resolve(read_template("x${a:one}${a:none, 'd'}${*}"), request, longest=100)
    assert found == ("x", Literal("*"), Literal("d"), Literal("*"))
    assert found is not None
    assert plain_text(found) == "x*d*"
    assert resolve(read_template("${a:none}"), request, longest=100) is None
    assert resolve(read_template("${a:many}"), request, longest=100) is None
    assert resolve(read_template("${a:many, 'd'}"), request, longest=100) is None


def test_values_too_long_to_match_are_not_copied_together() -> None:
    request = Request("a:b", "*", USER, {"a:one": "x" * 10})
    parts = read_template("${a:one}${a:one}")
    assert resolve(parts, request, longest=20) == (Literal("x" * 10), Literal("x" * 10))
    assert resolve(parts, request, longest=19) is None


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_many_long_values_end(effect: str) -> None:
    # Copied together these would be gigabytes.
    many = "${aws:PrincipalTag/x}" * 40_000
    statement = {
        "Effect": effect,
        "Action": "*",
        "NotResource": f"arn:aws:s3:::{many}?",
        "Condition": {"StringNotLike": {"aws:SourceVpc": f"{many}*"}, "StringNotEquals": {"aws:SourceVpc": many}},
    }
    policy = Policy.parse({"Version": "2012-10-17", "Statement": statement})
    context = {"aws:PrincipalTag/x": "x" * 100_000, "aws:SourceVpc": "vpc-1"}
    decision = authorize(Request("s3:GetObject", "arn:aws:s3:::b/k", USER, context), identity=[policy])
    assert decision.outcome == ("allowed" if effect == "Allow" else "explicitDeny")
