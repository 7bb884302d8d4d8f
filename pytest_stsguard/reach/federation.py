"""Whether a role's trust in an identity provider pins whose tokens, and tokens for whom.

The proof speaks of declared issuers. These are the questions that it leaves: an issuer that nobody declared may still be
open to strangers, a form may hold today only because the claim is always there, and an audience is the provider's matter.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Request, authorize
from pytest_stsguard.reach.fault import Fault
from pytest_stsguard.reach.trustees import ALLOW_ALL
from pytest_stsguard.trust import OidcZone
from pytest_stsguard.trust.issuers import BUILDKITE, BUILT_IN, COGNITO, GITHUB, issuer_of
from pytest_stsguard.trust.named import Named, read_principal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Role
    from pytest_stsguard.policy import Condition, Statement
    from pytest_stsguard.reach.proofs import Proofs
    from pytest_stsguard.trust import Proof, Witness

__all__ = ["federated", "only_the_audience_is_wide", "open_assertions", "open_audiences", "open_subjects"]

MOST_ENTRIES: Final = 64
"""Grants to identity providers that are looked at in one trust policy; IAM's largest, of 8,192 characters, holds fewer."""

_ACTIONS: Final = {"oidc": "sts:AssumeRoleWithWebIdentity", "saml": "sts:AssumeRoleWithSAML"}
_ANOTHER: Final = "https://stsguard.invalid/saml"
"""An audience that nobody pins."""

_NOBODY: Final = "stsguard:nobody"
_TENANTS: Final[tuple[tuple[str, str], ...]] = (
    (GITHUB, r"(repo:[^/*?]+/|repository_owner(_id)?:[^:*?]+(?=:|$))"),
    ("gitlab.com", r"project_path:[^/*?]+/"),
    ("app.terraform.io", r"organization:[^:*?]+:"),
    ("agent.buildkite.com", r"organization:[^:*?]+:"),
    ("oidc.eks.", r"system:serviceaccount:[^:*?]+:"),
    ("oidc.circleci.com/", r"(/?org/)[^/*?]+/project/"),
    ("oidc.vercel.com", r"owner:[^:*?]+:"),
    ("", r"[^*?]+"),
)
"""What a subject has to begin with, by the issuer's name, before it names one tenant; for others, anything literal."""

_TENANT_CLAIMS: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    (
        GITHUB,
        (
            ("repository", r"[^/*?]+/"),
            ("repository_id", r"\d+"),
            ("repository_owner_id", r"\d+"),
            ("enterprise_id", r"\d+"),
        ),
    ),
    ("gitlab.com", (("namespace_id", r"\d+"), ("project_id", r"\d+"))),
    (BUILDKITE, (("organization_slug", r"[^*?]+"), ("organization_id", r"[0-9a-f-]+"), ("pipeline_id", r"[0-9a-f-]+"))),
)
"""Claims beside the subject that name one tenant, by the issuer's name, and what a value begins with before it does."""

_BY_AUDIENCE: Final = frozenset(BUILT_IN) | COGNITO
"""Issuers whose tenant is told by the audience or the application, not by the subject."""

_ALWAYS_KNOWN: Final = frozenset({"aud", "sub", "amr", "azp", "oaud", "id", "app_id", "user_id", "email"})
_POSITIVE: Final = frozenset({"StringEquals", "StringLike", "StringEqualsIgnoreCase"})


class Federated(NamedTuple):
    """A statement that lets a provider's identities in."""

    role: Role
    statement: Statement
    provider: Named


def federated(proofs: Proofs, kind: str) -> Iterator[Federated]:
    """Go through the statements that allow an ``oidc`` or ``saml`` provider, with every provider that they name.

    Of a role with more than IAM's largest trust policy could hold, the first ones.
    """
    for role in proofs.roles:
        yield from islice(_federated(proofs, role, kind), MOST_ENTRIES)


def too_many(proofs: Proofs, kind: str) -> Iterator[Fault]:
    """Find the roles that hold more such statements than are looked at: never a pass."""
    for role in proofs.roles:
        rest = sum(1 for _ in islice(_federated(proofs, role, kind), MOST_ENTRIES, None))
        if rest:
            yield Fault(
                role.arn,
                f"holds {rest + MOST_ENTRIES} grants to {kind.upper()} providers, more than a policy of IAM's size: "
                f"only {MOST_ENTRIES} were looked at",
                place="trust policy size",
                location=role.trust.location,
            )


def _federated(proofs: Proofs, role: Role, kind: str) -> Iterator[Federated]:
    account, partition = proofs.account.id, proofs.account.partition
    for matcher in role.trust.policy.index.plan(_ACTIONS[kind]).matchers:
        statement = matcher.statement
        if statement.effect != "Allow":
            continue
        for principal in statement.principals or ():
            if principal.type == "Federated":
                found = read_principal(principal, account=account, partition=partition)
                if isinstance(found, Named) and found.kind == kind:
                    yield Federated(role, statement, found)


