"""The values of a template, each with its place in the file; what is resolved keeps the place that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.location import Location
from pytest_stsguard.account.unknown import marker

if TYPE_CHECKING:
    from pytest_stsguard.account.location import Path

__all__ = ["ABSENT", "Node", "Unknown"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the template does not tell; `name` says which one, for people."""

    name: str


class _Absent:
    """What ``AWS::NoValue`` resolves to: the property is as if it were not written."""


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Node:
    """One value; numbers are kept as text, as they were written.

    Attributes:
        value: an object, a list, a text, a boolean, None, an `Unknown` or `ABSENT`.
        location: where it stands in the template.
    """

    value: Any
    location: Location

    def get(self, *names: str) -> Node | None:
        """Give the value of a name in an object, or of a path of names; None when there is none."""
        node: Node | None = self
        for name in names:
            node = node.value.get(name) if node is not None and isinstance(node.value, dict) else None
        return node

    @property
    def text(self) -> str | None:
        """The value when it is a text."""
        return self.value if isinstance(self.value, str) else None

    @property
    def items(self) -> list[Node]:
        """The members of a list; a single value is a list of one, as CloudFormation takes it."""
        return self.value if isinstance(self.value, list) else [self]

    def plain(self) -> Any:
        """Give plain data, with a marker for what is unknown."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return marker(self.value.name) if isinstance(self.value, Unknown) else self.value

    def unknown(self) -> Unknown | None:
        """Give the first unknown value in it."""
        if isinstance(self.value, (dict, list)):
            inner = self.value.values() if isinstance(self.value, dict) else self.value
            return next((found for node in inner if (found := node.unknown()) is not None), None)
        return self.value if isinstance(self.value, Unknown) else None

    def located(self) -> Location:
        """Give its location in a form whose children lead to the lines of the values inside, resolved as they are."""
        location = self.location
        return Location(location.file, location.path, text=_Resolved(self, len(location.path)))


@dataclass(frozen=True, slots=True)
class _Resolved:
    """The lines of a resolved value: its members may come from elsewhere than its text."""

    node: Node
    depth: int

    def line_of(self, path: Path, *, start: int = 0) -> int:
        """Give the line of a member, or of the last one on the way."""
        node = self.node
        for step in path[self.depth + start :]:
            inner = None
            if isinstance(step, str):
                inner = node.get(step)
            elif isinstance(node.value, list) and step < len(node.value):
                inner = node.value[step]
            if inner is None:
                break
            node = inner
        return node.location.line or 1
