"""Whom an account's trust policies name from outside: what a first stsguard.toml has to declare, or leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Account, Role
    from pytest_stsguard.policy import Statement

__all__ = ["Encounter", "Encounters", "encounters_of"]

MOST_ROLES: Final = 3
"""How many roles are named for one outsider."""
_WILDCARD: Final = re.compile(r"[*?]")
_TENANT: Final = re.compile(r"[^:/]+:[^:/]+[:/]")
"""A kind, a tenant and what ends its name: ``repo:acme/``, ``organization:acme:``, ``system:serviceaccount:``."""
_OUTSIDE: Final = frozenset({"account", "user", "role", "session", "federated user"})


@dataclass(slots=True)
class Encounter:
    """One outsider: the roles that name it, and what their conditions ask of it."""

    name: str
    roles: dict[str, None] = field(default_factory=dict)
    external_ids: dict[str, None] = field(default_factory=dict)
    subjects: dict[str, None] = field(default_factory=dict)
    audiences: dict[str, None] = field(default_factory=dict)
    strangers: dict[str, None] = field(default_factory=dict)
    """Patterns of subjects that other tenants of the issuer could match: nobody should confirm one unread."""

    def told_by(self) -> str:
        """Name the roles, the first few."""
        names = list(self.roles)
        rest = len(names) - MOST_ROLES
        return ", ".join(names[:MOST_ROLES]) + (f" and {rest} more" if rest > 0 else "")


@dataclass(slots=True)
class Encounters:
    """The outsiders of an account by kind, in the order in which they were met."""

    accounts: dict[str, Encounter] = field(default_factory=dict)
    oidc: dict[str, Encounter] = field(default_factory=dict)
    saml: dict[str, Encounter] = field(default_factory=dict)
    organizations: dict[str, Encounter] = field(default_factory=dict)


def encounters_of(account: Account) -> Encounters:
    """Go through the providers and the trust policies of an account.

    Nothing is judged here: what a Deny takes away again is named all the same.
    """
    found = Encounters()
    for provider in account.identity_providers:
        table, name = (found.oidc, provider.url) if provider.type == "oidc" else (found.saml, _last(provider.arn))
        _meet(table, name or _last(provider.arn))
    if account.organization is not None:
        _meet(found.organizations, account.organization.id)
    for role in account.roles:
        for statement in role.trust.policy.statements:
            if statement.effect == "Allow":
                _look_at(account, role, statement, found)
    return found


def _look_at(account: Account, role: Role, statement: Statement, found: Encounters) -> None:
    from pytest_stsguard.trust.named import Named, read_principal

    for principal in statement.principals or ():
        named = read_principal(principal, account=account.id, partition=account.partition)
        if not isinstance(named, Named):
            continue
        if named.kind in _OUTSIDE and named.account != account.id:
            one = _meet(found.accounts, named.account, role)
            one.external_ids |= dict.fromkeys(_values(statement, "sts:externalid"))
        elif named.kind == "oidc":
            issuer = named.name.partition("oidc-provider/")[2] or named.name
            one = _meet(found.oidc, issuer, role)
            for subject in _values(statement, f"{issuer.lower()}:sub"):
                (one.subjects if _names_a_tenant(subject) else one.strangers)[subject] = None
            one.audiences |= dict.fromkeys(_values(statement, f"{issuer.lower()}:aud"))
        elif named.kind == "saml":
            _meet(found.saml, _last(named.name), role)
    for org_id in _values(statement, "aws:principalorgid"):
        _meet(found.organizations, org_id, role)


def _names_a_tenant(subject: str) -> bool:
    """Whether a pattern is literal up to the end of the tenant's name, as ``repo:acme/*`` and unlike ``repo:acme*``."""
    literal = _WILDCARD.split(subject, maxsplit=1)[0]
    return literal == subject or _TENANT.match(literal) is not None


def _values(statement: Statement, key: str) -> Iterator[str]:
    for condition in statement.conditions:
        if condition.key.lower() == key and condition.name in {"StringEquals", "StringLike"}:
            yield from condition.values


def _meet(table: dict[str, Encounter], name: str, role: Role | None = None) -> Encounter:
    one = table.setdefault(name, Encounter(name))
    if role is not None:
        one.roles[role.name] = None
    return one


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]
