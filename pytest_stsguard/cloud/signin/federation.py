"""The federation endpoint's rules: which credentials may sign in, for how long, and what the console then holds.

See "Enable custom identity broker access to the AWS console" in the IAM User Guide.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.sts import limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_stsguard.cloud.ledger import Session
    from pytest_stsguard.cloud.sts import TokenService

__all__ = ["Federation", "RefusedError"]

_BY_ROLE: Final = frozenset({"assumed-role", "saml", "web-identity"})
_FIELDS: Final = ("sessionId", "sessionKey", "sessionToken")


class RefusedError(Exception):
    """A request that the endpoint answers with 400."""


@dataclass(frozen=True, slots=True)
class _Ticket:
    session: Session
    duration: timedelta | None
    expires_at: datetime


class Federation:
    """Sign-in tokens and console sessions on the ledger of one cloud; safe to share between threads."""

    def __init__(self, tokens: TokenService) -> None:
        self._tokens = tokens
        self._tickets: dict[str, _Ticket] = {}
        self._consoles: dict[str, Session] = {}
        self._lock = threading.Lock()

    def sign_in_token(self, parameters: Mapping[str, str]) -> tuple[str, Session]:
        """Give a sign-in token for the credentials in the parameter Session; it is valid for fifteen minutes.

        Raises:
            RefusedError: credentials that are unknown, expired or of a kind that cannot sign in, or a SessionDuration
                that is out of range or not allowed with them.
        """
        session = self._session(parameters.get("Session"))
        now = self._tokens.clock.now()
        duration = None
        if "SessionDuration" in parameters:
            duration = timedelta(seconds=_seconds(parameters["SessionDuration"], session))
        token = secrets.token_urlsafe(64)
        ticket = _Ticket(session, duration, now + timedelta(seconds=limits.LOGIN_SECONDS))
        with self._lock:
            self._tickets = {key: kept for key, kept in self._tickets.items() if kept.expires_at > now}
            self._tickets[token] = ticket
        return token, session

    def login(self, token: str | None) -> tuple[str, Session]:
        """Open a console session for a sign-in token; gives the cookie by which the browser is known.

        The console's credentials go on with the session that signed in: its issue time, its policies, its tags [the
        issue time is inferred]. So what revokes the one revokes the other, however late the login is.
        """
        with self._lock:
            ticket = self._tickets.get(token or "")
        if ticket is None or self._tokens.clock.now() >= ticket.expires_at:
            raise RefusedError("The sign-in token is not valid, or has expired")
        source = ticket.session
        left = source.expires_at - self._tokens.clock.now().replace(microsecond=0)
        if left <= timedelta() and ticket.duration is None:
            raise RefusedError("The credentials have expired")
        session = self._tokens.ledger.issue(
            arn=source.arn,
            user_id=source.user_id,
            issuer=source.issuer,
            duration=left if ticket.duration is None else ticket.duration,
            issued_at=source.issued_at,
            kind=source.kind,
            session_policies=source.session_policies,
            source_identity=source.source_identity,
            context=source.context,
            tags=source.tags,
            transitive=source.transitive,
            mfa_at=source.mfa_at,
            chained=source.chained,
            console=True,
        )
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._consoles[cookie] = session
        return cookie, session

    def console(self, cookie: str) -> Session | None:
        """Give the session behind a browser's cookie, None when it is unknown or over."""
        with self._lock:
            session = self._consoles.get(cookie)
        return session if session is not None and self._tokens.clock.now() < session.expires_at else None

    def _session(self, text: str | None) -> Session:
        """Find the session whose three values are given as JSON."""
        given = _credentials(text)
        session = self._tokens.ledger.session(given["sessionId"])
        if session is None or not _same(session, given):
            raise RefusedError("The credentials are not valid")
        if self._tokens.clock.now() >= session.expires_at:
            raise RefusedError("The credentials have expired")
        if session.console or session.kind not in _BY_ROLE | {"federated-user"}:
            raise RefusedError("Only credentials of AssumeRole or GetFederationToken can sign in")
        return session


def _credentials(text: str | None) -> dict[str, str]:
    try:
        found: Any = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise RefusedError("The parameter Session is not JSON") from error
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in _FIELDS):
        raise RefusedError(f"The parameter Session needs {', '.join(_FIELDS)}")
    return found


def _same(session: Session, given: Mapping[str, str]) -> bool:
    secret = hmac.compare_digest(session.secret_access_key.encode(), given["sessionKey"].encode())
    return hmac.compare_digest(session.token.encode(), given["sessionToken"].encode()) and secret


def _seconds(text: str, session: Session) -> int:
    """Read SessionDuration; it is not for federated users, nor for sessions of a chain."""
    least, most = limits.CONSOLE.least, limits.CONSOLE.most
    if session.kind == "federated-user" or session.chained:
        raise RefusedError("SessionDuration is not allowed with these credentials")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise RefusedError(f"SessionDuration must be between {least} and {most} seconds")
    return int(text)
