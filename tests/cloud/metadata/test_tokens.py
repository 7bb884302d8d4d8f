from __future__ import annotations

import http.client
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.cloud.metadata import MetadataServer, SessionTokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any


TOKEN = "/latest/api/token"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
ECHO = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"


def test_a_token_looks_like_one_of_ec2_and_its_lifetime_is_echoed(fetch: Callable[..., Any]) -> None:
    reply = fetch(TOKEN, method="PUT", headers={TTL: "60"})
    assert reply.status == 200
    assert re.fullmatch("AQAEA[A-Za-z0-9_-]{49}==", reply.text)
    assert reply.headers[ECHO] == "60"
    assert reply.headers["Content-Type"] == "text/plain"
    assert reply.headers["Server"] == "EC2ws"


def test_each_token_is_another(new_token: Callable[..., str]) -> None:
    assert len({new_token() for _ in range(20)}) == 20


@pytest.mark.parametrize("ttl", ["1", "21600", "0060"])
def test_a_lifetime_from_a_second_to_six_hours_is_taken(fetch: Callable[..., Any], ttl: Any) -> None:
    reply = fetch(TOKEN, method="PUT", headers={TTL: ttl})
    assert (reply.status, reply.headers[ECHO]) == (200, str(int(ttl)))


@pytest.mark.parametrize(
    "ttl",
    [
        None,
        "",
        "0",
        "000",
        "-1",
        "+60",
        "21601",
        "99999999999999999999",
        "9" * 9000,
        "60.0",
        "6e1",
        "0x3c",
        "six",
        "6 0",
        "٦٠",
    ],
)
def test_any_other_lifetime_is_a_bad_request(fetch: Callable[..., Any], ttl: Any) -> None:
    headers = {} if ttl is None else {TTL: ttl.encode()}
    reply = fetch(TOKEN, method="PUT", headers=headers)
    assert reply.status == 400
    assert "<title>400 - Bad Request</title>" in reply.text


@pytest.mark.parametrize("value", ["10.0.0.1", "", "junk, junk"])
def test_a_forwarded_put_is_forbidden_whatever_it_says(fetch: Callable[..., Any], value: str) -> None:
    reply = fetch(TOKEN, method="PUT", headers={TTL: "60", "x-forwarded-FOR": value})
    assert reply.status == 403
    assert "<title>403 - Forbidden</title>" in reply.text


def test_a_forwarded_get_is_answered(fetch: Callable[..., Any]) -> None:
    assert fetch("/latest/meta-data/ami-id", headers={"X-Forwarded-For": "10.0.0.1"}).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "put"])
def test_the_token_path_takes_put_alone(fetch: Callable[..., Any], method: str) -> None:
    reply = fetch(TOKEN, method=method, headers={TTL: "60"})
    assert (reply.status, reply.headers["Allow"]) == (405, "PUT")


@pytest.mark.parametrize("path", ["/2021-03-23/api/token", "/1.0/api/token", "/2022-09-24/meta-data/"])
def test_a_put_to_a_dated_version_is_forbidden(fetch: Callable[..., Any], path: str) -> None:
    assert fetch(path, method="PUT", headers={TTL: "60"}).status == 403


def test_a_put_elsewhere_is_not_allowed(fetch: Callable[..., Any]) -> None:
    for path in ("/", "/latest", "/latest/meta-data/", "/latest/api", "/nowhere"):
        assert fetch(path, method="PUT", headers={TTL: "60"}).status == 405


def test_a_token_opens_the_metadata_and_says_how_long_it_still_lives(
    fetch: Callable[..., Any], new_token: Callable[..., str], clock: SimulatedClock
) -> None:
    token = new_token(300)
    assert fetch("/latest/meta-data/ami-id", token=token).headers[ECHO] == "300"
    clock.advance(120)
    reply = fetch("/latest/meta-data/ami-id", token=token)
    assert (reply.status, int(reply.headers[ECHO])) == (200, 180)


def test_a_token_is_expired_when_its_age_reaches_its_lifetime(
    fetch: Callable[..., Any], new_token: Callable[..., str], clock: SimulatedClock
) -> None:
    token = new_token(60)
    clock.advance(60)
    reply = fetch("/latest/meta-data/ami-id", token=token)
    assert (reply.status, reply.body) == (401, b"")


