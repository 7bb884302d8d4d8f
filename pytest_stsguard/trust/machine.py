"""Automata of patterns, run together: is there a text that some patterns match and others do not?

Each group of patterns is one automaton whose states are bits of an integer: bit i of a pattern means "the first i
places have been matched". A product state holds one integer a group; the search is breadth first, so the first text
found is a shortest one, and it may not look at more states than its budget pays for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.chars import Chars, Slots

__all__ = ["find"]

READABLE: Final = "evilxacmprtsondbugh6712034589EVILXACMPRTSONDBUGH-_./@:=+,"
"""The characters that a text is made of where there is a choice, the best first."""

BITS_A_STEP: Final = 256
"""How many bits of a state cost one step."""

PRIVATE: Final = 0xE000
"""Where to look for a character that stands for every one that no pattern names: the private use area."""


class Automaton(NamedTuple):
    """A group of patterns; `step` and `stay` have a mask for each block of the alphabet."""

    start: int
    accept: int
    skip: int
    step: tuple[int, ...]
    stay: tuple[int, ...]

    def close(self, states: int) -> int:
        """Add what is reached by matching nothing at a `many`."""
        moving = states & self.skip
        while moving:
            moving <<= 1
            states |= moving
            moving &= self.skip
        return states

    def move(self, states: int, block: int) -> int:
        """Give the states after one character of a block."""
        return self.close(((states & self.step[block]) << 1) | (states & self.stay[block]))


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
    budget.spend(1 + sum(len(slots) for group in (*groups, never) for slots in group) // 8)
    alphabet = _alphabet({slot.chars for group in (*groups, never) for slots in group for slot in slots})
    must = [_automaton(group, alphabet) for group in groups]
    without = _automaton(never, alphabet)
    return _search(must, without, alphabet, budget)


def _alphabet(sets: Iterable[Chars]) -> list[str]:
    """Give one character for each block of characters that every set treats alike, the most readable of it."""
    sets = list(sets)
    named = frozenset[str]().union(*(one.members for one in sets))
    other = next(chr(code) for code in range(PRIVATE, PRIVATE + len(named) + 1) if chr(code) not in named)
    blocks: dict[tuple[bool, ...], str] = {}
    for character in (*(one for one in READABLE if one in named), *sorted(named), *READABLE, other):
        blocks.setdefault(tuple(one.holds(character) for one in sets), character)
    return list(blocks.values())


def _automaton(group: Iterable[Slots], alphabet: Sequence[str]) -> Automaton:
    """Lay the patterns of a group side by side, one bit a place and one for the end."""
    start = accept = skip = 0
    places: dict[Chars, list[int]] = {}
    bit = 1
    for slots in group:
        start |= bit
        for slot in slots:
            steps = places.setdefault(slot.chars, [0, 0])
            steps[slot.many] |= bit
            if slot.many:
                skip |= bit
            bit <<= 1
        accept |= bit
        bit <<= 1
    step, stay = [], []
    for character in alphabet:
        masks = [0, 0]
        for chars, (one, loop) in places.items():
            if chars.holds(character):
                masks[0] |= one
                masks[1] |= loop
        step.append(masks[0])
        stay.append(masks[1])
    found = Automaton(start, accept, skip, tuple(step), tuple(stay))
    return found._replace(start=found.close(start))


def _search(must: list[Automaton], without: Automaton, alphabet: Sequence[str], budget: Budget) -> str | None:
    """Walk the product, breadth first; a state is dropped when one that may do more has been there.

    Of two states with the same positive part, the one whose negative part is smaller accepts every text that the
    other does (antichains, after De Wulf, Doyen, Henzinger and Raskin 2006).
    """
    first = (tuple(one.start for one in must), without.start)
    cost = 1 + sum(one.accept.bit_length() for one in (*must, without)) * len(alphabet) // BITS_A_STEP // 16
    seen: dict[tuple[int, ...], list[int]] = {first[0]: [first[1]]}
    queue = [(first, "")] if all(first[0]) else []
    for (states, bad), text in queue:
        budget.spend(cost)
        if not bad & without.accept and all(one & auto.accept for one, auto in zip(states, must, strict=True)):
            return text
        for block, character in enumerate(alphabet):
            after = tuple([auto.move(one, block) for one, auto in zip(states, must, strict=True)])
            if not all(after):
                continue
            worse = without.move(bad, block)
            known = seen.setdefault(after, [])
            budget.spend(len(known) // 8)
            if any(other & worse == other for other in known):
                continue
            known.append(worse)
            queue.append(((after, worse), text + character))
    return None
