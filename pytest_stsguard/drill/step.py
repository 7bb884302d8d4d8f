"""One line of a drill's timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.revocation import METHODS

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_stsguard.revocation import Revocation

__all__ = ["Step", "told_as"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done or seen, and when."""

    at: datetime
    action: str
    detail: str

    def __str__(self) -> str:
        return f"{isoformat(self.at, milliseconds=True)}  {self.action:<8}  {self.detail}"


def told_as(revocation: Revocation) -> str:
    """Give the timeline's word for a revocation: what is not meant to end a stolen session is no more than a change."""
    return "revoked" if METHODS[revocation.method].contains else "changed"
