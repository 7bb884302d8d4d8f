"""A document parses to what it says, strictly or leniently, and renders back."""

from __future__ import annotations

import json
import pickle
from types import MappingProxyType
from typing import Any

import pytest

from pytest_stsguard.errors import InputError, PolicyError, UnsupportedError
from pytest_stsguard.policy import Condition, Policy, Principal, Request, authorize

USER = "arn:aws:iam::111122223333:user/alice"
ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def test_the_data_model() -> None:
    policy = Policy.parse(
        {
            "Version": "2012-10-17",
            "Id": "label",
            "Statement": [
                {
                    "Sid": "one two",
                    "Effect": "Deny",
                    "Principal": {"AWS": ["111122223333"], "Service": "ec2.amazonaws.com"},
                    "Action": ["s3:Get*", "s3:Put*"],
                    "NotResource": "*",
                    "Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", True, 5, 1.5]}},
                },
                {"Effect": "Allow", "NotPrincipal": "*", "NotAction": "iam:*", "Resource": "*"},
            ],
        },
        kind="resource",
        name="bucket",
    )
    first, second = policy.statements
    assert (policy.kind, policy.version, policy.id, policy.name) == ("resource", "2012-10-17", "label", "bucket")
    assert (policy.problems, policy.warnings) == ((), ())
    assert (first.index, first.sid, first.effect, first.place) == (0, "one two", "Deny", "Statement[0]")
    assert (first.actions, first.not_actions) == (("s3:Get*", "s3:Put*"), None)
    assert (first.resources, first.not_resources) == (None, ("*",))
    assert first.principals == (Principal("AWS", "111122223333"), Principal("Service", "ec2.amazonaws.com"))
    assert first.conditions == (
        Condition(
            operator="ForAnyValue:StringLikeIfExists",
            name="StringLike",
            qualifier="ForAnyValue",
            if_exists=True,
            key="aws:TagKeys",
            values=("a*", "true", "5", "1.5"),
        ),
    )
    assert (second.not_principals, second.not_actions, second.sid) == ((Principal("*", "*"),), ("iam:*",), None)


def test_a_single_statement_is_its_own_place() -> None:
    policy = Policy.parse({"Statement": ALLOW})
    assert [statement.place for statement in policy.statements] == ["Statement"]
    assert policy.version is None
    assert policy.document() == {"Statement": {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}}


def test_any_mapping_will_do_and_numbers_in_a_text_stay_as_written() -> None:
    text = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"NumericLessThan": {"a:b": 1.50}}}]}'
    assert Policy.parse(text).statements[0].conditions[0].values == ("1.50",)
    assert Policy.parse(MappingProxyType(json.loads(text))).statements[0].conditions[0].values == ("1.5",)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="unknown kind of policy `role`"):
        Policy.parse({"Statement": ALLOW}, kind="role")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            {"stringequals": {"a:b": "c"}},
            "Statement[0].Condition.stringequals: unknown condition operator `stringequals` (operator names are case-sensitive: `StringEquals`)",
        ),
        (
            {"StringEqualz": {"a:b": "c"}},
            "Statement[0].Condition.StringEqualz: unknown condition operator `StringEqualz`",
        ),
        (
            {"DateLessThan": {"aws:TokenIssueTime": "soon"}},
            "Statement[0].Condition.DateLessThan.aws:TokenIssueTime: `soon` is no date",
        ),
    ],
)
def test_a_refusal_says_what_and_where(condition: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.parse({"Statement": [{**ALLOW, "Condition": condition}]})
    assert str(caught.value) == message


def test_the_users_words_stay_on_one_short_line() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.parse({"Statement": [{**ALLOW, "Effect": "A\nllow\ud800" + "x" * 10_000}]})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    str(caught.value).encode()


@pytest.mark.parametrize("document", ["[" * 100_000, '{"a":' * 100_000, '{"Statement": ' + "[" * 50_000])
def test_deep_texts_are_refused(document: str) -> None:
    with pytest.raises(PolicyError, match="nested too deeply"):
        Policy.parse(document)


def test_deep_objects_are_refused_without_recursion() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    for field in ("Action", "Resource", "Condition", "Effect", "Sid"):
        with pytest.raises(PolicyError) as caught:
            Policy.parse({"Statement": [{**ALLOW, field: deep}]})
        assert str(caught.value.location).startswith(f"Statement[0].{field}")


def test_a_megabyte_parses() -> None:
    resources = [f"arn:aws:s3:::bucket-{number}/{'x' * 90}/*" for number in range(9000)]
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**ALLOW, "Resource": resources}]})
    assert len(text) > 1_000_000
    policy = Policy.parse(text)
    assert policy.warnings
    request = Request("s3:GetObject", f"arn:aws:s3:::bucket-8999/{'x' * 90}/key", USER)
    assert authorize(request, identity=[policy]).allowed


