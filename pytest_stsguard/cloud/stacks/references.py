"""What a part of a template refers to, and what it holds that is not simulated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["references", "strange"]

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
                yield from [inner] if isinstance(inner, str) else [each for each in inner if isinstance(each, str)]
            elif key == "Fn::GetAtt":
                yield inner.partition(".")[0] if isinstance(inner, str) else str(inner[0])
            elif key == "Fn::Sub":
                yield from _SUB.findall(inner if isinstance(inner, str) else str(inner[0]))
                yield from references(inner)
            else:
                yield from references(inner)


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
