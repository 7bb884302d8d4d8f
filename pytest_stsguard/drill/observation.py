"""What came of a probe: allowed, denied, or neither.

A denial counts only when it is an authorization denial. An expired session, a bad signature, a throttle or a dead network
says nothing about containment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_stsguard.drill.probe import Probe
from pytest_stsguard.errors import ConfigurationError, DrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from pytest_stsguard.cloud.credentials import Credentials

__all__ = ["Observation", "observe", "outcome_of"]

_DENIALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "AuthorizationErrorException",
    }
)
_EXPIRED_LINK = "Request has expired"


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


def observe(credentials: Credentials, probe: str | Callable[[boto3.Session], Any]) -> Observation:
    """Make the call of `probe` with `credentials` and say what came of it."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - whoever probes has botocore

    wanted = Probe.of(probe)
    session = credentials.session()
    answers: list[str] = []

    def note(http_response: Any, **_: Any) -> None:
        headers = http_response.headers
        answers.append(headers.get("x-amzn-requestid") or headers.get("x-amz-request-id") or "")

    session.events.register("after-call", note)
    try:
        wanted.run(session)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        outcome = outcome_of(code, message)
        return Observation(
            wanted.name,
            outcome,
            code,
            message,
            _why(credentials, answers),
            explicit=outcome == "denied" and "explicit deny" in message,
            credentials=credentials,
        )
    except (BotoCoreError, DrillError) as error:
        if isinstance(error, ConfigurationError):
            raise
        return Observation(wanted.name, "inconclusive", type(error).__name__, str(error), credentials=credentials)
    return Observation(wanted.name, "allowed", why=_why(credentials, answers), credentials=credentials)


def outcome_of(code: str, message: str) -> str:
    """Read an error's code: an authorization denial is ``"denied"``, any other error is ``"inconclusive"``."""
    return "denied" if code in _DENIALS and _EXPIRED_LINK not in message else "inconclusive"


def _why(credentials: Credentials, answers: list[str]) -> str:
    if not answers or credentials.origin is None:
        return ""
    return credentials.origin.explain(answers[-1]) or ""
