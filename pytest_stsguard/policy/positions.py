"""Where a policy's statements stand in its text, as the IAM simulator's answers say it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Position", "Span", "statement_spans"]

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


class Position(NamedTuple):
    """A place in a text; lines and columns count from 1."""

    line: int
    column: int


class Span(NamedTuple):
    """Where a statement starts, and the place just behind it."""

    start: Position
    end: Position


def statement_spans(text: str) -> tuple[Span, ...]:
    """Give the span of each statement of a policy, in order; the text must be one that `Policy.parse` takes."""
    return tuple(Span(_position(text, start), _position(text, end)) for start, end in _bounds(text))


def _bounds(text: str) -> Iterator[tuple[int, int]]:
    """Walk through the members of the outermost object to `Statement`, and through its items."""
    place = _skip(text, _skip(text, 0) + 1)
    while text[place] != "}":
        name, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)
        if name == "Statement":
            yield from _items(text, place)
        _, place = _DECODER.raw_decode(text, place)
        place = _next(text, place)


def _items(text: str, place: int) -> Iterator[tuple[int, int]]:
    if text[place] != "[":
        yield place, _DECODER.raw_decode(text, place)[1]
        return
    place = _skip(text, place + 1)
    while text[place] != "]":
        start = place
        _, end = _DECODER.raw_decode(text, place)
        yield start, end
        place = _next(text, end)


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _next(text: str, place: int) -> int:
    """Step over a comma, where there is one."""
    place = _skip(text, place)
    return _skip(text, place + 1) if text[place] == "," else place


def _position(text: str, place: int) -> Position:
    before = text.rfind("\n", 0, place)
    return Position(text.count("\n", 0, place) + 1, place - before)
