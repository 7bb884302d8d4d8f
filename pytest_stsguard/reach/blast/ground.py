"""The accounts that a thief can move through: holders and trust policies, each read when somebody gets that far."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.policy.arns import ARN_PARTS
from pytest_stsguard.reach.admission import Trust
from pytest_stsguard.reach.permissions import Holder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pytest_stsguard.account import Account, Role, User

__all__ = ["Doors", "Ground"]

_ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:\d{12}:")
_SESSION = re.compile(r"arn:(aws[\w-]*):sts::(\d{12}):assumed-role/([^/]+)/.+")


@dataclass(slots=True)
class Doors:
    """The roles that let principals of one account in: by ARN or name, as an account, or as anybody at all."""

    named: dict[str, list[Role]] = field(default_factory=lambda: defaultdict(list))
    account: list[Role] = field(default_factory=list)
    everyone: list[Role] = field(default_factory=list)

    def without(self, known: Callable[[str], bool]) -> Doors:
        """Give the same with the roles left out, among those that are open to many, that `known` tells of by ARN."""
        account = [role for role in self.account if not known(role.arn)]
        return Doors(self.named, account, [role for role in self.everyone if not known(role.arn)])


class Ground:
    """One account, or several that may trust each other.

    Args:
        accounts: the first is the one that names without an account are looked up in.
        now: the moment of the requests.
        org_id: the organisation that the accounts belong to, where it is known.
    """

    def __init__(self, accounts: Sequence[Account], *, now: datetime, org_id: str | None = None) -> None:
        self.accounts = {account.id: account for account in accounts}
        self.home = accounts[0]
        self._now = now
        self._org_id = org_id
        self._holders: dict[str, Holder] = {}
        self._doors: dict[str, Doors] = {}

    def find(self, name: str) -> Holder:
        """Find the role or user that a name or an ARN means; of a session's ARN the role as that session is.

        Raises:
            ConfigurationError: there is none.
        """
        match = _SESSION.fullmatch(name)
        account = self.account_of(name) if _ARN.match(name) else self.home
        wanted = match[3] if match else name
        found: Role | User | None = None
        if account is not None:
            found = account.role(wanted) or (None if match else account.user(wanted))
        if found is None:
            place = account.id if account else ", ".join(self.accounts)
            raise ConfigurationError(f"there is no role or user `{name}` in account `{place}`")
        made = self._made(found, self.accounts[found.arn.split(":")[4]])
        return made.named(name.rpartition("/")[2]) if match else made

    def holder(self, arn: str) -> Holder | None:
        """Give a role or user by ARN; None for what the accounts do not hold."""
        known = self._holders.get(arn)
        if known is not None:
            return known
        account = self.account_of(arn)
        found = (account.role(arn) or account.user(arn)) if account else None
        return self._made(found, account) if found is not None and account is not None else None

    def account_of(self, arn: str) -> Account | None:
        """Give the account of an ARN, where it is one of these."""
        parts = arn.split(":", ARN_PARTS - 1)
        return self.accounts.get(parts[4]) if len(parts) == ARN_PARTS else None

    def doors(self, account: str) -> Doors:
        """Give the roles, of any account, that let principals of an account in."""
        found = self._doors.get(account)
        if found is None:
            found = self._doors[account] = self._opened(self.accounts[account])
        return found

    def _made(self, principal: Role | User, account: Account) -> Holder:
        known = self._holders.get(principal.arn)
        if known is None:
            known = self._holders[principal.arn] = Holder(principal, account, self._now, self._org_id)
        return known

    def _opened(self, caller: Account) -> Doors:
        doors, read = Doors(), dict[str, Trust]()
        for owner in self.accounts.values():
            for role in owner.roles:
                if role.service_linked:
                    continue
                trust = read.get(role.trust.text)
                if trust is None:
                    trust = read[role.trust.text] = Trust.read(role.trust.policy, caller)
                for name in (*trust.named, *(name for name, _ in trust.sessions)):
                    doors.named[name].append(role)
                if trust.account or trust.everyone:
                    doors.account.append(role)
                if trust.everyone and owner is caller:
                    doors.everyone.append(role)
        return doors
