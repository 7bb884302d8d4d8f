from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.clock import isoformat
from pytest_stsguard.policy import Policy
from pytest_stsguard.revocation.leftover import Leftover, State, assess

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/ops/app"
ROLE_ID = "AROAEXAMPLEEXAMPLE123"
USER = "arn:aws:iam::111122223333:user/contractor"
NAME = "AWSRevokeOlderSessions"
OLD = "2026-11-01T10:00:00.138Z"
CUTOFF = datetime(2026, 11, 1, 10, 0, 0, 138000, tzinfo=UTC)
KEY = "aws:TokenIssueTime"


def deny(condition: Any, **changes: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition} | changes


def older_than(value: Any = OLD, **changes: Any) -> dict[str, Any]:
    return deny({"DateLessThan": {KEY: value}}, **changes)


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def look(body: Any, *, name: str = "p", arn: str = ROLE, now: datetime = NOW, **options: Any) -> Leftover | None:
    policy = Policy.parse(body, lenient=True, name=name)
    found = assess([policy], now=now, principal_arn=arn, principal_id=ROLE_ID if arn == ROLE else None, **options)
    return found[0] if found else None


def seen(body: Any, **options: Any) -> Leftover:
    leftover = look(body, **options)
    assert leftover is not None
    return leftover


