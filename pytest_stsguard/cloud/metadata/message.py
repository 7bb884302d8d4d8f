"""A request to a metadata endpoint and its answer, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Request", "error_page"]

# The indentation of the third line is EC2's own: with it a 404 has the 339 bytes that EC2 announces.
ERROR_PAGE = """\
<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
\t\t "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>{title}</title>
 </head>
 <body>
  <h1>{title}</h1>
 </body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `target` is still percent-encoded, `headers` are by lower-case name, the first of a repeated one.

    A body is never read: no rule of these endpoints depends on one.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def path(self) -> tuple[str, ...] | None:
        """Give the decoded segments of the target's path, None when it has none (``*``, ``host:port``).

        One slash at the end does not count. Every segment is a plain name, ``..`` and an encoded slash as well:
        segments are looked up, never joined, so there is nothing to traverse.
        """
        path = self.target.partition("?")[0].partition("#")[0]
        scheme, separator, rest = path.partition("://")
        if separator and scheme.lower() in {"http", "https"}:
            path = "/" + rest.partition("/")[2]
        if not path.startswith("/"):
            return None
        segments = path[1:].split("/")
        if not segments[-1]:
            segments.pop()
        return tuple(unquote(segment) for segment in segments)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the server adds Content-Length, Date and Connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


def error_page(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """Give the HTML page with which EC2 refuses a request."""
    body = ERROR_PAGE.format(title=f"{status} - {HTTPStatus(status).phrase}").encode()
    return Answer(status, {"Content-Type": "text/html", "Server": "EC2ws", **(headers or {})}, body)
