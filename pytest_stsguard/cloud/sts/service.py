"""The operations of STS: each answers with its result, or raises the fault that AWS sends."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.permissions import Permission
from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts.devices import Devices
from pytest_stsguard.cloud.sts.discovery import Issuers
from pytest_stsguard.cloud.sts.messages import Messages
from pytest_stsguard.cloud.sts.outbound import Outbound
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.authorization import Authorizer
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.ledger import Ledger
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.policy import Decision

__all__ = ["Context", "Record", "TokenService"]

Keys = dict[str, str | list[str]]

# operation -> module and function; they are imported when they are first called
_OPERATIONS: Final = {
    "AssumeRole": ("assume_role", "assume_role"),
    "AssumeRoleWithSAML": ("saml", "assume_role_with_saml"),
    "AssumeRoleWithWebIdentity": ("web_identity", "assume_role_with_web_identity"),
    "AssumeRoot": ("assume_root", "assume_root"),
    "DecodeAuthorizationMessage": ("lookups", "decode_authorization_message"),
    "GetAccessKeyInfo": ("lookups", "get_access_key_info"),
    "GetCallerIdentity": ("lookups", "get_caller_identity"),
    "GetFederationToken": ("user_tokens", "get_federation_token"),
    "GetWebIdentityToken": ("outbound_token", "get_web_identity_token"),
    "GetSessionToken": ("user_tokens", "get_session_token"),
}
_UNSIGNED: Final = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
_ISSUING: Final = frozenset(
    {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetFederationToken"}
    | {"GetSessionToken"}
)
_REGIONAL: Final = frozenset({"AssumeRoot", "GetWebIdentityToken"})
_GLOBAL_HOST: Final = "sts.amazonaws.com"


class Record(Protocol):
    """What a call leaves behind for the trail: who made it, and what the engine said on the way."""

    caller: Caller | None
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Context:
    """What one STS call works with."""

    caller: Caller
    call: Call
    surroundings: Mapping[str, str | list[str]]
    record: Record
    tokens: TokenService

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The call's input members by their API names."""
        return self.call.parameters

    @property
    def ledger(self) -> Ledger:
        """The book of issued sessions."""
        return self.tokens.ledger

    @property
    def state(self) -> State:
        """The account as it stands."""
        return self.tokens.state

    @property
    def clock(self) -> Clock:
        """The time by which sessions live."""
        return self.tokens.clock

    def require(self, action: str, resource: str, keys: Keys | None = None) -> None:
        """Ask the caller's own policies for a permission; `Fault` when it is missing."""
        permission = Permission(action, resource, keys or {}, self.caller.account)
        decision = self.tokens.authorizer.decide(self.caller, permission, self.surroundings)
        self.record.decisions.append(decision)
        if not decision.allowed:
            reason = f" {decision.reason()}"
            raise refuse("role-denied", caller=self.caller.arn, action=action, resource=resource, reason=reason)


class TokenService:
    """STS on the cloud's own ledger.

    `regions` are the opt-in regions that are enabled; the others refuse to issue.
    """

    def __init__(self, *, ledger: Ledger, state: State, authorizer: Authorizer, clock: Clock) -> None:
        self.ledger = ledger
        self.state = state
        self.authorizer = authorizer
        self.clock = clock
        self.devices = Devices(state, clock)
        self.messages = Messages()
        self.issuers = Issuers()
        self.outbound = Outbound(clock, self.issuers)
        self.regions: set[str] = set()
        self._redeemed: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()

    def redeem(self, provider: str, identifier: str, issued_at: datetime) -> None:
        """Use up an assertion; `Fault` for one that was redeemed before."""
        with self._lock:
            oldest = self.clock.now() - timedelta(seconds=2 * limits.SAML_REDEEM_SECONDS)
            self._redeemed = {key: moment for key, moment in self._redeemed.items() if moment > oldest}
            if (provider, identifier) in self._redeemed:
                raise refuse("saml-replay")
            self._redeemed[provider, identifier] = issued_at

    def perform(
        self, caller: Caller, call: Call, surroundings: Mapping[str, str | list[str]], *, record: Record, host: str = ""
    ) -> dict[str, Any]:
        """Carry out one operation for `caller`; an operation that is not simulated is refused by name.

        `host` is the endpoint that the client addressed; `record` takes the decisions, and the caller once it is known.
        """
        found = _OPERATIONS.get(call.operation)
        if found is None:
            raise Fault(Refusal.NOT_SIMULATED, f"stsguard does not simulate `sts:{call.operation}` yet")
        if caller.is_anonymous and call.operation not in _UNSIGNED:
            raise Fault(Refusal.UNSIGNED)
        if call.operation in _REGIONAL and host.lower().partition(":")[0] == _GLOBAL_HOST:
            raise refuse("global-endpoint", operation=call.operation)
        if call.operation in _ISSUING and call.region in limits.OPT_IN_REGIONS - self.regions:
            account = caller.account or str(call.parameters.get("RoleArn", "")).split(":")[4:5]
            raise refuse("region", account=account if isinstance(account, str) else "".join(account))
        module, function = found
        operation: Callable[[Context], dict[str, Any]] = getattr(import_module(f"{__package__}.{module}"), function)
        return operation(Context(caller, call, surroundings, record, self))
