"""How much work a proof may cost: counted in steps, so that the answer is the same on every machine."""

from __future__ import annotations

from typing import Final

from pytest_stsguard.errors import StsGuardError

__all__ = ["STEPS", "Budget", "BudgetExceededError"]

STEPS: Final = 150_000
"""The default: well under a second for the dearest kind of step, and a hundred times what real policies need."""


class BudgetExceededError(StsGuardError):
    """The proof would cost more steps than it was given; nothing may be concluded from what it did not look at."""

    code = "BudgetExceeded"


class Budget:
    """A number of steps that only shrinks.

    A step is one state of an automaton, one choice of the search or one statement looked at; long patterns make a
    state dearer, in proportion.
    """

    __slots__ = ("_left", "_total")

    def __init__(self, steps: int = STEPS) -> None:
        self._left = self._total = steps

    @property
    def used(self) -> int:
        """The steps spent so far."""
        return self._total - self._left

    def spend(self, steps: int = 1) -> None:
        """Take `steps` away; `BudgetExceededError` when they are not there."""
        self._left -= steps
        if self._left < 0:
            raise BudgetExceededError(
                f"the budget of {self._total} steps is used up (shorten the lists of patterns, or split the role)"
            )
