"""The kill switch of a drill on an account: a file, a signal or the end of its time, looked at before each step and while it waits."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_stsguard.errors import DrillError
from pytest_stsguard.revocation.service_time import ServiceClock

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

__all__ = ["KillSwitch", "WatchedClock"]

_SLICE = 0.2


class KillSwitch:
    """Stops a drill before its next step; what was done is then put back.

    Args:
        file: the drill stops when this file exists; None: only `pull` stops it.
        limit: seconds from now after which it stops; None: it may take what it needs.
    """

    def __init__(self, file: Path | None = None, *, limit: float | None = None) -> None:
        self.file = file
        self.pulled = ""
        self._limit = limit
        self._began = time.monotonic()
        self._armed = True

    def pull(self, reason: str) -> None:
        """Stop the drill; safe to call from a signal handler."""
        self.pulled = self.pulled or reason

    def disarm(self) -> None:
        """Let everything be put back, whatever happens."""
        self._armed = False

    def check(self) -> None:
        """Go on, or not.

        Raises:
            DrillError: the switch was pulled, its file exists, or its time is over.
        """
        if not self._armed:
            return
        if not self.pulled and self.file is not None and self.file.exists():
            self.pulled = f"the file `{self.file}` exists"
        if not self.pulled and self._limit is not None and time.monotonic() - self._began > self._limit:
            self.pulled = f"its time of {self._limit:g} s is over"
        if self.pulled:
            raise DrillError(f"stopped by the kill switch: {self.pulled}", hint="everything is put back")


class WatchedClock(ServiceClock):
    """Real time, as AWS has it; whoever waits for a moment is woken by the kill switch."""

    def __init__(self, switch: KillSwitch, offset: timedelta = timedelta()) -> None:
        super().__init__(offset)
        self._switch = switch

    def wait_until(self, moment: datetime) -> None:
        """Return when `moment` has come.

        Raises:
            DrillError: the kill switch was pulled.
        """
        while (seconds := (moment - self.now()).total_seconds()) > 0:
            self._switch.check()
            time.sleep(min(seconds, _SLICE))