def open_subjects(proofs: Proofs) -> Iterator[Fault]:
    """Find subjects that are absent, wide or weakly asked for, where no proof speaks of it (STSG-105)."""
    yield from too_many(proofs, "oidc")
    for entry in federated(proofs, "oidc"):
        issuer = entry.provider.name
        declared = any(_same(zone, issuer) for zone in proofs.zones.oidc)
        if issuer not in _BY_AUDIENCE and not declared:
            wide = _stranger(proofs, entry)
            if wide is not None:
                yield wide
                continue
        yield from _weak_forms(entry, proofs)


def open_audiences(proofs: Proofs) -> Iterator[Fault]:
    """Find OIDC statements that take a token whatever its audience (STSG-106)."""
    yield from too_many(proofs, "oidc")
    for entry in federated(proofs, "oidc"):
        issuer = entry.provider.name
        claims = ("aud", "app_id", "oaud", "azp") if issuer in BUILT_IN else ("aud",)
        if any(_pins(condition, issuer, claims) for condition in entry.statement.conditions):
            continue
        values = _literal_heads(entry, "aud", "[^*?]+")
        zone = OidcZone(issuer, audiences=tuple(values) or (_NOBODY,))
        witness = _witness(proofs, entry, (zone,))
        lenient = any(
            _claim(condition, issuer) == "aud" and _is_lenient(condition) for condition in entry.statement.conditions
        )
        what = "identity pool" if issuer in COGNITO else "audience"
        if isinstance(witness, str):
            yield _fault(
                entry, f"whether it pins the {what} of {issuer} cannot be decided: {witness}", None, "audience"
            )
        elif witness is not None or lenient:
            yield _fault(entry, f"takes tokens of {issuer} for any {what}", witness, "audience")


def open_assertions(proofs: Proofs) -> Iterator[Fault]:
    """Find SAML statements without an audience, and providers that are not declared (STSG-107)."""
    yield from too_many(proofs, "saml")
    for entry in federated(proofs, "saml"):
        role, statement, provider = entry
        if role.identity_center and provider.name.startswith("AWSSSO_"):
            continue  # IAM Identity Center made role and provider; neither is the account's to choose
        pinned = any(_pins(condition, "saml", ("aud",)) for condition in statement.conditions)
        if not pinned and not _denies_others(entry):
            yield _fault(entry, f"takes assertions of SAML provider {provider.name} for any audience", None, "audience")
        for witness in proofs.of(role).witnesses:
            if witness.kind == "saml" and witness.principal == provider.arn and witness.statement == statement.place:
                yield _fault(entry, witness.summary, witness, "provider")


def _denies_others(entry: Federated) -> bool:
    """Ask whether assertions for an audience that no value names are denied, whatever else they say."""
    request = Request(_ACTIONS["saml"], entry.role.arn, entry.provider.arn, {"SAML:aud": _ANOTHER})
    try:
        return authorize(request, identity=(ALLOW_ALL,), resource=entry.role.trust.policy).explicit
    except InputError:
        return False  # what cannot be read is told by STSG-111 and STSG-112


def only_the_audience_is_wide(proofs: Proofs, role: Role, witness: Witness) -> bool:
    """Tell whether the tokens of a declared issuer would be narrow, were it not for their audience."""
    issuer = witness.principal.partition(":oidc-provider/")[2] or witness.principal
    zones = [zone for zone in proofs.zones.oidc if _same(zone, issuer)]
    if not any(zone.audiences for zone in zones):
        return False
    others = tuple(zone for zone in proofs.zones.oidc if not _same(zone, issuer))
    proof = _proof(proofs, role, (*others, *(replace(zone, audiences=None) for zone in zones)))
    return not any(found.kind == "oidc" and found.principal == witness.principal for found in proof.witnesses)


def _same(zone: OidcZone, issuer: str) -> bool:
    """Tell whether a zone declares an issuer; some issuers end in a slash, which zones leave out."""
    return zone.issuer.rstrip("/") == issuer.rstrip("/")


