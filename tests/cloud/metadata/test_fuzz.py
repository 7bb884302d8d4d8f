"""Anything may be sent: no 500, no hang, no data of another instance."""

from __future__ import annotations

import re
import secrets
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.cloud.metadata import ContainerCredentials, ContainerServer, MetadataService, Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pytest_stsguard.cloud.metadata import MetadataServer


KNOWN = {200, 400, 401, 403, 404, 405, 414, 431, 505}
relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

methods = st.sampled_from(["GET", "HEAD", "PUT", "POST", "get", "X", "", "DELETE"]) | st.text(
    "ABCXYZ-_!\x00é", max_size=8
)
names = st.sampled_from(
    [
        "latest",
        "meta-data",
        "iam",
        "security-credentials",
        "A4L-InstanceRole",
        "api",
        "token",
        "1.0",
        "..",
        ".",
        "",
        "user-data",
    ]
)
segments = (
    names | st.text(max_size=12) | st.sampled_from(["%2e%2e", "%2F", "%00", "%", "%zz", "%C0%AE", "i-0other0other0oth"])
)
targets = st.lists(segments, max_size=7).map(lambda parts: "/" + "/".join(parts)) | st.text(max_size=40)
headers = st.dictionaries(
    st.sampled_from(
        [
            "x-aws-ec2-metadata-token",
            "x-aws-ec2-metadata-token-ttl-seconds",
            "x-forwarded-for",
            "host",
            "expect",
            "connection",
        ]
    )
    | st.text("abc-:é\x00 ", min_size=1, max_size=10),
    st.text(max_size=30) | st.integers(-5, 30_000).map(str),
    max_size=4,
)


@pytest.fixture
def service(machine: Any) -> MetadataService:
    machine.extra["user_data"] = b"#!/bin/sh"
    return MetadataService(machine, SimulatedClock())


@settings(relaxed, max_examples=600)
@given(method=methods, target=targets, headers=headers, required=st.booleans())
@example(method="GET", target="http://[", headers={}, required=False)
@example(method="GET", target="http://", headers={}, required=False)
@example(method="GET", target="", headers={}, required=False)
def test_the_rules_hold_for_any_request(
    service: MetadataService, machine: Any, *, method: str, target: str, headers: dict[str, str], required: bool
) -> None:
    machine.metadata = replace(machine.metadata, http_tokens="required" if required else "optional")
    answer = service.answer(Request(method, target, headers))
    assert answer is not None
    assert answer.status in KNOWN
    if required and method != "PUT":
        assert answer.status != 200
    if answer.status == 200 and method == "PUT":
        assert target.partition("?")[0].partition("#")[0].rstrip("/").endswith("token")
        assert "x-forwarded-for" not in headers
    for name, value in answer.headers.items():
        assert re.fullmatch(r"[ -~]*", f"{name}: {value}")


def exchange(server: MetadataServer | ContainerServer, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.settimeout(10)
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was said
        reply = b""
        try:
            while chunk := connection.recv(65536):
                reply += chunk
        except ConnectionResetError:
            pass
        return reply


lines = st.binary(max_size=60) | headers.map(
    lambda sent: "\r\n".join(f"{k}: {v}" for k, v in sent.items()).encode("utf-8", "replace")
)
first = st.builds(
    lambda method, target, version: f"{method} {target} {version}".encode("utf-8", "replace"),
    methods,
    targets,
    st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/3", "HTTP/1.1.1", "HTTP/-1.1", ""]),
)
raw = st.binary(max_size=300) | st.builds(
    lambda *parts: b"\r\n".join(parts),
    first,
    st.sampled_from([b"Host: h", b"Host:"]),
    lines,
    st.binary(max_size=30),
    st.just(b""),
)


@relaxed
@given(data=raw, end=st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\n"]))
@example(data=b"GET /" + b"%2e" * 40_000 + b" HTTP/1.1", end=b"\r\n\r\n")
@example(data=b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A" * 200_000, end=b"\r\n\r\n")
def test_any_bytes_get_a_known_status_or_nothing(
    neighbours: tuple[MetadataServer, MetadataServer], data: bytes, end: Any
) -> None:
    one, two = neighbours
    reply = exchange(one, data + end)
    assert (not reply) or int(re.match(rb"HTTP/1\.1 (\d{3}) [A-Za-z -]+\r\n", reply)[1]) in KNOWN
    assert two.service.instance.instance_id.encode() not in reply
    assert reply.count(b"HTTP/1.1 ") <= 1


@relaxed
@given(target=targets)
def test_no_path_and_no_host_reaches_the_other_instance(
    neighbours: tuple[MetadataServer, MetadataServer], target: str
) -> None:
    one, two = neighbours
    other = two.service.instance.instance_id
    for path in (target, f"http://127.0.0.1:{two.port}{target}", f"/{other}{target}"):
        clean = path.encode("ascii", "ignore").translate(None, bytes(range(33)))
        data = b"GET " + (clean or b"/") + b" HTTP/1.1\r\nHost: " + other.encode() + b"\r\n\r\n"
        assert other.encode() not in exchange(one, data)


@pytest.fixture(scope="module")
def closed_pod() -> Iterator[ContainerServer]:
    """An endpoint whose token nobody can guess."""

    class Closed:
        def authorization(self) -> str:
            return secrets.token_hex(16)

        def credentials(self) -> ContainerCredentials:
            pytest.fail("credentials were asked for")

    with ContainerServer(Closed(), kind="eks") as server:
        yield server


@relaxed
@given(
    data=raw | st.just(b"GET /v1/credentials HTTP/1.1\r\nHost: h\r\nAuthorization: x"),
    end=st.sampled_from([b"", b"\r\n\r\n"]),
)
def test_nothing_gets_credentials_out_of_an_endpoint_without_its_token(
    closed_pod: ContainerServer, data: bytes, end: bytes
) -> None:
    for status in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z]", exchange(closed_pod, data + end)):
        assert int(status) in KNOWN - {200}


def test_afterwards_it_still_answers(neighbours: tuple[MetadataServer, MetadataServer]) -> None:
    one, _ = neighbours
    assert exchange(one, b"GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: h\r\n\r\n").endswith(
        b"i-1i-1i-1i-1i-1i-1i-1i-1"
    )
