"""Reading and verifying the identity token of an OIDC provider.

See "Create an OpenID Connect (OIDC) identity provider in IAM" and "Available keys for AWS OIDC federation" in the IAM User
Guide.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_stsguard.cloud.sts.discovery import Issuers

__all__ = ["IdentityToken"]

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")

# Claims of a provider that are condition keys of the trust policy, beside aud, sub and amr; none goes on with the session.
_CLAIMS: Final = {
    "token.actions.githubusercontent.com": (
        *("actor", "actor_id", "job_workflow_ref", "repository", "repository_id", "workflow", "ref", "environment"),
        "enterprise_id",
    ),
    "oidc.circleci.com/org/": ("oidc.circleci.com/project-id",),
}


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A token that was taken apart; only `verify` makes its claims true."""

    header: dict[str, Any]
    claims: dict[str, Any]
    text: str

    @classmethod
    def read(cls, text: str) -> IdentityToken:
        """Take a token apart; `Fault` for what is no signed JWT, or lacks a claim that STS needs."""
        parts = text.split(".")
        if len(parts) != len(("header", "payload", "signature")):
            raise refuse("jwt-shape")
        header, claims = _object(parts[0]), _object(parts[1])
        if header is None or claims is None:
            raise refuse("jwt-shape")
        for claim in _REQUIRED:
            if claim not in claims:
                raise refuse("jwt-claim", claim=claim)
        texts = isinstance(claims["iss"], str) and isinstance(claims["sub"], str)
        if not texts or not (_moment(claims["exp"]) and _moment(claims["iat"]) and _moment(claims.get("nbf", 0))):
            raise refuse("jwt-shape")
        return cls(header, claims, text)

    @property
    def issuer(self) -> str:
        """The issuer as the token names it: a URL."""
        return str(self.claims["iss"])

    @property
    def provider(self) -> str:
        """The issuer as condition keys and ARNs name it: without ``https://``."""
        return self.issuer.removeprefix("https://").rstrip("/")

    @property
    def subject(self) -> str:
        """The claim sub."""
        return str(self.claims["sub"])

    def audience(self) -> str | None:
        """For whom the token is: azp where it is set, else the one audience; None when that does not tell."""
        azp, aud = self.claims.get("azp"), self.claims["aud"]
        if isinstance(azp, str) and azp:
            return azp
        if isinstance(aud, list) and len(aud) == 1:
            aud = aud[0]
        return aud if isinstance(aud, str) else None

    def verify(self, issuers: Issuers, now: datetime) -> None:
        """Check signature and time with the keys that the provider publishes now."""
        from joserfc import jws  # noqa: PLC0415 - only web identity pays for it
        from joserfc.errors import JoseError  # noqa: PLC0415

        if self.header.get("alg") not in _ALGORITHMS:
            raise refuse("jwt-signature")
        for key in _candidates(issuers.keys(self.issuer), self.header):
            try:
                jws.deserialize_compact(self.text, key, algorithms=list(_ALGORITHMS))
            except (JoseError, ValueError):
                continue
            break
        else:
            raise refuse("jwt-signature")
        seconds = now.timestamp()
        if seconds >= float(self.claims["exp"]):
            raise refuse("jwt-expired", now=int(seconds), expires=int(self.claims["exp"]))
        if seconds < float(self.claims.get("nbf", 0)) or seconds < float(self.claims["iat"]):
            raise refuse("jwt-early")

    def session_context(self) -> dict[str, str | list[str]]:
        """The condition keys that go on with the session."""
        keys: dict[str, str | list[str]] = {f"{self.provider}:sub": self.subject}
        audience, aud, amr = self.audience(), self.claims["aud"], self.claims.get("amr")
        if audience is not None:
            keys[f"{self.provider}:aud"] = audience
        if isinstance(self.claims.get("azp"), str) and isinstance(aud, str):
            keys[f"{self.provider}:oaud"] = aud
        if isinstance(amr, list) and all(isinstance(one, str) for one in amr):
            keys[f"{self.provider}:amr"] = amr
        return keys

    def trust_context(self) -> dict[str, str | list[str]]:
        """The condition keys that the trust policy sees."""
        keys = self.session_context()
        known = next((claims for issuer, claims in _CLAIMS.items() if self.provider.startswith(issuer)), ())
        for claim in known:
            value = self.claims.get(claim)
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                keys[f"{self.provider}:{claim}"] = str(value)
        return keys


def _object(part: str) -> dict[str, Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _moment(value: object) -> bool:
    """Tell whether a claim is a moment: seconds since 1970 that a clock can reach."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 10**11


def _candidates(published: list[dict[str, Any]], header: dict[str, Any]) -> list[Any]:
    """Choose the keys that may have signed: asymmetric ones, of the key id that the token names."""
    from joserfc.errors import JoseError  # noqa: PLC0415 - as above
    from joserfc.jwk import import_key  # noqa: PLC0415

    found = []
    for entry in published:
        fits = entry.get("kty") in {"RSA", "EC"} and entry.get("use", "sig") == "sig"
        if not fits or ("kid" in header and entry.get("kid") != header["kid"]):
            continue
        try:
            found.append(import_key(entry))
        except (JoseError, ValueError, TypeError):
            continue
    if not found:
        raise refuse("jwt-keys")
    return found
