"""Calls that are made again: what is trouble that passes, how often, for how long; each repetition is told.

Botocore makes one attempt only for such clients, so that nothing is repeated twice over; the pauses are stamina's.
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

__all__ = ["ONE_ATTEMPT", "Retries", "Retry", "trouble_of"]

ONE_ATTEMPT = 1
"""The ``total_max_attempts`` of a client whose calls are repeated here: one with another number is left to botocore."""

_ATTEMPTS = 8
_CALL_SECONDS = 60.0
_TOTAL_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE, _JITTER = 0.1, 5.0, 0.5
_SERVER_ERRORS = {500, 502, 503, 504}  # 501 says that the call is not known there: it will not be, next time
_TOO_MANY = 429
_NOT_RETRIED = (
    " (reached max retries: 0)"  # what botocore says of its one attempt would say the contrary of what was done
)
# LimitExceeded is a quota, not a throttle: it does not pass.
_PASSING = {
    "BandwidthLimitExceeded",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "EC2ThrottledException",
    "EntityTemporarilyUnmodifiable",
    "InternalError",
    "InternalFailure",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceFailure",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}


@dataclass(frozen=True, slots=True)
class Retry:
    """A call that is about to be made again: which, the number of the attempt, and what the last one met."""

    call: str
    attempt: int
    why: str

    def __str__(self) -> str:
        return f"{self.call}, attempt {self.attempt}, after {self.why}"

    def as_json(self) -> dict[str, Any]:
        """Write it as a journal keeps it; it holds no parameter."""
        return {"call": self.call, "attempt": self.attempt, "why": self.why}


class Retries:
    """Repeats the calls of the clients of a session, once it is installed there; safe to share between threads.

    Args:
        listener: is told each repetition before it is made, by whichever thread makes it; what it raises ends the call.
            It may be set anew.
        attempts: how often a call is made at most; default: what ``AWS_MAX_ATTEMPTS`` says, else 8.
        seconds: after so many of them a call is not made again.
        total: seconds of a whole run that may go into repetitions; after them every call is made once.
    """

    def __init__(
        self,
        listener: Callable[[Retry], None] | None = None,
        *,
        attempts: int | None = None,
        seconds: float = _CALL_SECONDS,
        total: float = _TOTAL_SECONDS,
    ) -> None:
        self.listener = listener
        self._attempts = attempts or _attempts_of_environment()
        self._seconds = seconds
        self._left = total
        self._lock = threading.Lock()

    def install(self, session: boto3.Session) -> None:
        """Repeat the calls of the clients that the session makes from now on, if botocore makes `ONE_ATTEMPT` of each."""
        session.events.register("creating-client-class", self._extend, unique_id=f"stsguard-retries-{id(self)}")

    def call(self, name: str, make: Callable[[], Any]) -> Any:
        """Make a call until it is answered, for good or ill; gives the answer.

        Raises:
            ClientError: AWS refuses it, or goes on failing.
            BotoCoreError: the connection goes on failing.
        """
        import stamina  # noqa: PLC0415 - whoever calls AWS pays for it

        # Whoever asked is told; a line of the library's own would say it again.
        logging.getLogger("stamina").addHandler(_SILENT)
        met, began = "", time.monotonic()

        def passes(error: Exception) -> bool:
            nonlocal met
            met = trouble_of(error)
            return bool(met) and self._left > 0

        attempts = stamina.retry_context(
            on=passes,
            attempts=self._attempts,
            timeout=self._seconds,
            wait_initial=_FIRST_PAUSE,
            wait_max=_LONGEST_PAUSE,
            wait_jitter=_JITTER,
        )
        for attempt in attempts:
            if attempt.num > 1:
                self._spend(time.monotonic() - began)
                began = time.monotonic()
                if self.listener is not None:
                    self.listener(Retry(name, attempt.num, met))
            with attempt:
                try:
                    return make()
                except Exception as error:
                    error.args = tuple(
                        one.replace(_NOT_RETRIED, "") if isinstance(one, str) else one for one in error.args
                    )
                    raise
        raise AssertionError(name)  # the last attempt gives or raises

    def _spend(self, seconds: float) -> None:
        with self._lock:
            self._left -= seconds

    def _extend(self, base_classes: list[type], **_: Any) -> None:
        """Put the repetition before what botocore does to make a call; it asks for this by an event of its own."""
        retries = self

        class Repeating:
            repeats = True
            meta: Any

            def _make_api_call(self, operation_name: str, api_params: Any) -> Any:
                once: Any = super()
                settings = self.meta.config.retries or {}
                if settings.get("total_max_attempts") != ONE_ATTEMPT:
                    return once._make_api_call(operation_name, api_params)  # noqa: SLF001 - what it overrides
                name = f"{self.meta.service_model.service_name}:{operation_name}"
                return retries.call(name, lambda: once._make_api_call(operation_name, api_params))  # noqa: SLF001 - as above

        # Of two that are installed in one session the later counts: one within the other would multiply the attempts.
        base_classes[:] = [Repeating, *(one for one in base_classes if not getattr(one, "repeats", False))]


_SILENT = logging.NullHandler()


def trouble_of(error: Exception) -> str:
    """Name the trouble when it may pass: a throttle, a connection that fails, a service that fails; else give nothing.

    A refusal (AccessDenied), a wrong request (validation, a quota) or credentials that expired never pass.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - whoever calls AWS has botocore
        ClientError,
        ConnectionError,  # noqa: A004 - botocore's own
        HTTPClientError,
        SSLError,
    )

    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        passes = code in _PASSING or status in _SERVER_ERRORS or status == _TOO_MANY
        return (code or str(status)) if passes else ""
    if isinstance(error, ConnectionError | HTTPClientError) and not isinstance(error, SSLError):
        return type(error).__name__
    return ""


def _attempts_of_environment() -> int:
    text = os.environ.get("AWS_MAX_ATTEMPTS", "")
    return int(text) if text.isdecimal() and int(text) > 0 else _ATTEMPTS
