"""One client's connection to the simulated AWS; bodies too large for memory go through files, both ways."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11

from pytest_stsguard.cloud.conversation import Conversation
from pytest_stsguard.cloud.request import Headers, Request, Response
from pytest_stsguard.cloud.spool import BLOCK, IN_MEMORY, Spool

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Connection"]


class Connection(Conversation):
    """Hands each request to `handle`, whole, and its answer back; the rest is `Conversation`'s."""

    def __init__(self, handle: Callable[[Request], Response], *of_conversation: Any, **settings: Any) -> None:
        super().__init__(*of_conversation, **settings)
        self._handle = handle

    def respond(self, head: h11.Request) -> None:
        """Read the body, and answer."""
        request = self._read(head)
        try:
            self._answer(request, self._handle(request))
        finally:
            if request.spool is not None:
                request.spool.close()

    def _read(self, head: h11.Request) -> Request:
        headers = Headers.of((name.decode(), text) for name, text in head.headers)
        self._check_size(int(headers.get("content-length", "0")))
        method, url = head.method.decode(), _url(head.target.decode(), headers)
        if not Request(method, url, headers).is_addressed:
            raise h11.RemoteProtocolError("the target or the host is no URL's")
        self.ask_for_body()
        body, spool = self._body()
        return Request(method, url, headers, body, source_ip=str(self.address[0]), secure=False, spool=spool)

    def _body(self) -> tuple[bytes, Spool | None]:
        held, spool, size = bytearray(), None, 0
        try:
            while isinstance(event := self.event(BLOCK), h11.Data):
                size += len(event.data)
                self._check_size(size)
                if spool is None and size > IN_MEMORY:
                    spool = Spool()
                    spool.write(bytes(held))
                    held.clear()
                held.extend(event.data) if spool is None else spool.write(event.data)
                self.deadline = max(self.deadline, time.monotonic() + len(event.data) / self.limits.slowest)
        except BaseException:
            if spool is not None:
                spool.close()
            raise
        return bytes(held), spool

    def _check_size(self, size: int) -> None:
        if size > self.limits.body:
            raise h11.RemoteProtocolError("size", error_status_hint=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def _answer(self, request: Request, response: Response) -> None:
        headers = {name: text for name, text in response.headers.items() if name.lower() != "server"}
        length: int | str = response.size
        if request.method == "HEAD":
            length = {name.lower(): text for name, text in headers.items()}.get("content-length", length)
        self.send(response.status, headers, response.blocks(), length=length)


def _url(target: str, headers: Headers) -> str:
    """Put the URL together: of the host and the target, which may be a URL already, as for a proxy."""
    host = headers.get("host", "localhost")
    if target.lower().startswith(("http://", "https://")):
        host, _, target = target.partition("//")[2].partition("/")
        target = f"/{target}"
    return f"http://{host}{target if target.startswith('/') else '/'}"
