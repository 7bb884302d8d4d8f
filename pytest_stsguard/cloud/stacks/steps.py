"""Reading a step of a kind: which call, with which parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from .fit import parameters_of
from .halt import FailedError
from .kinds.ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Sight", "call_of", "path_in", "words"]

_WAY = re.compile(r"(\w+)\((.*)\)")
_BRACES = re.compile(r"\{(\w+)\}")
_PARTITION = "aws"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a step can see: the resource with its properties, where it is, and the item that the step is made for."""

    properties: Mapping[str, Any]
    name: str
    identifier: str
    attributes: Mapping[str, Any]
    region: str
    account: str
    item: Any = None

    def value(self, source: str) -> Any:
        """Give what a parameter's source stands for; None for what is not there."""
        way = _WAY.fullmatch(source)
        if way is not None:
            return self._made(way[1], way[2])
        if source.startswith("'"):
            return source[1:-1]
        if source.startswith("@"):
            return {"@": self.identifier, "@name": self.name, "@all": dict(self.properties)}[source]
        if source.startswith("%"):
            return self.attributes.get(source[1:])
        if source.startswith("."):
            return path_in(self.item, source[1:]) if source[1:] else self.item
        return path_in(self.properties, source)

    def _made(self, way: str, source: str) -> Any:
        if way == "tags":
            tags = self.properties.get("Tags")
            return [{"ResourceType": source, "Tags": tags}] if tags else None
        if way == "abroad":
            return self.region if self.region != "us-east-1" else None
        value = self.value(source)
        if way == "name":
            return self.name if value is None else value
        if way == "keys":
            return [{"Key": key} for key in value or ()]
        try:
            return None if value is None else WAYS[way](value)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FailedError(f"Properties validation failed: `{source}` is not of the expected form") from error


def words(text: str, sight: Sight) -> str:
    """Fill ``{name}``, ``{region}``, ``{account}``, ``{partition}`` and ``{Property}`` into a text."""
    known = {"name": sight.name, "region": sight.region, "account": sight.account, "partition": _PARTITION}
    return _BRACES.sub(lambda found: str(known.get(found[1]) or sight.properties.get(found[1], "")), text)


def call_of(step: str, sight: Sight) -> tuple[str, str, dict[str, Any]]:
    """Give service, operation and parameters of a step.

    Raises:
        FailedError: a value does not fit.
        NotSimulatedError: a member of a property is not known.
    """
    service, operation, sources = _parsed(step)
    if operation.startswith("switch("):
        on, off = operation[len("switch(") : -1].split(",")
        operation = on if str(sight.item).lower() == "true" else off
    given: dict[str, Any] = {}
    for path, source in sources:
        value = sight.value(source)
        if value is not None:
            _put(given, path, value)
    return service, operation, parameters_of(service, operation, given)


@cache
def _parsed(step: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    head, *rest = step.split(" ")
    service, _, operation = head.partition(":")
    sources = []
    for each in rest:
        name, equals, source = each.partition("=")
        sources.append((name, source if equals else _capital(name)))
    return service, operation, tuple(sources)


def _capital(name: str) -> str:
    """Templates write properties with a capital, some APIs do not."""
    return f"{name[0].upper()}{name[1:]}"


def _put(given: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        given = given.setdefault(name, {})
    if last.endswith("[]"):
        given[last[:-2]] = [value]
    else:
        given[last] = value


def path_in(value: Any, path: str) -> Any:
    """Follow a dotted path through mappings and, by number, lists; None where it ends early."""
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value
