"""What is wrong with one resource, as the library says it and a check records it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_stsguard.findings import Recorder
    from pytest_stsguard.findings.finding import Place

__all__ = ["Fault", "record"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        resource: the ARN of what is at fault.
        message: one line for people.
        place: the deciding place inside the resource, as ``trust policy Statement[0]``.
        location: where that stands in the input.
        evidence: what shows it, JSON-able.
        severity: where it is another than the control's own.
    """

    resource: str
    message: str
    place: str = ""
    location: Place | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    severity: str | None = None


def record(findings: Recorder, faults: Iterable[Fault]) -> None:
    """Record faults as findings of a check's control."""
    for fault in faults:
        findings.add(
            fault.resource,
            fault.message,
            evidence=fault.evidence,
            severity=fault.severity,
            place=fault.place,
            location=fault.location,
        )
