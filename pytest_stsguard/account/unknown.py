"""What a template or a plan does not tell: a value that only a deployment knows, kept by its name.

Where a policy document would hold the value it holds a marker, ``[{"stsguard:unknown": "parameter `Vendor` ..."}]``: a list
with an object in it is refused by every element of a policy, so that the statement around it is unreadable whoever
parses the text, and no verdict on the document can be narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.errors import PolicyError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MARK", "is_unknown", "marker", "name_unknowns"]

MARK: Final = "stsguard:unknown"
_UNKNOWN: Final = "unknown value: "


def marker(name: str) -> list[dict[str, str]]:
    """Give what stands in a document in place of an unknown value."""
    return [{MARK: name}]


def name_unknowns(document: object, problems: Sequence[PolicyError]) -> tuple[PolicyError, ...]:
    """Name the unknown values of a document; what the parser said of the same places is left out.

    Args:
        document: the policy document as plain data, with markers.
        problems: what the parser found.
    """
    unknown = dict(_places(document))
    named = [PolicyError(f"{_UNKNOWN}{name}", location=place or None) for place, name in unknown.items()]
    others = [problem for problem in problems if not any(_within(problem.location or "", place) for place in unknown)]
    return (*named, *others)


def is_unknown(problem: PolicyError) -> bool:
    """Tell whether a problem is a value that the source does not tell, and so no fault of the document."""
    return problem.message.startswith(_UNKNOWN)


def _places(document: object) -> Iterator[tuple[str, str]]:
    """Go through the markers of a document in its order, each with its place as the policy parser writes it."""
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        place, value = stack.pop()
        name = _name(value)
        if name is not None:
            yield place, name
        elif isinstance(value, dict):
            inner = [(f"{place}.{short(key)}".lstrip("."), item) for key, item in value.items()]
            stack.extend(reversed(inner))
        elif isinstance(value, list):
            stack.extend(reversed([(f"{place}[{index}]", item) for index, item in enumerate(value)]))


def _name(value: object) -> str | None:
    if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict) or len(value[0]) != 1:
        return None
    name = value[0].get(MARK)
    return name if isinstance(name, str) else None


def _within(place: str, outer: str) -> bool:
    return place == outer or not outer or place.startswith((f"{outer}.", f"{outer}["))
