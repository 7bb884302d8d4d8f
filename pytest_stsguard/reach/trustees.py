"""Whom a trust policy names: excluded, gone, or a whole account."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.reach.fault import Fault
from pytest_stsguard.trust.named import Named, read_principal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_stsguard.account import Role
    from pytest_stsguard.policy import Statement
    from pytest_stsguard.reach.proofs import Proofs

__all__ = ["ALLOW_ALL", "excluded", "gone", "whole_accounts"]

ALLOW_ALL: Final = Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, name="everything"
)
MOST_ACCOUNTS: Final = 128
"""Accounts that are looked at in one trust policy; IAM's largest, of 8,192 characters, names fewer by ARN or id."""

_UNIQUE_ID: Final = re.compile(r"(AIDA|AROA|AGPA|ANPA|AIPA)[A-Z0-9]{8,}(:.*)?")
_WHO: Final = ("aws:principalarn", "aws:principaltype", "aws:username", "aws:userid", "aws:principaltag/")
"""Keys by which a condition tells one principal of an account from another."""


class _Grant(NamedTuple):
    """A statement that allows a whole account."""

    role: Role
    statement: Statement
    account: str


def excluded(proofs: Proofs) -> Iterator[Fault]:
    """Find NotPrincipal in trust policies (STSG-108)."""
    for role in proofs.roles:
        for statement in role.trust.policy.statements:
            if statement.not_principals is not None:
                who = ", ".join(principal.value for principal in statement.not_principals[:3]) or "nobody"
                what = "allows everyone but" if statement.effect == "Allow" else "denies everyone but"
                yield _fault(role, statement, f"NotPrincipal {what} {who}", "NotPrincipal")


def gone(proofs: Proofs) -> Iterator[Fault]:
    """Find principals that are bare unique ids: what IAM leaves of one that was deleted (STSG-109)."""
    for role in proofs.roles:
        for statement in role.trust.policy.statements:
            for principal in (*(statement.principals or ()), *(statement.not_principals or ())):
                if principal.type == "AWS" and _UNIQUE_ID.fullmatch(principal.value):
                    message = f"the principal `{principal.value}` no longer exists"
                    yield _fault(role, statement, message, principal.value)


def whole_accounts(proofs: Proofs) -> Iterator[Fault]:
    """Find accounts that are trusted as a whole, with no condition on who (STSG-110)."""
    for role in proofs.roles:
        rest = sum(1 for _ in islice(_accounts_named(proofs, role), MOST_ACCOUNTS, None))
        if rest:
            message = f"trusts {rest + MOST_ACCOUNTS} accounts: only {MOST_ACCOUNTS} were looked at"
            yield Fault(role.arn, message, place="trust policy size", location=role.trust.location)
    for grant in _grants(proofs):
        stranger = _stranger(proofs, grant)
        if stranger is not None:
            whose = "its own account" if grant.account == proofs.account.id else f"account {grant.account}"
            message = f"trusts {whose} as a whole, with no condition on who"
            yield replace(_fault(grant.role, grant.statement, message, grant.account), evidence={"principal": stranger})


def _grants(proofs: Proofs) -> Iterator[_Grant]:
    for role in proofs.roles:
        for statement, account in islice(_accounts_named(proofs, role), MOST_ACCOUNTS):
            yield _Grant(role, statement, account)


def _accounts_named(proofs: Proofs, role: Role) -> Iterator[tuple[Statement, str]]:
    for statement in role.trust.policy.statements:
        if statement.effect != "Allow":
            continue
        for principal in dict.fromkeys(statement.principals or ()):
            found = read_principal(principal, account=proofs.account.id, partition=proofs.account.partition)
            if isinstance(found, Named) and found.kind == "account":
                yield statement, found.account


def _stranger(proofs: Proofs, grant: _Grant) -> str | None:
    """Give a made-up principal of the account that gets in with nothing but what anybody there can bring."""
    role, account = grant.role, grant.account
    strangers = [f"arn:{proofs.account.partition}:iam::{account}:{kind}/stsguard-anyone" for kind in ("role", "user")]
    for context in _contexts(proofs, grant):
        for stranger in strangers:
            if _enters(proofs, role, stranger, context):
                return stranger
    return None


def _contexts(proofs: Proofs, grant: _Grant) -> Iterator[dict[str, str | list[str]]]:
    """Give what a request has to carry, who asks left out: nothing, or what the prover found for the account."""
    yield {}
    if not any(statement.conditions for statement in grant.role.trust.policy.statements):
        return
    nobody = replace(proofs.zones, own_account=False, organization=False, accounts=(), networks=())
    own = grant.account == proofs.account.id
    for witness in proofs.under(nobody, grant.role).witnesses:
        if witness.kind.endswith("account") and witness.principal.split(":")[4] == grant.account:
            yield {
                key: value
                for key, value in witness.context.items()
                if not key.lower().startswith(_WHO) and (own or key.lower() != "sts:externalid")
            }


def _enters(proofs: Proofs, role: Role, caller: str, context: Mapping[str, str | list[str]]) -> bool:
    request = Request("sts:AssumeRole", role.arn, caller, context, resource_account=proofs.account.id)
    try:
        return authorize(request, identity=(ALLOW_ALL,), resource=role.trust.policy).allowed
    except InputError:
        return False  # what cannot be read is told by STSG-111 and STSG-112


def _fault(role: Role, statement: Statement, message: str, about: str) -> Fault:
    return Fault(
        role.arn,
        f"{message} ({statement.place})",
        place=f"trust policy {statement.place} {about}",
        location=role.trust.locate(statement.place),
    )
