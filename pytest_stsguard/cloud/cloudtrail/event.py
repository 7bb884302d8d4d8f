"""One call as the trail keeps it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.request import Request, Response
    from pytest_stsguard.policy import Decision

__all__ = ["Event"]


@dataclass(frozen=True, slots=True)
class Event:
    """One call as the trail keeps it; `decisions` are the engine's own, with their reasons.

    `resources` are the ARNs that were asked about, each with its owner where the ARN names none; `response` is what a
    service answered, where the record tells of it; `recipient` is the caller's account. `invoked_by` is the service that
    made the call in the caller's name. `signed` is the form of the signature (see `signature.Claim`), `received` and
    `sent` are the bytes of both bodies.
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
    invoked_by: str | None = None
    signed: str | None = None
    received: int = 0
    sent: int = 0
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

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
