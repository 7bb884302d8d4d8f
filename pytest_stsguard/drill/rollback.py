"""Putting back what a drill left behind that could not do so itself: its process was killed.

The stolen sessions of such a drill were never written down, so that it cannot go on; what it changed is in its journal.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pytest_stsguard.drill.access import TAG
from pytest_stsguard.drill.strike import strike
from pytest_stsguard.drill.trouble import told
from pytest_stsguard.errors import InputError, StsGuardError
from pytest_stsguard.revocation import Plan
from pytest_stsguard.revocation.journal import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_stsguard.drill.access import Access
    from pytest_stsguard.revocation import Change, Journal
    from pytest_stsguard.revocation.retries import Retry

__all__ = ["roll_back"]

_ELSEWHERE = {"managed-policy", "scp", "scp-attachment"}


def roll_back(journal: Journal, access: Access, *, listener: Callable[[str], None] | None = None) -> tuple[str, ...]:
    """Undo every change of the journal, the last first; it can be done any number of times.

    Gives what could not be undone, a line each; empty: nothing is left.

    Args:
        journal: that of the drill, opened again.
        access: the way to its account.
        listener: is told each thing that is put back.

    Raises:
        InputError: the journal is no drill's, or of another account.
    """
    header = _header(journal, access.account)

    def again(retry: Retry) -> None:
        with suppress(InputError):  # it announces no change: a journal that cannot be written stops no rollback
            journal.write("retry", **retry.as_json())

    access.retries.listener = again
    left = []
    for label, step in _steps(journal, access, str(header["run"])):
        try:
            if step() and listener is not None:
                listener(label)
        except (StsGuardError, ClientError, BotoCoreError) as error:
            left.append(f"{label}: {told(error)}")
    if not left:
        journal.write("back")
    return tuple(left)


def _header(journal: Journal, account: str) -> dict[str, Any]:
    header = next(journal.entries("drill"), None)
    if header is None:
        raise InputError(f"`{journal.path}` is no journal of a drill", hint="`stsguard revoke` has its own --rollback")
    if header.get("schema") != SCHEMA:
        raise InputError(f"`{journal.path}` was written by another version")
    if header["account"] != account:
        raise InputError(
            f"`{journal.path}` is of account `{header['account']}`, and these credentials are of `{account}`"
        )
    return header


def _steps(journal: Journal, access: Access, run: str) -> Iterator[tuple[str, Callable[[], bool]]]:
    made = [(entry["kind"], entry["name"]) for entry in journal.entries("making")]
    own = {name for _, name in made}
    plans = [Plan.from_json(entry["plan"]) for entry in journal.entries("plan")]
    for plan in reversed(plans):
        if plan.target not in own:
            yield f"{plan.method} of {plan.target}", partial(_undo_of_same, plan, access)
    for kind, name in reversed(made):
        yield f"{kind} {name}", partial(_delete, access, kind, name, run)
    for plan in reversed(plans):
        # What was changed on a role or user of the drill's own has gone with it.
        elsewhere = tuple(change for change in plan.changes if change.setting.kind in _ELSEWHERE)
        if plan.target in own and elsewhere:
            yield f"{plan.method} of {plan.target}", partial(_undo, elsewhere, access)


def _undo_of_same(plan: Plan, access: Access) -> bool:
    plan.check_identity(access.client)
    return _undo(plan.changes, access)


def _undo(changes: Sequence[Change], access: Access) -> bool:
    undone = [change.undo(access.client) for change in reversed(changes)]
    return any(undone)


def _delete(access: Access, kind: str, name: str, run: str) -> bool:
    """Delete what bears the drill's mark; whether it was there."""
    iam = access.client("iam")
    try:
        if kind == "policy":  # its name holds the drill's id
            iam.get_policy(PolicyArn=name)
            tags: Sequence[Any] = [{"Key": TAG, "Value": run}] if name.endswith(run) else []
        else:
            label = kind.capitalize()
            tags = getattr(iam, f"get_{kind}")(**{f"{label}Name": name})[label].get("Tags", [])
    except iam.exceptions.NoSuchEntityException:
        return False
    if {"Key": TAG, "Value": run} not in tags:
        raise InputError(f"`{name}` is not this drill's: it does not bear its tag")
    strike(iam, kind, name)
    return True
