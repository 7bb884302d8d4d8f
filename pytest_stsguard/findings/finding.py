"""A finding: one fault of one resource, under one control."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.findings.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Finding", "Place", "fingerprint"]


class Place(Protocol):
    """Anything that knows its file and line, as the location of a policy document does."""

    @property
    def file(self) -> str | None: ...  # noqa: D102 - a field

    @property
    def line(self) -> int | None: ...  # noqa: D102 - a field


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    Attributes:
        control: the control's id, ``STSG-101``.
        resource: the ARN of what is at fault.
        message: one line for people: who can do what, or what is wrong.
        evidence: what shows it, JSON-able: a witness, a cutoff, a path.
        location: file and line in the input, or None.
        place: the deciding place inside the resource: ``trust policy Statement[0]``; part of the fingerprint.
        muted: the reason of the mute that covers it, or None.
        baselined: whether the baseline already holds it.
        account: the account it was found in, of several; empty: that of the report.
    """

    control: str
    severity: Severity
    resource: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    location: tuple[str, int] | None = None
    place: str = ""
    muted: str | None = None
    baselined: bool = False
    account: str = ""

    @property
    def fingerprint(self) -> str:
        """A hash of control, resource and place: the same in every run as long as the fault is the same."""
        return fingerprint(self.control, self.resource, self.place)

    @property
    def active(self) -> bool:
        """Whether it counts: neither muted nor in the baseline."""
        return self.muted is None and not self.baselined

    def fails(self, threshold: Severity) -> bool:
        """Whether it makes a check fail at this threshold."""
        return self.active and self.severity >= threshold

    def told(self) -> str:
        """Give the finding on one line, for people."""
        place = f" ({self.place})" if self.place else ""
        where = f"  [{self.location[0]}:{self.location[1]}]" if self.location else ""
        return f"{self.severity!s:8} {self.control}  {self.resource}: {self.message}{place}{where}"

    def as_json(self) -> dict[str, Any]:
        """Give the finding in the shape of ``stsguard audit --output json``."""
        return {
            "control": self.control,
            "severity": str(self.severity),
            "resource": self.resource,
            **({"account": self.account} if self.account else {}),
            "message": self.message,
            "evidence": dict(self.evidence),
            "fingerprint": self.fingerprint,
            "place": self.place,
            "muted": self.muted is not None,
            "mute_reason": self.muted,
            "baselined": self.baselined,
            "location": {"file": self.location[0], "line": self.location[1]} if self.location else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """Make a finding again from `as_json`, as a test process hands it to another."""
        location = data.get("location")
        return cls(
            control=data["control"],
            severity=Severity.parse(data["severity"]),
            resource=data["resource"],
            message=data["message"],
            evidence=data["evidence"],
            location=(location["file"], location["line"]) if location else None,
            place=data["place"],
            muted=data["mute_reason"],
            baselined=data["baselined"],
            account=data.get("account", ""),
        )

    def sort_key(self) -> tuple[int, str, str, str]:
        """Order for people and for stable files: the gravest first, then by control, resource and place."""
        return (-self.severity, self.control, self.resource, self.place)


def fingerprint(control: str, resource: str, place: str) -> str:
    """Hash what a finding is about: 32 hexadecimal digits, without the message, which may be worded better one day."""
    text = f"{control}\0{resource}\0{place}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
