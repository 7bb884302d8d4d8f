"""Who hears what probes answered: a test's timeline tells of every assertion, whoever made it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from pytest_stsguard.clock import Clock, isoformat
from pytest_stsguard.cloud.credentials import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud.credentials import Credentials
    from pytest_stsguard.drill.observation import Observation

__all__ = ["Lines", "listening", "tell"]

_LISTENER: ContextVar[Callable[[Credentials, Observation], None] | None] = ContextVar("stsguard_listener", default=None)


@contextmanager
def listening(listener: Callable[[Credentials, Observation], None]) -> Iterator[None]:
    """Hand each answer that is judged meanwhile to `listener`, and to nobody else."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(credentials: Credentials, observations: tuple[Observation, ...]) -> None:
    """Tell the listener, if there is one, what the probes of these credentials answered."""
    listener = _LISTENER.get()
    if listener is not None:
        for seen in observations:
            listener(credentials, seen)


class Lines:
    """A listener that writes a timeline as a drill does, for a test that has none; a session begins when it was issued."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._known: set[str] = set()

    def __call__(self, credentials: Credentials, seen: Observation) -> None:
        """Write down one answer, and before the first one of its credentials whose they are."""
        clock = getattr(credentials.origin, "clock", None) or Clock()
        key = masked(credentials.access_key_id)
        if key not in self._known:
            self._known.add(key)
            if credentials.issued_at is not None and credentials.expiration is not None:
                told = f"{credentials.arn or 'a session'}, key {key}, expires {isoformat(credentials.expiration)}"
                self._lines.append(f"{isoformat(credentials.issued_at, milliseconds=True)}  issued    {told}")
        at = isoformat(clock.now(), milliseconds=True)
        self._lines.append(f"{at}  {seen.outcome:<8}  {seen.probe} with key {key}")
