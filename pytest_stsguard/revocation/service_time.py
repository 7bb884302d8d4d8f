"""The time that AWS lives by, as its answers tell it: sessions are issued and denied by that clock, not by this machine's.

A cutoff by a clock that is behind would spare whoever stole a session in between. Answers carry whole seconds, and take a
while to come: a difference that these explain is none.
https://www.rfc-editor.org/rfc/rfc9110#field.date
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ServiceClock", "measured"]

_SECOND = timedelta(seconds=1)


class ServiceClock(Clock):
    """Real time, as the service has it.

    Args:
        offset: how far it is ahead of this machine's.
    """

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        return super().now() + self.offset

    @property
    def told(self) -> str:
        """Say that the clocks differ, in a line; empty when they do not."""
        if not self.offset:
            return ""
        side = "behind" if self.offset > timedelta() else "ahead of"
        seconds = abs(self.offset.total_seconds())
        return f"this machine's clock is {seconds:.0f} s {side} AWS: its time is used"


def measured(call: Callable[[], Mapping[str, Any]]) -> tuple[Mapping[str, Any], timedelta]:
    """Make a call; gives its answer, and how far the time of whoever answered is ahead of this machine's.

    Of what the answer leaves open the latest time is taken: a cutoff is rather too late than too early.
    """
    before = datetime.now(UTC)
    answer = call()
    return answer, _offset(answer, before, datetime.now(UTC))


def _offset(answer: Mapping[str, Any], before: datetime, after: datetime) -> timedelta:
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()  # none is sent, or none that can be read: this machine's time is all there is
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    least, most = date - after, date + _SECOND - before
    return timedelta() if least <= timedelta() <= most else most
