"""Whether a statement's principals match a class of requests: surely, not at all, or nobody says."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.trust.named import Named
    from pytest_stsguard.trust.request_class import RequestClass

__all__ = ["Match", "Principals"]


class Match(Enum):
    """How sure it is that a statement applies to every request of a class."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


class Principals:
    """The principals of a statement, filed so that a class is looked up and not searched for."""

    __slots__ = ("_accounts", "_arns", "_roles", "everyone", "named")

    def __init__(self, named: Sequence[Named]) -> None:
        self.named = tuple(named)
        self.everyone = any(one.kind == "everyone" for one in named)
        self._accounts = frozenset(one.account for one in named if one.kind == "account")
        self._roles = frozenset((one.account, one.name) for one in named if one.kind == "role")
        self._arns = frozenset((one.kind, one.arn) for one in named)

    def kinds(self, asker: RequestClass) -> set[str]:
        """List the kinds of principals, other than everyone, that name the callers of a class."""
        found = set()
        if asker.is_identity and asker.account in self._accounts:
            found.add("account")
        if asker.caller == "session" and (asker.account, asker.name) in self._roles:
            found.add("role")
        if asker.arn and (asker.caller, asker.arn) in self._arns:
            found.add(asker.caller)
        return found

    def named_by(self, asker: RequestClass, *, allows: bool) -> Match:
        """Hold a Principal element against a class.

        A Deny for everyone denies services and federated callers too, as AWS's own data perimeter policies rely on;
        whether an Allow for everyone admits them to a role is not documented.
        """
        if self.everyone and not (allows and not asker.is_identity):
            return Match.YES
        if self.kinds(asker):
            return Match.YES
        return Match.MAYBE if self.everyone else Match.NO

    def granted_by_exclusion(self, asker: RequestClass) -> Match:
        """Hold the NotPrincipal element of an Allow against a class."""
        if self.everyone:
            return Match.NO
        if self.kinds(asker):
            return Match.MAYBE if asker.is_identity else Match.NO
        return Match.YES if asker.is_identity else Match.MAYBE

    def denied_by_exclusion(self, asker: RequestClass) -> Match:
        """Hold the NotPrincipal element of a Deny against a class.

        A caller is spared when it and its account are named, a role's session when session, role and account are.
        When only some of them are named the documentation leaves it open whether it is denied.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        if self.everyone:
            return Match.NO
        kinds = self.kinds(asker)
        if not kinds:
            return Match.YES
        if not asker.is_identity:
            return Match.NO
        needed = {"session": {"session", "role", "account"}, "user": {"user", "account"}}.get(asker.caller)
        return Match.NO if needed is not None and needed <= kinds else Match.MAYBE
