"""The neutral HTTP request that both ways into the gate hand over, parsed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Headers", "Request", "Response"]


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
    from (aws:SourceIp).
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    secure: bool = True
    items: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @cached_property
    def split(self) -> SplitResult:
        """The parts of the URL."""
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """The host that the client addressed, with its port where one was given."""
        return self.headers.get("host") or self.split.netloc

    @property
    def path(self) -> str:
        """The path, percent-encoded as it came; never empty."""
        return self.split.path or "/"

    @cached_property
    def query(self) -> dict[str, str]:
        """The decoded parameters of the query string; of a repeated one the first."""
        parameters: dict[str, str] = {}
        for name, value in parse_qsl(self.split.query, keep_blank_values=True):
            parameters.setdefault(name, value)
        return parameters


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: status, headers as they are to be sent, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
