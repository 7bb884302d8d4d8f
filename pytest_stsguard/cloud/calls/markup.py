"""XML bodies to the members of a shape, without entities, document types or depth without end.

https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

# Every document type declaration is refused below, and without one there are no entities to expand or to fetch.
from xml.parsers import expat

from .call import UnparsableRequestError
from .scalars import MismatchError, text_reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import ListShape, MapShape, Shape, StructureShape

    Reader = Callable[["Element"], Any]

__all__ = ["Element", "element_reader", "load_xml"]

_DEPTH = 64


@dataclass(slots=True)
class Element:
    """One element, its names without their namespace."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""


class _Refused(Exception):  # noqa: N818 - never leaves this module
    pass


def load_xml(body: bytes) -> Element:
    """Parse a body into its root element."""
    root = Element("")
    stack = [root]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _DEPTH:
            raise _Refused("nested too deeply")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()})
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        stack.pop()

    def characters(data: str) -> None:
        stack[-1].text += data

    def doctype(*_details: object) -> None:
        raise _Refused("a document type declaration is not allowed")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)  # noqa: FBT003 - the parser takes it by position only
    except (expat.ExpatError, _Refused, ValueError, LookupError) as error:
        raise UnparsableRequestError("the body is not valid XML", hint=str(error)) from error
    return root.children[0]


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def element_reader(shape: Shape) -> Reader:
    """Give the function that reads an element's content as `shape`; it raises `MismatchError`."""
    return _reader(shape, {})


def _reader(shape: Shape, known: dict[str, Reader]) -> Reader:
    if shape.type_name not in ("structure", "list", "map"):
        reader = text_reader(shape)
        return lambda element: reader(element.text)
    if shape.name not in known:
        if shape.type_name == "structure":
            known[shape.name] = _structure(cast("StructureShape", shape), known)
        elif shape.type_name == "list":
            known[shape.name] = _list(cast("ListShape", shape), known)
        else:
            known[shape.name] = _map(cast("MapShape", shape), known)
    return known[shape.name]


@dataclass(slots=True)
class _Fields:
    """A structure's members by the name of their element: single ones, repeated ones, those that are attributes."""

    single: dict[str, tuple[str, Reader]] = field(default_factory=dict)
    repeated: dict[str, tuple[str, Reader]] = field(default_factory=dict)
    attributes: dict[str, tuple[str, Reader]] = field(default_factory=dict)


def _fields(shape: StructureShape, known: dict[str, Reader]) -> _Fields:
    fields = _Fields()
    for name, member in shape.members.items():
        serialization = member.serialization
        if "location" in serialization:
            continue
        wire = serialization.get("name", name)
        if serialization.get("xmlAttribute"):
            fields.attributes[_local(wire)] = (name, _reader(member, known))
        elif serialization.get("flattened") and member.type_name == "list":
            fields.repeated[wire] = (name, _reader(cast("ListShape", member).member, known))
        else:
            fields.single[wire] = (name, _reader(member, known))
    return fields


def _structure(shape: StructureShape, known: dict[str, Reader]) -> Reader:
    @cache
    def fields() -> _Fields:
        return _fields(shape, known)

    def read(element: Element) -> dict[str, Any]:
        table = fields()
        result: dict[str, Any] = {}
        for key, value in element.attributes.items():
            if key in table.attributes:
                name, reader = table.attributes[key]
                result[name] = reader(Element(key, text=value))
        for child in element.children:
            try:
                _member(child, table, result)
            except MismatchError as error:
                raise error.within(child.name) from None
        return result

    return read


def _member(child: Element, fields: _Fields, result: dict[str, Any]) -> None:
    if child.name in fields.single:
        name, reader = fields.single[child.name]
        if name in result:
            raise MismatchError("comes twice")
        result[name] = reader(child)
    elif child.name in fields.repeated:
        name, reader = fields.repeated[child.name]
        result.setdefault(name, []).append(reader(child))


def _list(shape: ListShape, known: dict[str, Reader]) -> Reader:
    wire = shape.member.serialization.get("name", "member")

    @cache
    def item_reader() -> Reader:
        return _reader(shape.member, known)

    def read(element: Element) -> list[Any]:
        reader = item_reader()
        return [reader(child) for child in element.children if child.name == wire]

    return read


def _map(shape: MapShape, known: dict[str, Reader]) -> Reader:
    entry = _entry(shape, known)

    def read(element: Element) -> dict[str, Any]:
        return dict(entry(child) for child in element.children if child.name == "entry")

    return read


def _entry(shape: MapShape, known: dict[str, Reader]) -> Reader:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")

    @cache
    def value_reader() -> Reader:
        return _reader(shape.value, known)

    def read(element: Element) -> tuple[str, Any]:
        found = {child.name: child for child in element.children}
        if key_name not in found or value_name not in found:
            raise MismatchError("has an entry without a key and a value")
        return found[key_name].text, value_reader()(found[value_name])

    return read
