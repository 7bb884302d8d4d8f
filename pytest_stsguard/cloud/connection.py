"""One client's connection: requests are read, answered and told apart until it ends.

Requests are read as strictly as a smuggled header deserves; bodies too large for memory go through files.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from dataclasses import dataclass
from email import errors
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast

from pytest_stsguard.cloud.request import Headers, Request, Response
from pytest_stsguard.cloud.spool import BLOCK, IN_MEMORY, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Connection", "Limits", "phrase"]

_LONGEST_LINE = 65_536
_BODILESS = frozenset({204, 304})
# Python's reader of heads looks for the parts of a form as well, which are not there yet.
_OF_BODIES = frozenset({errors.StartBoundaryNotFoundDefect, errors.MultipartInvariantViolationDefect})
_OURS = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "server", "date", "content-length"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take: seconds, bytes, connections of all clients together, bytes a second at least."""

    idle: float = 75
    head: float = 20
    grace: float = 10
    body: int = 5 * 1024**3
    slowest: int = 16 * 1024
    connections: int = 512


class Connection:
    """One client's connection, and whether it is between two requests."""

    def __init__(
        self,
        client: socket.socket,
        address: tuple[Any, ...],
        *,
        handle: Callable[[Request], Response],
        limits: Limits,
        closing: threading.Event,
    ) -> None:
        self.client = client
        self.address = address
        self.handle = handle
        self.limits = limits
        self.closing = closing
        self.idle = True
        self.deadline = 0.0
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Converse with the client until one of the two ends it."""
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Handler(cast(Any, self.client), self.address, cast(Any, self))

    def begin(self) -> bool:
        """Take up a request; False when the server is closing."""
        with self._lock:
            self.idle = False
            return not self.closing.is_set()

    def rest(self) -> None:
        """Wait for the next request."""
        with self._lock:
            self.idle = True
            self.deadline = time.monotonic() + self.limits.idle

    def end(self, *, only_idle: bool = False) -> None:
        """End the connection from another thread."""
        with self._lock:
            if only_idle and not self.idle:
                return
            try:
                self.client.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the client was faster


class _Timed(io.RawIOBase):
    """The bytes of a connection, until its deadline."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        left = self._connection.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.client.settimeout(left)
        return self._connection.client.recv_into(buffer)


