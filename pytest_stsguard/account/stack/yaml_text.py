"""A YAML template as nodes: the tags of CloudFormation, aliases without copies, a line for every value.

CloudFormation speaks YAML 1.1 without merges; the tags are the short forms of its functions.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from re import compile as regex
from typing import TYPE_CHECKING, Any, Final

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types; what is read from it is checked here
from yaml import events

from pytest_stsguard.account.location import Location
from pytest_stsguard.account.stack.depth import DEEP, too_deep
from pytest_stsguard.account.stack.node import Node, Unknown
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account.location import Path

__all__ = ["read_yaml"]

_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_OCTAL = regex(r"[-+]?0[0-7_]+")
_PLAIN_TAGS: Final = frozenset({"!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_NAMES: Final = {"Ref": "Ref", "Condition": "Condition"}
_SHORT_TAG = regex(r"!(?P<name>[A-Za-z0-9:]+)")
_KEYED = object()


def read_yaml(text: str, file: str) -> Node:
    """Read the one document of a YAML text.

    Raises:
        InputError: not YAML, more or less than one document, or what CloudFormation does not take.
    """
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(file).read(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        raise _explain(error, text, file) from error


@dataclass(slots=True)
class _Open:
    """A collection that is being read: an object waits for the value of its `key` when there is one."""

    value: dict[str, Node] | list[Node]
    location: Location
    tag: str | None
    anchor: str | None
    key: Any = field(default=_KEYED)


class _Reader:
    """Builds nodes from events, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.root: Node | None = None

    def read(self, found: Iterator[Any]) -> Node:
        for event in found:
            self.take(event)
        if self.root is None:
            raise InputError("holds no template", location=self.file)
        return self.root

    def take(self, event: Any) -> None:
        """Take one event."""
        location = Location.at(self.file, self.path(), line=event.start_mark.line + 1)
        if isinstance(event, events.ScalarEvent):
            if self.waits_for_key():
                self.take_key(event, location)
                return
            node = Node(_tagged(event.tag, Node(_scalar(event), location)), location)
            if event.anchor:
                self.anchors[event.anchor] = node
            self.put(node)
        elif isinstance(event, events.AliasEvent):
            self.take_alias(event, location)
        elif isinstance(event, events.CollectionStartEvent):
            self.open(event, location)
        elif isinstance(event, events.CollectionEndEvent):
            opened = self.stack.pop()
            node = Node(_tagged(opened.tag, Node(opened.value, opened.location)), opened.location)
            if opened.anchor:
                self.anchors[opened.anchor] = node
            self.put(node)
        elif isinstance(event, events.DocumentStartEvent) and self.root is not None:
            raise InputError("a second document: a template is one", location=f"{self.file}:{location.line}")

    def open(self, event: Any, location: Location) -> None:
        """Open an object or a list."""
        if self.waits_for_key():
            raise InputError("the name of a value is a text", location=str(location))
        if len(self.stack) >= DEEP:
            raise too_deep(location)
        if event.anchor:
            self.anchors[event.anchor] = None
        value: dict[str, Node] | list[Node] = {} if isinstance(event, events.MappingStartEvent) else []
        self.stack.append(_Open(value, location, event.tag, event.anchor))

    def take_key(self, event: Any, location: Location) -> None:
        """Take the name of an object's next value."""
        opened, name = self.stack[-1], event.value
        if name == "<<" and event.implicit[0]:
            raise InputError("CloudFormation takes no merges (`<<`)", location=str(location))
        if name in opened.value:
            raise InputError(f"`{short(name)}` comes twice in one object", location=str(location))
        opened.key = name

    def take_alias(self, event: Any, location: Location) -> None:
        """Take the value that an alias stands for: the same node, not a copy."""
        if self.waits_for_key():
            raise InputError("the name of a value is a text", location=str(location))
        node = self.anchors.get(event.anchor)
        if node is None:
            known = event.anchor in self.anchors
            problem = "stands inside the value that it names" if known else "names no value"
            raise InputError(f"the alias `*{short(event.anchor)}` {problem}", location=str(location))
        self.put(node)

    def waits_for_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is _KEYED

    def put(self, node: Node) -> None:
        """Put a finished value where it belongs."""
        if not self.stack:
            self.root = node
            return
        opened = self.stack[-1]
        if isinstance(opened.value, list):
            opened.value.append(node)
        else:
            opened.value[opened.key] = node
            opened.key = _KEYED

    def path(self) -> Path:
        """Give the path of the value that comes next."""
        return tuple(
            len(opened.value) if isinstance(opened.value, list) else opened.key
            for opened in self.stack
            if opened.key is not _KEYED or isinstance(opened.value, list)
        )


def _tagged(tag: str | None, node: Node) -> Any:
    """Give the value of a node whose tag is the short form of a function: ``!Sub x`` is ``{"Fn::Sub": "x"}``."""
    if tag is None or tag in _PLAIN_TAGS:
        return node.value
    match = _SHORT_TAG.fullmatch(tag)
    if match is None:
        return Unknown(f"the tag `{short(tag)}` is not known here")
    name = match["name"]
    if name == "GetAtt" and node.text is not None:
        parts = node.text.split(".", 1)
        node = Node([Node(part, node.location) for part in parts], node.location)
    return {_NAMES.get(name, f"Fn::{name}"): node}


def _scalar(event: Any) -> Any:
    """Give what a scalar means in YAML 1.1: numbers and dates stay text, as they were written."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _NULLS:
        return None
    if _OCTAL.fullmatch(text):
        return Unknown(f"the number `{short(text)}`, which YAML reads as octal: write it in quotes")
    return _BOOLEANS.get(text.lower(), text)


def _explain(error: yaml.YAMLError, text: str, file: str) -> InputError:
    """Say what is wrong in a person's words, and where."""
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    if mark is not None:
        where = f"{file}:{mark.line + 1}:{mark.column + 1}"
    else:
        position = getattr(error, "position", None)
        where = f"{file}:{text.count(chr(10), 0, position) + 1}" if isinstance(position, int) else file
    return InputError(f"neither JSON nor YAML: {' '.join(str(what).split())}", location=where)
