"""The figures of a drill, counted from its sightings; all in seconds of the account's clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.drill.sighting import THIEF, WORKLOAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pytest_stsguard.drill.sighting import Moments, Sighting

__all__ = ["Metrics", "measure"]


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a drill measured.

    Attributes:
        exposure: from the theft to the last call that was allowed to the thief.
        time_to_revoke: from the accepted change to the last call that was allowed to the thief after it; 0: none was.
        first_denied: by service and region, from the accepted change to the thief's first denied call.
        first_fresh: from the accepted change to the first allowed call of a session made after it.
        recovery: the same for a workload that had to be brought back.
        collateral: live sessions of workloads that were denied after the containment.
        cleanup_due: from when the containment may be taken back, ISO 8601.
    """

    exposure: float | None = None
    time_to_revoke: float | None = None
    first_denied: Mapping[str, float] = field(default_factory=dict, hash=False)
    first_fresh: float | None = None
    recovery: float | None = None
    collateral: tuple[str, ...] = ()
    cleanup_due: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Write it as plain data."""
        return asdict(self) | {"collateral": list(self.collateral)}


def measure(sightings: Sequence[Sighting], moments: Moments, *, region: str) -> Metrics:
    """Count the figures; what was never reached is None."""
    taken = [one for one in sightings if one.outcome == "allowed" and one.side == THIEF]
    revoked, due = moments.revoked, moments.cleanup_due
    exposure = _seconds(moments.stolen, max((one.at for one in taken), default=None))
    if revoked is None:
        return Metrics(exposure=exposure, cleanup_due=isoformat(due) if due else None)
    after = [one for one in sightings if one.at >= revoked]
    workload = [one for one in after if one.side == WORKLOAD]
    fresh = [one for one in workload if one.made_in not in {"warm_up", "theft"} and one.outcome == "allowed"]
    recovered = [one for one in fresh if one.made_in == "recovery"]
    hit = dict.fromkeys(
        one.session for one in workload if one.made_in in {"warm_up", "theft"} and one.outcome == "denied"
    )
    last = max((one.at for one in after if one.side == THIEF and one.outcome == "allowed"), default=None)
    return Metrics(
        exposure=exposure,
        time_to_revoke=_seconds(revoked, last) or 0.0,
        first_denied=_first_denied(after, revoked, region),
        first_fresh=_seconds(revoked, min((one.at for one in fresh), default=None)),
        recovery=_seconds(revoked, min((one.at for one in recovered), default=None)),
        collateral=tuple(hit),
        cleanup_due=isoformat(due) if due else None,
    )


def _first_denied(after: Iterable[Sighting], revoked: datetime, region: str) -> dict[str, float]:
    first: dict[str, float] = {}
    for one in after:
        if one.side == THIEF and one.outcome == "denied":
            first.setdefault(f"{one.probe.partition('.')[0]} {region}", (one.at - revoked).total_seconds())
    return first


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())
