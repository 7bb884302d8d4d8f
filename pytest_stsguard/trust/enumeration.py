"""The request classes of a policy: few, and together every request that it could allow.

The widest come first, so that a budget that runs out has at least looked at the open doors.
"""

from __future__ import annotations

import re
from itertools import chain, product
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy.globs import glob
from pytest_stsguard.trust.chars import literal
from pytest_stsguard.trust.check import ANY_OF, asks
from pytest_stsguard.trust.identities import IdentityKeys, role_shapes
from pytest_stsguard.trust.presence import SESSION_SOURCES
from pytest_stsguard.trust.request_class import Clause, Literal, RequestClass, Scene
from pytest_stsguard.trust.rules import ASSUME, SAML, WEB_IDENTITY
from pytest_stsguard.trust.services import ServiceKeys
from pytest_stsguard.trust.text import Demand, find_text
from pytest_stsguard.trust.tokens import assertions, networks, tokens
from pytest_stsguard.trust.zones import ANY_SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_stsguard.trust.check import Check
    from pytest_stsguard.trust.named import Named
    from pytest_stsguard.trust.rules import Rule
    from pytest_stsguard.trust.zones import Zones

__all__ = ["accounts_of", "classes_of", "ties_of"]

TELLING_APART: Final = frozenset(SESSION_SOURCES) | {
    "aws:principaltype",
    "aws:username",
    "aws:userid",
    "aws:tokenissuetime",
}
"""Keys that differ between users and roles; where a policy has none of them, one class serves both."""
LONGEST: Final = 2_048
_ACCOUNTS: Final = {
    **dict.fromkeys(("aws:principalaccount", "aws:principalarn"), re.compile(r"(?:^|(?<=::))[0-9]{12}(?=:|$)")),
    **dict.fromkeys(SESSION_SOURCES, re.compile(r"(?<=:)[0-9]{12}(?=:)")),
}
"""Account ids as a condition on the caller's account or ARN, or on what its session was made for, spells them."""
ORG_KEYS: Final = frozenset({"aws:principalorgid", "aws:principalorgpaths"})
SOURCE_KEYS: Final = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})
SOURCE_ORG_KEYS: Final = frozenset({"aws:sourceorgid", "aws:sourceorgpaths"})


def accounts_of(rules: Sequence[Rule], zones: Zones) -> tuple[str, ...]:
    """List the accounts that the policy's principals, its conditions or the zones name, the own one first."""
    found = dict.fromkeys((zones.account, *(account.id for account in zones.accounts)))
    for rule in rules:
        found.update(dict.fromkeys(named.account for named in rule.named if named.account))
        for check in rule.checks:
            named = _ACCOUNTS.get(check.key)
            if named is not None:
                for value in check.condition.values:
                    found.update(dict.fromkeys(named.findall(value[:LONGEST])))
    return tuple(found)


def classes_of(rules: Sequence[Rule], scene: Scene) -> Iterator[RequestClass]:
    """Give the classes, the widest first; `outside` tells which of their requests lie outside the zones."""
    allows = [rule for rule in rules if rule.allows]
    open_for = frozenset(chain.from_iterable(rule.actions for rule in allows if rule.is_open))
    named = dict.fromkeys(chain.from_iterable(rule.named for rule in allows if not rule.excludes))
    if ASSUME in open_for or any(one.kind in _IDENTITY_KINDS for one in named):
        yield from _identities(rules, allows, scene, everyone=ASSUME in open_for)
    for one in named:
        if one.kind == "service":
            yield from _services(one.name, scene)
        elif one.kind == "oidc":
            yield from tokens(one.name, one.arn, scene)
        elif one.kind == "saml":
            yield assertions(one.name, one.arn, scene)
    others = dict.fromkeys(one for rule in rules for one in rule.named if one not in named)
    yield from _admitted(open_for, others, {one.name for one in named if one.kind in _FEDERATED}, scene)


_FEDERATED: Final = frozenset({"service", "oidc", "saml"})
_IDENTITY_KINDS: Final = frozenset({"account", "user", "role", "session"})


def _identities(
    rules: Sequence[Rule], allows: Sequence[Rule], scene: Scene, *, everyone: bool
) -> Iterator[RequestClass]:
    """Give everyone else first, then whole accounts, then the identities that some statement names."""
    callers = ("role", "user") if scene.keys & TELLING_APART else ("identity",)
    granted = {one.account for rule in allows for one in rule.named if one.kind == "account"}
    singles = dict.fromkeys(one for rule in rules for one in rule.named if one.kind in {"user", "role", "session"})
    of_account: dict[str, list[str]] = {}
    for one in singles:
        if one.kind != "session":
            of_account.setdefault(one.account, []).append(one.arn)
    accounts = ("", *scene.accounts) if everyone else [one for one in scene.accounts if one in granted]
    for account in accounts:
        for org, caller in product(_orgs(account, scene), callers):
            yield _identity(scene, account, org, caller, apart=of_account.get(account, ()))
    for one in singles:
        for org in _orgs(one.account, scene):
            yield _identity(scene, one.account, org, one.kind, arn=one.arn, name=one.name)