@pytest.mark.parametrize(
    ("kind", "size"), [("identity", 10_240), ("session", 2048), ("trust", 4096), ("boundary", 6144), ("scp", 5120)]
)
def test_sizes_over_the_limit_are_warned_of_without_whitespace(kind: str, size: int) -> None:
    who = {"Principal": {"AWS": "111122223333"}} if kind == "trust" else {"Resource": "*"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **who}

    def document(padding: int) -> str:
        found = {"Statement": [{**statement, "Condition": {"StringEquals": {"a:b": "x" * padding}}}]}
        return json.dumps(found, indent=4)

    fixed = len("".join(document(0).split()))
    assert Policy.parse(document(size - fixed), kind=kind).warnings == ()
    (warning,) = Policy.parse(document(size - fixed + 1), kind=kind).warnings
    assert str(size + 1) in warning
    assert Policy.parse(json.loads(document(size - fixed + 1)), kind=kind).warnings


def test_values_that_never_match_are_warned_of() -> None:
    condition = {"Bool": {"a:b": "yes"}, "NumericEquals": {"a:b": ["1", "many"]}}
    policy = Policy.parse({"Statement": [{**ALLOW, "Condition": condition}]})
    assert policy.warnings == (
        "Statement[0].Condition.Bool.a:b: `yes` is neither `true` nor `false`: it never matches",
        "Statement[0].Condition.NumericEquals.a:b[1]: `many` is no number: it never matches",
    )


def test_variables_before_the_last_part_are_warned_of() -> None:
    policy = Policy.parse({"Statement": [{**ALLOW, "Resource": "arn:aws:sqs:*:${aws:PrincipalAccount}:x"}]})
    assert "last part" in policy.warnings[0]


LENIENT_TRUST = {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}


def test_lenient_reading_takes_notprincipal_in_a_trust_policy() -> None:
    policy = Policy.parse({"Statement": [LENIENT_TRUST]}, kind="trust", lenient=True)
    assert policy.problems == ()
    assert policy.statements[0].not_principals == (Principal("AWS", "111122223333"),)
    assert policy.statements[0].readable


