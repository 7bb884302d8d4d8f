"""Calls that are made again: throttles, cut connections, failing services; never a refusal, never twice over, never forever."""

from __future__ import annotations

import importlib.util
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import boto3
import pytest
import stamina
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_stsguard.revocation.retries import ONE_ATTEMPT, Retries, Retry, trouble_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROLES = (
    "<ListRolesResponse><ListRolesResult><IsTruncated>false</IsTruncated><Roles/></ListRolesResult></ListRolesResponse>"
)
REFUSED = "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>no</Message></Error></ErrorResponse>"


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer as IAM and DynamoDB do; whoever asks for a role gets its name as an error.

    No simulated cloud: while one is open here, no client of this process calls over HTTP.
    """
    body = parse_qs(environ["wsgi.input"].read().decode())
    if "HTTP_X_AMZ_TARGET" in environ:
        text, status = json.dumps({"TableNames": []}), "200 OK"
    elif body["Action"] == ["ListRoles"]:
        text, status = ROLES, "200 OK"
    else:
        text, status = REFUSED.format(body["RoleName"][0]), "400 Bad Request"
    start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(text)))])
    return [text.encode()]


@pytest.fixture
def trouble(checkout: Path) -> Iterator[Callable[..., Any]]:
    """Give a front that throttles and cuts; see tests/faults.py."""
    spec = importlib.util.spec_from_file_location("stsguard_faults", checkout / "tests" / "faults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: list[Any] = []

    def make(**settings: Any) -> Any:
        place: Any = SimpleNamespace(serve=lambda: SimpleNamespace(application=answer))
        made.append(module.Faults(place, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def at_once() -> Iterator[None]:
    """Let nobody wait; as often as asked is tried all the same."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def client_of(url: str, retries: Retries, service: str = "iam", attempts: int = ONE_ATTEMPT) -> Any:
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
    Retries(attempts=5).install(session)
    retries.install(session)
    retries.install(session)  # what is installed more than once repeats once
    settings = Config(retries={"mode": "standard", "total_max_attempts": attempts})
    return session.client(service, endpoint_url=url, config=settings)


def test_throttled_and_cut_calls_are_made_again_and_told(trouble: Callable[..., Any], at_once: None) -> None:
    front, heard = trouble(throttle=3, drop=4), list[Retry]()
    retries = Retries(heard.append)
    iam, dynamodb = (client_of(front.url, retries, name) for name in ("iam", "dynamodb"))
    for _ in range(8):
        assert iam.list_roles()["Roles"] == []
        assert dynamodb.list_tables()["TableNames"] == []
    assert [page["Roles"] for page in iam.get_paginator("list_roles").paginate()] == [[]]
    assert front.throttled
    assert front.dropped
    assert len(heard) == front.throttled + front.dropped
    assert {one.why for one in heard} == {"Throttling", "ThrottlingException", "ConnectionClosedError"}
    assert {one.call for one in heard} == {"iam:ListRoles", "dynamodb:ListTables"}
    assert min(one.attempt for one in heard) == 2


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity", "LimitExceeded", "ValidationError", "ExpiredToken"])
def test_what_is_refused_wrong_or_gone_is_asked_once(trouble: Callable[..., Any], at_once: None, code: str) -> None:
    front, heard = trouble(), list[Retry]()
    with pytest.raises(ClientError, match=code) as raised:
        client_of(front.url, Retries(heard.append)).get_role(RoleName=code)
    assert "max retries" not in str(raised.value)
    assert (front.calls, heard) == (1, [])


def test_attempts_are_counted_once_and_not_for_clients_that_botocore_repeats(
    trouble: Callable[..., Any], at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, heard = trouble(throttle=1), list[Retry]()
    with pytest.raises(ClientError, match="Throttling"):
        client_of(front.url, Retries(heard.append, attempts=3)).list_roles()
    assert (front.calls, [one.attempt for one in heard]) == (3, [2, 3])
    with pytest.raises(ClientError, match="Throttling"):
        client_of(front.url, Retries(heard.append, attempts=3), attempts=2).list_roles()
    assert (front.calls, len(heard)) == (5, 2)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with pytest.raises(ClientError, match="Throttling"):
        client_of(front.url, Retries(heard.append)).list_roles()
    assert (front.calls, len(heard)) == (7, 3)


def test_call_and_run_have_their_longest_time(trouble: Callable[..., Any]) -> None:
    front = trouble(throttle=1)
    with pytest.raises(ClientError, match="Throttling"):
        client_of(front.url, Retries(seconds=0.2)).list_roles()
    assert 1 <= front.calls < 8
    iam = client_of(front.url, Retries(total=1e-9, attempts=5))
    for expected in (2, 1, 1):  # the first call uses up what there is for the whole run
        calls = front.calls
        with pytest.raises(ClientError, match="Throttling"):
            iam.list_roles()
        assert front.calls == calls + expected


def test_whoever_listens_can_end_it(trouble: Callable[..., Any], at_once: None) -> None:
    def stop(retry: Retry) -> None:
        raise KeyboardInterrupt(str(retry))

    front = trouble(throttle=1)
    with pytest.raises(KeyboardInterrupt, match="iam:ListRoles, attempt 2, after Throttling"):
        client_of(front.url, Retries(stop)).list_roles()
    assert front.calls == 1


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        ("Throttling", 400, True),
        ("SlowDown", 503, True),
        ("Whatever", 502, True),
        ("Whatever", 429, True),
        ("", 500, True),
        ("ConcurrentModification", 409, True),
        ("NotImplemented", 501, False),
        ("LimitExceeded", 409, False),
        ("AccessDenied", 403, False),
        ("ValidationError", 400, False),
        ("ExpiredToken", 403, False),
        ("RequestExpired", 400, False),
    ],
)
def test_trouble_that_passes_is_known_by_code_and_status(code: str, status: int, passes: int) -> None:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert trouble_of(ClientError(answer, "ListRoles")) == ((code or str(status)) if passes else "")


def test_connection_that_fails_passes_and_a_certificate_that_is_wrong_does_not() -> None:
    assert trouble_of(exceptions.ConnectionError(error="reset")) == "ConnectionError"
    assert trouble_of(exceptions.SSLError(endpoint_url="https://x", error="wrong")) == ""
    assert trouble_of(ValueError("x")) == ""
