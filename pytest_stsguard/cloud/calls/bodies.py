"""JSON and CBOR documents to the members of a shape.

A reader is made once per shape and kept; members that the shape does not have are passed over, as AWS does.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from .call import UnparsableRequestError
from .scalars import MismatchError, blob, epoch, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import ListShape, MapShape, Shape, StructureShape

    Reader = Callable[[Any], Any]

__all__ = ["document_reader", "load_json"]


def load_json(body: bytes) -> Any:
    """Parse a JSON body; an empty one is an empty object."""
    if not body:
        return {}
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnparsableRequestError("the body is not valid JSON", hint=str(error) or "nested too deeply") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"`{name}` is no JSON")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MismatchError("is no string")
    return value


def _blob(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else blob(_text(value))


def _integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MismatchError("is no integer")
    return value


def _float(value: Any) -> float | str:
    if value in ("NaN", "Infinity", "-Infinity"):
        return str(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise MismatchError("is no number")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MismatchError("is no boolean")
    return value


def _timestamp(value: Any) -> str:
    if isinstance(value, str):
        return timestamp(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise MismatchError("is no moment in time")
    return epoch(value)


def _as_is(value: Any) -> Any:
    return value


_SCALARS: dict[str, Reader] = {
    "string": _text,
    "character": _text,
    "blob": _blob,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "bigdecimal": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
}


def document_reader(shape: Shape) -> Reader:
    """Give the function that reads a decoded JSON or CBOR value as `shape`; it raises `MismatchError`."""
    return _reader(shape, {})


def _reader(shape: Shape, known: dict[str, Reader]) -> Reader:
    if getattr(shape, "is_document_type", False):
        return _as_is
    if scalar := _SCALARS.get(shape.type_name):
        return scalar
    if shape.name in known:
        return known[shape.name]
    # A shape may hold itself: what is entered here first finds its parts when it is called.
    if shape.type_name == "structure":
        reader = _structure(cast("StructureShape", shape), known)
    elif shape.type_name == "list":
        reader = _list(cast("ListShape", shape), known)
    else:
        reader = _map(cast("MapShape", shape), known)
    known[shape.name] = reader
    return reader


def _structure(shape: StructureShape, known: dict[str, Reader]) -> Reader:
    @cache
    def fields() -> dict[str, tuple[str, Reader]]:
        return {
            member.serialization.get("name", name): (name, _reader(member, known))
            for name, member in shape.members.items()
            if "location" not in member.serialization
        }

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MismatchError("is no object")
        table = fields()
        result: dict[str, Any] = {}
        for key, item in value.items():
            field = table.get(key)
            if field is None or item is None:
                continue
            try:
                result[field[0]] = field[1](item)
            except MismatchError as error:
                raise error.within(field[0]) from None
        return result

    return read


def _list(shape: ListShape, known: dict[str, Reader]) -> Reader:
    @cache
    def item_reader() -> Reader:
        return _reader(shape.member, known)

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise MismatchError("is no list")
        reader = item_reader()
        return [reader(item) for item in value if item is not None]

    return read


def _map(shape: MapShape, known: dict[str, Reader]) -> Reader:
    @cache
    def value_reader() -> Reader:
        return _reader(shape.value, known)

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MismatchError("is no map")
        reader = value_reader()
        return {_text(key): reader(item) for key, item in value.items() if item is not None}

    return read