@pytest.mark.parametrize(
    ("statement", "location", "readable"),
    [
        ("text", "Statement[0]", False),
        ({**ALLOW, "Effect": "allow"}, "Statement[0].Effect", False),
        ({"Action": "*", "Resource": "*"}, "Statement[0].Effect", False),
        ({**ALLOW, "Resource": "bucket/*"}, "Statement[0].Resource", False),
        ({**ALLOW, "Conditions": {}}, "Statement[0].Conditions", False),
        ({**ALLOW, "Action": "GetObject"}, "Statement[0].Action", False),
        ({**ALLOW, "Resource": []}, "Statement[0].Resource", False),
        ({**ALLOW, "Principal": "alice"}, "Statement[0].Principal", False),
        ({**ALLOW, "Principal": {}}, "Statement[0].Principal", False),
        ({**ALLOW, "Principal": {"Person": "x"}}, "Statement[0].Principal", False),
        ({**ALLOW, "Principal": {"AWS": "x"}}, "Statement[0].Principal", False),
        ({**ALLOW, "Principal": {"AWS": [1]}}, "Statement[0].Principal", False),
        ({**ALLOW, "Condition": 1}, "Statement[0].Condition", False),
        ({**ALLOW, "Condition": {"Like": {"a:b": "c"}}}, "Statement[0].Condition.Like", False),
        ({**ALLOW, "Condition": {"Bool": 1}}, "Statement[0].Condition.Bool", False),
        ({**ALLOW, "Condition": {"Bool": {"": "c"}}}, "Statement[0].Condition.Bool.", False),
        ({**ALLOW, "Condition": {"NullIfExists": {"a:b": "true"}}}, "Statement[0].Condition.NullIfExists", False),
        (
            {**ALLOW, "Condition": {"ForAnyValue:Null": {"a:b": "true"}}},
            "Statement[0].Condition.ForAnyValue:Null",
            False,
        ),
        ({**ALLOW, "Condition": {"Bool": {"a:b": [None]}}}, "Statement[0].Condition.Bool.a:b[0]", False),
        ({**ALLOW, "Condition": {"DateEquals": {"a:b": "x"}}}, "Statement[0].Condition.DateEquals.a:b", False),
        ({**ALLOW, "Sid": "not plain"}, "Statement[0].Sid", True),
        ({**ALLOW, "Sid": 5}, "Statement[0].Sid", True),
    ],
)
def test_lenient_reading_notes_what_it_cannot_read(statement: Any, location: str, *, readable: bool) -> None:
    policy = Policy.parse({"Statement": [statement, {**ALLOW, "Sid": "kept"}]}, lenient=True)
    assert policy.problems[0].location == location
    assert policy.statements[0].readable is readable
    assert policy.statements[1].sid == "kept"
    assert policy.statements[1].readable
    assert policy.whole


@pytest.mark.parametrize(
    ("document", "whole"),
    [
        ("{", False),
        ("[]", False),
        ({"Statement": []}, False),
        ({"Statement": 5}, False),
        ({}, False),
        ({"Version": "2026", "Statement": [ALLOW]}, False),
        ('{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": []}', False),
        ({"Id": 5, "Statement": [ALLOW]}, True),
        ({"Extra": 5, "Statement": [ALLOW]}, True),
        ({"Statement": [{**ALLOW, "Sid": "A"}, {**ALLOW, "Sid": "A"}]}, True),
    ],
)
def test_lenient_reading_of_whole_documents(document: Any, *, whole: bool) -> None:
    policy = Policy.parse(document, lenient=True)
    assert policy.problems
    assert policy.whole is whole


@pytest.mark.parametrize("element", ["Principal", "Condition", "Condition.Bool", ""])
def test_lenient_reading_of_repeated_names(element: str) -> None:
    inner = {
        "Principal": '"Principal": {"AWS": "*", "AWS": "*"}',
        "Condition": '"Principal": "*", "Condition": {"Bool": {"a:b": "true"}, "Bool": {"a:c": "true"}}',
        "Condition.Bool": '"Principal": "*", "Condition": {"Bool": {"a:b": "true", "a:b": "false"}}',
        "": '"Principal": "*", "Principal": "*"',
    }[element]
    text = f'{{"Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*", {inner}}}]}}'
    policy = Policy.parse(text, kind="resource", lenient=True)
    assert [problem.message[:13] for problem in policy.problems] == ["duplicate key"]
    assert not policy.statements[0].readable


def lenient(*statements: Any, kind: str = "identity") -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)}, lenient=True, kind=kind, name="p")


REQUEST = Request("s3:GetObject", "arn:aws:s3:::b/k", USER)
BROKEN = {"Condition": {"StringEqualz": {"a:b": "c"}}}


