"""Automata of patterns, run together: is there a text that some patterns match and others do not?

Each group of patterns is one automaton whose states are bits of an integer: bit i of a pattern means "the first i
places have been matched". A product state holds one integer a group; the search is breadth first, so the first text
found is a shortest one, and it may not look at more states than its budget pays for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.chars import Chars, Slots

__all__ = ["find"]

READABLE: Final = "evilxacmprtsondbugh6712034589EVILXACMPRTSONDBUGH-_./@:=+,"
"""The characters that a text is made of where there is a choice, the best first."""

BITS_A_STEP: Final = 1_024
"""How many bits of a state make each of its successors dearer by as much as it costs anyway."""

PRIVATE: Final = 0xE000
"""Where to look for a character that stands for every one that no pattern names: the private use area."""


class Automaton:
    """A group of patterns; `step` and `stay` have a mask for each block of the alphabet.

    What follows a set of states is worked out once, for all blocks: products meet the same sets again and again.
    """

    __slots__ = ("_after", "_skip", "_stay", "_step", "accept", "start")

    def __init__(self, group: Iterable[Slots], alphabet: Sequence[str]) -> None:
        self.start = self.accept = self._skip = 0
        places: dict[Chars, list[int]] = {}
        bit = 1
        for slots in group:
            self.start |= bit
            for slot in slots:
                places.setdefault(slot.chars, [0, 0])[slot.many] |= bit
                if slot.many:
                    self._skip |= bit
                bit <<= 1
            self.accept |= bit
            bit <<= 1
        self._step, self._stay = [], []
        for character in alphabet:
            one = loop = 0
            for chars, masks in places.items():
                if chars.holds(character):
                    one |= masks[0]
                    loop |= masks[1]
            self._step.append(one)
            self._stay.append(loop)
        self.start = self._close(self.start)
        self._after: dict[int, tuple[int, ...]] = {}

    def _close(self, states: int) -> int:
        """Add what is reached by matching nothing at a `many`."""
        moving = states & self._skip
        while moving:
            moving <<= 1
            states |= moving
            moving &= self._skip
        return states

    def after(self, states: int) -> tuple[int, ...]:
        """Give the states after one character of each block."""
        found = self._after.get(states)
        if found is None:
            found = self._after[states] = tuple(
                [
                    self._close(((states & one) << 1) | (states & loop))
                    for one, loop in zip(self._step, self._stay, strict=True)
                ]
            )
        return found


def find(inside: Sequence[Iterable[Slots]], outside: Iterable[Slots], *, budget: Budget) -> str | None:
    """Find a text that matches a pattern of every group of `inside` and none of `outside`.

    Args:
        inside: Groups of patterns, each of which must match with one of them at least.
        outside: Patterns that must not match.
        budget: What the search may cost.

    Returns:
        A shortest such text, or None when there is none.

    Raises:
        BudgetExceededError: There may be such a text.
    """
    groups = [tuple(group) for group in inside]
    never = tuple(outside)
    budget.spend(16 + sum(len(slots) for group in (*groups, never) for slots in group) // 2)
    alphabet = _alphabet({slot.chars for group in (*groups, never) for slots in group for slot in slots})
    must = [Automaton(group, alphabet) for group in groups]
    without = Automaton(never, alphabet)
    return _search(must, without, alphabet, budget)


def _alphabet(sets: Iterable[Chars]) -> list[str]:
    """Give one character for each block of characters that every set treats alike, the most readable of it."""
    others, bit = 0, 1
    marks: dict[str, int] = {}
    for chars in sets:
        if chars.negated:
            others |= bit
        for member in chars.members:
            marks[member] = marks.get(member, 0) | bit
        bit <<= 1
    other = next(chr(code) for code in range(PRIVATE, PRIVATE + len(marks) + 1) if chr(code) not in marks)
    blocks: dict[int, str] = {}
    readable = [one for one in READABLE if one in marks]
    for character in (*readable, *sorted(marks), *READABLE, other):
        blocks.setdefault(marks.get(character, 0) ^ others, character)
    return list(blocks.values())


def _search(must: list[Automaton], without: Automaton, alphabet: Sequence[str], budget: Budget) -> str | None:
    """Walk the product, breadth first; a state is dropped when one that may do more has been there.

    Of two states with the same positive part, the one whose negative part is smaller accepts every text that the
    other does (antichains, after De Wulf, Doyen, Henzinger and Raskin 2006).
    """
    first = tuple(one.start for one in must)
    bits = sum(one.accept.bit_length() for one in (*must, without))
    cost = 4 + len(alphabet) * (1 + bits // BITS_A_STEP) // 4
    seen: dict[tuple[int, ...], list[int]] = {first: [without.start]}
    queue = [(first, without.start, "")] if all(first) else []
    for states, bad, text in queue:
        budget.spend(cost)
        if not bad & without.accept and all(one & auto.accept for one, auto in zip(states, must, strict=True)):
            return text
        moves: dict[tuple[int, ...], str] = {}
        rows = [auto.after(one) for auto, one in zip(must, states, strict=True)]
        for character, *after in zip(alphabet, *rows, without.after(bad), strict=True):
            moves.setdefault(tuple(after), character)
        for (*after, worse), character in moves.items():
            if not all(after):
                continue
            known = seen.setdefault(tuple(after), [])
            budget.spend(len(known) // 8)
            if any(other & worse == other for other in known):
                continue
            known.append(worse)
            queue.append((tuple(after), worse, text + character))
    return None
