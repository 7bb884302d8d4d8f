"""The way in for clients of this process: botocore's before-send event, ahead of moto's handler.

One entrance serves the whole process and hands every request to the gate of the cloud that is open. botocore asks every
handler and takes the first answer, so moto's own handler must be kept from acting on what the gate has answered. What
reaches moto on another way (a client older than the cloud, the `requests` library) is led to the same gate.
"""

from __future__ import annotations

import io
import re
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.cloud.request import Headers, Request, Response
from pytest_stsguard.cloud.spool import BLOCK, IN_MEMORY, Spool
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from pytest_stsguard.cloud.backend import Backend

__all__ = ["calling_from", "close_entrance", "open_entrance"]

_ORIGIN: ContextVar[tuple[str, Mapping[str, str]]] = ContextVar("origin", default=("127.0.0.1", MappingProxyType({})))
_MOTO_DUMMY = "FOOBARKEY"
_ANSWERED = "_stsguard_answered"
_KEY = re.compile(r"Credential=([^/,\s]+)/|X-Amz-Credential=([^/%&]+)(?:/|%2F)|AWSAccessKeyId=([^&]+)", re.IGNORECASE)


class Gate(Protocol):
    """What answers the requests."""

    def handle(self, request: Request) -> Response:
        """Answer one request."""


class _Entrance:
    """Stands in botocore's list of handlers while a cloud is open; a client that outlives the cloud meets it closed."""

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.backend: Backend | None = None
        self.retired: set[str] = set()

    def __call__(self, request: Any, **_: Any) -> AWSResponse | None:
        response = self.receive(request)
        if response is None:
            return None
        vars(request)[_ANSWERED] = True
        from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - loaded by whoever sends the request
        from moto.core.botocore_stubber import MockRawResponse  # noqa: PLC0415

        headers: Any = response.headers
        raw = MockRawResponse(response.body) if response.view is None else _Raw(_Pieces(response.blocks()))
        return AWSResponse(request.url, response.status, headers, raw)

    def receive(self, prepared: AWSPreparedRequest) -> Response | None:
        """Answer a request at the open gate; None leaves it to whoever comes next."""
        key = _key_of(prepared)
        if self.gate is None or self.backend is None:
            if key in self.retired:
                raise CloudError("the simulated cloud that issued these credentials is closed")
            return None
        if key == _MOTO_DUMMY and self.backend.shared:
            return None
        request = _neutral(prepared)
        try:
            return self.gate.handle(request)
        finally:
            if request.spool is not None:
                request.spool.close()


_ENTRANCE = _Entrance()
_LOCK = threading.Lock()


@contextmanager
def calling_from(address: str, *, network: Mapping[str, str] | None = None) -> Iterator[None]:
    """Let the calls of this thread come from an IP address of the caller's choice: aws:SourceIp.

    `network` are the condition keys of a VPC endpoint that they come through, which hides the address.
    """
    token = _ORIGIN.set((address, network or {}))
    try:
        yield
    finally:
        _ORIGIN.reset(token)


def open_entrance(gate: Gate, backend: Backend) -> None:
    """Lead the clients of this process to `gate`; `CloudError` while another cloud is open."""
    from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST  # noqa: PLC0415 - botocore comes with the first cloud
    from moto.core.models import botocore_stubber  # noqa: PLC0415

    with _LOCK:
        if _ENTRANCE.gate is not None:
            raise CloudError(
                "a simulated cloud is already open in this process",
                hint="moto's state is global to a process: use one `sts_cloud` at a time, or run tests with xdist",
            )
        _ENTRANCE.gate, _ENTRANCE.backend = gate, backend
        BUILTIN_HANDLERS.append(("before-send", _ENTRANCE, REGISTER_FIRST))
        botocore_stubber.process_request = _moto_entrance


def close_entrance(retired: frozenset[str]) -> None:
    """Take the entrance away; requests with a `retired` key are refused from now on."""
    from botocore.handlers import BUILTIN_HANDLERS  # noqa: PLC0415 - as above
    from moto.core.models import botocore_stubber  # noqa: PLC0415

    with _LOCK:
        _ENTRANCE.gate = _ENTRANCE.backend = None
        _ENTRANCE.retired |= retired
        BUILTIN_HANDLERS[:] = [entry for entry in BUILTIN_HANDLERS if _ENTRANCE not in entry]
        vars(botocore_stubber).pop("process_request", None)


def _moto_entrance(prepared: AWSPreparedRequest) -> Any:
    """Answer what reached moto's own handler, in moto's form."""
    from moto.core.models import botocore_stubber  # noqa: PLC0415 - as above

    if _ANSWERED in vars(prepared):
        return None
    response = _ENTRANCE.receive(prepared)
    if response is None:
        return type(botocore_stubber).process_request(botocore_stubber, prepared)
    return response.status, dict(response.headers), b"".join(response.blocks())


def _key_of(prepared: AWSPreparedRequest) -> str | None:
    authorization: Any = prepared.headers.get("Authorization") or ""
    text = authorization.decode("latin-1") if isinstance(authorization, bytes) else str(authorization)
    match = _KEY.search(text) or _KEY.search(prepared.url)
    return next((group for group in match.groups() if group), None) if match else None


def _neutral(prepared: AWSPreparedRequest) -> Request:
    body, spool = _body(prepared.body)
    address, network = _ORIGIN.get()
    headers = Headers.of(prepared.headers.items())
    return Request(
        prepared.method,
        prepared.url,
        headers,
        body,
        source_ip=address,
        network=network,
        secure=prepared.url.startswith("https:"),
        spool=spool,
    )


def _body(body: Any) -> tuple[bytes, Spool | None]:
    """Read what a client of this process would send, into a file when it is large."""
    if not hasattr(body, "read"):
        return (body.encode() if isinstance(body, str) else bytes(body or b"")), None
    held, spool = bytearray(), None
    while block := body.read(BLOCK):
        data = block.encode() if isinstance(block, str) else block
        if spool is None and len(held) + len(data) > IN_MEMORY:
            spool = Spool()
            spool.write(bytes(held))
            held.clear()
        held.extend(data) if spool is None else spool.write(data)
    return bytes(held), spool


class _Pieces(io.RawIOBase):
    """A response's body as a file of bytes."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class _Raw(io.BufferedReader):
    """What botocore takes for urllib3's response."""

    def stream(self, amount: int = BLOCK, **_: object) -> Iterator[bytes]:
        """Give the body in pieces."""
        while block := self.read(amount):
            yield block
