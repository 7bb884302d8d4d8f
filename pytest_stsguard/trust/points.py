"""Numbers, moments and addresses: a condition can only change its answer at the values that it names.

So it is enough to try each of those values, its neighbours, and one value between any two.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy.values import moment, network, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["LATEST", "NO_VALUE", "addresses", "epoch", "moment_text", "number_text", "numbers", "timestamps"]

NO_VALUE: Final = "unknown"
"""A text that is neither a number nor a moment nor an address: typed operators and their negations all fail for it."""

PUBLIC: Final = ("198.51.100.7", "2001:db8::7")
"""An address that nobody has a reason to name, of either version, from the ranges kept for documentation."""

_ORIGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = 2_900
"""Enough to halve the distance of any two numbers that a policy can hold, exactly."""
LATEST: Final = Decimal(253402300799)
EARLIEST: Final = Decimal(-62135596800)
"""The calendar's ends: the years 9999 and 1."""


def numbers(values: Iterable[str], *, low: Decimal | None = None, high: Decimal | None = None) -> list[Decimal]:
    """List the numbers at which conditions with these values can change their answer, from `low` to `high`."""
    found = [Decimal(value) for value in map(number, values) if value is not None]
    return _between(found, low, high)


def timestamps(values: Iterable[str], *, low: Decimal | None = None) -> list[Decimal]:
    """List the moments, in epoch seconds, at which conditions with these values can change their answer."""
    found = [epoch(value) for value in map(moment, values) if value is not None]
    return [one for one in _between(found, low, LATEST) if one >= EARLIEST]


def _between(limits: Sequence[Decimal], low: Decimal | None, high: Decimal | None) -> list[Decimal]:
    """Give the limits, one number between any two neighbours, and one beyond either end."""
    edges = sorted({*limits, *(edge for edge in (low, high) if edge is not None)})
    if not edges:
        return [Decimal(1)]
    with localcontext(prec=_DIGITS):
        middles = [(one + other) / 2 for one, other in pairwise(edges)]
        found = [edges[0] - 1, *edges, *middles, edges[-1] + 1]
        whole = sorted(found, key=lambda one: (one % 1 != 0, one))
    return [one for one in whole if (low is None or one >= low) and (high is None or one <= high)]


def epoch(instant: datetime) -> Decimal:
    """Give a moment in epoch seconds, exactly."""
    past = instant - _ORIGIN
    return Decimal(past.days * 86_400 + past.seconds) + Decimal(past.microseconds) / 1_000_000


def moment_text(seconds: Decimal) -> str:
    """Write epoch seconds in ISO 8601, with as many digits of a second as there are (six at most)."""
    instant = _ORIGIN + timedelta(microseconds=int(seconds * 1_000_000))
    return instant.isoformat().replace("+00:00", "Z")


def number_text(value: Decimal) -> str:
    """Write a number as a request would carry it."""
    return format(value, "f")


def addresses(values: Iterable[str]) -> Iterator[str]:
    """List the addresses at which conditions with these networks can change their answer."""
    yield from PUBLIC
    for value in values:
        if network(value) is None:
            continue
        found = ip_network(value, strict=False)
        first, last = int(found.network_address), int(found.broadcast_address)
        make = IPv4Address if isinstance(found, IPv4Network) else IPv6Address
        for bits in (first + 1, first, last, first - 1, last + 1):
            if 0 <= bits < 1 << found.max_prefixlen:
                yield str(make(bits))
