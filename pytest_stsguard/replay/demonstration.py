"""What came of carrying something out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Demonstration"]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Whether something was really done, by which calls, and why not.

    Attributes:
        done: the last call was allowed.
        calls: what was called, by whom, in order.
        reason: why it was not done; of one that was done, what was assumed for it, or empty.
    """

    done: bool
    calls: tuple[str, ...] = ()
    reason: str = ""

    def as_evidence(self) -> dict[str, Any]:
        """Give it as a finding's evidence holds it."""
        evidence: dict[str, Any] = {"demonstrated": self.done, "calls": list(self.calls)}
        if self.reason:
            evidence["demonstration"] = self.reason
        return evidence
