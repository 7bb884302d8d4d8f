"""Policy variables: put in their places where a class leaves no choice, pinned to values where the caller chooses."""

from __future__ import annotations

from itertools import chain, islice, product
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy.variables import Variable
from pytest_stsguard.trust.check import asks
from pytest_stsguard.trust.request_class import Literal
from pytest_stsguard.trust.search import solve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.check import Check
    from pytest_stsguard.trust.option import Key
    from pytest_stsguard.trust.request_class import Clause, RequestClass
    from pytest_stsguard.trust.search import Solution

__all__ = ["settled", "solve_surely"]

MOST_TABLES: Final = 12
MOST_CONSTANTS: Final = 4
"""How many values are tried together for the variables whose values are the caller's choice, and of each."""


def settled(asker: RequestClass, check: Check) -> Check:
    """Put the values of variables in their places, where the class leaves no choice.

    Where it leaves none for the key itself, what is asked is asked of the variable: equality has two sides.
    """
    if not check.variables:
        return check
    values = [_only(asker.key(name)) for name in check.variables]
    known = [value for value in values if value is not None]
    if len(known) == len(values):
        return check.resolved([value for (value,) in known])
    whole = _only(asker.key(check.key))
    several = any(asker.key(name).several for name in check.variables)
    turned = None if whole is None or whole[0] is None or several else check.turned(whole[0])
    return turned or check


def solve_surely(asker: RequestClass, clauses: Sequence[Clause], budget: Budget) -> Solution | None:
    """Solve with what is certain only; values of variables are pinned first and put in their places.

    None where no solution was found: with variables there may still be one.

    Raises:
        BudgetExceededError: It could not be told within the budget.
    """
    free = sorted({name for clause in clauses for literal in clause for name in literal.check.variables})
    if not free:
        return solve(asker, clauses, budget, sure=True)
    plain = [clause for clause in clauses if not any(literal.check.variables for literal in clause)]
    if solve(asker, plain, budget, sure=True) is None:
        return None
    for table in _tables(asker, free, clauses, budget):
        pinned = [(_pin(name, value),) for name, value in table.items()]
        filled = [tuple(_filled(literal, table) for literal in clause) for clause in clauses]
        found = solve(asker, [*pinned, *filled], budget, sure=True)
        if found is not None:
            return found
    return None


def _tables(
    asker: RequestClass, free: Sequence[str], clauses: Sequence[Clause], budget: Budget
) -> Iterator[dict[str, str | None]]:
    """Give values for the variables to be tried: likely ones, none, and what the conditions on them name."""
    fast = {name: only[0] for name in free if (only := _only(asker.key(name))) is not None}
    likely = {name: _sample(asker, name, clauses, budget, there=True) for name in free} | fast
    yield likely
    yield {name: _sample(asker, name, clauses, budget, there=False) for name in free} | fast
    lists = [
        (fast[name],) if name in fast else dict.fromkeys((*_constants(asker, name, clauses), None, likely[name]))
        for name in free
    ]
    for values in islice(product(*lists), MOST_TABLES):
        yield dict(zip(free, values, strict=True))


def _sample(asker: RequestClass, name: str, clauses: Sequence[Clause], budget: Budget, *, there: bool) -> str | None:
    """Give a value of a key that the unconditional literals on it allow; None for an absent key."""
    presence = (Literal(asks("Null", name, ("false" if there else "true",)), want=True),)
    alone = [one for one in clauses if len(one) == 1 and one[0].check.key == name and not one[0].check.variables]
    found = solve(asker, [presence, *alone], budget, sure=True)
    key = asker.key(name)
    value = found.values[key.variable].value if found is not None else None
    if not isinstance(value, str):
        return None
    return value if key.view is None else key.view.extract(value)


def _only(key: Key) -> tuple[str | None] | None:
    """Give the one value that a key can have, None in it where it is always absent; None where there is a choice."""
    only = key.options[0]
    if len(key.options) > 1 or only.doubt is not None or only.form not in {"absent", "fixed"} or len(only.values) > 1:
        return None
    return (only.values[0] if only.values and not key.several else None,)


def _constants(asker: RequestClass, name: str, clauses: Sequence[Clause]) -> list[str]:
    """List the plain texts that stand beside a variable, or that its key is compared with."""
    found: dict[str, None] = {}
    for literal in chain.from_iterable(clauses):
        check = literal.check
        if name != check.key and name not in check.variables:
            continue
        if name != check.key:
            found.update(dict.fromkeys(chain.from_iterable(option.values for option in asker.key(check.key).options)))
        for value in check.condition.values:
            if not any(sign in value for sign in "*?$"):
                found[value] = None
        for part in chain.from_iterable(check.templates or ()):
            if isinstance(part, Variable) and part.default is not None:
                found[part.default] = None
    return list(found)[:MOST_CONSTANTS]


def _pin(name: str, value: str | None) -> Literal:
    """Say that a key has a value, or that it is absent."""
    return Literal(asks("Null", name, ("true",)) if value is None else asks("StringEquals", name, (value,)), want=True)


def _filled(literal: Literal, table: Mapping[str, str | None]) -> Literal:
    """Put pinned values in the places of a literal's variables."""
    check, want = literal
    return Literal(check.resolved([table[name] for name in check.variables]), want) if check.variables else literal