def _orgs(account: str, scene: Scene) -> tuple[str, ...]:
    """List the organisations that an account may be in, as far as the policy asks."""
    zones = scene.zones
    if account == zones.account:
        return ("own",) if zones.org_id else ("unknown",) if scene.keys & ORG_KEYS else ("none",)
    if not scene.keys & ORG_KEYS:
        return ("none",)
    return ("none", "other", "own") if zones.org_id else ("none", "other")


def _identity(
    scene: Scene, account: str, org: str, caller: str, *, arn: str = "", name: str = "", apart: Sequence[str] = ()
) -> RequestClass:
    zones = scene.zones
    given: list[Literal] = []
    if not account:
        given.append(Literal(asks("StringEquals", "aws:principalaccount", scene.accounts), want=False))
        for key, (service, _, _) in SESSION_SOURCES.items():
            if key in scene.keys:
                known = [f"arn:*:{service}:*:{other}:*" for other in scene.accounts]
                given.append(Literal(asks("ArnLike", key, known), want=False))
    if org == "other" and zones.org_id:
        given.append(Literal(asks("StringEquals", "aws:principalorgid", (zones.org_id,)), want=False))
    if apart:
        given.append(Literal(asks("StringEquals", "aws:principalarn", apart), want=False))
    outside, declared = _identity_zone(scene, account, org, caller, arn=arn, name=name)
    kind, label = _identity_words(zones, account, org, arn)
    doubtful = caller == "session" and account == zones.account and _may_lie_inside(scene, name)
    keys = IdentityKeys(scene, account, org, caller, "" if caller == "session" else arn, name, doubtful)
    return RequestClass(
        kind, label, caller, ASSUME, keys, arn, account, name, outside,
        given=tuple(given), declared=declared, foreign_org=org == "other",
    )  # fmt: skip


def _identity_words(zones: Zones, account: str, org: str, arn: str) -> tuple[str, str]:
    """Name the class, in a word and in a few."""
    if account == zones.account:
        return "own-account", arn or f"account {account} (own)"
    if account:
        return "external-account", arn or f"account {account}"
    if org == "own":
        return "organization", f"any account of organization {zones.org_id}"
    return "any-account", "any account" if org == "none" else "any account of another organization"


def _identity_zone(
    scene: Scene, account: str, org: str, caller: str, *, arn: str, name: str
) -> tuple[tuple[Clause, ...] | None, bool]:
    """Tell what lies outside the zones, and whether the account is declared."""
    zones = scene.zones
    if org == "own" and zones.organization:
        return None, True
    own = account == zones.account
    external = [one for one in zones.accounts if one.id == account]
    proofs: list[Check | None] = [
        asks("StringEquals", "sts:externalid", one.external_ids) if one.external_ids else None for one in external
    ]
    if own and zones.own_account:
        known = zones.own_principals
        whole = known is None or (caller == "session" and any(_names_session(one, arn, name) for one in known))
        proofs.append(None if whole else asks("ArnLike", "aws:principalarn", known or ()))
    outside = [(Literal(proof, want=False),) for proof in proofs if proof is not None]
    if len(outside) < len(proofs):
        return None, True
    return (*networks(zones), *outside), own or bool(external)


def _names_session(pattern: str, arn: str, role: str) -> bool:
    """Tell whether a declared principal is a session, or is its role by name: a role's name is unique in its account."""
    exact = "*" not in pattern and "?" not in pattern
    return glob(pattern)(arn) or (exact and ":role/" in pattern and pattern.rpartition("/")[2] == role)


def _may_lie_inside(scene: Scene, role: str) -> bool:
    """Tell whether a role of this name is declared, if it has the right path."""
    zones = scene.zones
    if not zones.own_account or zones.own_principals is None:
        return False
    start = f"arn:{zones.partition}:iam::{zones.account}:role/"
    declared = Demand(asks("ArnLike", "aws:principalarn", zones.own_principals), want=True)
    shapes = role_shapes(literal(start), start, literal(role), role)
    return find_text(shapes, [declared], scene.budget) is not None


_OF_ENDPOINTS: Final = (
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
)


