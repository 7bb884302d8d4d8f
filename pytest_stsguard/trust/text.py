"""Is there a text that satisfies these conditions? Cheap answers first.

The order is: the literals when a condition admits literals only; one pattern laid along another; readable guesses
made from the conditions' own patterns; and only then the product of automata.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.policy.arns import ARN_PARTS
from pytest_stsguard.policy.globs import MANY, ONE
from pytest_stsguard.trust.chars import Chars, Slot, Slots, covers
from pytest_stsguard.trust.check import ALL_OF, NO_ARN
from pytest_stsguard.trust.machine import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.check import Check

__all__ = ["Demand", "Shape", "View", "find_text"]

COLON: Final = Chars(frozenset(":"))
LONGEST: Final = 2_048
"""Longer texts are not tried as guesses: no value in a request to STS is longer."""

CHARACTERS_A_STEP: Final = 6
PLACES_A_STEP: Final = 256
VALUES_A_STEP: Final = 64
"""How many characters of patterns cost one step to prepare, how many pairs of places to lay along each other, and how
many values to hold a text against."""

GUESSES: Final = 48
MOST_GUESSES: Final = 256
"""How many guesses one pattern, and a question, are worth before the automata are asked."""


class View(NamedTuple):
    """A key whose value is part of another key's value, as aws:PrincipalAccount is of aws:PrincipalArn.

    `extract` gives the part from the whole, `embed` the wholes whose part matches a pattern, `example` one whole.
    """

    extract: Callable[[str], str]
    embed: Callable[[Slots], tuple[Slots, ...]]
    example: Callable[[str], str]


class Shape:
    """What a value looks like: the places of the text, and readable samples; `fills` go where a pattern has a star."""

    __slots__ = ("_matches", "fills", "samples", "slots")

    def __init__(self, slots: Slots, samples: tuple[str, ...] = (), fills: tuple[str, ...] = ("", "x")) -> None:
        self.slots = slots
        self.samples = samples
        self.fills = fills
        self._matches: Callable[[str], object] | None = None

    @property
    def is_arn(self) -> bool:
        """Tell whether every text of this shape has the six parts of an ARN."""
        colons = (slot for slot in self.slots if slot.chars == COLON and not slot.many)
        return sum(1 for _ in colons) >= ARN_PARTS - 1

    def fits(self, text: str) -> bool:
        """Tell whether a whole text is of this shape."""
        if self._matches is None:
            self._matches = re.compile("".join(map(_expression, self.slots))).fullmatch
        return len(text) <= LONGEST and self._matches(text) is not None


class Demand(NamedTuple):
    """A check that must hold or fail, on the value itself or on a part of it; `several`: the key is multi-valued."""

    check: Check
    want: bool
    view: View | None = None
    several: bool = False

    def accepts(self, text: str) -> bool:
        """Put a concrete text to the engine's own test."""
        part = text if self.view is None else self.view.extract(text)
        if not part and self.check.qualifier == ALL_OF:
            return self.want
        return self.check.holds(part) is self.want

    @property
    def inside(self) -> bool:
        """Tell whether the text must be one of `slots`, or must not be."""
        return self.want is not self.check.negated

    @property
    def slots(self) -> tuple[Slots, ...]:
        """Give the whole texts meant; ArnNotLike fails for what is no ARN too."""
        found = self.check.slots
        if self.check.family == "arn" and self.check.negated and not self.want:
            found = (*found, *NO_ARN)
        if self.view is not None:
            return tuple(whole for slots in found for whole in self.view.embed(slots))
        return found

    @property
    def no_arn_too(self) -> bool:
        """Tell whether a text that is no ARN would do as well: for the failure of ArnNotLike."""
        return self.check.family == "arn" and self.check.negated and not self.want and self.view is None

    @property
    def also_arn(self) -> bool:
        """Tell whether the text must be an ARN although the check excludes texts: ArnNotLike."""
        return self.check.family == "arn" and self.check.negated and self.want


