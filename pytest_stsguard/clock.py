"""The one source of time for every room below the command line.

A `Clock` is the wall clock. A `SimulatedClock` starts at the wall clock, runs with it, and can be moved forward.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

__all__ = ["Clock", "SimulatedClock", "isoformat"]


class Clock:
    """Real time, in UTC."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime) -> None:
        """Return when `now` has reached `moment`, at once when it already has."""
        while (seconds := (moment - self.now()).total_seconds()) > 0:
            time.sleep(seconds)


class SimulatedClock(Clock):
    """Real time plus an offset that only grows; safe to share between threads."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Give the simulated moment, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    @property
    def offset(self) -> timedelta:
        """How far the simulated time is ahead of the wall clock."""
        return self._offset

    def advance(self, seconds: float) -> datetime:
        """Move the time forward by `seconds` and give the new moment; `ValueError` for a move backwards."""
        if not seconds >= 0:
            message = f"the simulated clock only moves forward, got `{seconds}` seconds"
            raise ValueError(message)
        with self._lock:
            self._offset += timedelta(seconds=seconds)
        return self.now()

    def wait_until(self, moment: datetime) -> None:
        """Move the time to `moment`, at once; nothing happens when it has passed."""
        with self._lock:
            missing = moment - (datetime.now(UTC) + self._offset)
            if missing > timedelta():
                self._offset += missing


def isoformat(moment: datetime, *, milliseconds: bool = False) -> str:
    """Write a moment as AWS does: ``2022-02-16T01:36:00Z``, or with three digits of a second (both cut, not rounded)."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if milliseconds else "seconds")
    return text.replace("+00:00", "Z")