@pytest.mark.parametrize(
    "statement",
    [
        older_than(),
        older_than([OLD]),
        older_than(["2020-01-01T00:00:00Z", OLD]),
        older_than("2026-11-01T11:00:00.138+01:00"),
        older_than("1793527200.138"),
        older_than(Action="*", Resource="*"),
        older_than(Action=["*:*"], Resource="**"),
        older_than(Action=["sts:GetCallerIdentity", "*"]),
        {"Effect": "Deny", "NotAction": "sts:GetCallerIdentity", "Resource": "*"}
        | {"Condition": {"DateLessThan": {"AWS:tokenissuetime": OLD}}},
        deny({"DateLessThanEquals": {KEY: OLD}}),
        deny({"DateLessThan": {KEY: OLD}, "Null": {KEY: "false"}}),
        deny({"DateLessThan": {KEY: OLD}, "DateGreaterThan": {KEY: "2026-10-30T00:00:00Z"}}),
        deny({"DateLessThan": {KEY: OLD}, "Bool": {"aws:ViaAWSService": "false"}}),
        deny({"DateLessThan": {KEY: OLD, "aws:tokenIssueTime": "2027-01-01T00:00:00Z"}}),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_a_revocation_is_known_in_every_form(statement: dict[str, Any], *, alone: bool) -> None:
    body = {"Statement": statement} if alone else document(statement)
    for form in (body, json.dumps(body)):
        leftover = seen(form, name="whatever")
        assert (leftover.cutoff, leftover.state) == (CUTOFF, State.REMOVABLE)
        assert leftover.safe_date == CUTOFF + timedelta(hours=12)
        assert leftover.place == ("Statement" if alone else "Statement[0]")
        assert (leftover.session, leftover.others) == (None, ())


ACTIONS = st.sampled_from(["*", ["*"], ["*:*"], ["s3:*", "*"]])
KEYS = st.sampled_from([KEY, "aws:tokenissuetime", "AWS:TOKENISSUETIME"])
CUTOFFS = st.datetimes(datetime(2012, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given by timezones
OTHERS = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, deny({}, Action="s3:DeleteBucket", Resource="*")]


def write(draw: st.DrawFn, cutoff: datetime) -> tuple[datetime, str | int | float]:
    """Write a cutoff in one of its forms, and give the moment that the form still holds."""
    whole, milliseconds = cutoff.replace(microsecond=0), cutoff.replace(microsecond=cutoff.microsecond // 1000 * 1000)
    minutes = draw(st.integers(-14 * 60, 14 * 60))
    elsewhere = milliseconds.astimezone(timezone(timedelta(minutes=minutes)))
    return draw(
        st.sampled_from(
            [
                (whole, isoformat(cutoff)),
                (milliseconds, isoformat(cutoff, milliseconds=True)),
                (cutoff, cutoff.isoformat()),
                (whole, str(int(cutoff.timestamp()))),
                (whole, int(cutoff.timestamp())),
                (milliseconds, elsewhere.isoformat(timespec="milliseconds")),
                (whole.replace(second=0), f"{cutoff:%Y-%m-%dT%H:%MZ}"),
                (whole.replace(hour=0, minute=0, second=0), f"{cutoff:%Y-%m-%d}"),
            ]
        )
    )


@st.composite
def revocations(draw: st.DrawFn) -> tuple[datetime, dict[str, Any]]:
    cutoff, text = write(draw, draw(CUTOFFS))
    operator = draw(st.sampled_from(["DateLessThan", "DateLessThanEquals"]))
    value = [text] if draw(st.booleans()) else text
    statement = deny(
        {operator: {draw(KEYS): value}}, Action=draw(ACTIONS), Resource=draw(st.sampled_from(["*", ["*"]]))
    )
    if draw(st.booleans()):
        return cutoff, {"Version": "2012-10-17", "Statement": statement}
    statements = [*draw(st.permutations(OTHERS))[: draw(st.integers(0, 2))], statement]
    return cutoff, document(*draw(st.permutations(statements)))


@given(revocations(), st.text(alphabet="abcXYZ-_", max_size=12))
def test_a_document_made_with_a_cutoff_is_known_by_that_cutoff(made: tuple[datetime, Any], name: str) -> None:
    cutoff, body = made
    leftover = seen(body, name=name)
    assert leftover.cutoff == cutoff
    assert leftover.safe_date == cutoff + timedelta(hours=12)
    if cutoff > NOW + timedelta(minutes=5):
        assert leftover.state is State.FUTURE
    elif cutoff + timedelta(hours=12) > NOW:
        assert leftover.state is State.ACTIVE
    else:
        assert leftover.state is State.REMOVABLE


@given(revocations(), st.sampled_from(["s3:*", "ec2:Describe*", "iam:*"]))
def test_a_deny_of_a_part_never_counts_as_a_revocation(made: tuple[datetime, Any], action: str) -> None:
    _, body = made
    statements = body["Statement"] if isinstance(body["Statement"], list) else [body["Statement"]]
    for statement in statements:
        if statement.get("Condition"):
            statement["Action"] = action
    leftover = seen(body, name=NAME)
    assert leftover.state is State.INEFFECTIVE
    assert leftover.cutoff is None


@pytest.mark.parametrize(
    ("hours", "state"),
    [
        (-0.01, State.ACTIVE),
        (-1, State.FUTURE),
        (0, State.ACTIVE),
        (11.99, State.ACTIVE),
        (12, State.REMOVABLE),
        (1000, State.REMOVABLE),
    ],
)
def test_the_state_follows_the_safe_date(hours: float, state: State) -> None:
    leftover = seen(document(older_than()), now=CUTOFF + timedelta(hours=hours))
    assert leftover.state is state


def test_a_users_sessions_live_for_36_hours() -> None:
    leftover = seen(document(older_than()), arn=USER, now=CUTOFF + timedelta(hours=35))
    assert (leftover.state, leftover.safe_date) == (State.ACTIVE, CUTOFF + timedelta(hours=36))
    assert seen(document(older_than()), arn=USER, now=CUTOFF + timedelta(hours=36)).state is State.REMOVABLE


def test_the_longest_session_and_the_margin_can_be_set() -> None:
    body, later = document(older_than()), CUTOFF + timedelta(hours=2)
    assert seen(body, now=later, longest_session=timedelta(hours=1)).state is State.REMOVABLE
    assert seen(body, now=CUTOFF - timedelta(hours=1), ahead=timedelta(hours=2)).state is State.ACTIVE


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            document(deny({"DateGreaterThan": {KEY: OLD}})),
            "denies sessions issued after 2026-11-01T10:00:00Z and spares",
        ),
        (document(deny({"DateGreaterThanEquals": {KEY: OLD}})), "denies sessions issued after 2026-11-01T10:00:00Z"),
        (document(deny({"DateNotEquals": {KEY: OLD}})), "denies sessions issued after"),
        (document(older_than(Action="s3:*")), "leaves `ec2:DescribeInstances` on `*` to the sessions"),
        (document(older_than(Resource="arn:aws:s3:::*")), "leaves `ec2:DescribeInstances` on `*`"),
        (document(older_than(Resource="arn:aws:*")), "leaves `ec2:DescribeInstances` on `*`"),
        (document(older_than() | {"Effect": "Allow"}), r"Statement\[0\] allows: only a Deny revokes"),
        (document(deny({"NumericLessThan": {KEY: "1793527200"}})), "`NumericLessThan` compares no dates"),
        (document(deny({"StringLike": {KEY: "2025*"}})), "`StringLike` compares no dates"),
        (document(deny({"DateEquals": {KEY: OLD}})), "spares sessions issued before 2026-11-01T10:00:00Z"),
        (
            document(deny({"DateLessThan": {"aws:TokenIssuedTime": OLD}})),
            "`aws:TokenIssuedTime` is no key that AWS sends: the key is `aws:TokenIssueTime`",
        ),
        (document(deny({"DateLessThan": {"TokenIssueTime": OLD}})), "`TokenIssueTime` is no key that AWS sends"),
        (
            document(deny({"DateLessThan": {KEY: OLD}, "StringEquals": {"aws:RequestedRegion": "us-east-2"}})),
            "depends on `aws:RequestedRegion`",
        ),
        (
            document(deny({"DateLessThan": {KEY: OLD}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/other"}})),
            "depends on `aws:PrincipalArn`",
        ),
        (
            document(deny({"DateLessThan": {KEY: OLD}, "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
            "leaves `s3:GetObject`",
        ),
        (
            document(deny({"DateLessThan": {KEY: OLD}, "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})),
            "leaves `s3:GetObject`",
        ),
        (
            document(deny({"DateLessThan": {KEY: OLD}, "DateGreaterThan": {KEY: "2026-11-01T09:00:00Z"}})),
            "spares sessions issued before 2026-11-01T09:00:00Z that could be alive",
        ),
        (
            document(deny({"DateLessThan": {KEY: OLD}, "DateGreaterThan": {KEY: "2026-12-01T00:00:00Z"}})),
            "no session is",
        ),
        (
            document(
                {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"} | {"Condition": older_than()["Condition"]}
            ),
            "leaves `iam:CreateAccessKey`",
        ),
        (
            document(
                {"Effect": "Deny", "NotAction": "health:*", "Resource": "*"} | {"Condition": older_than()["Condition"]}
            ),
            r"leaves `health:Probe` on `\*`",
        ),
        (
            document(
                {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::logs/?*"}
                | {"Condition": older_than()["Condition"]}
            ),
            "leaves `stsguard-probe:Anything` on `arn:aws:s3:::logs/xProbe`",
        ),
    ],
)
@pytest.mark.parametrize("name", [NAME, "p"])
def test_what_does_not_revoke_is_ineffective_with_the_reason(body: Any, why: str, name: str) -> None:
    leftover = seen(body, name=name)
    assert leftover.state is State.INEFFECTIVE
    assert leftover.why.startswith(why.replace("\\", ""))
    assert leftover.place.startswith("Statement")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            document(deny({"DateLessThan": {"aws:CurrentTime": OLD}})),
            "`aws:CurrentTime` is the time of the call, not of the session's issue: the key is `aws:TokenIssueTime`",
        ),
        (document(deny({"DateLessThan": {"aws:Date": OLD}})), "`aws:Date`: the key is `aws:TokenIssueTime`"),
        (document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}), "no statement asks for"),
        (document(deny({"DateLessthan": {KEY: OLD}})), "cannot be read in full: Statement[0].Condition.DateLessthan"),
        (document(older_than("soon")), "cannot be read in full: Statement[0].Condition.DateLessThan"),
        ("{", "cannot be read in full: line 1"),
        (document(deny({"Bool": {"aws:SecureTransport": "false"}})), "no statement asks for"),
    ],
)
def test_a_name_that_promises_a_revocation_is_held_to_it(body: Any, why: str) -> None:
    leftover = seen(body, name=f"arn:aws:iam::111122223333:policy/{NAME}")
    assert (leftover.state, leftover.why[: len(why)]) == (State.INEFFECTIVE, why)


@pytest.mark.parametrize(
    "body",
    [
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        document({"Effect": "Deny", "Action": "*", "Resource": "*"}),
        document(deny({"DateLessThan": {"aws:CurrentTime": OLD}})),
        document(deny({"DateGreaterThan": {"aws:CurrentTime": OLD}})),
        document(deny({"Null": {KEY: "false"}})),
        document(deny({"NumericGreaterThan": {"aws:MultiFactorAuthAge": "3600"}})),
        document(deny({"DateLessthan": {KEY: OLD}})),
        document(deny({"StringLike": {KEY: "2026-*"}}), deny({})),
    ],
)
def test_other_policies_are_no_leftovers(body: Any) -> None:
    assert look(body, name="guardrail") is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (document(deny({"DateLessThanIfExists": {KEY: OLD}})), "denies long-term keys as well"),
        (
            document(older_than(), deny({"Null": {KEY: "true"}})),
            "denies long-term keys as well",
        ),
        (document(older_than(), deny({})), "denies every session, fresh ones as well"),
        (
            document(deny({"DateLessThan": {KEY: OLD}}), deny({"DateGreaterThanEquals": {KEY: OLD}})),
            "denies every session",
        ),
    ],
)
def test_what_hits_more_than_old_sessions_is_overreaching(body: Any, why: str) -> None:
    leftover = seen(body)
    assert (leftover.state, leftover.why[: len(why)]) == (State.OVERREACHING, why)


@pytest.mark.parametrize(
    "body", [document(deny({})), document(deny({"DateLessThan": {"aws:CurrentTime": "2027-01-01"}}))]
)
def test_a_deny_of_everything_under_the_name_of_a_revocation_is_overreaching(body: Any) -> None:
    leftover = seen(body, name=NAME)
    assert (leftover.state, leftover.cutoff, leftover.safe_date) == (State.OVERREACHING, None, None)


@pytest.mark.parametrize(
    ("operator", "key", "value", "session"),
    [
        ("StringEquals", "aws:userid", "AROASOMEBODYELSE12345:i-0abc", "AROASOMEBODYELSE12345:i-0abc"),
        ("StringLike", "aws:userid", "*:thief", "probe:thief"),
        ("StringEquals", "aws:SourceIdentity", "jane", "jane"),
        ("StringEquals", "aws:PrincipalTag/incident", "4711", "4711"),
    ],
)
def test_a_deny_of_one_session_is_known(operator: str, key: str, value: str, session: str) -> None:
    leftover = seen(document(deny({operator: {key: value}, "DateLessThan": {KEY: OLD}})))
    assert (leftover.state, leftover.cutoff) == (State.REMOVABLE, CUTOFF)
    assert leftover.session == f"{key}={session}"
    assert leftover.why.endswith(f"one session alone: {key}={session}")


def test_a_deny_on_the_roles_own_id_is_about_every_session() -> None:
    condition = {"StringLike": {"aws:userid": f"{ROLE_ID}:*"}, "DateLessThan": {KEY: OLD}}
    assert seen(document(deny(condition))).session is None


def test_of_several_single_sessions_the_last_cutoff_counts() -> None:
    first = deny({"StringEquals": {"aws:userid": "AROAX:one"}, "DateLessThan": {KEY: OLD}})
    last = deny({"StringEquals": {"aws:userid": "AROAX:two"}, "DateLessThan": {KEY: "2026-11-20T09:00:00Z"}})
    for body in (document(first, last), document(last, first), document(older_than(), last)):
        leftover = seen(body)
        assert (leftover.state, leftover.safe_date) == (State.ACTIVE, datetime(2026, 11, 20, 21, tzinfo=UTC))


def test_statements_that_do_something_else_are_named() -> None:
    leftover = seen(document({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}, older_than()))
    assert (leftover.state, leftover.place, leftover.others) == (State.REMOVABLE, "Statement[1]", ("Statement[0]",))
    assert leftover.why.endswith("; Statement[0] says something else")


def test_what_cannot_be_read_beside_a_revocation_does_not_hide_it() -> None:
    leftover = seen(document(older_than(), {"Effect": "Deny", "Action": 3, "Resource": "*"}))
    assert (leftover.state, leftover.cutoff) == (State.REMOVABLE, CUTOFF)


def test_the_end_of_the_calendar_is_no_fault() -> None:
    leftover = seen(document(older_than("9999-12-31T23:59:59Z")))
    assert leftover.state is State.FUTURE
    assert leftover.safe_date == datetime.max.replace(tzinfo=UTC)
    assert seen(document(older_than("0001-01-01T00:00:00Z"))).state is State.INEFFECTIVE


def test_each_policy_is_assessed_in_its_order() -> None:
    policies = [
        Policy.parse(document(older_than()), name="one"),
        Policy.parse(document({"Effect": "Allow", "Action": "*", "Resource": "*"}), name="two"),
        Policy.parse(document(deny({"DateLessThanIfExists": {KEY: OLD}})), name="three"),
    ]
    found = assess(policies, now=NOW, principal_arn=ROLE)
    assert [(one.policy_name, one.state) for one in found] == [("one", State.REMOVABLE), ("three", State.OVERREACHING)]


def test_a_policy_beyond_iams_size_is_not_looked_into_and_says_so() -> None:
    leftover = seen(document(*(older_than(f"2026-11-01T10:00:00.{number:06}Z") for number in range(10_000))))
    assert leftover.state is State.INEFFECTIVE
    assert leftover.why.startswith("holds 10000 statements")


def test_as_many_statements_as_iam_holds_are_looked_into() -> None:
    hours = [CUTOFF - timedelta(hours=number) for number in range(200)]
    leftover = seen(document(*(older_than(isoformat(hour, milliseconds=True)) for hour in reversed(hours))))
    assert (leftover.state, leftover.cutoff) == (State.REMOVABLE, CUTOFF)


def test_of_many_single_sessions_the_latest_decide() -> None:
    hours = [datetime(2026, 11, 20, 10, tzinfo=UTC) - timedelta(days=number) for number in range(60)]
    single = (
        deny({"StringEquals": {"aws:userid": f"AROAX:{hour:%d%m}"}, "DateLessThan": {KEY: isoformat(hour)}})
        for hour in reversed(hours)
    )
    leftover = seen(document(*single))
    assert (leftover.state, leftover.cutoff, leftover.session) == (State.ACTIVE, hours[0], "aws:userid=AROAX:2011")


def test_a_list_of_many_exceptions_is_still_one_too_many() -> None:
    statement = older_than() | {"NotAction": [f"svc{number}:Call" for number in range(1000)]}
    del statement["Action"]
    assert seen(document(statement)).why.startswith("leaves `svc0:Call`")


def test_the_first_moment_of_the_calendar_is_no_fault() -> None:
    leftover = seen(document(deny({"DateLessThanEquals": {KEY: "0001-01-01T00:00:00Z"}})))
    assert (leftover.state, leftover.place) == (State.REMOVABLE, "Statement[0]")
