"""Sets of characters, and texts described by sequences of them."""

from __future__ import annotations

from string import ascii_letters, ascii_lowercase, digits
from typing import Final, NamedTuple

__all__ = [
    "ANY",
    "DIGIT",
    "LETTER",
    "NAME",
    "NOT_COLON",
    "NO_ID",
    "ORG",
    "OWNER",
    "PATH",
    "PRINTABLE",
    "REPOSITORY",
    "WORD",
    "Chars",
    "Slot",
    "Slots",
    "covers",
    "literal",
    "many",
    "restrict",
    "some",
    "times",
]


class Chars(NamedTuple):
    """A set of characters: the members, or all but the members."""

    members: frozenset[str]
    negated: bool = False

    def holds(self, character: str) -> bool:
        """Tell whether a character belongs to the set."""
        return (character in self.members) is not self.negated

    def within(self, other: Chars) -> bool:
        """Tell whether every character of this set belongs to the other."""
        if other.negated:
            return other.members <= self.members if self.negated else not self.members & other.members
        return not self.negated and self.members <= other.members

    def meet(self, other: Chars) -> Chars:
        """Give the characters that both sets hold."""
        if self.negated and other.negated:
            return Chars(self.members | other.members, negated=True)
        if self.negated:
            return Chars(other.members - self.members)
        return Chars(self.members - other.members if other.negated else self.members & other.members)

    def is_empty(self) -> bool:
        """Tell whether no character belongs to the set."""
        return not self.negated and not self.members


class Slot(NamedTuple):
    """One place of a text: one character of a set, or (`many`) any number of them, none included."""

    chars: Chars
    many: bool = False


Slots = tuple[Slot, ...]
"""A text, place by place: a glob is a sequence of single characters and `many` of every character."""

ANY: Final = Chars(frozenset(), negated=True)
NOT_COLON: Final = Chars(frozenset(":"), negated=True)
NO_ID: Final = Chars(frozenset(":@"), negated=True)
DIGIT: Final = Chars(frozenset(digits))
NAME: Final = Chars(frozenset(ascii_letters + digits + "_+=,.@-"))
"""What names of IAM users, roles and sessions are made of."""
PATH: Final = Chars(frozenset(map(chr, range(0x21, 0x7F))))
"""What IAM paths are made of: every visible ASCII character, colons and slashes included."""
PRINTABLE: Final = Chars(frozenset(map(chr, (*range(0x20), 0x7F))), negated=True)
"""Every character but the control characters."""
ORG: Final = Chars(frozenset(ascii_lowercase + digits + "-"))
LETTER: Final = Chars(frozenset(ascii_letters + digits))
WORD: Final = Chars(frozenset(ascii_lowercase))
OWNER: Final = Chars(frozenset(ascii_letters + digits + "-_"))
REPOSITORY: Final = Chars(frozenset(ascii_letters + digits + "-_."))

_SINGLE: Final = {chr(code): Slot(Chars(frozenset(chr(code)))) for code in range(0x80)}


def literal(text: str) -> Slots:
    """Describe one text."""
    return tuple(_SINGLE[one] if one in _SINGLE else Slot(Chars(frozenset(one))) for one in text)


def many(chars: Chars) -> Slots:
    """Describe any number of characters of a set, none included."""
    return (Slot(chars, many=True),)


def some(chars: Chars) -> Slots:
    """Describe one or more characters of a set."""
    return (Slot(chars), Slot(chars, many=True))


def times(chars: Chars, count: int) -> Slots:
    """Describe exactly `count` characters of a set."""
    return (Slot(chars),) * count


def restrict(slots: Slots, chars: Chars) -> Slots | None:
    """Keep of the texts that `slots` describe those made of `chars` only; None when there is none."""
    kept: list[Slot] = []
    for slot in slots:
        met = slot.chars.meet(chars)
        if not met.is_empty():
            kept.append(Slot(met, slot.many))
        elif not slot.many:
            return None
    return tuple(kept)


def covers(general: Slots, special: Slots) -> bool:
    """Tell whether every text of `special` is one of `general`, by laying one pattern along the other.

    True is always right; False may only mean that no such lay-out was found.
    """
    place = other = 0
    star = back = -1
    while other < len(special):
        if place < len(general) and general[place].many:
            star, back = place, other
            place += 1
        elif place < len(general) and _takes(general[place], special[other]):
            place += 1
            other += 1
        elif star >= 0 and special[back].chars.within(general[star].chars):
            back += 1
            place, other = star + 1, back
        else:
            return False
    return all(slot.many for slot in general[place:])


def _takes(slot: Slot, other: Slot) -> bool:
    return not other.many and other.chars.within(slot.chars)
