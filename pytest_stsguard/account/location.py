"""Where in the input something stands: a file, a line, a JSON pointer."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from re import compile as regex
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JsonText", "Lines", "Location", "Path", "write_path"]

Path = tuple[str | int, ...]

_SPACE = regex(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Lines(Protocol):
    """What knows the lines of a text that has been read."""

    def line_of(self, path: Path, *, start: int = 0) -> int:
        """Give the line, from 1, of the value at `path`; of the last one found, if a step fails."""


class JsonText:
    """A JSON text that has been read, and the places of the values in it.

    Nothing is looked for until a line is asked for: most documents of an account never become a finding.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._breaks: array[int] | None = None
        self._members: dict[int, Mapping[str | int, int]] = {}

    def line_at(self, offset: int) -> int:
        """Give the line, from 1, of a character's offset."""
        if self._breaks is None:
            self._breaks = array("Q", (match.start() for match in regex("\n").finditer(self.text)))
        return bisect_left(self._breaks, offset) + 1

    def column_at(self, offset: int) -> int:
        """Give the column, from 1, of a character's offset."""
        return offset - self.text.rfind("\n", 0, offset)

    def line_of(self, path: Path, *, start: int = 0) -> int:
        """Give the line, from 1, of the value at `path` in the JSON value at `start`."""
        return self.line_at(self.offset_of(path, start=start))

    def offset_of(self, path: Path, *, start: int = 0) -> int:
        """Give the offset of the value at `path` in the JSON value at `start`; of the last one found, if a step fails."""
        offset = self._skip(start)
        for step in path:
            if offset not in self._members:
                self._members[offset] = dict(self._scan(offset))
            inner = self._members[offset].get(step)
            if inner is None:
                break
            offset = inner
        return offset

    def repeated(self, *, start: int = 0) -> str | None:
        """Give a name that comes twice in the object at `start`: of the two values JSON readers keep the last alone."""
        names = [str(step) for step, _ in self._scan(self._skip(start))]
        return next((name for name in names if names.count(name) > 1), None)

    def _skip(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def _scan(self, offset: int) -> list[tuple[str | int, int]]:
        """List the members of the object or array at `offset` with their offsets, as far as they can be read."""
        text, found = self.text, list[tuple[str | int, int]]()
        opening = text[offset : offset + 1]
        if opening not in ("{", "["):
            return found
        position = self._skip(offset + 1)
        try:
            while text[position] not in "}]":
                step: str | int = len(found)
                if opening == "{":
                    name, position = _DECODER.raw_decode(text, position)
                    if not isinstance(name, str):
                        return found
                    step, position = name, self._skip(self._skip(position) + 1)  # over the colon
                found.append((step, position))
                position = self._skip(_DECODER.raw_decode(text, position)[1])
                position = self._skip(position + 1) if text[position] == "," else position
        except (ValueError, IndexError, RecursionError):
            return found  # broken, or a number of 5,000 digits, which only msgspec reads: a rougher line will do
        return found


class Location:
    """A place in the input: ``file``, ``path``, and ``line`` when it is asked for.

    Args:
        file: the file's name as the user gave it; None for a live account.
        path: object keys and array indices from the top of the JSON value.
        text: what was read, and knows its lines; None for a live account.
        start: the offset of the JSON value in `text` (a file may hold several pages).
    """

    __slots__ = ("_line", "_start", "_text", "file", "path")

    def __init__(self, file: str | None, path: Path, *, text: Lines | None = None, start: int = 0) -> None:
        self.file = file
        self.path = path
        self._text = text
        self._start = start
        self._line: int | None = None

    @classmethod
    def at(cls, file: str | None, path: Path, *, line: int | None) -> Location:
        """Make a location whose line is known."""
        location = cls(file, path)
        location._line = line
        return location

    @property
    def line(self) -> int | None:
        """The line, from 1, on which the value starts; None for a live account."""
        if self._line is None and self._text is not None:
            self._line = self._text.line_of(self.path, start=self._start)
        return self._line

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901): ``/RoleDetailList/3/AssumeRolePolicyDocument``."""
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.path)

    def child(self, *steps: str | int) -> Location:
        """Give the location of a value inside this one."""
        return Location(self.file, (*self.path, *steps), text=self._text, start=self._start)

    def __str__(self) -> str:
        """Give ``account.json:132: RoleDetailList[3].Arn``, or the path alone for a live account."""
        path = write_path(self.path)
        return f"{self.file}:{self.line}: {path}".removesuffix(": ") if self.file is not None else path

    def __repr__(self) -> str:
        return f"<Location {self}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes as a line number, without the whole text."""
        return _restore, (self.file, self.path, self.line)


def _restore(file: str | None, path: Path, line: int | None) -> Location:
    return Location.at(file, path, line=line)


def write_path(path: Path) -> str:
    """Write a path as people do: ``RoleDetailList[3].AssumeRolePolicyDocument``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
