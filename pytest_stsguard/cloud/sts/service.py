"""The operations of STS: each answers with its result, or raises the fault that AWS sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.authorization import Authorizer
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.ledger import Ledger
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.policy import Decision

__all__ = ["Context", "TokenService"]


@dataclass(frozen=True, slots=True)
class Context:
    """What one STS call works with; `decisions` collects what the engine said on the way."""

    caller: Caller
    call: Call
    surroundings: Mapping[str, str | list[str]]
    ledger: Ledger
    state: State
    authorizer: Authorizer
    clock: Clock
    decisions: list[Decision] = field(default_factory=list)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The call's input members by their API names."""
        return self.call.parameters


class TokenService:
    """STS on the cloud's own ledger."""

    def __init__(self, *, ledger: Ledger, state: State, authorizer: Authorizer, clock: Clock) -> None:
        self._ledger = ledger
        self._state = state
        self._authorizer = authorizer
        self._clock = clock

    def perform(
        self, caller: Caller, call: Call, surroundings: Mapping[str, str | list[str]], decisions: list[Decision]
    ) -> dict[str, Any]:
        """Carry out one operation; an operation that is not simulated is refused by name."""
        operation = _operations().get(call.operation)
        if operation is None:
            raise Fault(Refusal.NOT_SIMULATED, f"stsguard does not simulate `sts:{call.operation}` yet")
        if caller.is_anonymous:
            raise Fault(Refusal.UNSIGNED)
        context = Context(
            caller, call, surroundings, self._ledger, self._state, self._authorizer, self._clock, decisions
        )
        return operation(context)


def _operations() -> Mapping[str, Callable[[Context], dict[str, Any]]]:
    from pytest_stsguard.cloud.sts.assume_role import assume_role  # noqa: PLC0415 - they need Context from here
    from pytest_stsguard.cloud.sts.caller_identity import get_caller_identity  # noqa: PLC0415

    return {"AssumeRole": assume_role, "GetCallerIdentity": get_caller_identity}