class Still(SimulatedClock):
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = super().now()

    def now(self) -> datetime:
        return self.moment


@given(ttl=st.integers(1, 21600), microseconds=st.integers(0, 30_000_000_000))
def test_the_last_microsecond_of_a_token_counts(ttl: Any, microseconds: int) -> None:
    from datetime import timedelta

    clock = Still()
    tokens = SessionTokens(clock)
    token = tokens.issue(ttl)
    clock.moment += timedelta(microseconds=microseconds)
    left = tokens.remaining(token)
    assert (left is None) == (microseconds >= ttl * 1_000_000)
    if left is not None:
        assert left == ttl - microseconds // 1_000_000


def test_a_bad_token_is_refused_even_where_none_is_needed(
    fetch: Callable[..., Any], new_token: Callable[..., str], machine: Any
) -> None:
    assert machine.metadata.http_tokens == "optional"
    good = new_token()
    for token in (
        "",
        "x",
        "AQAEA" + "A" * 49 + "==",
        good[:-1],
        good + "=",
        good.swapcase(),
        f"{good} ",
        "é",
        "A" * 60_000,
    ):
        expected = 200 if token.strip() == good else 401
        assert fetch("/latest/meta-data/ami-id", headers={"X-aws-ec2-metadata-token": token}).status == expected


@settings(max_examples=300)
@given(place=st.integers(0, 55), character=st.characters(min_codepoint=33, max_codepoint=126))
def test_no_other_spelling_of_a_token_is_accepted(place: int, character: str) -> None:
    tokens = SessionTokens(SimulatedClock())
    token = tokens.issue(600)
    changed = token[:place] + character + token[place + 1 :]
    assert tokens.remaining(changed) == (600 if changed == token else None)


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_no_text_is_taken_for_a_token(text: str) -> None:
    assert SessionTokens(SimulatedClock()).remaining(text) is None


def test_a_token_of_another_instance_is_worthless(
    fetch: Callable[..., Any], machine: Any, clock: SimulatedClock
) -> None:
    other = replace(machine, instance_id="i-0bbbbbbbbbbbbbbbb")
    with MetadataServer(other, clock) as server:
        token = server.tokens.issue(600)
        assert server.tokens.remaining(token) == 600
    assert fetch("/latest/meta-data/instance-id", token=token).status == 401


def test_two_ports_of_one_instance_share_their_tokens_when_asked_to(
    server: MetadataServer, machine: Any, clock: SimulatedClock
) -> None:
    token = server.tokens.issue(600)
    with MetadataServer(machine, clock, tokens=server.tokens) as second, MetadataServer(machine, clock) as third:
        assert second.tokens.remaining(token) == 600
        assert third.tokens.remaining(token) is None


def test_a_token_survives_stop_and_start_and_a_change_of_the_options(
    fetch: Callable[..., Any], new_token: Callable[..., str], machine: Any
) -> None:
    token = new_token()
    machine.is_running = False
    machine.is_running = True
    machine.stop_and_start()
    machine.metadata = replace(machine.metadata, http_tokens="required")
    assert fetch("/latest/meta-data/ami-id", token=token).status == 200


def test_a_put_from_beyond_the_hop_limit_gets_no_answer_but_a_get_does(
    machine: Any, clock: SimulatedClock, server: MetadataServer
) -> None:
    from urllib.parse import urlsplit

    with MetadataServer(machine, clock, hops=2) as bridge:

        def status(method: str, headers: dict[str, str]) -> int:
            connection = http.client.HTTPConnection(urlsplit(bridge.url).netloc, timeout=10)
            try:
                connection.request(method, TOKEN if method == "PUT" else "/latest/meta-data/ami-id", headers=headers)
                return connection.getresponse().status
            finally:
                connection.close()

        for headers in ({TTL: "60"}, {}):
            with pytest.raises(http.client.RemoteDisconnected):
                status("PUT", headers)
        assert status("GET", {}) == 200
        machine.metadata = replace(machine.metadata, http_put_response_hop_limit=2)
        assert status("PUT", {TTL: "60"}) == 200
