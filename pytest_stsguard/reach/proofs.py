"""The proofs of an account: one for each role, made once and read by every control that asks."""

from __future__ import annotations

import gc
import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cached_property
from itertools import chain
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_stsguard.account import Document
from pytest_stsguard.trust import Proof, Prover, Zones

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pytest_stsguard.account import Account, Role
    from pytest_stsguard.policy import Policy

__all__ = ["Proofs", "zones_of"]

MANY: Final = 2_000
"""Policies from which on further processes are worth their start, unless the user says how many to use."""

_CHUNK: Final = 250
_Key = tuple[str, str | None, tuple[tuple[str, str], ...] | None]
"""What a proof depends on beside the zones: the policy's text, what the source could not give of it, the role's tags."""


def zones_of(account: Account, table: Mapping[str, Any]) -> Zones:
    """Read the ``[zones]`` table for an account: its own id and partition are facts, its organisation too if it is known.

    Raises:
        ConfigurationError: the table cannot be used.
    """
    known: dict[str, Any] = {} if account.organization is None else {"org_id": account.organization.id}
    return Zones.parse({**known, **table, "account": account.id, "partition": account.partition})


class Proofs:
    """The proofs of the roles that were asked for.

    Args:
        account: the whole account.
        zones: who is declared.
        now: the moment that is proved for.
        roles: the roles to look at; default all.
        jobs: processes; None: one, or all cores where there are many policies.
    """

    def __init__(
        self,
        account: Account,
        zones: Zones,
        *,
        now: datetime,
        roles: Sequence[Role] | None = None,
        jobs: int | None = None,
    ) -> None:
        self.account = account
        self.zones = zones
        self.now = now
        self.all_roles = tuple(account.roles if roles is None else roles)
        self.jobs = jobs
        self._provers: dict[Zones, Prover] = {}
        self._others: dict[tuple[Zones, _Key], Proof] = {}
        self._keys: dict[int, _Key] = {}
        self.faults: dict[str, str] = {}

    @cached_property
    def roles(self) -> tuple[Role, ...]:
        """The roles whose trust the account decides about: all but the service-linked ones."""
        return tuple(role for role in self.all_roles if not role.service_linked)

    def of(self, role: Role) -> Proof:
        """Give the proof of one role.

        A prover that fails is no reason to lose the other roles: such a role is undecided, and `faults` says why.
        """
        key = self._key(role)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = _prove(self.prover(self._zones_for(role)), role.trust.policy)
        if isinstance(found, str):
            self.faults[role.arn] = found
            return Proof("undecided", reasons=(found,))
        return found

    def under(self, zones: Zones, role: Role) -> Proof:
        """Give the proof of one role under other zones than the account's, for what a control asks besides."""
        key = zones, self._key(role)
        found = self._others.get(key)
        if found is None:
            tagged = replace(zones, role_tags=key[1][2])
            found = self._others[key] = self.prover(tagged).prove(role.trust.policy)
        return found

    def prover(self, zones: Zones) -> Prover:
        """Give the prover for some zones: the account's own, or what a control asks besides."""
        found = self._provers.get(zones)
        if found is None:
            found = self._provers[zones] = Prover(zones, now=self.now)
        return found

    def _zones_for(self, role: Role) -> Zones:
        tags = self._key(role)[2]
        return self.zones if tags is None else replace(self.zones, role_tags=tags)

    def _key(self, role: Role) -> _Key:
        """Tell what a role's proof depends on: the text, and the tags where the text asks for them."""
        key = self._keys.get(id(role))
        if key is None:
            raw = (
                role.trust.raw
            )  # written in an escape, the key's name is not seen: then no tags are supplied: undecided
            tags = tuple(sorted(role.tags.items())) if "resourcetag" in raw.lower() else None
            key = self._keys[id(role)] = raw, role.trust.fault, tags
        return key

    @cached_property
    def _made(self) -> dict[_Key, Proof | str]:
        """Proofs by policy text; made at once, by several processes, where that is asked for or worth it."""
        wanted = {self._key(role): (_bare(role.trust), self._zones_for(role)) for role in self.roles}
        jobs = self.jobs if self.jobs is not None else ((os.cpu_count() or 1) if len(wanted) >= MANY else 1)
        if jobs <= 1 or len(wanted) <= 1:
            return {}
        work, size = _Work(list(wanted.values()), self.now), min(_CHUNK, -(-len(wanted) // jobs))
        chunks = [(start, start + size) for start in range(0, len(wanted), size)]
        pool = ProcessPoolExecutor(
            min(jobs, len(chunks)), mp_context=get_context(_start_method()), initializer=_take_up, initargs=(work,)
        )
        with pool:
            proofs = [task.result() for task in [pool.submit(_prove_chunk, *chunk) for chunk in chunks]]
        return dict(zip(wanted, chain.from_iterable(proofs), strict=True))


def _bare(document: Document) -> Document:
    """Give a document for another process: what it says, without the place and without what has been parsed of it."""
    return Document(document.name, document.kind, document.raw, fault=document.fault)


def _start_method() -> str:
    """Fork where that is safe, which saves every process its imports: on Linux, from a process of one thread."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


def _prove(prover: Prover, policy: Policy) -> Proof | str:
    try:
        return prover.prove(policy)
    except Exception as error:  # noqa: BLE001 - a fault of ours on one role is told for that role, never hides the others
        return f"the prover failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


class _Work(NamedTuple):
    """What the processes have to do; one that was forked has it without a copy, one that was spawned is handed it once."""

    entries: Sequence[tuple[Document, Zones]]
    now: datetime


class _Process:
    """The work and the provers of a process that proves for another; empty in every other process."""

    work: _Work | None = None
    provers: dict[Zones, Prover]


def _take_up(work: _Work) -> None:
    """Begin the work in a process of its own."""
    gc.freeze()  # what was inherited is never looked at again, so that its pages stay shared
    _Process.work, _Process.provers = work, {}


def _prove_chunk(start: int, end: int) -> list[Proof | str]:
    """Prove some policies in another process."""
    work, proofs = _Process.work, []
    if work is None:
        raise RuntimeError("this process has no work")
    for document, zones in work.entries[start:end]:
        prover = _Process.provers.get(zones)
        if prover is None:
            prover = _Process.provers[zones] = Prover(zones, now=work.now)
        proofs.append(_prove(prover, document.policy))
    return proofs
