"""What holds for all policies and requests, whatever they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.errors import PolicyError, UnsupportedError
from pytest_stsguard.policy import Decision, Policy, Request, authorize

if TYPE_CHECKING:
    from collections.abc import Callable

A, B = "111122223333", "444455556666"
USER = f"arn:aws:iam::{A}:user/alice"
ROLE = f"arn:aws:iam::{A}:role/app"
SESSION = f"arn:aws:sts::{A}:assumed-role/app/s1"
FEDERATED = f"arn:aws:sts::{A}:federated-user/carol"
CALLERS = [
    USER,
    SESSION,
    ROLE,
    FEDERATED,
    f"arn:aws:iam::{A}:root",
    f"arn:aws:iam::{B}:user/zoe",
    "ec2.amazonaws.com",
    "*",
]
ACTIONS = ["s3:GetObject", "s3:PutObject", "ec2:RunInstances", "sts:AssumeRole", "kms:Decrypt"]
RESOURCES = [
    "*",
    "arn:aws:s3:::reports/x",
    "arn:aws:s3:::alice/x",
    f"arn:aws:iam::{A}:role/target",
    f"arn:aws:kms:eu-west-1:{A}:key/1",
    f"arn:aws:sqs:eu-west-1:{B}:jobs",
]
VALUES = {
    "aws:TokenIssueTime": ["2025-12-31T00:00:00Z", "2026-01-02T00:00:00Z", "soon"],
    "aws:PrincipalTag/team": ["blue", "red", "bl*", ""],
    "aws:TagKeys": [["a"], ["a", "b"], []],
    "aws:SourceIp": ["203.0.113.7", "2001:db8::1"],
}
CONDITIONS: list[dict[str, Any]] = [
    {"DateLessThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}},
    {"DateLessThanIfExists": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}},
    {"StringNotLike": {"aws:PrincipalTag/team": ["bl*", "${aws:username}"]}},
    {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}},
    {"ForAnyValue:StringLike": {"aws:TagKeys": ["b*"]}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Null": {"aws:TagKeys": "true"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": A},
    {"AWS": [USER, SESSION]},
    {"AWS": ROLE},
    {"AWS": B, "Service": "ec2.amazonaws.com"},
    {"AWS": [FEDERATED, "AROAEXAMPLEROLEID0001"]},
]


@st.composite
def statements(draw: st.DrawFn, *, effect: str | None = None, principal: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": effect or draw(st.sampled_from(["Allow", "Deny"]))}
    names = st.lists(
        st.sampled_from([*ACTIONS, "*", "s3:*", "S3:get*", "*:*", "ec2:Run?nstances"]), min_size=1, max_size=2
    )
    found[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(names)
    places = st.lists(
        st.sampled_from([*RESOURCES, "arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::*"]), min_size=1, max_size=2
    )
    found[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(places)
    if draw(st.booleans()):
        found["Condition"] = draw(st.sampled_from(CONDITIONS))
    if principal:
        element = draw(st.sampled_from(["Principal", "Principal", "NotPrincipal"]))
        found[element] = draw(st.sampled_from(PRINCIPALS))
    return found


def parse(found: list[dict[str, Any]], kind: str = "identity") -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": found}, kind=kind)


def policies(kind: str = "identity") -> st.SearchStrategy[Policy]:
    listed = st.lists(statements(principal=kind == "resource"), min_size=1, max_size=3)
    return listed.map(lambda found: parse(found, kind))


def several(kind: str = "identity") -> st.SearchStrategy[list[Policy]]:
    return st.lists(policies(kind), max_size=2)


ARGUMENTS = st.fixed_dictionaries(
    {
        "identity": several(),
        "resource": st.none() | policies("resource"),
        "boundary": st.just([]) | several("boundary"),
        "session": st.none() | several("session"),
        "scps": st.just([]) | st.lists(several("scp"), max_size=2),
    }
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    keys = draw(st.lists(st.sampled_from(list(VALUES)), unique=True, max_size=4))
    context = {key: draw(st.sampled_from(VALUES[key])) for key in keys}
    return Request(
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from(RESOURCES)),
        draw(st.sampled_from(CALLERS)),
        context,
        resource_account=draw(st.sampled_from([None, None, A, B])),
    )


DENY_ALL = parse([{"Effect": "Deny", "Action": "*", "Resource": "*"}])


@given(requests(), ARGUMENTS)
def test_an_explicit_deny_is_never_overridden(request: Request, arguments: dict[str, Any]) -> None:
    if not request.caller.owns_policies:
        everyone = parse([{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}], "resource")
        assert authorize(request, **{**arguments, "resource": everyone}).outcome == "explicitDeny"
        return
    for layer in ("identity", "boundary", "session"):
        denied = {**arguments, layer: [*(arguments[layer] or ()), DENY_ALL]}
        assert authorize(request, **denied).outcome == "explicitDeny"
    assert authorize(request, **{**arguments, "scps": [*arguments["scps"], [DENY_ALL]]}).outcome == "explicitDeny"


@given(requests(), ARGUMENTS, st.data())
def test_adding_an_allow_never_denies(request: Request, arguments: dict[str, Any], data: st.DataObject) -> None:
    before = authorize(request, **arguments)
    for layer in ("identity", "boundary", "session"):
        if layer != "identity" and not arguments[layer]:
            continue  # the first policy of a limit is a new limit, which may well deny
        more = [*arguments[layer], parse([data.draw(statements(effect="Allow"))], layer)]
        after = authorize(request, **{**arguments, layer: more})
        assert not (before.allowed and not after.allowed)


@given(requests(), ARGUMENTS, st.data())
def test_adding_a_grant_of_the_resource_never_denies(
    request: Request, arguments: dict[str, Any], data: st.DataObject
) -> None:
    before = authorize(request, **arguments)
    old = arguments["resource"].document()["Statement"] if arguments["resource"] else []
    more = parse([*old, data.draw(statements(effect="Allow", principal=True))], "resource")
    assert not (before.allowed and not authorize(request, **{**arguments, "resource": more}).allowed)


@given(requests(), ARGUMENTS, st.data())
def test_adding_a_deny_never_allows(request: Request, arguments: dict[str, Any], data: st.DataObject) -> None:
    before = authorize(request, **arguments)
    deny = parse([data.draw(statements(effect="Deny"))])
    after = authorize(request, **{**arguments, "identity": [*arguments["identity"], deny]})
    assert not (after.allowed and not before.allowed)
    assert not (before.outcome == "explicitDeny" and after.outcome != "explicitDeny")


@given(requests(), ARGUMENTS, st.data())
def test_limits_never_widen(request: Request, arguments: dict[str, Any], data: st.DataObject) -> None:
    without = {**arguments, "boundary": [], "scps": [], "session": None}
    bare = authorize(request, **without)
    boundary = data.draw(several("boundary"))
    assert bare.allowed or not authorize(request, **{**without, "boundary": boundary}).allowed
    scps = [data.draw(several("scp"))]
    assert bare.allowed or not authorize(request, **{**without, "scps": scps}).allowed
    if request.principal != FEDERATED:  # without a session policy a federated user has no permissions to begin with
        session = data.draw(several("session"))
        assert bare.allowed or not authorize(request, **{**without, "session": session}).allowed


RCP_DENY = Policy.parse(
    {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}, kind="rcp"
)
RCP_FULL = Policy.parse(
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}, kind="rcp"
)


@given(requests(), ARGUMENTS)
def test_resource_control_policies_never_widen(request: Request, arguments: dict[str, Any]) -> None:
    bare = authorize(request, **arguments)
    assert authorize(request, **arguments, rcps=[[RCP_FULL]]).outcome == bare.outcome
    denied = authorize(request, **arguments, rcps=[[], [RCP_DENY]])
    assert denied.outcome == ("explicitDeny" if request.action.startswith("s3:") else bare.outcome)


@given(st.lists(statements(principal=True), min_size=1, max_size=3))
def test_a_rendered_policy_is_the_same_policy(found: list[dict[str, Any]]) -> None:
    policy = parse(found, "resource")
    assert Policy.parse(policy.document(), kind="resource") == policy
    assert Policy.parse(json.dumps(policy.document()), kind="resource") == policy


@given(requests(), ARGUMENTS)
def test_explanation_agrees_with_the_decision(request: Request, arguments: dict[str, Any]) -> None:
    decision = authorize(request, **arguments)
    explained = decision.explain()
    layers = explained["layers"]
    deciding = [found["effect"] for layer in layers for found in layer["decided"]]
    assert len(deciding) == len(decision.deciding)
    if decision.outcome == "explicitDeny":
        assert set(deciding) == {"Deny"}
        assert "deny" in {layer["verdict"] for layer in layers}
    else:
        assert "deny" not in {layer["verdict"] for layer in layers}
        assert set(deciding) <= ({"Allow"} if decision.allowed else set())
    assert decision._ruling().outcome == decision.outcome  # noqa: SLF001 - the two ways to the outcome are compared
    assert decision.text().startswith("ALLOWED" if decision.allowed else "DENIED")
    json.dumps(explained)


@given(requests(), several())
def test_the_short_path_is_only_shorter(request: Request, identity: list[Policy]) -> None:
    short = authorize(request, identity=identity)
    nobody = Policy.parse(
        {"Statement": {"Effect": "Allow", "Principal": {"AWS": "777788889999"}, "Action": "*", "Resource": "*"}},
        kind="resource",
    )
    assert authorize(request, identity=identity, resource=nobody).outcome == short.outcome


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6) | st.sampled_from(["*", "Allow", "s3:*", USER]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["AWS", "StringEquals", "Null", "a:b", "Bool", "x"]) | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
ELEMENTS = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]


@settings(max_examples=300)
@given(
    st.dictionaries(st.sampled_from(ELEMENTS), JSON_VALUES, max_size=4),
    st.sampled_from(["identity", "resource", "trust", "boundary", "session", "scp", "rcp"]),
)
def test_lenient_reading_never_raises_and_agrees_with_strict_reading(changes: dict[str, Any], kind: str) -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", **changes}]}
    lenient = Policy.parse(document, kind=kind, lenient=True)
    strict = outcome_of(lambda: Policy.parse(document, kind=kind))
    if isinstance(strict, Policy):
        assert (lenient, lenient.problems) == (strict, ())
    else:
        assert "NotPrincipal" in str(strict) if not lenient.problems else str(strict) == str(lenient.problems[0])


def outcome_of(call: Callable[[], object]) -> object:
    """Give what a call returns, or the error that it raises on purpose."""
    try:
        return call()
    except PolicyError as error:
        return error


@given(requests(), st.lists(statements(), min_size=1, max_size=2), st.sampled_from(["StringEqualz", "stringequals"]))
def test_lenient_reading_never_guesses(request: Request, found: list[dict[str, Any]], operator: str) -> None:
    broken = [{**found[0], "Condition": {operator: {"a:b": "c"}}}, *found[1:]]
    policy = Policy.parse({"Version": "2012-10-17", "Statement": broken}, lenient=True)
    rest = {} if not found[1:] else {"identity": [parse(found[1:])]}
    without: Decision = authorize(request, **rest)
    always = authorize(request, identity=[parse([{k: v for k, v in found[0].items() if k != "Condition"}, *found[1:]])])
    decided = outcome_of(lambda: authorize(request, identity=[policy]))
    if isinstance(decided, Decision):
        # Whether the broken condition holds or not, the outcome is the same.
        assert decided.outcome == without.outcome == always.outcome
    else:
        assert isinstance(decided, UnsupportedError)
        assert decided.location == "identity[0]: Statement[0]"
