"""CloudTrail of the simulated cloud: one event for every call, written as a record in the published format when it is asked for.

See "CloudTrail record contents" in the AWS CloudTrail User Guide. A record never holds a secret.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.cloudtrail import record_of, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.request import Request, Response
    from pytest_stsguard.policy import Decision

__all__ = ["Event", "Trail"]


@dataclass(frozen=True, slots=True)
class Event:
    """One call as the trail keeps it; `decisions` are the engine's own, with their reasons.

    `resources` are the ARNs that were asked about, each with its owner where the ARN names none; `response` is what a
    service answered, where the record tells of it; `recipient` is the caller's account.
    """

    request_id: str
    time: datetime
    request: Request = field(repr=False)
    call: Call | None
    caller: Caller | None
    claimed_key: str | None
    error_code: str | None
    error_message: str | None
    decisions: tuple[Decision, ...] = field(default=(), repr=False)
    response_elements: Mapping[str, Any] | None = None
    recipient: str = ""
    resources: tuple[tuple[str, str], ...] = ()
    response: Response | None = field(default=None, repr=False)
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def record(self) -> dict[str, Any]:
        """Write the event as a CloudTrail record."""
        return record_of(self)

    @property
    def owner(self) -> str | None:
        """The other account whose resource was used, which gets a record of its own; None for none."""
        if self.error_code is not None:
            return None
        owners = (owner for _, owner in self.resources if owner and owner != self.recipient)
        return next(owners, None)

    @property
    def shared_id(self) -> str | None:
        """The id by which the records of two accounts are found to be of one call; None where there is one record."""
        return str(uuid.uuid5(uuid.UUID(self.event_id), "shared")) if self.owner else None


class Trail:
    """Every event in the order in which the calls ended; safe to share between threads."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._by_request: dict[str, Event] = {}
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Enter one event."""
        with self._lock:
            self._events.append(event)
            self._by_request[event.request_id] = event

    def find(self, request_id: str) -> Event | None:
        """Find the event of a request id."""
        return self._by_request.get(request_id)

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far."""
        with self._lock:
            return tuple(self._events)

    def records(self) -> list[dict[str, Any]]:
        """All events so far as CloudTrail records, each as the caller's account gets it."""
        return [event.record() for event in self.events]

    def write(self, folder: str | Path, *, compress: bool = True) -> list[Path]:
        """Write all events so far as CloudTrail's log files below `folder`, and give the files' paths.

        They lie as in CloudTrail's bucket, ``AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/``, gzipped unless `compress` is
        false; an account whose resource another one used gets its own record of the call.

        Raises:
            InputError: `folder` cannot be written.
        """
        records = []
        for event in self.events:
            records.append((event.time, record_of(event)))
            if event.owner:
                records.append((event.time, record_of(event, recipient=event.owner)))
        return write_files(records, folder, compress=compress)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self._events)
