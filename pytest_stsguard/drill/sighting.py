"""What was seen of a session, when: the raw material of verdict and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_stsguard.drill.observation import Prober

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_stsguard.cloud.credentials import Credentials

__all__ = ["THIEF", "WORKLOAD", "Held", "Moments", "Sighting"]

THIEF, WORKLOAD = "thief", "workload"


@dataclass(slots=True)
class Held:
    """A session that the drill holds: its side, the part in which it was made, and what it was seen to be allowed."""

    name: str
    credentials: Credentials
    side: str
    phase: str
    at: datetime
    proven: set[str] = field(default_factory=set)
    prober: Prober = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.prober = Prober(self.credentials)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One probe of one session."""

    at: datetime
    session: str
    side: str
    phase: str
    probe: str
    outcome: str
    explicit: bool = False
    made_in: str = ""


@dataclass(slots=True)
class Moments:
    """When what happened."""

    stolen: datetime | None = None
    revoked: datetime | None = None
    cleanup_due: datetime | None = None
