"""The HTTP server itself: connections stay open, odd requests are refused, slow ones end, a stop is graceful."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_stsguard.cloud.connection import Connection
from pytest_stsguard.cloud.conversation import Limits
from pytest_stsguard.cloud.listener import Listener
from pytest_stsguard.cloud.request import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator


def echo(request: Request) -> Response:
    body = b"".join(request.blocks())
    seen = {"method": request.method, "url": request.url, "size": len(body), "headers": dict(request.headers)}
    return Response(200, {"content-type": "application/json"}, json.dumps(seen).encode())


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    served = Listener(partial(Connection, echo), limits=Limits(idle=5, head=0.3, body=20_000_000, connections=8))
    yield served
    served.close()


def talk(listener: Listener, data: bytes, *, end: bool = True) -> bytes:
    """Send bytes as they are and give all that comes back."""
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as client:
        client.sendall(data)
        if end:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while block := client.recv(65536):
                answer += block
        except ConnectionResetError:
            return answer
        return answer


def test_a_connection_takes_many_requests(listener: Listener) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", listener.port)
    connection.request("GET", "/one?a=b%20c")
    first = connection.getresponse()
    assert json.loads(first.read())["url"].endswith("/one?a=b%20c")
    socket_before = connection.sock
    connection.request("PUT", "/two", body=b"x" * 5_000_000)
    assert json.loads(connection.getresponse().read())["size"] == 5_000_000
    connection.request("PUT", "/three", body=(b"abc" for _ in range(3)), encode_chunked=True)
    assert json.loads(connection.getresponse().read())["size"] == 9
    connection.request("HEAD", "/four")
    head = connection.getresponse()
    assert head.read() == b""
    assert int(head.headers["content-length"]) > 0
    assert connection.sock is socket_before
    connection.close()


def test_requests_may_come_one_behind_the_other(listener: Listener) -> None:
    answer = talk(listener, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n" * 3)
    assert answer.count(b"HTTP/1.1 200") == 3


def test_the_body_is_asked_for(listener: Listener) -> None:
    head = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    assert talk(listener, head + b"body").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000001\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nno header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\na", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400),
        (b"GET / HTTP/1.1\r\n folded\r\nHost: h\r\n\r\n", 400),
        (b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
def test_what_could_hide_another_request_is_refused(listener: Listener, request_: bytes, status: int) -> None:
    answer = talk(listener, request_)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:100]
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n  b\r\n\r\n", {"x": "a b"}),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\nY: b\r\nx:c \r\n\r\n", {"x": "a,c", "y": "b"}),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: th\xe9\r\nY:\r\n\r\n", {"x": "th\xe9", "y": ""}),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", {"content-length": "1"}),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", {}),
        (b"GET / HTTP/1.0\r\n\r\n", None),
        (b"GET http://h/ HTTP/1.1\r\nHost: other\r\n\r\n", {"host": "other"}),
    ],
)
def test_a_head_is_read_as_the_standard_says(
    listener: Listener, request_: bytes, expected: dict[str, str] | None
) -> None:
    head, _, body = talk(listener, request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    seen = json.loads(body)
    assert seen["headers"] == ({} if expected is None else {"host": "h", **expected})
    assert seen["url"] == f"http://{'localhost' if expected is None else 'h'}/"
    assert (b"Connection: close" in head) is (expected is None)


def test_the_next_request_begins_where_the_body_ends(listener: Listener) -> None:
    chunked = b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: t\r\n\r\n"
    answer = talk(
        listener, chunked + b"DELETE /b HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\nGET /c HTTP/1.1\r\n\r\n."
    )
    assert re.findall(rb'"method": "(\w+)".*?"size": (\d+)', answer) == [(b"PUT", b"3"), (b"DELETE", b"20")]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-note": "a\r\nSet-Cookie: b\x00\n"}, b"HTTP/1.1 200 OK\r\nx-note: a  Set-Cookie: b\r\n"),
        ({"x-name": "th\xe9 \u2603"}, b"HTTP/1.1 200 OK\r\nx-name: th\xe9 ?\r\n"),
        ({"x-note\r\nSet-Cookie": "b"}, b"HTTP/1.1 500 Internal Server Error\r\n"),
    ],
)
def test_an_answer_has_the_headers_that_it_was_given_and_no_others(headers: dict[str, str], expected: bytes) -> None:
    with Listener(partial(Connection, lambda _: Response(200, headers, b"body"))) as listener:
        answer = talk(listener, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(expected)
    assert b"\nSet-Cookie" not in answer


@pytest.mark.parametrize(
    "request_",
    [b"GET / HTTP/1.1\r\nHost:", b"GE", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf"],
)
def test_a_client_that_says_no_more_is_left(listener: Listener, request_: bytes) -> None:
    # The client waits; the server ends it. Without a limit this would wait for the timeout of `talk`.
    assert talk(listener, request_, end=False) == b""


def test_more_clients_than_there_is_room_for_are_turned_away(listener: Listener) -> None:
    clients = [socket.create_connection(("127.0.0.1", listener.port), timeout=5) for _ in range(8)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    assert talk(listener, b"") == b""
    for client in clients:
        client.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [b"GET ", b"PUT ", b"/", b"/a?b", b" HTTP/1.1", b"\r\n", b"\n", b"Host: h", b"Content-Length: 3", b"abc",
             b"Transfer-Encoding: chunked", b"0\r\n\r\n", b"3\r\n", b"Expect: 100-continue", b"\x00", b" : ",
             b"HEAD / HTTP/1.1\r\nHost: h\r\n", b"CONNECT ", b"Upgrade: h2c\r\n", b"Connection: close\r\n", b"\r\n\r\n"]
        ),
        max_size=14,
    ).map(b"".join)
)  # fmt: skip
def test_anything_may_be_sent(listener: Listener, data: bytes) -> None:
    answer = talk(listener, data)
    statuses = {int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")}
    assert 500 not in statuses
    assert statuses <= {100, 200, 400, 404, 413, 414, 431, 501, 505}


def ended(client: socket.socket) -> bool:
    """Tell whether the server ends a connection; by a reset where it has not read, or not accepted, what was sent."""
    with suppress(ConnectionResetError):
        return client.recv(1) == b""
    return True


def test_a_stop_lets_the_work_under_way_be_done() -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        begun.set()
        assert go.wait(10)
        return echo(request)

    listener = Listener(partial(Connection, slow))
    answers: list[bytes] = []
    client = threading.Thread(target=lambda: answers.append(talk(listener, b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")))
    client.start()
    idle, half = (socket.create_connection(("127.0.0.1", listener.port), timeout=5) for _ in range(2))
    half.sendall(b"GET /half HTTP/1.1\r\nHo")
    assert begun.wait(10)
    stop = threading.Thread(target=listener.close)
    stop.start()
    assert ended(idle)
    assert ended(half)
    go.set()
    stop.join(10)
    client.join(10)
    assert answers[0].startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in answers[0]
    idle.close()
    half.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.port), timeout=5)
    assert not [thread for thread in threading.enumerate() if thread.name == f"stsguard {listener.url}"]


def test_a_stop_does_not_wait_for_a_body_that_does_not_come() -> None:
    listener = Listener(partial(Connection, echo), limits=Limits(grace=0.1))
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100 Continue")
        listener.close()
        assert client.recv(100) == b""


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_length(status: int) -> None:
    with Listener(partial(Connection, lambda _: Response(status, {"Content-Length": "4"}, b"body"))) as listener:
        answer = talk(listener, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 2)
    assert answer.count(f"HTTP/1.1 {status} ".encode()) == 2
    assert b"ength" not in answer
    assert b"body" not in answer


def test_a_client_that_goes_away_hurts_nobody(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 6_000_000)
    assert b"200 OK" in talk(listener, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")


def test_controls_are_not_for_web_pages(wire: Any) -> None:
    server = wire.cloud.serve()
    place = urlsplit(server.url).netloc
    connection = http.client.HTTPConnection(place)
    connection.request("POST", "/_stsguard/clock", b'{"advance": 1}', {"Origin": "https://evil.example"})
    refused = connection.getresponse()
    assert (refused.status, b"web pages" in refused.read()) == (403, True)
    connection.request("GET", "/_stsguard/health")
    assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    connection.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:4599", 200),
        ("127.0.0.1", 200),
        ("[::1]:4599", 200),
        ("evil.example", 403),
        ("evil.example:4599", 403),
    ],
)
def test_controls_are_not_for_a_page_that_gave_loopback_its_own_name(wire: Any, host: str, status: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(wire.cloud.serve().url).netloc)
    connection.request("GET", "/_stsguard/clock", headers={"Host": host})
    assert connection.getresponse().status == status
    connection.close()
