from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pytest_stsguard.cloud.metadata import MetadataServer
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from typing import Any

    from pytest_stsguard.clock import SimulatedClock


def connect(server: MetadataServer) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.settimeout(10)
    return connection


def talk(server: MetadataServer, data: bytes, *, end: bool = True) -> bytes:
    """Send raw bytes and give all that comes back."""
    with connect(server) as connection:
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status(reply: bytes) -> int:
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", reply)
    assert match, reply
    return int(match[1])


def test_the_address_is_on_loopback_and_names_the_port(server: MetadataServer) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert server.port > 0


def python(code: str) -> str:
    """Run `code` in an interpreter of its own, with this room alone: its parent package imports the whole cloud."""
    alone = """
import sys, types
from pathlib import Path
import pytest_stsguard
parent = types.ModuleType("pytest_stsguard.cloud")
parent.__path__ = [str(Path(pytest_stsguard.__file__).parent / "cloud")]
sys.modules[parent.__name__] = parent
"""
    done = subprocess.run([sys.executable, "-c", alone + code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


def test_importing_the_room_is_light() -> None:
    shown = python("""
import pytest_stsguard.cloud.metadata
heavy = {"boto3", "botocore", "moto", "werkzeug", "urllib3", "requests", "jinja2", "flask", "pytest"}
print(sorted(heavy & set(sys.modules)))
""")
    assert shown == "[]"


def test_it_outlives_a_lack_of_file_descriptors() -> None:
    shown = python("""
import resource, socket
from pytest_stsguard.cloud.metadata.message import Answer
from pytest_stsguard.cloud.metadata.server import LoopbackServer

with LoopbackServer(lambda request: Answer(200, {}, b"still here")) as server:
    first, second = socket.socket(), socket.socket()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (second.fileno() + 1, hard))
    # An accept that waits has its descriptor already: the first connection takes that one and keeps it.
    first.connect(("127.0.0.1", server.port))
    second.connect(("127.0.0.1", server.port))
    second.sendall(b"GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
    second.settimeout(0.2)
    try:
        print(second.recv(9))
    except TimeoutError:
        print("waits", end=" ")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    second.settimeout(10)
    print(b"".join(iter(lambda: second.recv(99), b"")).endswith(b"still here"))
    first.close()
    second.close()
""")
    assert shown == "waits True"


def test_after_close_no_thread_and_no_socket_is_left(machine: Any, clock: SimulatedClock) -> None:
    before = set(threading.enumerate())
    server = MetadataServer(machine, clock)
    idle = [connect(server) for _ in range(3)]
    idle[1].sendall(b"GET /latest/meta-da")
    talk(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    server.close()
    server.close()
    assert set(threading.enumerate()) <= before
    for connection in idle:
        assert connection.recv(100) == b""
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)


def test_a_port_can_be_chosen_and_is_free_again_after_close(machine: Any, clock: SimulatedClock) -> None:
    with MetadataServer(machine, clock) as first:
        talk(first, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    with MetadataServer(machine, clock, port=first.port) as second:
        assert second.url == first.url


@pytest.mark.parametrize("port", [-1, 65536, 10**12])
def test_a_port_out_of_range_is_a_clear_error(machine: Any, clock: SimulatedClock, port: int) -> None:
    with pytest.raises(InputError, match=f"cannot listen on port `{port}` of `127.0.0.1`: "):
        MetadataServer(machine, clock, port=port)


def test_a_port_in_use_is_a_clear_error(machine: Any, clock: SimulatedClock, server: MetadataServer) -> None:
    before = threading.active_count()
    with pytest.raises(
        InputError, match=f"cannot listen on port `{server.port}` of `127.0.0.1`: address already in use"
    ):
        MetadataServer(machine, clock, port=server.port)
    assert threading.active_count() <= before


def test_an_address_of_another_machine_is_a_clear_error(machine: Any, clock: SimulatedClock) -> None:
    with pytest.raises(InputError, match=r"cannot listen on port `0` of `192\.0\.2\.1`"):
        MetadataServer(machine, clock, host="192.0.2.1")


def test_it_serves_on_ipv6_too(machine: Any, clock: SimulatedClock) -> None:
    try:
        server = MetadataServer(machine, clock, host="::1")
    except InputError:
        pytest.skip("no IPv6 on this machine")
    with server:
        assert server.url == f"http://[::1]:{server.port}"
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("GET", "/latest/")
        assert connection.getresponse().status == 200
        connection.close()


def test_each_answer_ends_its_connection_as_on_ec2(server: MetadataServer) -> None:
    request = b"GET /latest/meta-data/ami-id HTTP/1.1\r\nHost: x\r\n\r\n"
    reply = talk(server, request * 3, end=False)
    assert reply.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in reply


def test_connections_are_kept_when_asked_to(machine: Any, clock: SimulatedClock) -> None:
    with MetadataServer(machine, clock, keep_alive=True) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.connect()
        plug = connection.sock
        for path, expected in (("/latest/", 200), ("/nowhere", 404), ("/latest/meta-data/ami-id", 200)):
            connection.request("GET", path)
            response = connection.getresponse()
            assert response.read()
            assert (response.status, response.headers["Connection"]) == (expected, "keep-alive")
            assert connection.sock is plug
        connection.request(
            "PUT", "/latest/api/token", body=b"x" * 10, headers={"X-aws-ec2-metadata-token-ttl-seconds": "9"}
        )
        assert connection.getresponse().headers["Connection"] == "close"
        connection.close()
        pipelined = talk(
            server,
            b"HEAD /latest/ HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        )
        assert pipelined.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("length", [0, 1, 1_000_000])
def test_a_body_is_ignored_and_does_not_cost_the_answer(server: MetadataServer, length: int) -> None:
    head = f"PUT /latest/api/token HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n"
    assert status(talk(server, head.encode() + b"x" * length)) == 200


def test_a_body_that_never_comes_is_not_waited_for(server: MetadataServer) -> None:
    head = b"PUT /latest/api/token HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\nExpect: 100-continue\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n"
    assert status(talk(server, head, end=False)) == 200


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /latest/meta-data/ami-id HTTP/1.0\r\n\r\n", 200),
        (b"GET /latest/meta-data/ami-id\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET / / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/x\r\n\r\n", 400),
        (b"GET / FTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01 hello tls\r\n\r\n", 400),
        (b"\x00\x00\x00\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /latest/ HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 500 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For : 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX\x00Y: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n: 1\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: h\r\n\r\n", 200),
        (b"GET /latest/ HTTP/1.1\nHost: h\n\n", 200),
    ],
)
def test_odd_requests_get_a_plain_answer(server: MetadataServer, data: bytes, expected: int) -> None:
    assert status(talk(server, data)) == expected


def test_a_header_that_hides_behind_a_broken_line_is_not_lost(server: MetadataServer) -> None:
    head = b"PUT /latest/api/token HTTP/1.1\r\nHost: h\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"
    for hidden in (
        b"broken\r\nX-Forwarded-For: 1\r\n",
        b"X-Forwarded-For : 1\r\n",
        b" X-Forwarded-For: 1\r\nX-Forwarded-For: 1\r\n",
    ):
        assert status(talk(server, head + hidden + b"\r\n")) in {400, 403}


@pytest.mark.parametrize("target", [b"/latest/meta-data/", b"/nowhere"])
def test_head_sends_no_body_whatever_it_announces(server: MetadataServer, target: bytes) -> None:
    reply = talk(server, b"HEAD " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 ")
    assert reply.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: 0\r\n" not in reply


def test_a_connection_without_a_request_just_ends(server: MetadataServer) -> None:
    assert talk(server, b"") == b""
    assert talk(server, b"\r\n") == b""


def test_a_client_that_resets_its_connection_hurts_nobody(
    server: MetadataServer, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(20):
        connection = connect(server)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.sendall(b"GET /latest/meta-data/ HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.close()
    assert status(talk(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")) == 200
    server.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("failure", [LookupError, OSError])
def test_an_error_of_the_simulation_itself_is_a_500_and_is_not_hidden(
    server: MetadataServer, machine: Any, failure: type[Exception]
) -> None:
    seen = []
    machine.facts = lambda: (_ for _ in ()).throw(failure("the world is gone"))
    hook, threading.excepthook = threading.excepthook, seen.append
    try:
        reply = talk(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        server.close()
    finally:
        threading.excepthook = hook
    assert status(reply) == 500
    assert b"world" not in reply
    assert [str(args.exc_value) for args in seen] == ["the world is gone"]


def test_eight_clients_at_once_each_get_their_own_instance(machine: Any, clock: SimulatedClock) -> None:
    from dataclasses import replace

    machines = [replace(machine, instance_id=f"i-{number:017x}", issued=[]) for number in range(2)]
    servers = [MetadataServer(each, clock) for each in machines]
    start = threading.Barrier(8)
    wrong = []
    done = []

    def client(number: int) -> None:
        mine = machines[number % 2]
        server = servers[number % 2]
        start.wait()
        for turn in range(25):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            try:
                if turn == 12:
                    mine.rotation.renew()
                ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
                connection.request("PUT", "/latest/api/token", headers=ttl)
                token = connection.getresponse().read().decode()
                path = "/latest/meta-data/iam/security-credentials/A4L-InstanceRole"
                connection.request("GET", path, headers={"X-aws-ec2-metadata-token": token})
                secret = json.loads(connection.getresponse().read())["SecretAccessKey"]
                if f"/{mine.instance_id}/2.0/" not in secret:
                    wrong.append(secret)
                done.append(number)
            finally:
                connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for server in servers:
        server.close()
    assert wrong == []
    assert len(done) == 200
