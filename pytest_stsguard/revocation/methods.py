"""The ways to end sessions, by the name that `sts_revoke` takes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.revocation.older_sessions import Revocation, revoke_older_sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.clock import Clock

__all__ = ["METHODS", "revoke"]

METHODS: dict[str, Callable[..., Revocation]] = {"older-sessions": revoke_older_sessions}


def revoke(iam: Any, role: str, *, method: str = "older-sessions", clock: Clock, **scope: Any) -> Revocation:
    """End sessions of `role` by `method`; `scope` are the method's own parameters.

    Raises:
        ConfigurationError: an unknown method, or a parameter that the method does not take.
    """
    carry_out = METHODS.get(method)
    if carry_out is None:
        raise ConfigurationError(f"unknown revocation method `{method}`", hint=f"there are: {', '.join(METHODS)}")
    taken = set(inspect.signature(carry_out).parameters) - {"iam", "role", "clock"}
    if unknown := sorted(set(scope) - taken):
        raise ConfigurationError(
            f"method `{method}` takes no `{unknown[0]}`", hint=f"it takes: {', '.join(sorted(taken))}"
        )
    return carry_out(iam, role.rpartition("/")[2], clock=clock, **scope)