def test_an_unreadable_statement_that_could_matter_is_never_guessed_at() -> None:
    for effect in ("Allow", "Deny"):
        with pytest.raises(UnsupportedError) as caught:
            authorize(REQUEST, identity=[lenient({**ALLOW, "Effect": effect, **BROKEN})])
        assert caught.value.location == "p: Statement[0]"


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW, **BROKEN, "Action": "ec2:*"},
        {**ALLOW, **BROKEN, "Resource": "arn:aws:s3:::other/*"},
        {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*", **BROKEN},
    ],
)
def test_one_that_cannot_matter_is_left_aside(statement: Any) -> None:
    assert authorize(REQUEST, identity=[lenient(statement)]).outcome == "implicitDeny"
    assert authorize(REQUEST, identity=[lenient(statement, ALLOW)]).outcome == "allowed"


def test_one_that_changes_nothing_is_left_aside() -> None:
    deny = {**ALLOW, "Effect": "Deny"}
    assert authorize(REQUEST, identity=[lenient({**ALLOW, **BROKEN}, ALLOW)]).outcome == "allowed"
    assert authorize(REQUEST, identity=[lenient({**deny, **BROKEN}, deny)]).outcome == "explicitDeny"
    with pytest.raises(UnsupportedError):
        authorize(REQUEST, identity=[lenient({**deny, **BROKEN}, ALLOW)])


def test_unreadable_elements_may_mean_anything() -> None:
    for statement in ({**ALLOW, "Action": "Get"}, {**ALLOW, "Resource": 1}, "text", {**ALLOW, "Effect": "x"}):
        with pytest.raises(UnsupportedError):
            authorize(REQUEST, identity=[lenient(statement)])


def test_an_unreadable_document_may_mean_anything() -> None:
    policy = Policy.parse("{", lenient=True)
    with pytest.raises(UnsupportedError) as caught:
        authorize(REQUEST, identity=[policy])
    assert caught.value.location == "identity[0]"
    deny = Policy.parse({"Statement": {**ALLOW, "Effect": "Deny"}})
    assert authorize(REQUEST, identity=[policy, deny]).outcome == "explicitDeny"


def test_an_unreadable_resource_policy_matters_to_those_whom_it_names() -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", **BROKEN}
    request = Request("sts:AssumeRole", "arn:aws:iam::111122223333:role/app", USER)
    named = lenient({**trust, "Principal": {"AWS": USER}}, kind="trust")
    with pytest.raises(UnsupportedError):
        authorize(request, resource=named)
    other = lenient({**trust, "Principal": {"AWS": "arn:aws:iam::111122223333:user/bob"}}, kind="trust")
    assert authorize(request, resource=other).outcome == "implicitDeny"


def test_what_could_not_be_read_is_told() -> None:
    decision = authorize(REQUEST, identity=[lenient({**ALLOW, **BROKEN}, ALLOW), Policy.parse("{", lenient=True)][:1])
    assert decision.explain()["layers"][0]["unread"][0]["place"] == "Statement[0]"
    assert "could not read Allow Statement[0] of p" in decision.text()


def test_policies_travel_between_processes() -> None:
    policy = Policy.parse({"Statement": [ALLOW]}, name="p")
    assert authorize(REQUEST, identity=[policy]).allowed
    again = pickle.loads(pickle.dumps(policy))
    assert again == policy
    assert authorize(REQUEST, identity=[again]).allowed


def test_equality_is_of_what_is_said() -> None:
    assert Policy.parse({"Statement": [ALLOW]}, name="a") == Policy.parse({"Statement": [ALLOW]}, name="b")
    assert Policy.parse({"Statement": [ALLOW]}) != Policy.parse({"Statement": [ALLOW]}, kind="session")


@pytest.mark.parametrize("action", ["STS:AssumeRole", "Sts:*", "sts:assumerole"])
def test_trust_policy_may_write_its_actions_in_any_case(action: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/ann"}, "Action": action}
    trust = Policy.parse({"Version": "2012-10-17", "Statement": [statement]}, kind="trust")
    role = "arn:aws:iam::111122223333:role/app"
    request = Request("sts:AssumeRole", role, "arn:aws:iam::111122223333:user/ann")
    assert authorize(request, resource=trust).allowed
