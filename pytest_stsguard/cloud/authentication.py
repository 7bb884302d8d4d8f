"""Who signed a request: the key is looked up, its signature, its token and its hour are checked."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.chunks import unwrapped
from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.identity import ANONYMOUS, Caller
from pytest_stsguard.cloud.sts.tags import merged
from pytest_stsguard.cloud.verification import verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.ledger import Issuer, Ledger, RootKey, Session
    from pytest_stsguard.cloud.request import Request
    from pytest_stsguard.cloud.signature import Claim
    from pytest_stsguard.cloud.state import LongTermKey, State

__all__ = ["Authenticator"]


class Authenticator:
    """Turns a signature's claim into a `Caller`, or refuses it as AWS does."""

    def __init__(self, ledger: Ledger, state: State, clock: Clock) -> None:
        self._ledger = ledger
        self._state = state
        self._clock = clock

    def authenticate(self, request: Request, claim: Claim | None) -> Caller:
        """Give the caller; `Fault` for an unknown key, a wrong secret, a wrong or missing token, an expired session."""
        if claim is None:
            return ANONYMOUS
        session = self._ledger.session(claim.access_key_id)
        if session is not None:
            return self._session_caller(request, claim, session)
        root = self._ledger.root(claim.access_key_id)
        if root is not None:
            self._long_term(request, claim, root.secret_access_key)
            return _root_caller(root)
        key = self._state.long_term_key(claim.access_key_id)
        if key is None or not key.active:
            raise Fault(Refusal.UNKNOWN_KEY)
        self._long_term(request, claim, key.secret_access_key)
        return self._user_caller(key)

    def unwrap(self, request: Request, claim: Claim | None) -> Request:
        """Give the request with its body as S3 is to see it: chunks joined, their signatures and all digests verified.

        Raises:
            Fault: a chunk's signature or a digest is wrong, or the body is cut short.
        """
        secret = None
        if claim is not None:
            id_ = claim.access_key_id
            holder = self._ledger.session(id_) or self._ledger.root(id_) or self._state.long_term_key(id_)
            secret = holder.secret_access_key if holder else None
        return unwrapped(request, claim, secret)

    def _long_term(self, request: Request, claim: Claim, secret: str) -> None:
        if claim.token is not None:
            raise Fault(Refusal.BAD_TOKEN)
        verify(request, claim, secret)

    def _session_caller(self, request: Request, claim: Claim, session: Session) -> Caller:
        if claim.token is None:
            raise Fault(Refusal.UNKNOWN_KEY)
        if not hmac.compare_digest(claim.token.encode(), session.token.encode()):
            raise Fault(Refusal.BAD_TOKEN)
        verify(request, claim, session.secret_access_key)
        if self._clock.now() >= session.expires_at:
            raise Fault(Refusal.EXPIRED)
        return self.caller_of(session)

    def caller_of(self, session: Session) -> Caller:
        """Give the caller behind a session, with the condition keys that it implies now."""
        issuer = session.issuer
        context: dict[str, str | list[str]] = {
            "aws:userid": session.user_id,
            "aws:TokenIssueTime": isoformat(session.issued_at),
            "aws:MultiFactorAuthPresent": "false" if session.mfa_at is None else "true",
        }
        if issuer.kind == "role":
            context["aws:PrincipalArn"] = issuer.arn
        if session.mfa_at is not None:
            context["aws:MultiFactorAuthAge"] = str(int((self._clock.now() - session.mfa_at).total_seconds()))
        if session.source_identity is not None:
            context["aws:SourceIdentity"] = session.source_identity
        tags = merged(self._own_tags(issuer), session.tags)
        context |= {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}
        return Caller(
            kind=_KINDS.get(session.kind, "assumed-role") if issuer.kind != "root" else _of_root(session),
            arn=session.arn,
            user_id=session.user_id,
            account=session.account,
            unique_id=issuer.unique_id,
            name=issuer.name,
            access_key_id=session.access_key_id,
            session=session,
            context={**context, **session.context},
        )

    def _own_tags(self, issuer: Issuer) -> Mapping[str, str]:
        """The tags of the role or user behind a session, as they are now; none when it is gone."""
        if issuer.kind == "role":
            role = self._state.role(issuer.account, unique_id=issuer.unique_id)
            return role.tags if role else {}
        user = self._state.user(issuer.account, issuer.name) if issuer.kind == "user" else None
        return user.tags if user and user.unique_id == issuer.unique_id else {}

    def _user_caller(self, key: LongTermKey) -> Caller:
        user = self._state.user(key.account, key.user_name)
        if user is None:
            raise Fault(Refusal.UNKNOWN_KEY)
        context: dict[str, str | list[str]] = {"aws:userid": user.unique_id}
        context |= {f"aws:PrincipalTag/{name}": value for name, value in user.tags.items()}
        return Caller(
            "user", user.arn, user.unique_id, key.account, user.unique_id, user.name, key.access_key_id, context=context
        )


_KINDS = {"session-token": "user", "federated-user": "federated-user"}


def _of_root(session: Session) -> str:
    return "federated-user" if session.kind == "federated-user" else "root"


def _root_caller(key: RootKey) -> Caller:
    arn = f"arn:aws:iam::{key.account}:root"
    return Caller("root", arn, key.account, key.account, key.account, "root", key.access_key_id)
