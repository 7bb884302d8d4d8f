"""What a context key may be in a class of requests: absent, or of a form; surely, or only for all we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_stsguard.trust.chars import DIGIT, PRINTABLE, literal, some
from pytest_stsguard.trust.text import Shape, View

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["ABSENT", "FREE", "Key", "Option", "address", "fixed", "key", "moment", "number", "texts", "values"]


@dataclass(frozen=True, slots=True)
class Option:
    """One form of a context key.

    `form` is ``absent``, ``fixed`` (one of `values`), ``text`` (of a shape), ``number`` or ``moment`` (from `low` to
    `high`), ``address``, or ``set`` (several texts of a shape, `required` among them, none of `banned`).
    `doubt` says why requests may not really come with this form; None when they do.
    """

    form: str
    values: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None
    doubt: str | None = None
    required: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()


class Key(NamedTuple):
    """Where a key's value comes from: `variable` is solved for, the key is the whole of it or a part (`view`).

    `several`: the key is multi-valued, so that AWS does not say what an operator without a set qualifier means.
    """

    variable: str
    options: tuple[Option, ...]
    view: View | None = None
    several: bool = False


ABSENT = Option("absent")
FREE = Shape(some(PRINTABLE), ("evil",), ("", "evil", "x"))
"""Any text of visible characters and blanks, at least one."""

_OCTET = some(DIGIT)
IPV4 = Shape(
    (*_OCTET, *literal("."), *_OCTET, *literal("."), *_OCTET, *literal("."), *_OCTET),
    ("198.51.100.7",),
    ("7", "0", "51.100.7", "100.7"),
)
"""What an IPv4 address looks like to a string operator."""


def key(name: str, *options: Option, several: bool = False) -> Key:
    """Make a key that depends on no other one."""
    return Key(name, options, None, several)


def fixed(*values: str, doubt: str | None = None) -> Option:
    """Make the option that the value is one of a few."""
    return Option("fixed", values, doubt=doubt)


def texts(*shapes: Shape, doubt: str | None = None) -> Option:
    """Make the option that the value is a text of a shape."""
    return Option("text", shapes=shapes, doubt=doubt)


def values(
    shape: Shape, *, required: tuple[str, ...] = (), banned: tuple[str, ...] = (), doubt: str | None = None
) -> Option:
    """Make the option of several values."""
    return Option("set", shapes=(shape,), required=required, banned=banned, doubt=doubt)


def number(low: Decimal | None, high: Decimal | None = None, *, doubt: str | None = None) -> Option:
    """Make the option of a number within bounds."""
    return Option("number", low=low, high=high, doubt=doubt)


def moment(low: Decimal | None, *, doubt: str | None = None) -> Option:
    """Make the option of a moment from `low` on, in epoch seconds."""
    return Option("moment", low=low, doubt=doubt)


def address(*, doubt: str | None = None) -> Option:
    """Make the option of an IPv4 or IPv6 address."""
    return Option("address", shapes=(IPV4,), doubt=doubt)