def find_text(shapes: Sequence[Shape], demands: Sequence[Demand], budget: Budget) -> str | None:
    """Find a text of one of the shapes that meets every demand, or None when there is none.

    Raises:
        BudgetExceededError: It could not be told within the budget.
    """
    budget.spend(8 + 4 * len(demands))
    for demand in demands:
        texts = demand.check.texts if demand.inside and demand.view is None else None
        if texts is not None:
            return _among(texts, shapes, demands, budget)
    weight = sum(demand.check.weight for demand in demands)
    budget.spend(weight // CHARACTERS_A_STEP)
    are_arns = all(shape.is_arn for shape in shapes)
    inside = [
        demand.check.slots if are_arns and demand.no_arn_too else demand.slots for demand in demands if demand.inside
    ]
    outside = _outside(demands)
    index = _Index(outside, budget)
    if any(all(map(index.covers, group)) for group in inside):
        return None
    viewed = any(demand.view is not None for demand in demands)
    for guess in islice(_guesses(shapes, demands), MOST_GUESSES):
        budget.spend(1 + weight // CHARACTERS_A_STEP // 256)
        if viewed and not _fits(shapes, guess):
            continue
        if len(guess) <= LONGEST and _meets(demands, guess) and (viewed or _fits(shapes, guess)):
            return guess
    return find([*inside, tuple(shape.slots for shape in shapes)], outside, budget=budget)


def _among(texts: Sequence[str], shapes: Sequence[Shape], demands: Sequence[Demand], budget: Budget) -> str | None:
    """Find one of a few texts that meets every demand; texts that another condition names outright go first."""
    banned: set[str] = set()
    for demand in demands:
        if not demand.inside and demand.view is None:
            banned.update(demand.check.texts or ())
    size = sum(len(demand.check.condition.values) for demand in demands)
    for text in texts:
        if text and text in banned:
            continue
        budget.spend(1 + size // VALUES_A_STEP)
        if _fits(shapes, text) and _meets(demands, text):
            return text
    return None


class _Index:
    """Patterns by the plain text that they begin with, so that few are laid along each other."""

    __slots__ = ("_budget", "_by_head", "_lengths")

    def __init__(self, patterns: Sequence[Slots], budget: Budget) -> None:
        self._budget = budget
        self._by_head: dict[str, list[Slots]] = {}
        for slots in patterns:
            self._by_head.setdefault(_head(slots), []).append(slots)
        self._lengths = sorted(set(map(len, self._by_head)))

    def covers(self, special: Slots) -> bool:
        """Tell whether one of the patterns is seen to match all that another one does."""
        head = _head(special)
        self._budget.spend(1)
        for length in self._lengths:
            if length > len(head):
                break
            for general in self._by_head.get(head[:length], ()):
                self._budget.spend((len(general) * len(special)) // PLACES_A_STEP)
                if covers(general, special):
                    return True
        return False


def _head(slots: Slots) -> str:
    """Give the text that everything a pattern matches begins with, as far as places hold one character each."""
    found: list[str] = []
    for slot in slots:
        if slot.many or slot.chars.negated or len(slot.chars.members) != 1:
            break
        found.extend(slot.chars.members)
    return "".join(found)


def _outside(demands: Sequence[Demand]) -> list[Slots]:
    """Collect the patterns that may not match."""
    outside: list[Slots] = []
    for demand in demands:
        if not demand.inside:
            outside.extend(demand.slots)
            outside.extend(NO_ARN if demand.also_arn else ())
    return outside


def _fits(shapes: Sequence[Shape], text: str) -> bool:
    return any(shape.fits(text) for shape in shapes)


def _meets(demands: Sequence[Demand], text: str) -> bool:
    return all(demand.accepts(text) for demand in demands)


def _guesses(shapes: Sequence[Shape], demands: Sequence[Demand]) -> Iterator[str]:
    """Make texts that may do: every wanted pattern with its stars filled in, and the shapes' own samples."""
    for demand in demands:
        if not demand.inside:
            continue
        for tokens in demand.check.patterns:
            stars = sum(token is MANY for token in tokens)
            for fills in islice(product(shapes[0].fills, repeat=min(stars, 3)), GUESSES):
                text = _fill(tokens, fills)
                yield text if demand.view is None else demand.view.example(text)
    for shape in shapes:
        yield from shape.samples


def _fill(tokens: Sequence[object], fills: Sequence[str]) -> str:
    """Put a text in place of each star (the last one serves all that are left) and a letter in place of each `?`."""
    parts: list[str] = []
    place = 0
    for token in tokens:
        if token is MANY:
            parts.append(fills[min(place, len(fills) - 1)])
            place += 1
        else:
            parts.append("x" if token is ONE else str(token))
    return "".join(parts)


def _expression(slot: Slot) -> str:
    """Write one place of a shape, which is always one of this package's own, as a regular expression."""
    return _one_of(slot.chars) + ("*" if slot.many else "")


@lru_cache(maxsize=256)
def _one_of(chars: Chars) -> str:
    members = "".join(map(re.escape, sorted(chars.members)))
    if chars.negated:
        return f"[^{members}]" if members else r"[\s\S]"
    return f"[{members}]"
