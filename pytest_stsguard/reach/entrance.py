"""Who can come by a session of a role: the witnesses of its proof, by the control that each of them is for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Request, authorize
from pytest_stsguard.reach.deputies import sends_source
from pytest_stsguard.reach.fault import Fault
from pytest_stsguard.reach.federation import only_the_audience_is_wide
from pytest_stsguard.reach.trustees import ALLOW_ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Role
    from pytest_stsguard.reach.proofs import Proofs
    from pytest_stsguard.trust import Witness

__all__ = [
    "any_account",
    "chosen_external_id",
    "confused_deputies",
    "outside_zones",
    "undecided",
    "unsettled_deputies",
    "wide_claims",
]

EXTERNAL_ID: Final = "sts:externalid"
_CHOSEN: Final = "stsguard-chosen-by-the-caller"


def any_account(proofs: Proofs) -> Iterator[Fault]:
    """Find the roles that principals of any account can assume (STSG-101)."""
    for role, witness in _witnesses(proofs):
        if witness.kind == "any-account":
            yield fault_of(role, witness)


def outside_zones(proofs: Proofs) -> Iterator[Fault]:
    """Find accounts, organisations and OIDC issuers that are not declared, and the own principals that are not (STSG-102)."""
    for role, witness in _witnesses(proofs):
        undeclared = witness.kind in {"external-account", "oidc"} and not witness.declared
        if not undeclared and witness.kind not in {"organization", "own-account"}:
            continue
        fault = fault_of(role, witness)
        if witness.kind == "oidc":
            issuer = witness.principal.partition(":oidc-provider/")[2] or witness.principal
            sent = ", ".join(f"{key.removeprefix(issuer + ':')}={value}" for key, value in witness.context.items())
            message = f"the issuer {issuer} is not declared, and its tokens are admitted: {sent} ({witness.statement})"
            fault = replace(fault, message=message)
        yield fault


def chosen_external_id(proofs: Proofs) -> Iterator[Fault]:
    """Find outside accounts that need no ExternalId, or may send any (STSG-103)."""
    for role, witness in _witnesses(proofs):
        if witness.kind == "external-account" and (witness.declared or _takes_any_external_id(proofs, role, witness)):
            account = witness.principal.split(":")[4]
            yield replace(
                fault_of(role, witness),
                message=f"account {account} may assume this role without an ExternalId that it cannot choose "
                f"({witness.statement})",
            )


def confused_deputies(proofs: Proofs) -> Iterator[Fault]:
    """Find services that act for any customer, of those that would say for whom, and services not declared (STSG-104)."""
    for role, witness in _witnesses(proofs):
        if witness.kind == "service" and (not witness.declared or sends_source(witness.principal)):
            yield fault_of(role, witness)


def unsettled_deputies(proofs: Proofs) -> Iterator[str]:
    """Say of which services it is not settled whether they say for whom they act, where a role lets one in for anybody."""
    found: dict[str, int] = {}
    for _, witness in _witnesses(proofs):
        if witness.kind == "service" and witness.declared and sends_source(witness.principal) is None:
            found[witness.principal] = found.get(witness.principal, 0) + 1
    for service, count in sorted(found.items()):
        roles = "1 role lets" if count == 1 else f"{count} roles let"
        yield f"{roles} `{service}` in for anybody, and whether it says for whom it acts is not settled"


def wide_claims(proofs: Proofs, *, audience: bool) -> Iterator[Fault]:
    """Find declared issuers whose tokens are not pinned as declared: by their audience (STSG-106), or else (STSG-105)."""
    for role, witness in _witnesses(proofs):
        if witness.kind == "oidc" and witness.declared and only_the_audience_is_wide(proofs, role, witness) is audience:
            yield fault_of(role, witness)


def undecided(proofs: Proofs) -> Iterator[Fault]:
    """Find the roles whose proof came to no end, or left something out, each with the reason (STSG-111)."""
    for role in proofs.roles:
        proof = proofs.of(role)
        if role.arn in proofs.faults or not (proof.verdict == "undecided" or proof.reasons):
            continue
        reasons = proof.reasons or ("no reason is known",)
        what = "who" if proof.verdict == "undecided" else "who else"
        yield Fault(
            role.arn,
            f"{what} can assume this role cannot be decided: {'; '.join(reasons)}",
            place="trust policy",
            location=role.trust.locate(next((one for one in reasons if one.startswith("Statement")), "")),
            evidence={"reasons": list(reasons)},
        )


def fault_of(role: Role, witness: Witness) -> Fault:
    """Tell of a witness."""
    return Fault(
        role.arn,
        witness.summary,
        place=f"trust policy {witness.statement} {witness.kind}" + _who(witness),
        location=role.trust.locate(witness.statement),
        evidence={"principal": witness.principal, "action": witness.action, "context": witness.context},
    )


def _who(witness: Witness) -> str:
    """Tell witnesses of one statement apart, by what does not change from run to run."""
    if witness.kind == "external-account":
        return f" {witness.principal.split(':')[4]}"
    if witness.kind in {"service", "oidc", "saml"}:
        return f" {witness.principal}"
    return ""


def _witnesses(proofs: Proofs) -> Iterator[tuple[Role, Witness]]:
    """Go through the witnesses of every role; of those that say the same of one statement, the first."""
    for role in proofs.roles:
        seen: set[str] = set()
        for witness in proofs.of(role).witnesses:
            place = f"{witness.statement} {witness.kind}{_who(witness)}"
            if place not in seen:
                seen.add(place)
                yield role, witness


def _takes_any_external_id(proofs: Proofs, role: Role, witness: Witness) -> bool:
    """Ask whether the same caller gets in with no ExternalId, or with one of its own choice."""
    context = {key: value for key, value in witness.context.items() if key.lower() != EXTERNAL_ID}
    asks = (context, {**context, "sts:ExternalId": _CHOSEN})
    return any(_allowed(proofs, role, witness, context) for context in asks)


def _allowed(proofs: Proofs, role: Role, witness: Witness, context: dict[str, str | list[str]]) -> bool:
    request = Request(witness.action, role.arn, witness.principal, dict(context), resource_account=proofs.account.id)
    try:
        return authorize(request, identity=(ALLOW_ALL,), resource=role.trust.policy).allowed
    except InputError:
        return False  # what cannot be read is told by STSG-111 and STSG-112
