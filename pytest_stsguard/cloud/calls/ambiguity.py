"""Requests that name two operations are refused, since what is authorized must be what is performed.

On AWS each protocol has one place for the operation's name and the others are not looked at. The backend behind the gate
looks at several, the first that is filled wins: a field ``Action`` of the form, of the query string, of whatever in the
body looks like a form; then ``X-Amz-Target``; then method and path. No client fills two of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .call import UnparsableRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.cloud.request import Request

__all__ = [
    "content_type",
    "refuse_second_action",
    "refuse_second_protocol",
    "refuse_second_source",
    "refuse_second_target",
]

_ACTION = "Action"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def refuse_second_protocol(request: Request, operation: str) -> None:
    """Refuse Smithy's protocol header, which puts the operation into the path, beside one that stands elsewhere."""
    if "smithy-protocol" in request.headers:
        raise UnparsableRequestError(f"the request names two operations, `{operation}` and the one of its path")


def refuse_second_target(request: Request, operation: str) -> None:
    """Refuse an ``X-Amz-Target`` beside an operation that stands elsewhere."""
    refuse_second_protocol(request, operation)
    if target := request.headers.get("x-amz-target"):
        raise UnparsableRequestError(f"the request names two operations, `{operation}` and the target `{target}`")


def refuse_second_action(request: Request, operation: str, body: bytes, *, known: frozenset[str] = frozenset()) -> None:
    """Refuse an ``Action`` in a request that is no form; `known` are the names in the query that belong to it."""
    if _ACTION not in known and _ACTION in request.query:
        raise UnparsableRequestError(f"the request names two operations, `{operation}` and `{request.query[_ACTION]}`")
    if body and content_type(request) in _FORMS:
        raise UnparsableRequestError(f"the content type of a form is not that of `{operation}`")
    if _may_be_a_form(body) and any(name == _ACTION for name, _ in _fields(body)):
        raise UnparsableRequestError(f"the body of `{operation}` can be read as a form that names another operation")


def refuse_second_source(request: Request, names: Iterable[str]) -> None:
    """Refuse a form in the body beside parameters in the URL, whose `names` may only be a signature's."""
    signature_only = all(name.lower().startswith("x-amz-") for name in names)
    if request.body and not (signature_only and ("content-type" in request.headers or not request.split.query)):
        raise UnparsableRequestError("the form's fields stand in the URL and in the body")


def content_type(request: Request) -> str:
    """Give the media type of the body, without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _may_be_a_form(body: bytes) -> bool:
    return b"=" in body and (b"&" in body or body[:1] in b"A%")


def _fields(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
