"""What policies mention, without a request."""

from __future__ import annotations

from pytest_stsguard.policy import Policy, Request
from pytest_stsguard.policy.mentions import candidates, context_keys, missing_context_keys

USER = "arn:aws:iam::111122223333:user/alice"
POLICY = Policy.parse(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"},
            {
                "Effect": "Deny",
                "Action": "s3:Get*",
                "NotResource": "arn:aws:s3:::${saml:sub, 'x'}/*",
                "Condition": {
                    "StringEquals": {"aws:SourceVpc": "${aws:UserName}${*}"},
                    "Bool": {"AWS:SourceVPC": "true"},
                    "Null": {"aws:PrincipalArn": "true"},
                },
            },
            {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        ],
    }
)


def test_context_keys_are_listed_once_as_first_written() -> None:
    assert context_keys([POLICY, POLICY]) == (
        "aws:PrincipalTag/team",
        "aws:SourceVpc",
        "aws:UserName",
        "aws:PrincipalArn",
        "saml:sub",
    )


def test_under_an_older_version_nothing_is_a_variable() -> None:
    old = Policy.parse({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"}})
    assert context_keys([old]) == ()


def test_missing_keys_are_neither_given_nor_implied() -> None:
    request = Request("s3:GetObject", "*", USER, {"aws:sourcevpc": "vpc-1"})
    assert missing_context_keys([POLICY], request) == ("aws:PrincipalTag/team", "saml:sub")


def test_candidates_would_match_if_every_condition_held() -> None:
    request = Request("s3:GetObject", "arn:aws:s3:::blue/x", USER, {"aws:PrincipalTag/team": "blue"})
    assert [statement.index for statement in candidates(POLICY, request)] == [0, 1]
    assert [statement.index for statement in candidates(POLICY, Request("s3:PutObject", "*", USER))] == []


def test_candidates_hold_what_could_not_be_read_and_mind_the_caller() -> None:
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust = Policy.parse(
        {
            "Statement": [
                {**allow, "Principal": {"AWS": "444455556666"}},
                {**allow, "Principal": {"AWS": USER}, "Condition": {"Odd": {"a:b": "c"}}},
                {**allow, "Effect": "Deny", "NotPrincipal": {"AWS": [USER, "111122223333"]}},
            ]
        },
        kind="trust",
        lenient=True,
    )
    request = Request("sts:AssumeRole", "arn:aws:iam::111122223333:role/app", USER)
    assert [statement.index for statement in candidates(trust, request)] == [1]
    assert [statement.index for statement in candidates(trust, request, bounded=True)] == [1, 2]
