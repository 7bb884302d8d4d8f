"""Backtracking over clauses: one literal of each is chosen, and every context key is a question of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_stsguard.trust.text import Demand
from pytest_stsguard.trust.value import Found, find_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.check import Check
    from pytest_stsguard.trust.option import Option
    from pytest_stsguard.trust.request_class import Clause, Literal, RequestClass

__all__ = ["Solution", "solve"]

UNFOLLOWED = (
    "a policy variable whose value is the caller's choice could not be followed (name the value itself, or add a condition "
    "that tells who calls)"
)


class Solution(NamedTuple):
    """Values for the variables of a class, and what keeps them from being certain."""

    values: dict[str, Found]
    doubts: tuple[str, ...]


class _Bound(NamedTuple):
    """What has been asked of one variable so far, and a value that meets it."""

    demands: tuple[Demand, ...]
    found: Found


_State = dict[str, _Bound]


def solve(asker: RequestClass, clauses: Iterable[Clause], budget: Budget, *, sure: bool) -> Solution | None:
    """Find values of context keys that make one literal of every clause true.

    Args:
        asker: The class whose presence table tells what the keys can be.
        clauses: What must hold, each at least in one way; one without literals cannot.
        budget: What the search may cost.
        sure: Take only what is certain; otherwise the doubts of a solution are listed with it.

    Raises:
        BudgetExceededError: It could not be told within the budget.
    """
    search = _Search(asker, budget, sure=sure)
    return search.run(sorted(dict.fromkeys(clauses), key=lambda clause: (len(clause), search.price(clause))))


class _Search:
    """One search; answers about single variables are kept while it lasts."""

    def __init__(self, asker: RequestClass, budget: Budget, *, sure: bool) -> None:
        self.asker = asker
        self.budget = budget
        self.sure = sure
        self.known: dict[tuple[str, frozenset[tuple[int, bool]]], Found | None] = {}
        self.options: dict[str, tuple[Option, ...]] = {}

    def price(self, clause: Clause) -> int:
        """Estimate what a clause costs: nothing where the class leaves its keys little choice, else by the patterns."""
        return sum(
            check.weight
            for check, _ in clause
            if any(option.form not in {"absent", "fixed"} for option in self.asker.key(check.key).options)
        )

    def run(self, clauses: list[Clause]) -> Solution | None:
        """Walk the clauses, the shortest first, and step back where nothing is left to choose."""
        levels: list[tuple[_State, Iterator[Literal]]] = []
        state: _State = {}
        while len(levels) < len(clauses):
            clause = clauses[len(levels)]
            levels.append((state, iter(self.ordered(state, clause))))
            advanced = self.advance(levels)
            if advanced is None:
                return None
            state = advanced
        doubts = dict.fromkeys(doubt for bound in state.values() for doubt in bound.found.doubts)
        return Solution({variable: bound.found for variable, bound in state.items()}, tuple(doubts))

    def advance(self, levels: list[tuple[_State, Iterator[Literal]]]) -> _State | None:
        """Choose the next literal that can hold at the last level, or at an earlier one where none can."""
        while levels:
            state, literals = levels[-1]
            for literal in literals:
                after = self.assume(state, literal)
                if after is not None:
                    return after
            levels.pop()
        return None

    def ordered(self, state: _State, clause: Clause) -> Clause:
        """Put first what the values chosen so far make true already: it costs nothing to choose."""
        if len(clause) == 1:
            return clause
        return tuple(sorted(clause, key=lambda literal: not self.is_met(state, literal)))

    def is_met(self, state: _State, literal: Literal) -> bool:
        """Tell whether the value chosen for a literal's key, sure as it is, meets it."""
        check, want = literal
        key = self.asker.key(check.key)
        bound = state.get(key.variable)
        if bound is None or check.variables or bound.found.doubts or isinstance(bound.found.value, tuple):
            return False
        text = bound.found.value
        if text is None:
            return check.absent is want
        if check.unclear is not None or (key.several and check.qualifier is None and check.family != "null"):
            return False
        self.budget.spend(check.weight // 64)
        return Demand(check, want, key.view, key.several).accepts(text)

    def assume(self, state: _State, literal: Literal) -> _State | None:
        """Add one literal to what has been chosen; None when it contradicts that."""
        self.budget.spend(1 + len(state) // 16)
        check, want = literal
        key = self.asker.key(check.key)
        if check.variables and any(option.form != "absent" for option in key.options):
            return None if self.sure else {**state, f"${check.key}": _Bound((), Found(None, self.unfollowed(check)))}
        self.options[key.variable] = key.options
        bound = state.get(key.variable)
        demand = Demand(check, want, key.view, key.several)
        demands = () if bound is None else bound.demands
        self.budget.spend(len(demands) // 8)
        if any(other.check is check and other.want is want for other in demands):
            return state
        demands = (*demands, demand)
        met = bound is not None and self.is_met(state, literal)
        found = bound.found if bound is not None and met else self.ask(key.variable, demands)
        return None if found is None else {**state, key.variable: _Bound(demands, found)}

    def unfollowed(self, check: Check) -> tuple[str, ...]:
        """Say why a variable was not followed: what is in doubt about its own key, if anything is."""
        options = (option for name in check.variables for option in self.asker.key(name).options)
        doubts = dict.fromkeys(
            option.doubt for option in options if option.doubt is not None and option.form == "absent"
        )
        return tuple(doubts) or (UNFOLLOWED,)

    def ask(self, variable: str, demands: tuple[Demand, ...]) -> Found | None:
        """Find a value of one variable, or remember that there is none."""
        asked = (variable, frozenset((id(demand.check), demand.want) for demand in demands))
        if asked not in self.known:
            self.known[asked] = find_value(self.options[variable], demands, self.budget, sure=self.sure)
        return self.known[asked]