def ties_of(scene: Scene) -> list[Clause]:
    """Say which keys come together and which never do, of those that the policy and the zones ask for.

    A time of MFA comes with MFA only, an address only without a VPC endpoint, and a tag with its name among the tags'.
    """
    keys = scene.keys | ({"aws:sourceip"} if scene.zones.networks else set())
    found: list[Clause] = []
    if {"aws:multifactorauthage", "aws:multifactorauthpresent"} <= keys:
        found.append(
            (_null("aws:multifactorauthage"), Literal(asks("Bool", "aws:multifactorauthpresent", ("true",)), want=True))
        )
    if "aws:sourceip" in keys:
        found.extend((_null("aws:sourceip"), _null(key)) for key in _OF_ENDPOINTS if key in keys)
    for key in sorted(keys):
        noun, _, tag = key.partition("/")
        if noun == "aws:requesttag" and tag and "aws:tagkeys" in keys:
            named = asks("StringEqualsIgnoreCase", "aws:tagkeys", (tag,), qualifier=ANY_OF)
            found.append((_null(key), Literal(named, want=True)))
            found.append((Literal(named, want=False), _null(key, want=False)))
    return found


def _null(key: str, *, want: bool = True) -> Literal:
    return Literal(asks("Null", key, ("true",)), want=want)


def _services(name: str, scene: Scene) -> Iterator[RequestClass]:
    """Give the classes of a service: inside whatever the source, outside whatever the source, or by its source."""
    zones = scene.zones
    inside = zones.service(name) == ANY_SOURCE
    for org in ("none", "other", "own") if scene.keys & SOURCE_ORG_KEYS else ("none",):
        if org == "own" and not zones.org_id:
            continue
        for source, told in ("free", True), ("tied", True), ("tied", False):
            if source == "free" or "aws:sourcearn" in scene.keys:
                yield _service(name, scene, org, source, told=told, inside=inside)


def _service(
    name: str, scene: Scene, org: str, source: str, *, told: bool = True, inside: bool = False
) -> RequestClass:
    zones = scene.zones
    declared = zones.service(name) is not None
    given: list[Literal] = []
    if org == "other" and zones.org_id:
        given.append(Literal(asks("StringEquals", "aws:sourceorgid", (zones.org_id,)), want=False))
    outside: tuple[Clause, ...] | None = None
    if not inside and not (declared and org == "own" and zones.organization):
        accounts = _source_accounts(zones) if declared else ()
        outside = (*networks(zones), *((literal,) for literal in _beyond(accounts, scene)))
    return RequestClass(
        "service", name or "services that nobody names", "service", ASSUME,
        ServiceKeys(scene, name, org, source, told), name, "", name, outside,
        given=tuple(given), declared=declared,
    )  # fmt: skip


def _source_accounts(zones: Zones) -> list[str]:
    """List the accounts that a service may act for: the own one and those declared without an ExternalId.

    An account that must show an ExternalId cannot show it through a service.
    """
    own = zones.own_account or (zones.organization and zones.org_id is not None)
    return [
        *((zones.account,) if own else ()),
        *(account.id for account in zones.accounts if not account.external_ids),
    ]


def _beyond(accounts: Sequence[str], scene: Scene) -> list[Literal]:
    """Say that the source, where it is told, is none of these accounts."""
    if not accounts:
        return []
    return [
        *(
            (Literal(asks("StringEquals", "aws:sourceaccount", accounts), want=False),)
            if scene.keys & SOURCE_KEYS
            else ()
        ),
        *(
            (Literal(asks("ArnLike", "aws:sourcearn", [f"arn:*:*:*:{one}:*" for one in accounts]), want=False),)
            if "aws:sourcearn" in scene.keys
            else ()
        ),
    ]


def _admitted(
    open_for: frozenset[str], others: Iterable[Named], seen: set[str], scene: Scene
) -> Iterator[RequestClass]:
    """Give the services and federated callers that a grant to everyone may admit; AWS does not say whether it does.

    `others` are those that only a Deny or a NotPrincipal names, `seen` the names already looked at.
    """
    zones = scene.zones
    arns = {kind: {one.name: one.arn for one in others if one.kind == kind} for kind in _FEDERATED}
    if ASSUME in open_for:
        for name in dict.fromkeys(("", *arns["service"], *(name for name, _ in zones.services if name != "*"))):
            if name not in seen:
                yield from _services(name, scene)
    if WEB_IDENTITY in open_for:
        mentioned = (key.rpartition(":")[0] for key in scene.keys if "." in key.partition(":")[0])
        for name in dict.fromkeys(("", *arns["oidc"], *(zone.issuer for zone in zones.oidc), *sorted(mentioned))):
            if name not in seen:
                yield from tokens(name, arns["oidc"].get(name, ""), scene, fresh=not name)
    if SAML in open_for:
        known = dict.fromkeys((*arns["saml"], *zones.saml, *sorted(seen)))
        yield assertions("", "", scene, known=known)
        for name in (*arns["saml"], *zones.saml):
            if name not in seen:
                yield assertions(name, arns["saml"].get(name, ""), scene)
