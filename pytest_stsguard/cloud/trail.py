"""CloudTrail of the simulated cloud: one event for every call, written as a record in the published format when it is asked for.

See "CloudTrail record contents" in the AWS CloudTrail User Guide. A record never holds a secret.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections import deque
from typing import IO, TYPE_CHECKING, Any

from pytest_stsguard.cloud.cloudtrail import record_of, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_stsguard.cloud.cloudtrail import Event

__all__ = ["Trail"]

# How much of what is kept whole is shelved at a time.
_SHARE = 20


class Trail:
    """Every call in the order in which the calls ended; safe to share between threads.

    The newest events are kept whole, at least `kept` of them; the records of older ones lie in a file without a name, which
    ends with the trail, so that a cloud that is served for days does not grow.
    """

    def __init__(self, *, kept: int = 10_000) -> None:
        self._kept = kept
        self._batch = max(1, kept // _SHARE)
        self._events: deque[Event] = deque()
        self._by_request: dict[str, Event] = {}
        self._older = _Shelf()
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Enter one event."""
        with self._lock:
            self._events.append(event)
            self._by_request[event.request_id] = event
            if len(self._events) >= self._kept + self._batch:
                self._shelve()

    def find(self, request_id: str) -> Event | None:
        """Find the event of a request id among the newest."""
        return self._by_request.get(request_id)

    @property
    def events(self) -> tuple[Event, ...]:
        """The newest events: all, unless there are more than are kept whole."""
        with self._lock:
            return tuple(self._events)

    def records(self) -> list[dict[str, Any]]:
        """All calls so far as CloudTrail records, each as the caller's account gets it."""
        with self._lock:
            older, events = self._older.read(), tuple(self._events)
        return [records[0] for records in older] + [record_of(event) for event in events]

    def write(self, folder: str | Path, *, compress: bool = True) -> list[Path]:
        """Write all calls so far as CloudTrail's log files below `folder`, and give the files' paths.

        They lie as in CloudTrail's bucket, ``AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/``, gzipped unless `compress` is
        false; an account whose resource another one used gets its own record of the call.

        Raises:
            InputError: `folder` cannot be written.
        """
        with self._lock:
            older, events = self._older.read(), tuple(self._events)
        written = [*older, *(_records(event) for event in events)]
        return write_files((record for both in written for record in both), folder, compress=compress)

    def _shelve(self) -> None:
        for _ in range(self._batch):
            event = self._events.popleft()
            self._by_request.pop(event.request_id, None)
            self._older.add(_records(event))

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self._events) + self._older.count


def _records(event: Event) -> list[dict[str, Any]]:
    """Give the record of the caller's account, and that of the account whose resource was used."""
    return [record_of(event), *([record_of(event, recipient=event.owner)] if event.owner else [])]


class _Shelf:
    """Records as lines of JSON in a file that nobody else sees."""

    def __init__(self) -> None:
        self._file: IO[str] | None = None
        self.count = 0

    def add(self, records: list[dict[str, Any]]) -> None:
        if self._file is None:
            # Open for as long as the trail lives, and gone with it.
            self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - as said
        self._file.write(json.dumps(records) + "\n")
        self.count += 1

    def read(self) -> list[list[dict[str, Any]]]:
        if self._file is None:
            return []
        self._file.seek(0)
        read = [json.loads(line) for line in self._file]
        self._file.seek(0, 2)
        return read

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()