class _RefusedError(Exception):
    """A request that is answered without being handled, and ends its connection."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """Reads requests as strictly as a smuggled header deserves."""

    server: Connection  # type: ignore[assignment]  # the standard library expects its own server class
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.connection = self.request
        self.rfile: io.BufferedReader = io.BufferedReader(_Timed(self.server), BLOCK)
        self.wfile = self.connection.makefile("wb", 0)

    def handle(self) -> None:
        self.close_connection = True
        while True:
            self.server.rest()
            if not self.rfile.peek(1) or not self.server.begin():
                return
            self.handle_one_request()
            if self.close_connection:
                return

    def handle_one_request(self) -> None:
        limits = self.server.limits
        self.server.deadline = time.monotonic() + limits.head
        self.requestline, self.command = "", ""
        self.raw_requestline = self.rfile.readline(_LONGEST_LINE + 1)
        if len(self.raw_requestline) > _LONGEST_LINE:
            return self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
        if not self.raw_requestline.strip() or not self.parse_request():
            return None
        if [each for each in self.headers.defects if type(each) not in _OF_BODIES] or self.request_version < "HTTP/1.0":
            return self.send_error(HTTPStatus.BAD_REQUEST)
        try:
            request = self._read()
        except _RefusedError as refused:
            return self.send_error(refused.status)
        try:
            self._answer(request, self.server.handle(request))
        finally:
            if request.spool is not None:
                request.spool.close()
        return None

    def handle_expect_100(self) -> bool:
        # Said when the body is wanted, which is known only when the head has been looked at.
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - the signature is the base class's
        self.close_connection = True
        body = f"{code} {phrase(code)}\n".encode()
        self._send(code, {"content-type": "text/plain"}, len(body), iter([body]))
        self._linger()

    def log_message(self, *_: Any) -> None:
        """Write nothing: the trail records every request."""

    def _read(self) -> Request:
        """Read the request and its body."""
        lengths = self.headers.get_all("content-length") or []
        codings = self.headers.get_all("transfer-encoding") or []
        if (codings and lengths) or len({text.strip() for text in lengths}) > 1 or len(codings) > 1:
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        if codings and codings[0].strip().lower() != "chunked":
            raise _RefusedError(HTTPStatus.NOT_IMPLEMENTED)
        length = lengths[0].strip() if lengths else "0"
        if not (length.isascii() and length.isdigit() and len(length) < 20):  # noqa: PLR2004 - digits of the largest number
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        _check_size(int(length), self.server.limits)
        host = self.headers.get("host", "localhost")
        target = self.path
        if target.lower().startswith(("http://", "https://")):
            _, _, rest = target.partition("//")
            host, _, target = rest.partition("/")
            target = f"/{target}"
        headers = Headers.of(self.headers.items())
        url = f"http://{host}{target if target.startswith('/') else '/'}"
        if not Request(self.command, url, headers).is_addressed:
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        if self.headers.get("expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, spool = self._body(self._chunks() if codings else self._plain(int(length)))
        return Request(
            self.command, url, headers, body, source_ip=str(self.client_address[0]), secure=False, spool=spool
        )

    def _body(self, blocks: Iterator[bytes]) -> tuple[bytes, Spool | None]:
        held, spool, size = bytearray(), None, 0
        limits = self.server.limits
        try:
            for block in blocks:
                size += len(block)
                _check_size(size, limits)
                if spool is None and size > IN_MEMORY:
                    spool = Spool()
                    spool.write(bytes(held))
                    held.clear()
                held.extend(block) if spool is None else spool.write(block)
                self.server.deadline = max(self.server.deadline, time.monotonic() + len(block) / limits.slowest)
        except BaseException:
            if spool is not None:
                spool.close()
            raise
        return bytes(held), spool

    def _plain(self, length: int) -> Iterator[bytes]:
        while length:
            block = self.rfile.read1(min(length, BLOCK))
            if not block:
                raise ConnectionAbortedError
            length -= len(block)
            yield block

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = self._line().partition(b";")[0].strip()
            if not size or len(size) > 16 or size.strip(b"0123456789abcdefABCDEF"):  # noqa: PLR2004 - 64 bits
                raise _RefusedError(HTTPStatus.BAD_REQUEST)
            if int(size, 16) == 0:
                break
            yield from self._plain(int(size, 16))
            if self._line().strip():
                raise _RefusedError(HTTPStatus.BAD_REQUEST)
        for _ in range(100):
            if not self._line().strip():
                return
        raise _RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _line(self) -> bytes:
        line = self.rfile.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        return line

    def _answer(self, request: Request, response: Response) -> None:
        if self.server.closing.is_set():
            self.close_connection = True
        headers = {name: text for name, text in response.headers.items() if name.lower() not in _OURS}
        length: int | str = response.size
        if request.method == "HEAD":
            lowered = {name.lower(): text for name, text in response.headers.items()}
            length = lowered.get("content-length", length)
        self._send(response.status, headers, length, response.blocks())

    def _send(self, status: int, headers: dict[str, str], length: int | str, blocks: Iterator[bytes]) -> None:
        lines = [f"HTTP/1.1 {status} {phrase(status)}"]
        lines += [f"{name}: {_one_line(text)}" for name, text in headers.items()]
        if status not in _BODILESS:
            lines.append(f"content-length: {length}")
        lines += [
            f"date: {formatdate(usegmt=True)}",
            f"connection: {'close' if self.close_connection else 'keep-alive'}",
        ]
        head = "\r\n".join((*lines, "", "")).encode("latin-1", errors="replace")
        limits = self.server.limits
        if self.command == "HEAD" or status in _BODILESS:
            blocks = iter(())
        self.connection.settimeout(limits.head)
        # The head goes out with the first block: two small packets would wait for each other.
        self.connection.sendall(head + next(blocks, b""))
        for block in blocks:
            self.connection.sendall(block)

    def _linger(self) -> None:
        """Read a little of what the client still sends: closing over unread bytes would reset the answer away."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.server.deadline = time.monotonic() + 0.5
            for _ in range(64):
                if not self.rfile.read1(BLOCK):
                    return
        except OSError:
            return  # the client was faster


def phrase(status: int) -> str:
    """Give the words of a status; moto has some that are no standard's."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.body:
        raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _one_line(text: object) -> str:
    return str(text).replace("\r", " ").replace("\n", " ")
