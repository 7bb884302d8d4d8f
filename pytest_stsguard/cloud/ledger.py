"""Every temporary credential that the simulated cloud has issued, by access key id."""

from __future__ import annotations

import base64
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from pytest_stsguard.clock import Clock

__all__ = ["Issuer", "Ledger", "RootKey", "Session"]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose permissions a session has: a role or a user, kept by unique id, since names are used again."""

    kind: str
    arn: str
    unique_id: str
    account: str
    name: str


@dataclass(frozen=True, slots=True)
class Session:
    """One set of temporary credentials.

    `issued_at` has whole seconds, as aws:TokenIssueTime does; `context` holds the condition keys that the session itself
    implies; `session_policies` is None when it has none.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str = field(repr=False)
    arn: str
    user_id: str
    issuer: Issuer
    issued_at: datetime
    expires_at: datetime
    kind: str = "assumed-role"
    session_policies: tuple[str, ...] | None = None
    source_identity: str | None = None
    context: Mapping[str, str | list[str]] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The account that the session acts in."""
        return self.issuer.account


@dataclass(frozen=True, slots=True)
class RootKey:
    """A long-term access key of an account's root user."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    account: str


class Ledger:
    """The book of issued sessions; safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._roots: dict[str, RootKey] = {}
        self._lock = threading.Lock()

    def issue(self, *, arn: str, user_id: str, issuer: Issuer, duration: timedelta, **facts: object) -> Session:
        """Make new credentials and enter them; further `facts` are fields of `Session`."""
        now = self._clock.now().replace(microsecond=0)
        session = Session(
            access_key_id=new_key_id("ASIA"),
            secret_access_key=secrets.token_urlsafe(30),
            token="IQoJb3JpZ2luX2Vj" + base64.b64encode(secrets.token_bytes(240)).decode(),
            arn=arn,
            user_id=user_id,
            issuer=issuer,
            issued_at=now,
            expires_at=now + duration,
            **facts,  # type: ignore[arg-type] # each caller names fields of Session; its constructor refuses others
        )
        with self._lock:
            self._sessions[session.access_key_id] = session
        return session

    def issue_root(self, account: str) -> RootKey:
        """Make a long-term key of the account's root user."""
        key = RootKey(new_key_id("AKIA"), secrets.token_urlsafe(30), account)
        with self._lock:
            self._roots[key.access_key_id] = key
        return key

    def session(self, access_key_id: str) -> Session | None:
        """Find a session by its access key id, expired or not."""
        return self._sessions.get(access_key_id)

    def root(self, access_key_id: str) -> RootKey | None:
        """Find a root user's key."""
        return self._roots.get(access_key_id)

    def sessions(self) -> tuple[Session, ...]:
        """Every session that was issued, in the order of issue."""
        with self._lock:
            return tuple(self._sessions.values())

    def key_ids(self) -> frozenset[str]:
        """Every access key id that was issued here."""
        with self._lock:
            return frozenset(self._sessions) | frozenset(self._roots)


def new_key_id(prefix: str) -> str:
    """Make a 20-character access key id or unique id, as AWS's are."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(16))
