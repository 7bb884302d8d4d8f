"""Text on the wire to the value that a shape asks for: numbers, booleans, timestamps.

Formats: https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait
"""

from __future__ import annotations

import binascii
import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import Shape

__all__ = ["TEXT_READERS", "MismatchError", "blob", "epoch", "text_reader", "timestamp"]

_INTEGER = re.compile(r"[+-]?\d{1,38}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPECIAL = ("NaN", "Infinity", "-Infinity")


class MismatchError(ValueError):
    """A value that its shape does not admit; `path` grows outwards, the innermost member first."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.path: list[str] = []

    def within(self, name: str) -> MismatchError:
        """Note the member that holds the value."""
        self.path.append(name)
        return self

    def __str__(self) -> str:
        """Give the place and what is wrong there."""
        place = ".".join(reversed(self.path))
        return f"`{place}` {self.args[0]}" if place else str(self.args[0])


def _string(text: str) -> str:
    return text


def blob(text: str) -> str:
    """Give Base64 text as it is, `MismatchError` for what is none; line breaks in it are let pass."""
    try:
        binascii.a2b_base64(text.replace("\r", "").replace("\n", "").encode(), strict_mode=True)
    except ValueError:
        raise MismatchError("is no Base64") from None
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise MismatchError("is no integer")
    return int(text)


def _float(text: str) -> float | str:
    if text in _SPECIAL:
        return text
    if not _NUMBER.fullmatch(text):
        raise MismatchError("is no number")
    return float(text)


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise MismatchError("is neither `true` nor `false`")
    return lowered == "true"


def epoch(seconds: float) -> str:
    """Write seconds since 1970 as ISO 8601, with milliseconds where there are any."""
    if not math.isfinite(seconds):
        raise MismatchError("is no moment in time")
    try:
        return _iso(_EPOCH + timedelta(milliseconds=round(seconds * 1000)))
    except OverflowError:
        raise MismatchError("is no moment in time") from None


def timestamp(text: str) -> str:
    """Read ISO 8601, RFC 822 or epoch seconds and write ISO 8601 in UTC."""
    if _NUMBER.fullmatch(text):
        return epoch(float(text))
    try:
        moment = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _iso(moment.astimezone(UTC))
    except (ValueError, TypeError, IndexError, OverflowError):
        raise MismatchError("is no moment in time") from None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


TEXT_READERS: dict[str, Callable[[str], Any]] = {
    "string": _string,
    "character": _string,
    "blob": blob,
    "integer": _integer,
    "long": _integer,
    "bigdecimal": _float,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": timestamp,
}


def text_reader(shape: Shape) -> Callable[[str], Any]:
    """Give the function that reads one text value of `shape`; a type not listed (a document) stays text."""
    return TEXT_READERS.get(shape.type_name, _string)
