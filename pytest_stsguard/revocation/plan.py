"""What a revocation is going to do, before anything is done: the changes, and how long their effect is needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.errors import InputError
from pytest_stsguard.revocation.change import Change
from pytest_stsguard.revocation.document import POLICY_NAME
from pytest_stsguard.revocation.target import unique_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.revocation.clients import Clients

__all__ = ["LONGEST_ROLE_SESSION", "LONGEST_USER_SESSION", "Plan", "Revocation"]

LONGEST_ROLE_SESSION = timedelta(hours=12)
"""The longest session that a role can have handed out, whatever its MaxSessionDuration is now."""

LONGEST_USER_SESSION = timedelta(hours=36)
"""The longest session that GetSessionToken and GetFederationToken give a user."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A method applied to a target, not carried out yet.

    Attributes:
        target: the name of the role or user.
        arn: its ARN; of an instance, its id.
        cutoff: sessions issued before it are meant.
        changes: what is to be written, in order; empty when all of it is in force already.
        document: the policy that denies; None for a method that writes none.
        previous: what stood in its place; None for nothing.
        unique_id: that of the role or user, which one of the same name that is made later does not have; empty: unknown.
    """

    method: str
    target: str
    arn: str
    cutoff: datetime
    changes: tuple[Change, ...]
    document: dict[str, Any] | None = None
    previous: dict[str, Any] | None = None
    policy_name: str = POLICY_NAME
    longest: timedelta = LONGEST_ROLE_SESSION
    unique_id: str = ""

    def check_identity(self, clients: Clients) -> None:
        """Require that what bears the name is still the one that was planned for; one that is gone is no other.

        Raises:
            InputError: it was deleted and made anew: what is known of the old one does not hold of the new one.
        """
        kind = "user" if ":user/" in self.arn else "role"
        if self.unique_id and any(kind in change.setting.where for change in self.changes):
            found = unique_id_of(clients, kind, self.arn.rpartition("/")[2])
            if found not in {"", self.unique_id}:
                raise InputError(
                    f"{kind} `{self.target}` was deleted and made anew since: it is `{found}`, not `{self.unique_id}`",
                    hint="the sessions of the old one are dead; look at the new one, then revoke anew",
                )

    def as_json(self) -> dict[str, Any]:
        """Write it as a journal keeps it."""
        return {
            "method": self.method,
            "target": self.target,
            "arn": self.arn,
            "cutoff": self.cutoff.isoformat(),
            "changes": [change.as_json() for change in self.changes],
            "document": self.document,
            "previous": self.previous,
            "policy_name": self.policy_name,
            "longest": self.longest.total_seconds(),
            "unique_id": self.unique_id,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Read it back.

        Raises:
            InputError: a member is missing or of the wrong shape.
        """
        try:
            return cls(
                method=data["method"],
                target=data["target"],
                arn=data["arn"],
                cutoff=datetime.fromisoformat(data["cutoff"]),
                changes=tuple(Change.from_json(change) for change in data["changes"]),
                document=data["document"],
                previous=data["previous"],
                policy_name=data["policy_name"],
                longest=timedelta(seconds=data["longest"]),
                unique_id=str(data.get("unique_id", "")),
            )
        except (KeyError, TypeError, ValueError):
            raise InputError("a plan of the journal lacks a member or holds one of the wrong shape") from None

    def lines(self) -> tuple[str, ...]:
        """Say each change in a line, for people."""
        return tuple(f"{_verb(change)} {change.setting}" for change in self.changes) or (
            "nothing: it is in force already",
        )


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation that is in force; `role` is the name of its role, or of the user."""

    plan: Plan
    _clients: Clients = field(repr=False, compare=False)

    @property
    def role(self) -> str:
        """The name of the role, or of the user."""
        return self.plan.target

    @property
    def method(self) -> str:
        """How the sessions were ended."""
        return self.plan.method

    @property
    def cutoff(self) -> datetime:
        """Sessions issued before it are denied."""
        return self.plan.cutoff

    @property
    def document(self) -> dict[str, Any] | None:
        """The policy that denies."""
        return self.plan.document

    @property
    def previous(self) -> dict[str, Any] | None:
        """What stood in the policy's place."""
        return self.plan.previous

    @property
    def policy_name(self) -> str:
        """The policy's name."""
        return self.plan.policy_name

    @property
    def safe_removal(self) -> datetime:
        """The moment from which no revoked session can still be alive, so that the policy may go."""
        return self.cutoff + self.plan.longest

    @property
    def summary(self) -> str:
        """One line: what was done to whom, and where the method goes by it, the cutoff."""
        done = f"{self.role} by {self.method}"
        if "aws:TokenIssueTime" not in json.dumps(self.document):
            return done
        return f"{done}, sessions issued before {isoformat(self.cutoff, milliseconds=True)}"

    def remove(self) -> None:
        """Put everything back as it was; a revoked session that has not expired comes back to life.

        Raises:
            InputError: somebody else has changed it since, or made it anew, or the method cannot be undone.
        """
        self.plan.check_identity(self._clients)
        for change in reversed(self.plan.changes):
            change.undo(self._clients)


def _verb(change: Change) -> str:
    if change.after is None:
        return "remove"
    return "write" if change.before is None else "change"
