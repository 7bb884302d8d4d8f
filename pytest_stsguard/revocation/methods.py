"""The ways to end sessions, by the name that `sts_revoke` takes, and those that do not end them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.revocation import bad_ideas, blanket, older_sessions
from pytest_stsguard.revocation.plan import Plan, Revocation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.revocation.clients import Clients

__all__ = ["METHODS", "Method", "plan", "revoke"]


class Planner(Protocol):
    """Reads what is there and says what is to be changed."""

    def __call__(self, clients: Clients, target: str, *, now: datetime, **scope: Any) -> Plan:
        """Plan the method for a role or user by its name."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way.

    Attributes:
        target: whom it is applied to: ``"role"`` or ``"user"``.
        effect: what it does, in one line.
        contains: whether it is meant to end a stolen session; the others are here for a drill to show.
        reversible: whether it can be taken back exactly.
        timed: whether it goes by the moment of issue, and spares what is issued later.
    """

    name: str
    target: str
    effect: str
    planner: Any
    contains: bool = True
    reversible: bool = True
    timed: bool = False

    @property
    def takes(self) -> tuple[str, ...]:
        """The parameters of its own."""
        return tuple(sorted(set(inspect.signature(self.planner).parameters) - {"clients", "target", "now"}))


_ALL = (
    Method("older-sessions", "role", "denies the sessions issued before the cutoff", older_sessions.older_sessions, timed=True),
    Method("one-session", "role", "denies the sessions of one session name", older_sessions.one_session, timed=True),
    Method("source-identity", "role", "denies the sessions with a source identity", older_sessions.source_identity, timed=True),
    Method("principal-tag", "role", "denies the sessions with a principal tag", older_sessions.principal_tag, timed=True),
    Method("user-sessions", "user", "denies a user's sessions, not its keys", older_sessions.user_sessions, timed=True),
    Method("deny-all", "role", "denies every session, fresh ones too", blanket.deny_all),
    Method("boundary", "role", "denies every session by a permissions boundary", blanket.boundary),
    Method("scp", "role", "denies from above, out of the thief's reach", blanket.scp),
    Method("deactivate-key", "user", "stops a user's keys; their sessions live on", blanket.deactivate_key),
    Method("trust-edit", "role", "admits nobody anew; sessions live on", bad_ideas.trust_edit, contains=False),
    Method("remove-permissions", "role", "stops every workload; resource policies still grant", bad_ideas.remove_permissions, contains=False),
    Method("delete-role", "role", "stops every workload for good", bad_ideas.delete_role, contains=False, reversible=False),
    Method("replace-profile", "role", "changes the instance, not the session", bad_ideas.replace_profile, contains=False),
    Method("restart-instance", "role", "gives the instance new credentials; the thief keeps the old", bad_ideas.restart_instance, contains=False, reversible=False),
)  # fmt: skip

METHODS: dict[str, Method] = {method.name: method for method in _ALL}
"""Every method by its name."""


def plan(clients: Clients, target: str, *, method: str = "older-sessions", now: datetime, **scope: Any) -> Plan:
    """Read what is there and say what `method` would change; nothing is written.

    Args:
        clients: makes a boto3 client of a service by its name.
        target: the name or ARN of a role or user.
        method: a name of `METHODS`.
        now: the present moment (aware), from which a cutoff is counted that is not given.
        scope: the method's own parameters.

    Raises:
        ConfigurationError: an unknown method, or a parameter that the method does not take.
        InputError: no such target, or one that the method cannot be applied to.
    """
    found = METHODS.get(method)
    if found is None:
        raise ConfigurationError(f"unknown revocation method `{method}`", hint=f"there are: {', '.join(METHODS)}")
    if unknown := sorted(set(scope) - set(found.takes)):
        raise ConfigurationError(
            f"method `{method}` takes no `{unknown[0]}`", hint=f"it takes: {', '.join(found.takes) or 'nothing'}"
        )
    planned: Plan = found.planner(clients, target.rpartition("/")[2], now=now, **scope)
    return planned


def revoke(
    iam: Any,
    role: str,
    *,
    method: str = "older-sessions",
    clock: Clock,
    wait: bool = True,
    clients: Clients | None = None,
    planned: Callable[[Plan], None] | None = None,
    accepted: Callable[[Revocation], None] | None = None,
    **scope: Any,
) -> Revocation:
    """End sessions of `role`, a role or user, by `method`; `scope` are the method's own parameters.

    With `wait` a method that goes by the moment of issue returns when a session made from then on is later than the
    cutoff, unless the cutoff was given: issue times have whole seconds.

    Args:
        iam: a boto3 IAM client, of the simulated cloud or of AWS.
        role: its name or ARN.
        method: a name of `METHODS`.
        clock: what `iam` lives by.
        wait: whether to wait until fresh sessions are spared.
        clients: makes the clients of other services, which some methods need.
        planned: is told the plan before anything is written.
        accepted: is told when all is written, before anything is waited for.
        scope: the method's own parameters.

    Raises:
        ConfigurationError: an unknown method, or a parameter that the method does not take.
        InputError: no such role, one that the method cannot be applied to, or another policy under the same name.
    """
    reached = clients or _only(iam)
    intended = plan(reached, role, method=method, now=clock.now(), **scope)
    if planned is not None:
        planned(intended)
    for change in intended.changes:
        change.make(reached, fresh=True)
    revocation = Revocation(intended, reached)
    if accepted is not None:
        accepted(revocation)
    if wait and METHODS[method].timed and scope.get("cutoff") is None:
        clock.wait_until(_next_whole_second(intended.cutoff))
    return revocation


def _only(iam: Any) -> Clients:
    def client(service: str) -> Any:
        if service != "iam":
            raise ConfigurationError(f"this method needs a client of `{service}`", hint="give `clients`")
        return iam

    return client


def _next_whole_second(moment: datetime) -> datetime:
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)
