"""The request classes of federated callers: tokens of OIDC issuers and assertions of SAML providers."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy import Condition
from pytest_stsguard.trust.check import FoldedCheck, asks
from pytest_stsguard.trust.federated import LOOSE_ID, UNTOLD_ID, Ids, OidcKeys, SamlKeys
from pytest_stsguard.trust.issuers import is_github, issuer_of
from pytest_stsguard.trust.request_class import Clause, Literal, RequestClass, Scene
from pytest_stsguard.trust.rules import SAML, WEB_IDENTITY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pytest_stsguard.trust.check import Check
    from pytest_stsguard.trust.zones import OidcZone, Zones

__all__ = ["assertions", "networks", "tokens"]


def networks(zones: Zones) -> tuple[Clause, ...]:
    """Say that a request comes from none of the declared networks."""
    if not zones.networks:
        return ()
    return ((Literal(asks("IpAddress", "aws:sourceip", zones.networks), want=False),),)


def tokens(issuer: str, arn: str, scene: Scene, *, fresh: bool = False) -> Iterator[RequestClass]:
    """Give the classes of an issuer's tokens; several where GitHub's repository or a declared id is asked for."""
    declared = [zone for zone in scene.zones.oidc if zone.issuer.rstrip("/") == issuer.rstrip("/")]
    prefix = issuer.lower()
    asked = f"{prefix}:repository" in scene.keys or any(
        name == "repository" for zone in declared for name, _ in zone.claims
    )
    subjects = ("name", "ids", "other") if asked and is_github(issuer) else ("",)
    label = "issuers that nobody names" if fresh else issuer
    ids = _ids(issuer, declared, scene)
    for subject, told in product(subjects, list(product((False, True), repeat=len(ids)))):
        given: list[Literal] = []
        if subject == "other":
            # A subject that begins so tells the repository, with ids or without; GitHub's names hold no `@` of their own.
            given.append(Literal(asks("StringLike", f"{prefix}:sub", ("repo:*",)), want=False))
        given.extend(
            Literal(asks("StringEquals", f"{prefix}:{name}", known), want=is_told)
            for (name, known, _), is_told in zip(ids, told, strict=True)
        )
        of_ids = tuple(one for one, is_told in zip(ids, told, strict=True) if is_told)
        yield RequestClass(
            "oidc", label, "oidc", WEB_IDENTITY, OidcKeys(scene, issuer, subject, of_ids), arn, "", issuer,
            _oidc_zone(declared, prefix, scene.zones, folds=False),
            _oidc_zone(_with_ids(declared, scene), prefix, scene.zones, folds=True) if issuer_of(issuer).folds else None,
            given=tuple(given), declared=bool(declared),
        )  # fmt: skip


_ID_CLAIMS: Final = {
    "repository_owner_id": re.compile(r"^repo:[^@/:]*@([0-9]+)/"),
    "repository_id": re.compile(r"^repo:[^/:]*/[^@/:]*@([0-9]+):"),
}


def _ids(issuer: str, declared: Sequence[OidcZone], scene: Scene) -> list[Ids]:
    """List the claims whose ids may be a declared owner's, though no declaration is of these claims.

    A token with an id that GitHub's subjects in the zones tell is that owner's, whatever form its subject has; one with
    another id is a token like any. Where the zones tell no ids, those that the policy names may be the owner's as well.
    """
    found: list[Ids] = []
    known = issuer_of(issuer)
    claims = {name for zone in declared for name, _ in zone.claims}
    patterns = _ID_CLAIMS if is_github(issuer) else {}
    for name in sorted({*patterns, *known.tenants}):
        if not declared or name in claims or f"{issuer.lower()}:{name}" not in scene.keys:
            continue
        in_zones = _declared_ids(declared, patterns[name]) if name in patterns else ()
        named = dict(scene.ids).get(f"{issuer.lower()}:{name}", ()) if name in known.tenants else ()
        if in_zones or named:
            found.append((name, in_zones or named, LOOSE_ID if in_zones else UNTOLD_ID))
    return found


def _declared_ids(declared: Sequence[OidcZone], pattern: re.Pattern[str]) -> tuple[str, ...]:
    subjects = (glob for zone in declared for glob in zone.subjects or ())
    return tuple(dict.fromkeys(match.group(1) for glob in subjects if (match := pattern.match(glob))))


def _oidc_zone(declared: Sequence[OidcZone], prefix: str, zones: Zones, *, folds: bool) -> tuple[Clause, ...] | None:
    """Say that a token is of no declared kind: for each of them, some list of globs has none that matches."""
    clauses = list(networks(zones))
    for zone in declared:
        lists = (("sub", zone.subjects), ("aud", zone.audiences), *zone.claims)
        clause = [
            Literal(_glob_check(f"{prefix}:{name}", globs, folds=folds and name in _NAMES), want=False)
            for name, globs in lists
            if globs is not None
        ]
        if zone.methods is not None:
            clause.append(
                Literal(asks("StringLike", f"{prefix}:amr", zone.methods, qualifier="ForAnyValue"), want=False)
            )
        if not clause:
            return None
        clauses.append(tuple(clause))
    return tuple(clauses)


def _with_ids(declared: Sequence[OidcZone], scene: Scene) -> list[OidcZone]:
    """Read zones that name GitHub's owners without ids as if they gave the ids that the policy pins.

    Whether they are the owner's nobody has said: what only differs in that is neither inside nor surely outside.
    """
    found = []
    for zone in declared:
        globs = list(zone.subjects or ())
        for name, number in scene.owners:
            for glob_ in zone.subjects or ():
                head, slash, rest = glob_.partition("/")
                if slash and head.lower() == f"repo:{name}".lower():
                    repository, colon, tail = rest.partition(":")
                    globs.append(f"{head}@{number}/{repository}@*:{tail}" if colon else f"{head}@{number}/{rest}")
        found.append(zone if zone.subjects is None else replace(zone, subjects=tuple(globs)))
    return found


_NAMES: Final = frozenset({"sub", "repository"})
"""Claims that begin with a name whose case does not matter to its owner."""


def _glob_check(key: str, globs: Sequence[str], *, folds: bool) -> Check:
    if not folds:
        return asks("StringLike", key, globs)
    return FoldedCheck(Condition("StringLike", "StringLike", None, if_exists=False, key=key, values=tuple(globs)))


def assertions(name: str, arn: str, scene: Scene, *, known: Collection[str] = ()) -> RequestClass:
    """Give the class of a SAML provider's assertions; without a name, of all providers but the `known` ones."""
    declared = name in scene.zones.saml
    given: tuple[Literal, ...] = ()
    if known and "saml:doc" in scene.keys:
        documents = [f"{scene.zones.account}/{one}" for one in known]
        given = (Literal(asks("StringEquals", "saml:doc", documents), want=False),)
    return RequestClass(
        "saml", f"SAML provider {name}" if name else "SAML providers that nobody names", "saml", SAML,
        SamlKeys(scene, name), arn, "", name, None if declared else networks(scene.zones),
        given=given, declared=declared,
    )  # fmt: skip
