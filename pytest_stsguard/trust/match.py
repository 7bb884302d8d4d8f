"""Whether a statement's principals match a class of requests: surely, not at all, or nobody says."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.trust.named import Named
    from pytest_stsguard.trust.request_class import RequestClass

__all__ = ["Match", "denied_by_exclusion", "granted_by_exclusion", "named_by"]


class Match(Enum):
    """How sure it is that a statement applies to every request of a class."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


def names(named: Named, asker: RequestClass) -> bool:
    """Tell whether a principal, other than everyone, names the callers of a class."""
    if named.kind == "account":
        return asker.is_identity and asker.account == named.account
    if named.kind == "role":
        if asker.caller == "session":
            return asker.account == named.account and asker.name == named.name
        return asker.caller == "role" and asker.arn == named.arn
    return named.kind == asker.caller and asker.arn == named.arn


def named_by(principals: Sequence[Named], asker: RequestClass, *, allows: bool) -> Match:
    """Hold a Principal element against a class.

    A Deny for everyone denies services and federated callers too, as AWS's own data perimeter policies rely on;
    whether an Allow for everyone admits them to a role is not documented.
    """
    if any(named.kind != "everyone" and names(named, asker) for named in principals):
        return Match.YES
    if any(named.kind == "everyone" for named in principals):
        return Match.MAYBE if allows and not asker.is_identity else Match.YES
    return Match.NO


def granted_by_exclusion(principals: Sequence[Named], asker: RequestClass) -> Match:
    """Hold the NotPrincipal element of an Allow against a class."""
    if any(named.kind == "everyone" for named in principals):
        return Match.NO
    if any(names(named, asker) for named in principals):
        return Match.MAYBE if asker.is_identity else Match.NO
    return Match.YES if asker.is_identity else Match.MAYBE


def denied_by_exclusion(principals: Sequence[Named], asker: RequestClass) -> Match:
    """Hold the NotPrincipal element of a Deny against a class.

    A caller is spared when it and its account are named, a role's session when session, role and account are. When
    only some of them are named the documentation leaves it open whether it is denied.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if any(named.kind == "everyone" for named in principals):
        return Match.NO
    kinds = {named.kind for named in principals if names(named, asker)}
    if not kinds:
        return Match.YES
    if not asker.is_identity:
        return Match.NO
    needed = {"session": {"session", "role", "account"}, "user": {"user", "account"}}.get(asker.caller)
    return Match.NO if needed is not None and needed <= kinds else Match.MAYBE
