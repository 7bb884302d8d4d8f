"""One line of a drill's timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done or seen, and when."""

    at: datetime
    action: str
    detail: str

    def __str__(self) -> str:
        return f"{isoformat(self.at, milliseconds=True)}  {self.action:<8}  {self.detail}"
