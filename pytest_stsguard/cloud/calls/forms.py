"""Parameters of the query and EC2 protocols: ``Tag.member.1.Key=...`` to the members of a shape.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html and aws-ec2-query-protocol.html.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

from .call import UnparsableRequestError
from .scalars import MismatchError, text_reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import ListShape, MapShape, Shape, StructureShape

    Reader = Callable[["_Node"], Any]

__all__ = ["form", "form_reader", "tree"]

_INDEX = re.compile(r"[1-9]\d{0,4}", re.ASCII)
_DEPTH = 32
_FIELDS = 20_000


class _Node(dict[str, "_Node"]):
    """A part of a dotted name: what is below it, and the value of the name that ends here."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        super().__init__()
        self.text: str | None = None


def form(*sources: str | bytes) -> dict[str, str]:
    """Decode form fields of the query string and the body; none may come twice."""
    fields: dict[str, str] = {}
    for source in sources:
        data = source.encode() if isinstance(source, str) else source
        pieces = data.replace(b"+", b" ").split(b"&")
        if len(pieces) > _FIELDS:
            raise UnparsableRequestError(f"the form has more than {_FIELDS} fields")
        for piece in pieces:
            if not piece:
                continue
            name, _, value = piece.partition(b"=")
            key, text = _decoded(name), _decoded(value)
            if key in fields:
                raise UnparsableRequestError(f"the field `{key}` comes twice")
            fields[key] = text
    return fields


def _decoded(data: bytes) -> str:
    try:
        return (unquote_to_bytes(data) if b"%" in data else data).decode()
    except UnicodeDecodeError as error:
        raise UnparsableRequestError("the form is not valid UTF-8") from error


def tree(fields: dict[str, str]) -> _Node:
    """Sort the fields by the parts of their names."""
    root = _Node()
    for name, value in fields.items():
        node = root
        parts = name.split(".")
        if len(parts) > _DEPTH:
            raise UnparsableRequestError("a field's name has too many parts")
        for part in parts:
            below = node.get(part)
            if below is None:
                below = node[part] = _Node()
            node = below
        node.text = value
    return root


def form_reader(shape: Shape, *, ec2: bool) -> Reader:
    """Give the function that reads a `tree` as the structure `shape`; it raises `MismatchError`."""
    return _Forms(ec2=ec2).reader(shape)


class _Forms:
    def __init__(self, *, ec2: bool) -> None:
        self.ec2 = ec2
        self.known: dict[tuple[str, bool], Reader] = {}

    def reader(self, shape: Shape) -> Reader:
        flattened = self.ec2 or bool(shape.serialization.get("flattened"))
        key = (shape.name, flattened)
        if key not in self.known:
            if shape.type_name == "structure":
                self.known[key] = self._structure(cast("StructureShape", shape))
            elif shape.type_name == "list":
                self.known[key] = self._list(cast("ListShape", shape), flattened=flattened)
            elif shape.type_name == "map":
                self.known[key] = self._map(cast("MapShape", shape), flattened=flattened)
            else:
                return _scalar(shape)
        return self.known[key]

    def _name(self, name: str, shape: Shape) -> str:
        """Give the name that a member has on the wire."""
        serialization = shape.serialization
        if self.ec2:
            given = serialization.get("queryName")
            if given is None and "name" in serialization:
                given = serialization["name"][0].upper() + serialization["name"][1:]
            return given or name
        if shape.type_name == "list" and serialization.get("flattened"):
            # A flattened list's members take the list's place in the name.
            inner = cast("ListShape", shape).member.serialization.get("name")
            if inner:
                return str(inner)
        return str(serialization.get("name", name))

    def _structure(self, shape: StructureShape) -> Reader:
        @cache
        def fields() -> dict[str, tuple[str, Reader]]:
            return {self._name(name, member): (name, self.reader(member)) for name, member in shape.members.items()}

        def read(node: _Node) -> dict[str, Any]:
            table = fields()
            result: dict[str, Any] = {}
            for key, below in node.items():
                field = table.get(key)
                if field is None:
                    continue
                try:
                    result[field[0]] = field[1](below)
                except MismatchError as error:
                    raise error.within(field[0]) from None
            return result

        return read

    def _list(self, shape: ListShape, *, flattened: bool) -> Reader:
        step = None if flattened else shape.member.serialization.get("name", "member")

        @cache
        def item_reader() -> Reader:
            return self.reader(shape.member)

        def read(node: _Node) -> list[Any]:
            reader = item_reader()
            return [reader(item) for item in _numbered(node, step)]

        return read

    def _map(self, shape: MapShape, *, flattened: bool) -> Reader:
        step = None if flattened else "entry"
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")

        @cache
        def value_reader() -> Reader:
            return self.reader(shape.value)

        def read(node: _Node) -> dict[str, Any]:
            result: dict[str, Any] = {}
            for item in _numbered(node, step):
                key = item.get(key_name)
                if key is None or key.text is None or key.text in result:
                    raise MismatchError("has an entry without a key of its own")
                value = item.get(value_name)
                if value is None:
                    raise MismatchError("has a key without a value")
                result[key.text] = value_reader()(value)
            return result

        return read


def _numbered(node: _Node, step: str | None) -> list[_Node]:
    """Give the items below `step` in the order of their numbers; gaps are closed, as AWS does."""
    if step is not None:
        if node.keys() - {step}:
            raise MismatchError(f"is a list, its items are named `{step}.1`, `{step}.2` ...")
        if step not in node:
            return _empty(node)
        node = node[step]
    if not node:
        return _empty(node)
    for key in node:
        if not _INDEX.fullmatch(key):
            raise MismatchError(f"has an item number `{key[:20]}` that is none between 1 and 99999")
    return [node[key] for key in sorted(node, key=int)]


def _empty(node: _Node) -> list[_Node]:
    if node.text:
        raise MismatchError("is a list, its items are numbered")
    return []


def _scalar(shape: Shape) -> Reader:
    reader = text_reader(shape)

    def read(node: _Node) -> Any:
        if node:
            raise MismatchError("is a single value")
        return reader(node.text or "")

    return read
