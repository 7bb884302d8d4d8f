"""What is said on one client's connection: HTTP/1.1 as h11 reads and writes it, within limits of time and size."""

from __future__ import annotations

import re
import socket
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Conversation", "Limits", "phrase"]

_SIP = 16 * 1024
_LONGEST_HEAD = 64 * 1024
_MOST_HEADERS = 100
_BODILESS = frozenset({204, 304})
_LINGER_SECONDS = 0.5
_LINGER_READS = 64
_OURS = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "date", "content-length"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take: seconds, bytes, connections of all clients together, bytes a second at least."""

    idle: float = 75
    head: float = 20
    grace: float = 10
    body: int = 5 * 1024**3
    slowest: int = 16 * 1024
    connections: int = 512


class Conversation(ABC):
    """Takes one client's requests, one behind the other, until one of the two sides ends it.

    A subclass says what is answered. Where a body ends and the next request begins is h11's judgement; what is
    ambiguous is refused: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """

    def __init__(
        self, client: socket.socket, address: tuple[Any, ...], *, limits: Limits, closing: threading.Event
    ) -> None:
        self.client = client
        self.address = address
        self.limits = limits
        self.closing = closing
        self.deadline = 0.0
        # A head is at most what h11 holds back of an unfinished one, and the read that finishes it.
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD - _SIP)
        self._is_head = False
        self._idle = True
        self._lock = threading.Lock()

    @abstractmethod
    def respond(self, head: h11.Request) -> None:
        """Read as much of the request as is wanted, then `send` the answer; without one the connection ends.

        Raises:
            h11.RemoteProtocolError: the request is refused, with the status in `error_status_hint`.
        """

    def refuse(self, status: int) -> None:
        """Answer what cannot be handled; the connection ends with it."""
        self.send(status, {"Content-Type": "text/plain"}, [f"{status} {phrase(status)}\n".encode()], last=True)

    def serve(self) -> None:
        """Converse with the client until one of the two ends it.

        Raises:
            ConnectionError: the client went away.
            TimeoutError: the client took longer than it may.
        """
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while self._exchange():
            self._wire.start_next_cycle()

    def end(self, *, only_idle: bool = False) -> None:
        """End the connection from another thread; with `only_idle` not while a request is being answered."""
        with self._lock:
            if only_idle and not self._idle:
                return
            try:
                self.client.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the client was faster

    def event(self, size: int = _SIP) -> Any:
        """Give what comes next of the request, as an event of h11; `size` is the most to read at once."""
        while (event := self._wire.next_event()) is h11.NEED_DATA:
            self._wire.receive_data(self._receive(size))
        return event

    def ask_for_body(self) -> None:
        """Tell a client that waits for it (Expect: 100-continue) that its body is wanted."""
        if self._wire.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self.client.sendall(self._wire.send(go_on))

    def send(
        self,
        status: int,
        headers: Mapping[str, str],
        blocks: Iterable[bytes],
        *,
        length: int | str | None = None,
        last: bool = False,
    ) -> None:
        """Answer the request, with `last` for the last time; `length` is that of the body where it is not one block.

        To a HEAD the length is told and the body is not sent.
        """
        blocks = iter(blocks)
        first = next(blocks, b"")
        fields = {name: text for name, text in headers.items() if name.lower() not in _OURS}
        if status not in _BODILESS:
            fields["Content-Length"] = str(len(first) if length is None else length)
        fields["Date"] = formatdate(usegmt=True)
        fields["Connection"] = "close" if last or self.closing.is_set() else "keep-alive"
        lines = [(name.encode(), _one_line(text)) for name, text in fields.items()]
        try:
            head = h11.Response(status_code=status, headers=lines, reason=phrase(status).encode())
        except h11.LocalProtocolError:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        out = self._wire.send(head)
        self.client.settimeout(self.limits.head)
        if self._is_head or status in _BODILESS:
            self.client.sendall(out)
        else:
            # The head goes out with the first block: two small packets would wait for each other.
            self.client.sendall(out + self._wire.send(h11.Data(data=first)))
            for block in blocks:
                self.client.sendall(self._wire.send(h11.Data(data=block)))
        self._wire.send(h11.EndOfMessage())

    def _exchange(self) -> bool:
        """Take and answer one request; False when it was the last."""
        try:
            head = self._head()
            if head is None:
                return False
            self.respond(head)
        except h11.RemoteProtocolError as error:
            self.refuse(self._status(error))
        if self._wire.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            return True
        self._linger()
        return False

    def _head(self) -> h11.Request | None:
        """Wait for a request and read its head; None when there is none any more."""
        with self._lock:
            self._idle = True
            if self.closing.is_set():
                return None
        self._is_head = False
        begun = bool(self._wire.trailing_data[0])
        self.deadline = time.monotonic() + (self.limits.head if begun else self.limits.idle)
        while (event := self._wire.next_event()) is h11.NEED_DATA:
            data = self._receive(_SIP)
            if not begun and data:
                # Empty lines in front of a request are passed over: https://www.rfc-editor.org/rfc/rfc9112#section-2.2
                data = data.lstrip(b"\r\n")
                if not data:
                    continue
                begun = True
                self.deadline = time.monotonic() + self.limits.head
            self._wire.receive_data(data)
        with self._lock:
            self._idle = False
            if self.closing.is_set() or not isinstance(event, h11.Request):
                return None
        self._is_head = event.method == b"HEAD"
        return _checked(event)

    def _status(self, error: h11.RemoteProtocolError) -> int:
        unread, _ = self._wire.trailing_data
        # A head too long without any end of a line is a request line that does not end.
        endless = (
            error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE and unread and b"\n" not in unread
        )
        return HTTPStatus.REQUEST_URI_TOO_LONG if endless else error.error_status_hint

    def _receive(self, size: int) -> bytes:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.client.settimeout(left)
        return self.client.recv(size)

    def _linger(self) -> None:
        """Read a little of what the client still sends: closing over unread bytes would reset the answer away."""
        try:
            self.client.shutdown(socket.SHUT_WR)
            self.deadline = time.monotonic() + _LINGER_SECONDS
            for _ in range(_LINGER_READS):
                if not self._receive(_SIP):
                    return
        except OSError:
            return  # the client was faster


def phrase(status: int) -> str:
    """Give the words of a status; moto has some that are no standard's."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _checked(head: h11.Request) -> h11.Request:
    """Refuse what h11 lets pass: other versions, CONNECT, too many headers, and a body with two lengths."""
    names = {name for name, _ in head.headers}
    if not head.http_version.startswith(b"1."):
        raise h11.RemoteProtocolError("version", error_status_hint=HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    if len(head.headers) > _MOST_HEADERS:
        raise h11.RemoteProtocolError("headers", error_status_hint=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    if head.method == b"CONNECT" or {b"content-length", b"transfer-encoding"} <= names:
        raise h11.RemoteProtocolError("framing")
    return head


def _one_line(text: object) -> bytes:
    """Make a header's value of `text`: no end of a line in it, and nothing around it."""
    return re.sub(r"[\0\n\v\f\r]", " ", str(text)).strip(" \t").encode("latin-1", "replace")
