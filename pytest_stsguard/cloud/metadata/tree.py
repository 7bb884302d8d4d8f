"""The tree that a metadata service serves: folders that list themselves, and documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import TypeAlias

    Node: TypeAlias = "str | Document | Callable[[], Document] | Folder | None"

__all__ = ["Document", "Folder", "find"]


@dataclass(frozen=True, slots=True)
class Document:
    """What a leaf answers; `modified` overrides the tree's own moment of change."""

    body: bytes
    content_type: str = "text/plain"
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """Names and what they lead to: text, a document, one that is made only when it is asked for, or a folder.

    A child that is None does not exist. `listing` replaces the listing where EC2 does not simply list names.
    """

    children: Mapping[str, Node]
    listing: str | None = None

    def list(self) -> str:
        """Give the names in order, folders with a slash, one a line, no newline at the end: as EC2 does."""
        if self.listing is not None:
            return self.listing
        present = {name: child for name, child in self.children.items() if child is not None}
        return "\n".join(f"{name}/" if isinstance(present[name], Folder) else name for name in sorted(present))


def find(root: Folder, path: Sequence[str]) -> Document | None:
    """Give the document at `path`, a folder's listing as well; None when there is nothing."""
    node: Node = root
    for segment in path:
        if not isinstance(node, Folder):
            return None
        node = node.children.get(segment)
    match node:
        case None | Document():
            return node
        case str():
            return Document(node.encode())
        case Folder():
            return Document(node.list().encode())
        case _:
            return node()
