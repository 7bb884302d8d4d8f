"""The neutral HTTP request that both ways into the gate hand over, parsed once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_stsguard.cloud.spool import Spool, View

__all__ = ["Headers", "Request", "Response", "unchanged"]


_NOT_KEPT = frozenset(
    {
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "cookie",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
    }
)


class Headers(dict[str, str]):
    """Header values by lower-case name; a repeated header's values are joined with a comma, as SigV4 wants them."""

    @classmethod
    def of(cls, items: Iterable[tuple[str, str | bytes]]) -> Headers:
        """Collect `items` in their order."""
        headers = cls()
        for name, value in items:
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            key = name.lower()
            headers[key] = f"{headers[key]},{text}" if key in headers else text
        return headers


@dataclass(frozen=True)
class Request:
    """One HTTP request as its client signed it.

    `url` is absolute and still percent-encoded; `headers` are by lower-case name; `source_ip` is where the bytes came
    from (aws:SourceIp). A body that is too large for memory is in `spool`, and `body` is empty.
    `network` are the condition keys of the VPC endpoint that it came through, which hides its address.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    secure: bool = True
    items: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    spool: Spool | None = field(default=None, repr=False, compare=False)
    network: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def split(self) -> SplitResult:
        """The parts of the URL."""
        return urlsplit(self.url)

    @property
    def is_addressed(self) -> bool:
        """Whether the URL can be read at all; where it cannot, `split` and all that needs it raise ValueError."""
        try:
            return bool(self.split)
        except ValueError:
            return False

    @property
    def host(self) -> str:
        """The host that the client addressed, with its port where one was given."""
        return self.headers.get("host") or self.split.netloc

    @property
    def path(self) -> str:
        """The path, percent-encoded as it came; never empty."""
        return self.split.path or "/"

    @property
    def size(self) -> int:
        """The length of the body in bytes, wherever it is."""
        return len(self.body) if self.spool is None else self.spool.size

    def blocks(self) -> Iterator[bytes]:
        """Give the body in pieces, wherever it is."""
        if self.spool is None:
            yield self.body
        else:
            yield from self.spool.view()

    def whole(self) -> Request:
        """Give the request with its body in memory."""
        return self if self.spool is None else replace(self, body=b"".join(self.blocks()), spool=None)

    def head(self) -> Request:
        """Give the request for whoever keeps it: without its body, and without what signs it and authorizes it."""
        headers = Headers((name, text) for name, text in self.headers.items() if name not in _NOT_KEPT)
        return Request(
            self.method, self.url, headers, source_ip=self.source_ip, secure=self.secure, network=self.network
        )

    @cached_property
    def query(self) -> dict[str, str]:
        """The decoded parameters of the query string; of a repeated one the first."""
        parameters: dict[str, str] = {}
        for name, value in parse_qsl(self.split.query, keep_blank_values=True):
            parameters.setdefault(name, value)
        return parameters


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: status, headers as they are to be sent, body; one too large for memory is in `view` instead."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    view: View | None = None

    @property
    def size(self) -> int:
        """The length of the body in bytes."""
        return len(self.body) if self.view is None else len(self.view)

    def blocks(self) -> Iterator[bytes]:
        """Give the body in pieces."""
        if self.view is None:
            yield self.body
        else:
            yield from self.view


def unchanged(response: Response) -> Response:
    """Give an answer as it is: the settlement of a call after which nothing is to be settled."""
    return response
