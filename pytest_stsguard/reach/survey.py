"""One account under examination: what the checks ask of it, each thing made once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pytest_stsguard.reach.assume import AssumeGraph
from pytest_stsguard.reach.permissions import Permissions
from pytest_stsguard.reach.proofs import Proofs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_stsguard.account import Account, Role
    from pytest_stsguard.trust import Zones

__all__ = ["Survey"]


class Survey:
    """An account with its zones, as of a moment.

    Args:
        account: the whole account: cycles and paths lead through roles that were not asked for, too.
        zones: who is declared.
        now: the moment to examine as of.
        roles: the roles to tell of; default all.
        jobs: processes for the prover; None: as many as it is worth.
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
        self.roles = tuple(account.roles if roles is None else roles)
        self.jobs = jobs

    @cached_property
    def proofs(self) -> Proofs:
        """How narrow the roles' trust policies are."""
        return Proofs(self.account, self.zones, now=self.now, roles=self.roles, jobs=self.jobs)

    @cached_property
    def permissions(self) -> Permissions:
        """What roles and users may do."""
        return Permissions(self.account, roles=self.roles, now=self.now, org_id=self.zones.org_id)

    @cached_property
    def graph(self) -> AssumeGraph:
        """Which role can assume which."""
        return AssumeGraph(self.permissions.roles, self.account)
