"""What came of a probe: allowed, denied, or neither.

A denial counts only when it is an authorization denial. An expired session, a bad signature, a throttle or a dead network
says nothing about containment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from pytest_stsguard.drill.probe import Probe
from pytest_stsguard.errors import ConfigurationError, DrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from pytest_stsguard.cloud.credentials import Credentials

__all__ = ["Observation", "Prober", "observe", "outcome_of"]

_DENIALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "AuthorizationErrorException",
        # A service that was refused a key of KMS in the caller's name.
        "KMS.AccessDeniedException",
        "KMSAccessDenied",
        "KMSAccessDeniedException",
    }
)
_PASSING = (
    "Throttl",
    "TooManyRequests",
    "RequestLimitExceeded",
    "SlowDown",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalError",
    "InternalServerError",
    "RequestTimeout",
    "ConnectionError",
    "ConnectionClosed",
    "ConnectTimeout",
    "ReadTimeout",
    "HTTPClientError",
    "IncompleteRead",
)
_EXPIRED_LINK = "Request has expired"
_LAYER = re.compile(
    r"(?:with an explicit deny in an?|because no) ([\w-]+(?: [\w-]+)? policy|permissions boundary)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Observation:
    """One probe and its outcome, ``"allowed"``, ``"denied"`` or ``"inconclusive"``; `why` is the origin's explanation."""

    probe: str
    outcome: str
    code: str = ""
    message: str = ""
    why: str = ""
    explicit: bool = False
    credentials: Credentials | None = field(default=None, repr=False)

    @property
    def layer(self) -> str:
        """What denied, as AWS names it: ``"identity-based policy"``, ``"service control policy"``; empty when it does not.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        found = _LAYER.search(self.message) if self.outcome == "denied" else None
        return found.group(1) if found else ""

    @property
    def passing(self) -> bool:
        """Whether it is trouble that may pass: a throttle, a network or a service that fails, rather than an answer."""
        return self.outcome == "inconclusive" and any(part in self.code for part in _PASSING)


class Prober:
    """Makes probes with one set of credentials; the clients of probes by name are made once, for not a thing is dearer."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._probe: Probe | None = None
        self._clients: dict[str, Any] = {}
        self._operations: list[str] = []
        self._answers: list[str] = []

    @cached_property
    def _session(self) -> boto3.Session:
        session = self.credentials.session()
        session.events.register("before-call", self._note_call)
        session.events.register("after-call", self._note_answer)
        return session

    def client(self, service: str) -> Any:
        """Give the client of a service; probes by name take this in the place of a boto3 session."""
        if service not in self._clients:
            self._clients[service] = cast("Any", self._session).client(service)
        return self._clients[service]

    def observe(self, probe: str | Callable[[boto3.Session], Any]) -> Observation:
        """Make the call of `probe` and say what came of it."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - whoever probes has botocore

        wanted = self._probe = Probe.of(probe)
        self._operations.clear()
        self._answers.clear()
        try:
            wanted.call(cast("Any", self) if isinstance(probe, str) else self._session)
            wanted.check(self._operations)
        except ClientError as error:
            return self._refused(wanted, error)
        except (BotoCoreError, DrillError) as error:
            if isinstance(error, ConfigurationError):
                raise
            return Observation(
                wanted.name, "inconclusive", type(error).__name__, str(error), credentials=self.credentials
            )
        return Observation(wanted.name, "allowed", why=self._why(), credentials=self.credentials)

    def _refused(self, wanted: Probe, error: Any) -> Observation:
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        outcome = outcome_of(code, message)
        explicit = outcome == "denied" and "explicit deny" in message
        return Observation(
            wanted.name, outcome, code, message, self._why(), explicit=explicit, credentials=self.credentials
        )

    def _note_call(self, model: Any, **_: Any) -> None:
        self._operations.append(model.name)
        if self._probe is not None:
            self._probe.check(self._operations)

    def _note_answer(self, http_response: Any, **_: Any) -> None:
        headers = http_response.headers
        self._answers.append(headers.get("x-amzn-requestid") or headers.get("x-amz-request-id") or "")

    def _why(self) -> str:
        if not self._answers or self.credentials.origin is None:
            return ""
        return self.credentials.origin.explain(self._answers[-1]) or ""


def observe(credentials: Credentials, probe: str | Callable[[boto3.Session], Any]) -> Observation:
    """Make the call of `probe` with `credentials` and say what came of it."""
    return Prober(credentials).observe(probe)


def outcome_of(code: str, message: str) -> str:
    """Read an error's code: an authorization denial is ``"denied"``, any other error is ``"inconclusive"``."""
    return "denied" if code in _DENIALS and _EXPIRED_LINK not in message else "inconclusive"
