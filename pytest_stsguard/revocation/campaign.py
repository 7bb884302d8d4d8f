"""One method applied to a set of targets, journalled: begun, gone on with after a crash, or taken back.

The journal's entries: ``set`` (what is wanted of whom), then for each target ``plan`` (every change, with what was there),
``intent`` and ``done`` around each change, ``end``; for a rollback ``undo`` around each change taken back, ``back`` at
last. Each is on disk before what it announces is done, and each change can be made or undone any number of times.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import AwsUnavailableError, InputError, StsGuardError
from pytest_stsguard.revocation.document import rounded
from pytest_stsguard.revocation.journal import SCHEMA, Journal
from pytest_stsguard.revocation.methods import METHODS, plan
from pytest_stsguard.revocation.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.revocation.clients import Clients

__all__ = ["Campaign", "Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target: its plan when it could be made, and the error that stopped it."""

    target: str
    plan: Plan | None = None
    error: StsGuardError | None = None


class Campaign:
    """A journal, the clients and the pace.

    Args:
        journal: newly created for `begin`, opened for `resume` and `roll_back`.
        clients: makes boto3 clients; called from several threads.
        clock: what the account lives by; the pace is kept by it too.
        jobs: how many targets at a time.
        rate: at most this many targets a second; None: no limit.
        lock: gives what is held while a target is worked on, as `locked` does; default: nothing.
    """

    def __init__(
        self,
        journal: Journal,
        clients: Clients,
        *,
        clock: Clock,
        jobs: int = 4,
        rate: float | None = None,
        lock: Callable[[str], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._journal = journal
        self._clients = _Kept(clients)
        self._clock = clock
        self._jobs = jobs
        self._lock = lock
        self._pace = _Pace(clock, rate) if rate else None

    def begin(self, targets: Sequence[str], *, method: str, account: str, **scope: Any) -> tuple[Outcome, ...]:
        """Apply `method` to every target; an error of one does not stop the others.

        A method that goes by the moment of issue uses one cutoff for all: the one in `scope`, else now.
        """
        if METHODS[method].timed and scope.get("cutoff") is None:
            scope["cutoff"] = rounded(self._clock.now())
        names = list(dict.fromkeys(target.rpartition("/")[2] for target in targets))
        kept = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in scope.items()}
        self._journal.write("set", schema=SCHEMA, method=method, account=account, targets=names, scope=kept)
        return self._go()

    def carry_out(self, plans: Sequence[Plan], *, purpose: str, account: str) -> tuple[Outcome, ...]:
        """Carry out plans that were made elsewhere, as a cleanup's; each target once."""
        targets = [one.target for one in plans]
        self._journal.write("set", schema=SCHEMA, method=purpose, account=account, targets=targets, scope={})
        for one in plans:
            self._journal.write("plan", plan=one.as_json())
        return self._go()

    def resume(self, *, account: str) -> tuple[Outcome, ...]:
        """Finish what was begun.

        Raises:
            InputError: the journal is of another account, holds nothing, or a rollback has begun.
        """
        self._header(account)
        if any(self._journal.entries("rollback")):
            raise InputError(f"a rollback of `{self._journal.path}` has begun", hint="finish it with --rollback")
        return self._go()

    def roll_back(self, *, account: str) -> tuple[Outcome, ...]:
        """Put back what was there before, the last change first.

        Raises:
            InputError: the journal is of another account, or holds nothing.
        """
        self._header(account)
        if not any(self._journal.entries("rollback")):
            self._journal.write("rollback")
        over = {entry["target"] for entry in self._journal.entries("back")}
        plans = self._plans()
        return self._each([name for name in plans if name not in over], lambda name: self._undo(plans[name]))

    @property
    def settled(self) -> bool:
        """Whether everything that was wanted is done, or taken back."""
        header = next(self._journal.entries("set"), None)
        if header is None:
            return False
        rolled = any(self._journal.entries("rollback"))
        over = {entry["target"] for entry in self._journal.entries("back" if rolled else "end")}
        return over >= (set(self._plans()) if rolled else set(header["targets"]))

    def _header(self, account: str) -> dict[str, Any]:
        header = next(self._journal.entries("set"), None)
        if header is None:
            raise InputError(
                f"`{self._journal.path}` holds nothing: nothing had begun", hint="remove it and revoke anew"
            )
        if header.get("schema") != SCHEMA:
            raise InputError(f"`{self._journal.path}` was written by another version")
        if header["account"] != account:
            raise InputError(
                f"`{self._journal.path}` is of account `{header['account']}`, and these credentials are of `{account}`"
            )
        return header

    def _plans(self) -> dict[str, Plan]:
        return {entry["plan"]["target"]: Plan.from_json(entry["plan"]) for entry in self._journal.entries("plan")}

    def _go(self) -> tuple[Outcome, ...]:
        header = next(self._journal.entries("set"))
        ended = {entry["target"] for entry in self._journal.entries("end")}
        plans = self._plans()
        finished = tuple(Outcome(name, plans.get(name)) for name in header["targets"] if name in ended)
        rest = [name for name in header["targets"] if name not in ended]
        return (*finished, *self._each(rest, lambda name: self._make(name, plans.get(name), header)))

    def _each(self, names: Sequence[str], act: Callable[[str], Plan]) -> tuple[Outcome, ...]:
        with ThreadPoolExecutor(max_workers=self._jobs) as pool:
            return tuple(pool.map(lambda name: self._one(name, act), names))

    def _one(self, name: str, act: Callable[[str], Plan]) -> Outcome:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - whoever revokes has botocore

        if self._pace:
            self._pace.wait()
        try:
            with self._lock(name):
                return Outcome(name, act(name))
        except StsGuardError as error:
            return Outcome(name, error=error)
        except (ClientError, BotoCoreError) as error:
            return Outcome(name, error=AwsUnavailableError(f"`{name}`: {' '.join(str(error).split()).rstrip('.')}"))

    def _make(self, name: str, planned: Plan | None, header: Mapping[str, Any]) -> Plan:
        fresh = planned is None
        if planned is None:
            scope = dict(header["scope"])
            if scope.get("cutoff"):
                scope["cutoff"] = datetime.fromisoformat(scope["cutoff"])
            planned = plan(self._clients, name, method=header["method"], now=self._clock.now(), **scope)
            self._journal.write("plan", plan=planned.as_json())
        else:
            planned.check_identity(self._clients)
        done = {entry["step"] for entry in self._journal.entries("done") if entry["target"] == name}
        for step, change in enumerate(planned.changes):
            if step not in done:
                self._journal.write("intent", target=name, step=step, change=change.as_json())
                change.make(self._clients, fresh=fresh)
                self._journal.write("done", target=name, step=step)
        self._journal.write("end", target=name)
        return planned

    def _undo(self, planned: Plan) -> Plan:
        name = planned.target
        planned.check_identity(self._clients)
        begun = {entry["step"] for entry in self._journal.entries("intent") if entry["target"] == name}
        for step, change in reversed(list(enumerate(planned.changes))):
            if step in begun:
                self._journal.write("undo", target=name, step=step)
                change.undo(self._clients)
        self._journal.write("back", target=name)
        return planned


class _Kept:
    """Makes each client once: making one costs more than a call. Clients are safe to share between threads."""

    def __init__(self, clients: Clients) -> None:
        self._make = clients
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str) -> Any:
        """Give the client of a service."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]


class _Pace:
    """Lets one pass at a time, at most so many a second; on a simulated clock nobody waits."""

    def __init__(self, clock: Clock, rate: float) -> None:
        self._clock = clock
        self._gap = timedelta(seconds=1 / rate)
        self._next = clock.now()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            turn = max(self._next, self._clock.now())
            self._next = turn + self._gap
        self._clock.wait_until(turn)
