"""What condition operators compare: moments, numbers, addresses and bytes, read strictly or not at all.

Each reader gives None for a text that is not of its type: a malformed value in a request never matches, one in a
policy is refused where AWS refuses it.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import AddressValueError, IPv6Address
from typing import Final, NamedTuple

__all__ = ["Network", "address", "binary", "moment", "network", "number"]

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d))?"
    r"(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d\d):?(\d\d))?)?",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"[+-]?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH: Final = re.compile(r"-?\d{1,20}(?:\.\d{1,9})?", re.ASCII)
_ORIGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_CANONICAL: Final = "--T::Z"


def moment(text: str) -> datetime | None:
    """Read ISO 8601 (day, minutes, seconds or fractions; ``Z``, an offset or nothing for UTC) or epoch seconds.

    Fractions count down to the microsecond; epoch seconds beyond the years 1 to 9999 are the first and last moment.
    """
    if len(text) == len("2022-02-16T01:36:00Z") and text[4::3] == _CANONICAL:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    if (found := _ISO.fullmatch(text)) is not None:
        return _from_iso(found)
    if _EPOCH.fullmatch(text) is not None:
        return _from_epoch(Decimal(text))
    return None


def _from_iso(found: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second, fraction, _zulu, sign, zone_hours, zone_minutes = found.groups()
    try:
        local = datetime(
            int(year),
            int(month),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]),
            tzinfo=UTC,
        )
        if sign is None:
            return local
        if int(zone_hours) > 23 or int(zone_minutes) > 59:  # noqa: PLR2004 - hours and minutes of an offset
            return None
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        return local - offset if sign == "+" else local + offset
    except (ValueError, OverflowError):
        return None


def _from_epoch(seconds: Decimal) -> datetime:
    try:
        return _ORIGIN + timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        return _LATEST if seconds > 0 else _EARLIEST


def number(text: str) -> int | Decimal | None:
    """Read an integer or a decimal, compared exactly."""
    if text.isdigit() and text.isascii() and len(text) < 400:  # noqa: PLR2004 - as in the pattern below
        return int(text)
    return Decimal(text) if _NUMBER.fullmatch(text) is not None else None


class Network(NamedTuple):
    """A range of addresses: an address is in it when its bits under the mask are the base."""

    base: int
    mask: int


_SIX: Final = 1 << 128
"""The bit that tells an IPv6 address from an IPv4 address of the same number, so that they never match each other."""

_ALL: Final = (_SIX << 1) - 1
_OCTETS: Final = {str(number): number for number in range(256)}


def address(text: str) -> int | None:
    """Read an IPv4 or IPv6 address, without a scope, as its bits; an IPv6 address has one more at the top."""
    if ":" in text:
        try:
            return None if "%" in text or "/" in text else int(IPv6Address(text)) | _SIX
        except AddressValueError:
            return None
    try:
        first, second, third, fourth = text.split(".")
        return _OCTETS[first] << 24 | _OCTETS[second] << 16 | _OCTETS[third] << 8 | _OCTETS[fourth]
    except (ValueError, KeyError):
        return None


def network(text: str) -> Network | None:
    """Read a range in CIDR notation; a bare address is a range of one, host bits are allowed and ignored."""
    start, slash, prefix = text.partition("/")
    bits = address(start)
    if bits is None:
        return None
    size = 128 if bits & _SIX else 32
    if slash and (not (prefix.isascii() and prefix.isdigit()) or len(prefix) > 3 or int(prefix) > size):  # noqa: PLR2004 - digits of 128
        return None
    mask = _ALL ^ ((1 << (size - int(prefix or size))) - 1)
    return Network(bits & mask, mask)


def binary(text: str) -> bytes | None:
    """Decode base64."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
