"""A trust policy prepared for the proof: whom each statement names, for which actions, under which conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_stsguard.trust.check import Check, check_of
from pytest_stsguard.trust.match import Match, Principals
from pytest_stsguard.trust.named import Named, Refused, read_principal

if TYPE_CHECKING:
    from pytest_stsguard.policy import Policy, Principal
    from pytest_stsguard.trust.request_class import RequestClass
    from pytest_stsguard.trust.zones import Zones

__all__ = ["ASSUME", "SAML", "WEB_IDENTITY", "Rule", "Rules", "read_rules"]

ASSUME: Final = "sts:AssumeRole"
WEB_IDENTITY: Final = "sts:AssumeRoleWithWebIdentity"
SAML: Final = "sts:AssumeRoleWithSAML"

CORRECT: Final = "correct the document: what IAM refuses no role can have"

LONGEST: Final = 262_144
MOST: Final = 2_000
"""Characters of condition values, and statements: many times what fits into the largest trust policy that IAM takes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement.

    `principals` are those of the Principal element, or of NotPrincipal when it `excludes`; `actions` those of the three
    ways to assume a role that it speaks of.
    """

    place: str
    allows: bool
    principals: Principals
    excludes: bool
    actions: frozenset[str]
    checks: tuple[Check, ...]

    def match(self, asker: RequestClass) -> Match:
        """Tell whether the statement applies to the requests of a class, its conditions aside."""
        if asker.action not in self.actions:
            return Match.NO
        if not self.excludes:
            return self.principals.named_by(asker, allows=self.allows)
        if self.allows:
            return self.principals.granted_by_exclusion(asker)
        return self.principals.denied_by_exclusion(asker)

    @property
    def named(self) -> tuple[Named, ...]:
        """Whom the statement names."""
        return self.principals.named

    @property
    def is_open(self) -> bool:
        """Tell whether it is for everyone, or for everyone but a few."""
        return self.excludes or self.principals.everyone


@dataclass(frozen=True, slots=True)
class Rules:
    """The statements that can matter, and why not all could be read.

    `rejected`: IAM would not take the policy, so that no role can have it; nothing is concluded from it.
    """

    rules: tuple[Rule, ...]
    doubts: tuple[str, ...]
    rejected: bool

    @property
    def keys(self) -> frozenset[str]:
        """Every condition key that is mentioned, variables included, in lower case."""
        found: set[str] = set()
        for rule in self.rules:
            for check in rule.checks:
                found.add(check.key)
                found.update(check.variables)
        return frozenset(found)


def read_rules(policy: Policy, zones: Zones) -> Rules:
    """Prepare a policy, leniently parsed, for a role of the zones' account."""
    doubts = [str(problem) if problem.hint else f"{problem} ({CORRECT})" for problem in policy.problems]
    rejected = bool(doubts) or not policy.whole
    rules: list[Rule] = []
    known: dict[Principal, Named | Refused] = {}
    size = sum(len(value) for one in policy.statements for check in one.conditions for value in check.values)
    for held, most, noun in (size, LONGEST, "characters of conditions"), (len(policy.statements), MOST, "statements"):
        if held > most:
            return Rules(
                (),
                (*doubts, f"the policy holds more than the {most} {noun} that are looked at ({CORRECT})"),
                rejected=True,
            )
    for statement, matcher in zip(policy.statements, policy.index.matchers, strict=True):
        if not statement.readable:
            continue
        named: list[Named] = []
        for principal in statement.principals or statement.not_principals or ():
            found = known.get(principal)
            if found is None:
                found = read_principal(principal, account=zones.account, partition=zones.partition)
                known[principal] = found
            if isinstance(found, Refused):
                doubts.append(f"{statement.place}: {found.reason}")
                rejected = rejected or found.rejected
            else:
                named.append(found)
        rules.append(
            Rule(
                statement.place,
                statement.effect == "Allow",
                Principals(named),
                statement.not_principals is not None,
                frozenset(action for action in (ASSUME, WEB_IDENTITY, SAML) if matcher.names_action(action.lower())),
                tuple(check_of(condition, policy.version) for condition in statement.conditions),
            )
        )
    return Rules(tuple(rules), tuple(doubts), rejected)