def _stranger(proofs: Proofs, entry: Federated) -> Fault | None:
    """Find a token of somebody whom no value of the policy names."""
    issuer = entry.provider.name
    pattern = next(text for prefix, text in _TENANTS if issuer.startswith(prefix))
    if any(_pins(condition, issuer, ("sub",), pattern) for condition in entry.statement.conditions):
        return None
    zones = [OidcZone(issuer, subjects=tuple(_literal_heads(entry, "sub", pattern)) or (_NOBODY,))]
    for claim, form in next((claims for prefix, claims in _TENANT_CLAIMS if issuer.startswith(prefix)), ()):
        values = tuple(_literal_heads(entry, claim, form))
        if values:
            zones.append(OidcZone(issuer, claims=((claim, values),)))
    witness = _witness(proofs, entry, tuple(zones))
    if isinstance(witness, str):
        message = f"whether it pins the subject of {issuer} cannot be decided: {witness}"
        return replace(_fault(entry, message, None, "subject"), severity="medium")
    return None if witness is None else _fault(entry, witness.summary, witness, "subject")


def _weak_forms(entry: Federated, proofs: Proofs) -> Iterator[Fault]:
    """Find a subject asked for with IfExists or ForAllValues alone, and claims that no token of the issuer has."""
    issuer, conditions = entry.provider.name, entry.statement.conditions
    found = proofs.of(entry.role).witnesses
    if any(one.kind == "oidc" and one.declared and one.statement == entry.statement.place for one in found):
        return
    known = issuer_of(issuer)
    claims = _ALWAYS_KNOWN | known.always.keys() | known.sometimes.keys()
    strong = any(_pins(condition, issuer, ("sub",)) for condition in conditions)
    for condition in conditions:
        claim = _claim(condition, issuer)
        lenient = _is_lenient(condition)
        if claim == "sub" and lenient and not strong:
            message = f"`{condition.operator}` lets a token without the claim `sub` through"
            yield replace(_fault(entry, message, None, "weak subject"), severity="medium")
        elif claim is not None and lenient and issuer.startswith(GITHUB) and claim not in claims:
            message = (
                f"`{condition.operator}` asks for `{condition.key}`, which no token of {issuer} has: it always holds"
            )
            yield replace(_fault(entry, message, None, f"vacuous {claim}"), severity="medium")


def _is_lenient(condition: Condition) -> bool:
    """Tell whether a condition lets a token through that lacks the claim."""
    return condition.if_exists or condition.qualifier == "ForAllValues"


def _claim(condition: Condition, issuer: str) -> str | None:
    """Give the claim that a condition asks for, when it is one of the issuer's."""
    prefix, key = f"{issuer.lower()}:", condition.key.lower()
    return key.removeprefix(prefix) if key.startswith(prefix) else None


def _pins(condition: Condition, issuer: str, claims: tuple[str, ...], pattern: str = r"[^*?]+") -> bool:
    """Tell whether a condition by itself holds a claim to values that each begin with what `pattern` asks for."""
    plain = condition.name in _POSITIVE and not condition.if_exists and condition.qualifier in {None, "ForAnyValue"}
    if not plain or _claim(condition, issuer) not in claims or not condition.values:
        return False
    exact = condition.name != "StringLike"
    return all(re.match(pattern, value) or (exact and value and pattern == r"[^*?]+") for value in condition.values)


def _literal_heads(entry: Federated, claim: str, pattern: str) -> list[str]:
    """List what the values of a claim begin with, as globs: the tenants that the policy itself names."""
    heads = []
    for condition in entry.statement.conditions:
        if condition.name in _POSITIVE and _claim(condition, entry.provider.name) == claim:
            for value in condition.values:
                found = re.match(pattern, value)
                if found is not None:
                    whole = found.end() == len(value)
                    heads.append(found[0] if whole and claim != "sub" else f"{found[0]}*")
    return heads


def _witness(proofs: Proofs, entry: Federated, zones: tuple[OidcZone, ...]) -> Witness | str | None:
    """Look for a token of the issuer that the statement lets in and that none of these zones covers.

    Returns:
        The witness, the reason why nobody can tell, or None when there is none.
    """
    proof = _proof(proofs, entry.role, zones)
    for witness in proof.witnesses:
        same = witness.kind == "oidc" and witness.principal == entry.provider.arn
        if same and witness.statement == entry.statement.place:
            return witness
    return "; ".join(proof.reasons) if proof.verdict == "undecided" else None


def _proof(proofs: Proofs, role: Role, zones: tuple[OidcZone, ...]) -> Proof:
    return proofs.under(replace(proofs.zones, oidc=zones), role)


def _fault(entry: Federated, message: str, witness: Witness | None, about: str) -> Fault:
    place = entry.statement.place
    evidence: dict[str, object] = {"provider": entry.provider.name}
    if witness is not None:
        evidence |= {"principal": witness.principal, "action": witness.action, "context": witness.context}
    return Fault(
        entry.role.arn,
        message if place in message else f"{message} ({place})",
        place=f"trust policy {place} {about} {entry.provider.name}",
        location=entry.role.trust.locate(place),
        evidence=evidence,
    )
