"""Which blast radii a report shows: those of the roles that strangers may take, the widest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pytest_stsguard.account import Account
    from pytest_stsguard.findings import Finding
    from pytest_stsguard.reach.blast import Blast, Edge

    class Demonstrated(Protocol):
        """Whether a step was taken in the simulated cloud, and why not."""

        @property
        def done(self) -> bool: ...

        @property
        def reason(self) -> str: ...


__all__ = ["radii"]

MOST: Final = 5
_ENTRANCES: Final = frozenset(f"STSG-{number}" for number in range(101, 109))
_TRIED: Final = 40
_MOST_WALKED: Final = 1_000
_MOST_TRIED: Final = 20_000
"""Roles of an account, times the roles whose radius is worked out: of a large account fewer are tried."""


def radii(
    findings: Sequence[Finding],
    accounts: Sequence[Account],
    *,
    now: datetime,
    org_id: str | None = None,
    walk: Callable[[Blast], Mapping[Edge, Demonstrated]] | None = None,
) -> list[dict[str, Any]]:
    """Work out what a thief can make of the roles that an outsider may assume, as ``stsguard blast`` prints it.

    Args:
        findings: those of the run; active ones of the controls 101 to 108 say where a stranger gets in.
        accounts: what was examined.
        now: the moment of the theft.
        org_id: the organisation, when no account tells.
        walk: takes the steps in the simulated cloud; None: nobody does, nor in accounts of more than a thousand roles.
    """
    from pytest_stsguard.reach.blast import Ground, blast_radius  # noqa: PLC0415 - only a run with such findings pays

    size = sum(len(account.roles) for account in accounts)
    open_roles = dict.fromkeys(
        finding.resource
        for finding in sorted(findings, key=lambda finding: finding.sort_key())
        if finding.active and finding.control in _ENTRANCES and ":role/" in finding.resource
    )
    known = next((account.organization.id for account in accounts if account.organization), None)
    ground = Ground(accounts, now=now, org_id=known or org_id) if open_roles else None
    found = []
    for arn in list(open_roles)[: max(min(_TRIED, _MOST_TRIED // max(size, 1)), 1)]:
        try:
            blast = blast_radius(ground, arn) if ground else None
        except ConfigurationError:  # a finding of a check of somebody's own, about no role of the account
            continue
        if blast is not None and blast.edges:
            found.append(blast)
    widest = sorted(found, key=lambda blast: (not blast.unbounded, -len(blast.survivors), -len(blast.nodes)))
    # What several roles lead to in the same way is shown once.
    alike = {frozenset(node.id for node in blast.nodes if node.id != blast.start): blast for blast in reversed(widest)}
    kept = {blast.start for blast in alike.values()}
    chosen = [blast for blast in widest if blast.start in kept][:MOST]
    return [_walked(blast, walk if size <= _MOST_WALKED else None) for blast in chosen]


def _walked(blast: Blast, walk: Callable[[Blast], Mapping[Edge, Demonstrated]] | None) -> dict[str, Any]:
    data = blast.as_json()
    shown = walk(blast) if walk is not None else {}
    for entry, edge in zip(data["edges"], blast.edges, strict=True):
        if edge in shown:
            entry |= {"demonstrated": shown[edge].done, "reason": shown[edge].reason or None}
    return data
