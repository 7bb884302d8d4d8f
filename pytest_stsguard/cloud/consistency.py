"""Eventual consistency: a change of a policy, a principal or a key is seen by authorization only after a while.

For each change two moments are drawn from the seed: until the first the old state counts, from the second on the new one, and
between them each look sees the one or the other, the new one more and more often. The cloud's clock measures.

See "Troubleshoot IAM: changes that I make are not always immediately visible" in the IAM User Guide.
"""

from __future__ import annotations

import math
import random
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from pytest_stsguard.clock import Clock

__all__ = ["Consistency", "Propagation"]

_FIRST = (0.05, 0.4)
_SETTLED = (0.6, 1.0)
_TEXT = re.compile(r"(\d+(?:\.\d+)?)(?::(\d+))?")


@dataclass(frozen=True, slots=True)
class Consistency:
    """How late a change is seen: after `seconds` at the latest; `seed` fixes what is drawn."""

    seconds: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise ConfigurationError(
                f"`{self.seconds}` is no delay for changes", hint="give seconds above 0, as 10 or 10:7 with a seed"
            )

    @classmethod
    def of(cls, value: Consistency | float | str | None) -> Self | None:
        """Read a delay: seconds, ``"SECONDS"`` or ``"SECONDS:SEED"``; None or 0 stands for none.

        Raises:
            ConfigurationError: it is none of these.
        """
        if value is None or isinstance(value, cls):
            return value
        if isinstance(value, str):
            match = _TEXT.fullmatch(value)
            seconds, seed = (float(match[1]), int(match[2] or 0)) if match else (math.nan, 0)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds, seed = float(value), 0
        else:
            seconds, seed = math.nan, 0
        if math.isnan(seconds):
            raise ConfigurationError(
                f"`{value}` is no delay for changes", hint="give seconds above 0, as 10 or 10:7 with a seed"
            )
        return cls(seconds, seed) if seconds else None


@dataclass(slots=True)
class _Change:
    """One change of one fact: what was there before, and when the new state is seen."""

    old: Any
    first: datetime
    settled: datetime
    draws: random.Random = field(repr=False)

    def is_seen(self, now: datetime) -> bool:
        if now < self.first:
            return False
        if now >= self.settled:
            return True
        return self.draws.random() < (now - self.first) / (self.settled - self.first)


class Propagation:
    """The facts that changed lately; safe to share between threads."""

    def __init__(self, consistency: Consistency, clock: Clock) -> None:
        self._consistency = consistency
        self._clock = clock
        self._changes: dict[Hashable, list[_Change]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def note(self, before: Mapping[Hashable, Any], after: Mapping[Hashable, Any]) -> None:
        """Note what one call changed: facts by key, before and after it; what is missing is None."""
        changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        if not changed:
            return
        with self._lock:
            self._count += 1
            drawn = random.Random(f"{self._consistency.seed}/{self._count}")  # noqa: S311 - a simulation's dice
            now, seconds = self._clock.now(), self._consistency.seconds
            first = now + timedelta(seconds=seconds * drawn.uniform(*_FIRST))
            settled = now + timedelta(seconds=seconds * drawn.uniform(*_SETTLED))
            for key in changed:
                self._changes.setdefault(key, []).append(_Change(before.get(key), first, settled, drawn))

    def seen(self, key: Hashable, current: Any) -> Any:
        """Give what a look at a fact sees, which is `current` in truth."""
        if key not in self._changes:
            return current
        with self._lock:
            changes, now, value = self._changes.get(key, []), self._clock.now(), current
            for position in range(len(changes) - 1, -1, -1):
                change = changes[position]
                if change.is_seen(now):
                    if now >= change.settled:
                        del changes[: position + 1]
                    break
                value = change.old
            if not changes:
                self._changes.pop(key, None)
            return value
