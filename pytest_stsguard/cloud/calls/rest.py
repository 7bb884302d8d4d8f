"""The input of a REST operation from the four places of a request: path, query string, headers, body."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

from .bodies import document_reader, load_json
from .call import UnparsableRequestError
from .catalogue import model
from .markup import element_reader, load_xml
from .scalars import MismatchError, text_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import ListShape, MapShape, Shape

    from .routes import Route

__all__ = ["Located", "query_values", "read_rest", "unquoted"]

_HEADER_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)')


@dataclass(slots=True)
class Located:
    """Where the members of one operation's input stand: name and reader by their name on the wire."""

    uri: dict[str, tuple[str, Callable[[str], Any]]] = field(default_factory=dict)
    query: dict[str, tuple[str, Callable[[list[str]], Any]]] = field(default_factory=dict)
    query_map: tuple[str, bool] | None = None
    headers: dict[str, tuple[str, Callable[[str], Any]]] = field(default_factory=dict)
    header_maps: dict[str, str] = field(default_factory=dict)
    body: Callable[[bytes], dict[str, Any]] | None = None


def unquoted(text: str) -> str:
    """Decode percent-encoding; the octets must be UTF-8."""
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise UnparsableRequestError("the address is not valid UTF-8") from error


def query_values(query: str) -> dict[str, list[str]]:
    """Decode a query string, every value of a repeated name in its order."""
    values: defaultdict[str, list[str]] = defaultdict(list)
    for piece in query.split("&") if query else ():
        if piece:
            name, _, value = piece.replace("+", " ").partition("=")
            values[unquoted(name)].append(unquoted(value))
    return dict(values)


def read_rest(
    service: str,
    route: Route,
    labels: tuple[str, ...],
    *,
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """Collect the members of the operation that `route` leads to; `labels` are the path's, still encoded."""
    located = _located(service, route.operation)
    try:
        result = {
            located.uri[label][0]: located.uri[label][1](unquoted(text))
            for label, text in zip(route.labels, labels, strict=True)
        }
        _read_query(located, query, route, result)
        _read_headers(located, headers, result)
    except MismatchError as error:
        raise UnparsableRequestError(f"the input of `{route.operation}` cannot be read: {error}") from error
    if located.body is not None:
        result.update(located.body(body))
    return result


def _read_query(located: Located, query: Mapping[str, list[str]], route: Route, result: dict[str, Any]) -> None:
    for wire, values in query.items():
        if wire in located.query:
            name, reader = located.query[wire]
            try:
                result[name] = reader(values)
            except MismatchError as error:
                raise error.within(name) from None
    if located.query_map is not None:
        name, many = located.query_map
        rest = {wire: values for wire, values in query.items() if wire not in route.known}
        if rest:
            result[name] = rest if many else {wire: values[0] for wire, values in rest.items()}


def _read_headers(located: Located, headers: Mapping[str, str], result: dict[str, Any]) -> None:
    for wire, (name, reader) in located.headers.items():
        text = headers.get(wire)
        if text is not None:
            try:
                result[name] = reader(text)
            except MismatchError as error:
                raise error.within(name) from None
    for prefix, name in located.header_maps.items():
        found = {wire[len(prefix) :]: text for wire, text in headers.items() if wire.startswith(prefix)}
        if found:
            result[name] = found


@cache
def _located(service: str, operation: str) -> Located:
    located = Located()
    loaded = model(service)
    shape = loaded.operation_model(operation).input_shape
    if shape is None:
        return located
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if location == "uri":
            located.uri[wire] = (name, text_reader(member))
        elif location == "querystring" and member.type_name == "map":
            located.query_map = (name, cast("MapShape", member).value.type_name == "list")
        elif location == "querystring":
            located.query[wire] = (name, _query_reader(member))
        elif location == "headers":
            located.header_maps[wire.lower()] = name
        elif location == "header":
            located.headers[wire.lower()] = (name, _header_reader(member))
    located.body = _body_reader(loaded.metadata["protocol"], shape)
    return located


def _query_reader(shape: Shape) -> Callable[[list[str]], Any]:
    if shape.type_name == "list":
        item = text_reader(cast("ListShape", shape).member)
        return lambda values: [item(value) for value in values]
    single = text_reader(shape)

    def read(values: list[str]) -> Any:
        if len(values) > 1:
            raise MismatchError("comes twice")
        return single(values[0])

    return read


def _header_reader(shape: Shape) -> Callable[[str], Any]:
    if shape.serialization.get("jsonvalue"):
        return _json_header
    if shape.type_name != "list":
        return text_reader(shape)
    item = text_reader(cast("ListShape", shape).member)

    def read(text: str) -> list[Any]:
        found = _HEADER_ITEM.findall(text)[: None if text.rstrip().endswith(",") else -1] if text else []
        return [item(quoted.replace('\\"', '"') or plain) for quoted, plain in found]

    return read


def _json_header(text: str) -> Any:
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError):
        raise MismatchError("is no JSON in Base64") from None


def _body_reader(protocol: str, shape: Shape) -> Callable[[bytes], dict[str, Any]] | None:
    members = getattr(shape, "members", {})
    payload = shape.serialization.get("payload")
    if payload is None:
        if all("location" in member.serialization for member in members.values()):
            return None
        return _document(protocol, shape, None)
    member = members[payload]
    if member.type_name == "blob" or member.serialization.get("streaming") or member.serialization.get("eventstream"):
        return None
    if member.type_name == "string":
        return lambda body: {payload: _text(body)} if body else {}
    return _document(protocol, member, payload)


def _document(protocol: str, shape: Shape, payload: str | None) -> Callable[[bytes], dict[str, Any]]:
    read: Callable[[Any], Any]
    load: Callable[[bytes], Any]
    if protocol == "rest-xml":
        load, read = load_xml, element_reader(shape)
    else:
        load, read = load_json, document_reader(shape)

    def body_reader(body: bytes) -> dict[str, Any]:
        if not body:
            return {}
        try:
            value = read(load(body))
        except (MismatchError, RecursionError) as error:
            raise UnparsableRequestError(f"the body cannot be read: {error}") from error
        return {payload: value} if payload else value

    return body_reader


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise UnparsableRequestError("the body is not valid UTF-8") from error
