"""The instance profile as an instance's metadata service sees it: changes arrive there late.

AWS carries a change of an association, or of the role in a profile, to the instances in its own time; a stop and a start bring
it at once. See "Use instance profiles" in the IAM User Guide.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from pytest_stsguard.clock import Clock

__all__ = ["CHANGING", "Association", "ProfileView"]

CHANGING = {
    "ec2": frozenset(
        {
            "AssociateIamInstanceProfile",
            "DisassociateIamInstanceProfile",
            "ReplaceIamInstanceProfileAssociation",
        }
    ),
    "iam": frozenset({"AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"}),
}
"""The calls after which `ProfileView.note` has to be told, by service."""


@dataclass(frozen=True, slots=True, eq=False)
class Association:
    """A profile of moto's, None without one, and the role in it."""

    profile: Any = None
    role: Any = None

    def is_as(self, other: Association) -> bool:
        """Whether both are of the very same profile and role."""
        return self.profile is other.profile and self.role is other.role


class ProfileView:
    """What one instance sees; safe to share between threads."""

    def __init__(self, clock: Clock, live: Callable[[], Association]) -> None:
        self._clock = clock
        self._live = live
        self._seen = live()
        self._changed_at: datetime | None = None
        self._lock = threading.Lock()

    def note(self) -> None:
        """Notice a call that may have changed what is live: from now on the delay counts."""
        with self._lock:
            self._changed_at = None if self._live().is_as(self._seen) else self._clock.now()

    def refresh(self) -> None:
        """See what is live, as after a stop and a start."""
        with self._lock:
            self._seen, self._changed_at = self._live(), None

    def current(self, delay: timedelta) -> Association:
        """Give what is seen when changes take `delay`; one that no call was noted for is seen at once."""
        with self._lock:
            if self._changed_at is None or self._clock.now() >= self._changed_at + delay:
                self._seen, self._changed_at = self._live(), None
            return self._seen
