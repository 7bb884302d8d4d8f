"""Outbound identity federation: who signs the tokens that AWS gives a caller for services elsewhere.

See "Federating AWS identities to external services" in the IAM User
Guide.
"""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.providers import OidcProvider
    from pytest_stsguard.cloud.sts.discovery import Issuers

__all__ = ["Outbound"]

_OPERATIONS: Final = frozenset(
    {
        "EnableOutboundWebIdentityFederation",
        "DisableOutboundWebIdentityFederation",
        "GetOutboundWebIdentityFederationInfo",
    }
)


class Outbound:
    """The issuers of the accounts that have the feature; each publishes its keys on loopback until it is closed."""

    def __init__(self, clock: Clock, issuers: Issuers) -> None:
        self._clock = clock
        self._issuers = issuers
        self._known: dict[str, OidcProvider] = {}
        self._enabled: set[str] = set()
        self._lock = threading.Lock()

    def answer(self, call: Call, account: str) -> dict[str, Any] | None:
        """Answer the operations of IAM that switch the feature; None for any other call."""
        if call.service != "iam" or call.operation not in _OPERATIONS:
            return None
        verb = call.operation.partition("Outbound")[0]
        with self._lock:
            enabled = account in self._enabled
            if verb == "Get":
                return {
                    "JwtVendingEnabled": enabled,
                    **({"IssuerIdentifier": self._of(account).issuer} if enabled else {}),
                }
            if verb == "Enable" and enabled:
                raise Fault(None, "The feature is already enabled", code="FeatureEnabled", status=409)
            if verb == "Disable" and not enabled:
                raise Fault(None, "The feature is already disabled", code="FeatureDisabled", status=404)
            (self._enabled.add if verb == "Enable" else self._enabled.discard)(account)
            return {"IssuerIdentifier": self._of(account).issuer} if verb == "Enable" else {}

    def issuer(self, account: str) -> OidcProvider:
        """Give the issuer of an account; `Fault` when the feature is off."""
        with self._lock:
            if account not in self._enabled:
                raise refuse("outbound-disabled")
            return self._of(account)

    def close(self) -> None:
        """Stop every issuer."""
        for provider in self._known.values():
            provider.close()

    def _of(self, account: str) -> OidcProvider:
        if account not in self._known:
            from pytest_stsguard.cloud.providers import OidcProvider  # noqa: PLC0415 - few clouds have one

            name = f"https://{uuid.uuid4()}.tokens.sts.global.api.aws"
            self._known[account] = OidcProvider(self._clock, self._issuers, issuer=name, algorithm="ES384")
        return self._known[account]
