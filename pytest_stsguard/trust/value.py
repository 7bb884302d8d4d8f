"""Is there a value of one context key that satisfies these conditions, surely or at all?"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.policy import Condition
from pytest_stsguard.trust.check import ALL_OF, Check
from pytest_stsguard.trust.option import FREE
from pytest_stsguard.trust.points import LATEST, NO_VALUE, addresses, moment_text, number_text, numbers, timestamps
from pytest_stsguard.trust.text import Demand, find_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.option import Option

__all__ = ["Found", "find_value"]

ONE_TYPE: Final = "use operators of the key's own type"
TEXTUAL: Final = frozenset({"text", "arn", "flag"})


class Found(NamedTuple):
    """A value: None for an absent key, a text, or several. `doubts` says what keeps it from being certain."""

    value: str | tuple[str, ...] | None
    doubts: tuple[str, ...] = ()


def find_value(options: Iterable[Option], demands: Sequence[Demand], budget: Budget, *, sure: bool) -> Found | None:
    """Find a value among the options that meets every demand.

    Args:
        options: The forms that the key may have, the likeliest first.
        demands: What the conditions ask of it.
        budget: What the search may cost.
        sure: Leave out what is in doubt; otherwise a value without doubts is still preferred.

    Raises:
        BudgetExceededError: It could not be told within the budget.
    """
    best: Found | None = None
    for option in options:
        if sure and option.doubt is not None:
            continue
        found = _try(option, demands, budget, sure=sure)
        if found is None:
            continue
        if option.doubt is not None:
            found = found._replace(doubts=(*found.doubts, option.doubt))
        if not found.doubts:
            return found
        if best is None:
            best = found
    return best


def _try(option: Option, demands: Sequence[Demand], budget: Budget, *, sure: bool) -> Found | None:
    clear, doubts = _sift(option, demands)
    if doubts and sure:
        return None
    found: Found | None
    if option.form == "absent":
        met = all(demand.check.absent is demand.want for demand in clear)
        return Found(None, doubts) if met else None
    if not all(demand.check.holds("") is demand.want for demand in clear if demand.check.family == "null"):
        return None
    clear = [demand for demand in clear if demand.check.family != "null"]
    if option.form == "fixed":
        budget.spend(len(option.values))
        found = next((Found(one) for one in option.values if all(demand.accepts(one) for demand in clear)), None)
    elif option.form == "set":
        found = _find_set(option, clear, budget)
    else:
        found = _find_single(option, clear, budget)
    if found is None or (sure and found.doubts):
        return None
    return found._replace(doubts=(*doubts, *found.doubts))


def _sift(option: Option, demands: Sequence[Demand]) -> tuple[list[Demand], tuple[str, ...]]:
    """Set aside what AWS does not tell: either answer is possible, and neither is certain."""
    clear: list[Demand] = []
    doubts: list[str] = []
    for demand in demands:
        doubt = _doubt(option, demand)
        if doubt is None:
            clear.append(demand)
        else:
            doubts.append(doubt)
    return clear, tuple(doubts)


def _doubt(option: Option, demand: Demand) -> str | None:
    check = demand.check
    if option.form == "absent":
        if check.absent is None:
            return (
                f"what `{check.condition.operator}` means for the absent key `{check.condition.key}` is not documented "
                "(leave `IfExists` out)"
            )
        return None
    if check.unclear is not None:
        return check.unclear
    if demand.several and check.qualifier is None and check.family != "null":
        return (
            f"`{check.condition.operator}` without a set qualifier on the multi-valued key `{check.condition.key}` "
            "(write `ForAnyValue:` before it)"
        )
    return None


def _find_single(option: Option, demands: Sequence[Demand], budget: Budget) -> Found | None:
    """Find one value: a text by its patterns, everything else by the points that the conditions name."""
    families = {demand.check.family for demand in demands}
    if families <= TEXTUAL and option.shapes:
        text = find_text(option.shapes, demands, budget)
        if text is not None:
            return Found(text)
        if option.form == "text":
            return None
    size = sum(len(demand.check.condition.values) for demand in demands)
    budget.spend(size)
    for point in _points(option, demands):
        budget.spend(1 + len(demands) + size // 8)
        if all(demand.accepts(point) for demand in demands):
            return Found(point)
    if _settles(option, families):
        return None
    return Found(None, (f"operators of other types on the key `{demands[0].check.condition.key}` ({ONE_TYPE})",))


def _settles(option: Option, families: set[str]) -> bool:
    """Tell whether the points tried are all that matter: one type was compared, and it is the value's own."""
    if option.form == "text":
        return len(families) == 1 and all(shape.slots == FREE.slots for shape in option.shapes)
    return families <= ({"number", "moment"} if option.form == "moment" else {option.form})


def _points(option: Option, demands: Sequence[Demand]) -> Iterable[str]:
    """List the values to try for a form; for a text, those of every type that its conditions compare."""
    given = list(chain.from_iterable(demand.check.condition.values for demand in demands))
    if option.form == "number":
        return map(number_text, numbers(given, low=option.low, high=option.high))
    if option.form == "moment":
        points = timestamps(given, low=option.low)
        return map(number_text, (*points, *numbers(given, low=option.low, high=LATEST)))
    if option.form == "address":
        return addresses(given)
    tried = chain(
        map(number_text, numbers(given)), map(moment_text, timestamps(given)), addresses(given), given, (NO_VALUE,)
    )
    return (text for text in tried if any(shape.fits(text) for shape in option.shapes))


def _find_set(option: Option, demands: Sequence[Demand], budget: Budget) -> Found | None:
    """Find several values: what every one of them must be, and what one of them must be.

    ForAllValues speaks of every value, its failure of one; ForAnyValue speaks of one, its failure of every one.
    """
    if not {demand.check.family for demand in demands} <= TEXTUAL:
        return Found(
            None, (f"a typed operator on the multi-valued key `{demands[0].check.condition.key}` ({ONE_TYPE})",)
        )
    every = [demand for demand in demands if (demand.check.qualifier == ALL_OF) is demand.want]
    every.extend(Demand(_equals(text), want=False) for text in option.banned)
    some = [demand for demand in demands if (demand.check.qualifier == ALL_OF) is not demand.want]
    members: list[str] = []
    for one in option.required:
        if not all(demand.accepts(one) for demand in every):
            return None
        members.append(one)
    for demand in some:
        if any(demand.accepts(one) for one in members):
            continue
        found = find_text(option.shapes, [*every, demand], budget)
        if found is None:
            return None
        members.append(found)
    if not members:
        found = find_text(option.shapes, every, budget)
        if found is None:
            return None
        members.append(found)
    return Found(tuple(members))


def _equals(text: str) -> Check:
    return Check(Condition("StringEquals", "StringEquals", None, if_exists=False, key="", values=(text,)))
