"""The contract of `authorize`: decisions, their reasons in AWS's words, and their explanations."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Decision, Policy, Request, authorize
from pytest_stsguard.policy.authorization import _stays_home

A, B = "111122223333", "444455556666"
USER = f"arn:aws:iam::{A}:user/alice"
SESSION = f"arn:aws:sts::{A}:assumed-role/app/s"
KEY = "arn:aws:s3:::reports/x"
REQUEST = Request("s3:GetObject", KEY, USER)


def policy(effect: str = "Allow", *, kind: str = "identity", name: str | None = None, **elements: Any) -> Policy:
    statement: dict[str, Any] = {"Effect": effect, "Action": "*", "Resource": "*", "Sid": "S1", **elements}
    if kind == "trust":
        del statement["Resource"]
    return Policy.parse({"Version": "2012-10-17", "Statement": [statement]}, kind=kind, name=name)


ALLOW, DENY, ELSEWHERE = policy(), policy("Deny"), policy(Action="ec2:*")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"identity": [ALLOW]}, ""),
        ({"identity": [DENY]}, "with an explicit deny in an identity-based policy"),
        ({}, "because no identity-based policy allows the s3:GetObject action"),
        ({"identity": [ALLOW], "boundary": [DENY]}, "with an explicit deny in a permissions boundary"),
        (
            {"identity": [ALLOW], "boundary": [ELSEWHERE]},
            "because no permissions boundary allows the s3:GetObject action",
        ),
        ({"identity": [ALLOW], "session": [DENY]}, "with an explicit deny in a session policy"),
        ({"identity": [ALLOW], "session": []}, "because no session policy allows the s3:GetObject action"),
        ({"identity": [ALLOW], "scps": [[ALLOW, DENY]]}, "with an explicit deny in a service control policy"),
        ({"identity": [ALLOW], "scps": [[]]}, "because no service control policy allows the s3:GetObject action"),
        (
            {"identity": [ALLOW], "rcps": [[policy("Deny", kind="rcp", Principal="*")]]},
            "with an explicit deny in a resource control policy",
        ),
        (
            {"identity": [ALLOW], "resource": policy("Deny", kind="resource", Principal="*")},
            "with an explicit deny in a resource-based policy",
        ),
    ],
)
def test_reasons_are_in_awss_words(arguments: dict[str, Any], reason: str) -> None:
    decision = authorize(REQUEST, **arguments)
    assert decision.reason() == reason
    assert decision.allowed is (not reason)
    assert decision.explicit is reason.startswith("with")
    assert (decision.layer is None) is decision.allowed


def test_a_cross_account_denial_wants_the_resources_policy() -> None:
    request = Request("s3:GetObject", KEY, USER, resource_account=B)
    assert (
        authorize(request, identity=[ALLOW]).reason()
        == "because no resource-based policy allows the s3:GetObject action"
    )
    assert authorize(request).layer == "identity-based policy"


def test_deciding_statements() -> None:
    named = policy("Deny", name="arn:aws:iam::aws:policy/Deny")
    (found,) = authorize(REQUEST, identity=[ALLOW, named]).deciding
    assert (found.policy, found.place, found.sid, found.layer, found.effect) == (
        "arn:aws:iam::aws:policy/Deny",
        "Statement[0]",
        "S1",
        "identity-based policy",
        "Deny",
    )
    allowed = authorize(REQUEST, identity=[ELSEWHERE, ALLOW], boundary=[ALLOW])
    assert [(found.policy, found.layer) for found in allowed.deciding] == [
        ("identity[1]", "identity-based policy"),
        ("boundary[0]", "permissions boundary"),
    ]
    assert authorize(REQUEST).deciding == ()


def test_what_does_not_carry_an_allowed_request_has_not_decided_it() -> None:
    grant = policy(kind="resource", Principal={"AWS": USER})
    decision = authorize(REQUEST, identity=[ALLOW], boundary=[ELSEWHERE], resource=grant)
    assert decision.allowed
    assert [found.policy for found in decision.deciding] == ["resource"]


def test_explain_is_data_layer_by_layer() -> None:
    near = policy("Deny", name="revoke", Condition={"DateLessThan": {"aws:TokenIssueTime": "2026-01-01"}})
    explained = authorize(REQUEST, identity=[ALLOW, near, ELSEWHERE]).explain()
    assert explained["outcome"] == "allowed"
    (layer,) = explained["layers"]
    assert (layer["layer"], layer["level"], layer["verdict"]) == ("identity-based policy", None, "allow")
    assert [found["policy"] for found in layer["decided"]] == ["identity[0]"]
    (missed,) = layer["near"]
    assert missed["policy"] == "revoke"
    assert missed["why_not"] == "DateLessThan wants aws:TokenIssueTime `2026-01-01`: it is absent"


def why(statement: dict[str, Any], context: dict[str, Any] | None = None, **arguments: Any) -> str:
    found = policy(kind=arguments.pop("kind", "identity"), **statement)
    key = "identity" if found.kind == "identity" else "resource"
    decision = authorize(
        Request("s3:GetObject", KEY, USER, context), **{key: [found] if key == "identity" else found}, **arguments
    )
    return str(decision.explain()["layers"][0]["near"][0]["why_not"])


def test_the_first_reason_why_not() -> None:
    tag = {"aws:PrincipalTag/team": ["a", "b", "c", "d", "e"]}
    assert why({"Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}) == (
        "Resource `arn:aws:s3:::a`, `arn:aws:s3:::b` does not match `arn:aws:s3:::reports/x`"
    )
    statement = {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::reports/*"}
    excluded = authorize(REQUEST, identity=[Policy.parse({"Statement": [statement]})]).explain()
    assert excluded["layers"][0]["near"][0]["why_not"] == "NotResource excludes `arn:aws:s3:::reports/x`"
    assert why({"Condition": {"StringEquals": tag}}, {"aws:PrincipalTag/team": "x"}) == (
        "StringEquals wants aws:PrincipalTag/team `a`, `b`, `c` and 2 more: it is `x`"
    )
    assert why({"Condition": {"StringEquals": {"aws:TagKeys": []}}}, {"aws:TagKeys": ["x"]}) == (
        "StringEquals wants aws:TagKeys nothing: it is `x`"
    )
    assert why({"Condition": {"StringEquals": {"aws:TagKeys": "x"}}}, {"aws:TagKeys": ["x", "y"]}) == (
        "StringEquals compares one value, and aws:TagKeys is `x`, `y`"
    )
    assert why({"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "x"}}}, {"aws:TagKeys": ["x", "y"]}) == (
        "ForAllValues:StringEquals wants aws:TagKeys `x`: it is `x`, `y`"
    )
    assert why({"Condition": {"Null": {"aws:TagKeys": "true"}}}, {"aws:TagKeys": ["x", "y"]}) == (
        "Null wants aws:TagKeys `true`: it is `x`, `y`"
    )
    assert why({"Principal": {"AWS": B}}, kind="resource") == f"Principal does not name `{USER}`"
    named = {"Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": USER}}
    decision = authorize(REQUEST, resource=Policy.parse({"Statement": named}, kind="resource"))
    assert decision.explain()["layers"][0]["near"][0]["why_not"] == f"NotPrincipal spares `{USER}`"


def test_text_is_understood_at_once() -> None:
    revoke = policy(
        "Deny",
        name="AWSRevokeOlderSessions",
        Condition={"DateLessThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}},
    )
    read = policy(name="ReadReports", Action="s3:Get*")
    request = Request("s3:GetObject", KEY, SESSION, {"aws:TokenIssueTime": "2025-12-31T23:00:00Z"})
    decision = authorize(request, identity=[read, revoke], boundary=[ELSEWHERE])
    assert (
        str(decision)
        == decision.text()
        == "\n".join(
            [
                f"DENIED: {SESSION} is not authorized to perform s3:GetObject on {KEY}, with an explicit deny in an identity-based policy",
                "  identity-based policy: denies",
                "    decided by Deny Statement[0] `S1` of AWSRevokeOlderSessions",
                "    also matched Allow Statement[0] `S1` of ReadReports",
                "  permissions boundary: allows nothing here",
            ]
        )
    )
    fresh = Request("s3:GetObject", KEY, SESSION, {"aws:TokenIssueTime": "2026-01-02T00:00:00Z"})
    assert "    not Deny Statement[0] `S1` of AWSRevokeOlderSessions: DateLessThan wants" in str(
        authorize(fresh, identity=[read, revoke])
    )


def test_text_tells_levels_and_grants() -> None:
    decision = authorize(REQUEST, scps=[[ALLOW]], resource=policy(kind="resource", Principal={"AWS": A}, name="bucket"))
    text = decision.text()
    assert text.startswith("DENIED (implicitly): ")
    assert "  service control policy, level 0: allows" in text
    assert "of bucket, which leaves its account to the identity policies" in text
    role = policy(kind="resource", Principal={"AWS": f"arn:aws:iam::{A}:role/app"})
    limited = authorize(Request("s3:GetObject", KEY, SESSION), resource=role, session=())
    assert "which grants no more than boundary and session policies let through" in limited.text()


def test_actions_that_no_policy_controls() -> None:
    decision = authorize(Request("STS:getcalleridentity", "*", USER), identity=[DENY])
    assert decision.outcome == "allowed"
    assert decision.deciding == ()
    assert decision.reason() == ""
    assert decision.text().endswith("no policy controls this action")


def test_a_decision_shows_itself() -> None:
    decision = authorize(REQUEST)
    assert isinstance(decision, Decision)
    assert repr(decision) == f"<Decision implicitDeny: s3:GetObject on {KEY}>"
    assert decision.verdicts() == (("identity-based policy", "silent"),)


def test_nobody_unknown_calls() -> None:
    with pytest.raises(InputError, match="`alice` cannot call"):
        authorize(Request("s3:GetObject", KEY, "alice"), identity=[ALLOW])


TRUST = policy(kind="trust", Principal="*", Action="sts:*")
BUCKET = policy(kind="resource", Principal="*")


@pytest.mark.parametrize(
    "arguments",
    [
        {"identity": [BUCKET]},
        {"identity": [TRUST]},
        {"boundary": [BUCKET], "identity": [ALLOW]},
        {"session": [BUCKET], "identity": [ALLOW]},
        {"scps": [[BUCKET]], "identity": [ALLOW]},
        {"rcps": [[BUCKET]], "identity": [ALLOW]},
        {"resource": ALLOW},
    ],
)
def test_a_policy_in_the_wrong_layer_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"belongs to (a|no) resource"):
        authorize(REQUEST, **arguments)


def test_a_trust_policy_speaks_of_sts_only() -> None:
    trust = policy(kind="trust", Principal="*", Action="*")
    role = f"arn:aws:iam::{A}:role/app"
    assert authorize(Request("iam:DeleteRole", role, USER), resource=trust).outcome == "implicitDeny"
    assert authorize(Request("sts:AssumeRole", role, USER), resource=trust).outcome == "allowed"


@pytest.mark.parametrize(
    ("resource", "owner", "home"),
    [
        (KEY, None, True),
        ("*", None, True),
        (f"arn:aws:sqs:eu-west-1:{A}:q", None, True),
        (f"arn:aws:sqs:eu-west-1:{B}:q", None, False),
        (f"arn:aws:sns:eu-west-1:{B}:topic:::x", None, False),
        (KEY, A, True),
        (KEY, B, False),
        (f"arn:aws:sqs:eu-west-1:{B}:q", A, True),
    ],
)
def test_the_short_path_is_taken_inside_the_account_only(resource: str, owner: str | None, *, home: bool) -> None:
    request = Request("s3:GetObject", resource, USER, resource_account=owner)
    assert _stays_home(request) is home
    assert authorize(request, identity=[ALLOW]).allowed is home


def test_plans_stay_bounded() -> None:
    from pytest_stsguard.policy import index

    found = policy(Action="s3:*")
    for number in range(index.MOST_PLANS + 10):
        assert authorize(Request(f"s3:Get{number}", KEY, USER), identity=[found]).allowed
    assert len(found.index.plans) == index.MOST_PLANS
    other = policy(Action="s3:*")
    assert authorize(Request("s3:" + "x" * 10_000, KEY, USER), identity=[other]).allowed
    assert not other.index.plans


def test_who_has_no_identity_policies_is_bound_by_none() -> None:
    grant = policy(kind="resource", Principal={"Service": "ec2.amazonaws.com"})
    request = Request("s3:GetObject", KEY, "ec2.amazonaws.com", resource_account=A)
    limits: dict[str, Any] = {"identity": [DENY], "boundary": [DENY], "session": [DENY], "scps": [[DENY]]}
    assert authorize(request, resource=grant, **limits).allowed
    assert not authorize(request, identity=[ALLOW], boundary=[ALLOW], session=[ALLOW]).allowed


def test_a_statement_for_another_caller_does_not_end_the_search() -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    named = [{**statement, "Principal": {"AWS": B}}, {**statement, "Principal": {"AWS": USER}}]
    assert authorize(REQUEST, resource=Policy.parse({"Statement": named}, kind="resource")).allowed
    weaker = [{**statement, "Principal": {"AWS": USER}}, {**statement, "Principal": {"AWS": A}}]
    assert authorize(REQUEST, resource=Policy.parse({"Statement": weaker}, kind="resource")).allowed
