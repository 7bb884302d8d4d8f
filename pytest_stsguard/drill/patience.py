"""How long to wait for an answer, and how often it must be the same: what was changed in IAM is not seen everywhere at once.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import Clock
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import boto3

    from pytest_stsguard.cloud.credentials import Credentials
    from pytest_stsguard.drill.observation import Observation, Prober

__all__ = ["IN_A_ROW", "PROPAGATION", "Patience"]

IN_A_ROW = 3
"""So many denials in a row before one is believed: while a change spreads, old and new answers alternate."""

PROPAGATION = 60.0
"""Seconds that are waited for a change on AWS: it seldom takes more than 30, and is documented as up to minutes."""

_STEPS = 30
_LONGEST_STEP = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """What a verdict waits for.

    Attributes:
        clock: the time that the credentials live by; on a simulated one nobody waits, its time moves.
        within: seconds from the first probe in which the expected answer must come; 0: at once.
        in_a_row: how many of it in a row.
    """

    clock: Clock
    within: float = 0.0
    in_a_row: int = 1

    @classmethod
    def of(cls, credentials: Credentials, *, within: float | None = None, in_a_row: int = 1) -> Patience:
        """Choose for credentials: none in a simulated cloud whose changes are seen at once, `PROPAGATION` elsewhere.

        Raises:
            ConfigurationError: `within` is no number of seconds, or `in_a_row` no number of answers.
        """
        origin = credentials.origin
        clock = getattr(origin, "clock", None) or Clock()
        if within is None:
            within = PROPAGATION if origin is None else float(getattr(origin, "propagation", 0.0))
        if not _number(within, int, float) or not 0 <= within < float("inf"):
            raise ConfigurationError(f"`{within!r}` is no number of seconds to wait", hint="0 or more")
        if not _number(in_a_row, int) or in_a_row < 1:
            raise ConfigurationError(f"`{in_a_row!r}` is no number of answers in a row", hint="1 or more")
        return cls(clock, float(within), in_a_row)

    def deadline(self) -> datetime:
        """Give the moment until which is waited, counted from now."""
        return self.clock.now() + timedelta(seconds=self.within)

    def over(self, deadline: datetime) -> bool:
        """Whether it is too late to ask once more; otherwise wait a step."""
        now = self.clock.now()
        if now >= deadline:
            return True
        self.clock.wait_until(min(now + self.step, deadline))
        return False

    @property
    def step(self) -> timedelta:
        """The time between two questions."""
        return timedelta(seconds=min(_LONGEST_STEP, self.within / _STEPS))

    def ask(
        self,
        prober: Prober,
        probe: str | Callable[[boto3.Session], Any],
        wanted: str,
        *,
        deadline: datetime,
        see: Callable[[Observation], None] | None = None,
    ) -> Observation:
        """Probe until `wanted` was answered `in_a_row` times in a row, or the deadline has passed; gives the last answer.

        An answer that is no authorization decision is waited out when it is trouble that passes (a throttle, a network that
        fails), and otherwise ends the asking: an expired session stays expired.
        """
        row = 0
        while True:
            seen = prober.observe(probe)
            if see is not None:
                see(seen)
            row = row + 1 if seen.outcome == wanted else 0
            if row >= self.in_a_row:
                return seen
            if row:
                self.clock.wait_until(self.clock.now() + self.step)
            elif (seen.outcome == "inconclusive" and not seen.passing) or self.over(deadline):
                return seen


def _number(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)
