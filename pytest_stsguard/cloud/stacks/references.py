"""What a part of a template refers to, and what it holds that is not simulated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["circle", "references", "strange"]

_SUB = re.compile(r"\$\{([^!.}]+)(?:\.[^}]*)?\}")
_DYNAMIC = re.compile(r"\{\{resolve:")


def references(value: Any) -> Iterator[str]:
    """Give the names that ``Ref``, ``Fn::GetAtt``, ``Fn::Sub`` and ``DependsOn`` mention, in their order."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in {"Ref", "DependsOn"}:
                yield from (each for each in (inner if isinstance(inner, list) else [inner]) if isinstance(each, str))
            elif key == "Fn::GetAtt":
                yield inner.partition(".")[0] if isinstance(inner, str) else _first(inner)
            elif key == "Fn::Sub":
                own = inner[1] if isinstance(inner, list) and len(inner) > 1 and isinstance(inner[1], dict) else {}
                yield from (name for name in _SUB.findall(_first(inner)) if name not in own)
                yield from references(own)
            else:
                yield from references(inner)


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) and value else value)


def circle(graph: Mapping[str, Collection[str]]) -> list[str]:
    """Give names that refer to each other in a circle; none where there is none."""
    left = {name: set(others) & graph.keys() for name, others in graph.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def strange(value: Any) -> Iterator[str]:
    """Name what in a template stands for more than it says: macros, and references that are resolved elsewhere."""
    if isinstance(value, str) and _DYNAMIC.search(value):
        yield "the dynamic reference `{{resolve:...}}`"
    elif isinstance(value, list):
        for each in value:
            yield from strange(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Fn::Transform" or str(key).startswith("Fn::ForEach"):
                yield f"`{key}`"
            yield from strange(inner)
