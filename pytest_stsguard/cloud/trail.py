"""CloudTrail of the simulated cloud: one record for every call, in the published record format.

See "CloudTrail record contents" in the AWS CloudTrail User Guide. A record never holds a secret.
"""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.request import Request
    from pytest_stsguard.policy import Decision

__all__ = ["Event", "Trail"]

_SECRET = re.compile(r"secret|password|token|private_?key|assertion|authentication_?code", re.IGNORECASE)
_READ_ONLY = re.compile(r"^(Get|List|Describe|Head|Lookup|Search|Select|Query|Scan|BatchGet|Simulate|AssumeRo|Decode)")
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@dataclass(frozen=True, slots=True)
class Event:
    """One call as the trail keeps it; `decisions` are the engine's own, with their reasons."""

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
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def record(self) -> dict[str, Any]:
        """Write the event as a CloudTrail record."""
        name = self.call.operation if self.call else "Unknown"
        service = self.call.service if self.call else "unknown"
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": _user_identity(self.caller, self.claimed_key),
            "eventTime": isoformat(self.time),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": self.call.region if self.call else "us-east-1",
            "sourceIPAddress": self.request.source_ip,
            "userAgent": self.request.headers.get("user-agent", ""),
            "requestParameters": _parameters(self.call.parameters) if self.call else None,
            "responseElements": self.response_elements,
            "requestID": self.request_id,
            "eventID": self.event_id,
            "readOnly": bool(_READ_ONLY.match(name)),
            "eventType": "AwsConsoleSignIn" if service == "signin" else "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.recipient,
            "eventCategory": "Management",
        }
        if self.error_code is not None:
            record |= {"errorCode": self.error_code, "errorMessage": self.error_message}
        return record


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
        """All events so far as CloudTrail records."""
        return [event.record() for event in self.events]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self._events)


def _user_identity(caller: Caller | None, claimed_key: str | None) -> dict[str, Any]:
    if caller is None:
        return {"type": "Unknown", "accessKeyId": claimed_key or ""}
    if caller.is_anonymous:
        return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    kinds = {
        "root": "Root",
        "user": "IAMUser",
        "assumed-role": "AssumedRole",
        "federated-user": "FederatedUser",
        "web-identity": "WebIdentityUser",
        "saml": "SAMLUser",
    }
    identity: dict[str, Any] = {
        "type": kinds[caller.kind],
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key_id,
    }
    if caller.identity_provider is not None:
        identity |= {"userName": caller.name, "identityProvider": caller.identity_provider}
        return {key: value for key, value in identity.items() if value}
    if caller.kind == "user":
        identity["userName"] = caller.name
    if caller.session is not None:
        identity["sessionContext"] = _session_context(caller)
    return identity


def _session_context(caller: Caller) -> dict[str, Any]:
    session = caller.session
    assert session is not None  # noqa: S101 - the caller's branch; keeps the types honest
    context: dict[str, Any] = {
        "attributes": {
            "creationDate": isoformat(session.issued_at),
            "mfaAuthenticated": str(session.context.get("aws:MultiFactorAuthPresent", "false")),
        }
    }
    issuer = session.issuer
    # A session token stands for its user itself; every other session has an issuer.
    if session.kind != "session-token":
        context["sessionIssuer"] = {
            "type": {"role": "Role", "user": "IAMUser", "root": "Root"}[issuer.kind],
            "principalId": issuer.unique_id,
            "arn": issuer.arn,
            "accountId": issuer.account,
            "userName": issuer.name,
        }
    if session.kind == "root-task":
        context["assumedRoot"] = "true"
    provider = session.context.get("aws:FederatedProvider")
    if session.kind == "web-identity":
        context["webIdFederationData"] = {"federatedProvider": provider, "attributes": {}}
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    delivery = session.context.get("ec2:RoleDelivery")
    if delivery:
        context["ec2RoleDelivery"] = delivery
    return context


def _parameters(value: Any) -> Any:
    """Copy request parameters with CloudTrail's camel case, their secrets hidden."""
    if isinstance(value, dict):
        return {
            f"{name[:1].lower()}{name[1:]}": _HIDDEN if _SECRET.search(name) and inner else _parameters(inner)
            for name, inner in value.items()
        } or None
    if isinstance(value, list):
        return [_parameters(inner) for inner in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
