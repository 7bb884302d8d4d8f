"""One resource of a template, with its properties resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_stsguard.account.stack.node import ABSENT, Node

if TYPE_CHECKING:
    from pytest_stsguard.account.location import Location

__all__ = ["Resource"]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template.

    Attributes:
        logical_id: its name in the template.
        type: ``AWS::IAM::Role`` and the like.
        properties: resolved; an object.
        written: the properties as they are written, for references that must be followed.
        location: where it stands.
        doubt: why it may not be made at all, or None.
    """

    logical_id: str
    type: str
    properties: Node
    written: Node
    location: Location
    doubt: str | None = None

    def get(self, *names: str) -> Node | None:
        """Give a resolved property; None when it is absent."""
        found = self.properties.get(*names)
        return None if found is None or found.value is ABSENT else found
