"""Every temporary credential that the simulated cloud has issued, by access key id."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from pytest_stsguard.clock import Clock

__all__ = ["Issuer", "Ledger", "RootKey", "Session", "account_of_key", "new_key_id", "new_unique_id"]

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
    implies; `session_policies` is None when it has none. `kind` is one of `sts.limits.SESSION_BY_KIND`; `chained`: a role
    that was assumed with a role's session; `transitive` are the keys of the tags that a chained session inherits;
    `mfa_at` is the moment of a multi-factor authentication that the session vouches for; `console`: it belongs to a
    console session.
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
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()
    mfa_at: datetime | None = None
    chained: bool = False
    console: bool = False

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

    def issue(
        self,
        *,
        arn: str,
        user_id: str,
        issuer: Issuer,
        duration: timedelta,
        issued_at: datetime | None = None,
        token_size: int = 0,
        **facts: object,
    ) -> Session:
        """Make new credentials and enter them; further `facts` are fields of `Session`.

        The session ends `duration` from now. `issued_at` is now, unless the new credentials go on with an older session.
        The token has `token_size` bytes at least.
        """
        now = self._clock.now().replace(microsecond=0)
        session = Session(
            access_key_id=new_key_id("ASIA", issuer.account),
            secret_access_key=_secret(),
            token=_token(token_size),
            arn=arn,
            user_id=user_id,
            issuer=issuer,
            issued_at=issued_at or now,
            expires_at=now + duration,
            **facts,  # type: ignore[arg-type] # each caller names fields of Session; its constructor refuses others
        )
        with self._lock:
            self._sessions[session.access_key_id] = session
        return session

    def issue_root(self, account: str) -> RootKey:
        """Make a long-term key of the account's root user."""
        key = RootKey(new_key_id("AKIA", account), _secret(), account)
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

    def pages(self) -> tuple[list[Session], list[RootKey]]:
        """Give everything that is written here."""
        with self._lock:
            return list(self._sessions.values()), list(self._roots.values())

    @staticmethod
    def check(pages: Any) -> None:
        """Refuse what are no pages of a ledger, as a file may hold; TypeError or ValueError."""
        sessions, roots = pages
        if not all(isinstance(each, Session) for each in sessions) or not all(
            isinstance(each, RootKey) for each in roots
        ):
            raise TypeError("these are no sessions")

    def turn_to(self, pages: tuple[list[Session], list[RootKey]]) -> None:
        """Begin again with other pages."""
        sessions, roots = pages
        with self._lock:
            self._sessions = {each.access_key_id: each for each in sessions}
            self._roots = {each.access_key_id: each for each in roots}

    def key_ids(self) -> frozenset[str]:
        """Every access key id that was issued here."""
        with self._lock:
            return frozenset(self._sessions) | frozenset(self._roots)


def new_key_id(prefix: str, account: str) -> str:
    """Make a 20-character access key id that holds its account, as AWS's do."""
    head = (1 << 47) | (int(account) << 7) | secrets.randbits(7)
    return prefix + base64.b32encode(head.to_bytes(6, "big") + secrets.token_bytes(4)).decode()


def account_of_key(access_key_id: str) -> str | None:
    """Read the account out of an access key id; None for an id that holds none."""
    try:
        raw = base64.b32decode(access_key_id[4:20])
    except binascii.Error:
        return None
    account = (int.from_bytes(raw[:6], "big") & 0x7FFFFFFFFF80) >> 7
    return f"{account:012d}" if len(raw) == 10 and account < 10**12 else None  # noqa: PLR2004 - an id's bytes, an account id


def new_unique_id(prefix: str) -> str:
    """Make a 21-character unique id of a user (AIDA) or a role (AROA), as AWS's are."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(17))


def _secret() -> str:
    """Make a secret access key: 40 characters of plain Base64, by which scanners for leaked keys know one."""
    return base64.b64encode(secrets.token_bytes(30)).decode()


def _token(size: int) -> str:
    head = "IQoJb3JpZ2luX2Vj"
    raw = max(240, -(-(size - len(head)) * 3 // 4))
    return head + base64.b64encode(secrets.token_bytes(raw)).decode()
