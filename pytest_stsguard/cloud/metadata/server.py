"""HTTP servers on loopback that answer small requests from threads and leave nothing behind when they are closed."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Self, cast

from pytest_stsguard.cloud.metadata.message import Answer, Request, error_page
from pytest_stsguard.cloud.metadata.service import MetadataService
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.metadata.instance import Host
    from pytest_stsguard.cloud.metadata.tokens import SessionTokens

__all__ = ["LoopbackServer", "MetadataServer"]

LONGEST_LINE = 65536
IDLE_SECONDS = 30
LINGER_SECONDS = 0.5
LINGER_READS = 64


class LoopbackServer:
    """Serves `answer` at `host` and `port` (0: any free one) from its construction until `close`.

    `answer` is called from a thread of each connection; None closes the connection without a word. `refuse` gives the
    answer to what is no HTTP request. With `keep_alive` a connection takes further requests, unless one had a body or
    asked to be the last. Nothing is logged. A context manager.

    Raises:
        InputError: the address or the port cannot be used.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer | None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keep_alive: bool = False,
        refuse: Callable[[int], Answer] = error_page,
    ) -> None:
        self.answer = answer
        self.refuse = refuse
        self.keep_alive = keep_alive
        self._listener = _listen(host, port)
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._closing = False
        address, self.port = self._listener.getsockname()[:2]
        self.url = f"http://[{address}]:{self.port}" if ":" in address else f"http://{address}:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, name=f"metadata {self.url}", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop: no socket stays open and no thread alive; a second call does nothing."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        # accept() is woken by a connection of our own: closing a socket under it is not portable.
        with socket.socket(self._listener.family) as wake:
            wake.settimeout(LINGER_SECONDS)
            wake.connect_ex(self._listener.getsockname())
            self._acceptor.join()
        self._listener.close()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections.values():
            _end(connection, socket.SHUT_RDWR)
        for thread in connections:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                # A client that is gone already, or no file descriptor left: both pass.
                time.sleep(0.01)
                continue
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            with self._lock:
                if self._closing:
                    connection.close()
                    return
                self._connections[thread] = connection
                thread.start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            _Handler(connection, ("", 0), cast(Any, self))
        except (ConnectionError, TimeoutError):
            # The client went away, or took longer than IDLE_SECONDS: there is nobody to tell.
            return
        finally:
            _linger(connection)
            connection.close()
            with self._lock:
                del self._connections[threading.current_thread()]


class MetadataServer(LoopbackServer):
    """The instance metadata service of one instance: `MetadataService` on a port of its own.

    EC2 closes each connection after its answer, and so does this; `keep_alive` keeps them open for load tests.
    `url` is what AWS_EC2_METADATA_SERVICE_ENDPOINT takes. `tokens` of one server may be handed to another of the same
    instance, as for a second port that is two hops away.

    Raises:
        InputError: the address or the port cannot be used.
    """

    def __init__(
        self,
        instance: Host,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        hops: int = 1,
        tokens: SessionTokens | None = None,
        keep_alive: bool = False,
    ) -> None:
        self.service = MetadataService(instance, clock, hops=hops, tokens=tokens)
        super().__init__(self.service.answer, host=host, port=port, keep_alive=keep_alive)

    @property
    def tokens(self) -> SessionTokens:
        """The session tokens that this server issues and accepts."""
        return self.service.tokens


class _Handler(BaseHTTPRequestHandler):
    """Reads requests as strictly as a smuggled header deserves; everything else is the answer's."""

    server: LoopbackServer  # type: ignore[assignment]  # the standard library expects its own server class
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def handle_one_request(self) -> None:
        self.close_connection = True
        self.requestline = ""
        self.raw_requestline = self.rfile.readline(LONGEST_LINE + 1)
        if len(self.raw_requestline) > LONGEST_LINE:
            return self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
        words = self.raw_requestline.split()
        if not words:
            return None
        if len(words) != len(("method", "target", "version")):
            return self.send_error(HTTPStatus.BAD_REQUEST)
        if not self.parse_request():
            return None
        # A line that is no header would hide all that come after it, X-Forwarded-For among them.
        if self.headers.defects:
            return self.send_error(HTTPStatus.BAD_REQUEST)
        return self._respond(words[1].decode("latin-1"))

    def handle_expect_100(self) -> bool:
        # The final answer does not depend on the body: it may as well come first.
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - the signature is the base class's
        self.close_connection = True
        self._send(self.server.refuse(code))

    def _respond(self, target: str) -> None:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), value.strip(" \t"))
        try:
            answer = self.server.answer(Request(self.command, target, headers))
        except Exception:
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise
        body = headers.get("content-length", "0").strip() != "0" or "transfer-encoding" in headers
        if body or not self.server.keep_alive or answer is None:
            self.close_connection = True
        if answer is not None:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        head = {
            **answer.headers,
            "Content-Length": str(len(answer.body)),
            "Date": formatdate(usegmt=True),
            "Connection": "close" if self.close_connection else "keep-alive",
        }
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            *(f"{k}: {v}" for k, v in head.items()),
        ]
        body = b"" if self.raw_requestline.startswith(b"HEAD ") else answer.body
        self.wfile.write("\r\n".join((*lines, "", "")).encode("latin-1") + body)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError(f"cannot listen on port `{port}` of `{host}`: {reason}") from error
    return listener


def _linger(connection: socket.socket) -> None:
    """End our half, then read what the client still sends: closing over unread bytes would reset the answer away."""
    _end(connection, socket.SHUT_WR)
    try:
        connection.settimeout(LINGER_SECONDS)
        for _ in range(LINGER_READS):
            if not connection.recv(LONGEST_LINE):
                return
    except OSError:
        return


def _end(connection: socket.socket, half: int) -> None:
    try:
        connection.shutdown(half)
    except OSError:
        return  # the other side was faster
