"""How narrow is a trust policy: is there a request outside the declared zones that it allows?

The answer is exact for role trust policies under the presence table. It says nothing of service and resource control
policies, of the callers' own policies, or of what an identity provider does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.clock import Clock
from pytest_stsguard.policy import Policy
from pytest_stsguard.policy.variables import Variable
from pytest_stsguard.trust.budget import STEPS, Budget, BudgetExceededError
from pytest_stsguard.trust.enumeration import accounts_of, classes_of, ties_of
from pytest_stsguard.trust.federated import FORMAL
from pytest_stsguard.trust.issuers import TENANTS
from pytest_stsguard.trust.match import Match
from pytest_stsguard.trust.pins import settled, solve_surely
from pytest_stsguard.trust.request_class import Clause, Literal, RequestClass, Scene
from pytest_stsguard.trust.rules import Rule, read_rules
from pytest_stsguard.trust.search import solve
from pytest_stsguard.trust.witness import Witness, make_witness, replays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pytest_stsguard.trust.zones import Zones

__all__ = ["Proof", "Prover", "prove"]

NARROW: Final = "narrow"
TOO_BROAD: Final = "too_broad"
UNDECIDED: Final = "undecided"

MOST_WITNESSES: Final = 50
MOST_REASONS: Final = 20
EXCLUSION: Final = (
    "whether a NotPrincipal that names only the account, or only part of a caller, spares it is not documented (write a "
    "Deny for `*` with a condition on `aws:PrincipalArn` instead)"
)
NOT_SURELY_OUTSIDE: Final = (
    "only subjects that may be a declared owner's lie outside the zones: its name in another case, or with an id that "
    "the zones do not give (pin the name as the zones write it, or give the owner's id in the zones)"
)

NAME_THEM: Final = "name the principals"
REMEDIES: Final = {
    "service": "name the principals, or add `aws:PrincipalIsAWSService` = false",
    "oidc": "name the principals, or allow sts:AssumeRole only",
    "saml": "name the principals, or allow sts:AssumeRole only",
}

_OWNERS: Final = re.compile(r"^repo:([A-Za-z0-9_-]+)@([0-9]+)/")
_ORG_IDS: Final = re.compile(r"o-[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer for one trust policy.

    Attributes:
        verdict: ``narrow``, ``too_broad`` or ``undecided``.
        witnesses: Requests from outside the zones that it allows, each replayed through the policy engine.
        reasons: Why it is undecided, or what could not be looked at beside the witnesses.
        closed: The classes of requests that the policy speaks of and that hold nothing outside the zones.
        dead: Nothing inside the zones can use it either.
    """

    verdict: str
    witnesses: tuple[Witness, ...] = ()
    reasons: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    dead: bool = False


class Prover:
    """Proves many policies against the same zones, at one moment; equal policies are proved once."""

    def __init__(self, zones: Zones, *, now: datetime | None = None, budget: int = STEPS) -> None:
        self.zones = zones
        self.now = now if now is not None else Clock().now()
        self.budget = budget
        self._proofs: dict[str, Proof] = {}

    def prove(self, policy: Policy | Mapping[str, Any] | str) -> Proof:
        """Prove one policy; a document is read leniently as a trust policy."""
        if not isinstance(policy, Policy):
            policy = Policy.parse(policy, kind="trust", lenient=True)
        # Text, not the policies: what thousands of them have compiled would be walked by every garbage collection.
        asked = json.dumps([policy.document(), policy.whole, [str(problem) for problem in policy.problems]])
        found = self._proofs.get(asked)
        if found is None:
            found = self._proofs[asked] = _Case(policy, self.zones, self.now, Budget(self.budget)).prove()
        return found


def prove(
    policy: Policy | Mapping[str, Any] | str, zones: Zones, *, now: datetime | None = None, budget: int = STEPS
) -> Proof:
    """Tell whether a trust policy allows a request from outside the zones.

    Args:
        policy: The trust policy: parsed (leniently, of kind ``trust``), an object, or JSON text.
        zones: Who is declared.
        now: The moment of the analysis: no request is made before it; default now.
        budget: Steps that the proof may cost; past them it is undecided.

    Returns:
        The verdict with its witnesses or reasons. Nothing that is wrong with the policy raises.
    """
    return Prover(zones, now=now, budget=budget).prove(policy)


class _Case:
    """One proof while it is being made."""

    def __init__(self, policy: Policy, zones: Zones, now: datetime, budget: Budget) -> None:
        self.policy = policy
        self.budget = budget
        self.read = read_rules(policy, zones)
        self.rules = self.read.rules
        self.names: dict[str, str] = {}
        for rule in self.rules:
            for check in rule.checks:
                self.names.setdefault(check.key, check.condition.key)
                for part in chain.from_iterable(check.templates or ()):
                    if isinstance(part, Variable):
                        self.names.setdefault(part.folded, part.key)
        organizations = {
            found
            for rule in self.rules
            for check in rule.checks
            if check.key in {"aws:principalorgid", "aws:principalorgpaths"}
            for value in check.condition.values
            for found in _ORG_IDS.findall(value[:200])
        }
        owners = dict.fromkeys(
            (name, number)
            for rule in self.rules
            for check in rule.checks
            if check.key.endswith(":sub")
            for value in check.condition.values
            for name, number in _OWNERS.findall(value[:200])
        )
        accounts = accounts_of(self.rules, zones)
        self.scene = Scene(
            zones,
            now,
            self.read.keys,
            accounts,
            budget,
            frozenset(organizations),
            tuple(owners)[:MOST_REASONS],
            _ids(self.rules),
        )
        self.ties = ties_of(self.scene)
        self.witnesses: list[Witness] = []
        self.doubts: dict[str, None] = dict.fromkeys(self.read.doubts)
        self.closed: dict[str, None] = {}

    def prove(self) -> Proof:
        """Look at every class, the widest first."""
        complete = True
        dead = False
        try:
            for asker in classes_of(self.rules, self.scene):
                self.look_at(asker)
                if len(self.witnesses) >= MOST_WITNESSES:
                    self.doubts[
                        f"only the first {MOST_WITNESSES} witnesses were looked for (mend these and prove again)"
                    ] = None
                    break
            dead = not self.witnesses and not self.doubts and self.is_dead()
        except BudgetExceededError as error:
            complete = False
            self.doubts[error.message] = None
        reasons = tuple(map(self.spelt, tuple(self.doubts)[:MOST_REASONS]))
        if self.read.rejected or (not self.witnesses and (self.doubts or not complete)):
            return Proof(UNDECIDED, tuple(self.witnesses), reasons, tuple(self.closed))
        if self.witnesses:
            return Proof(TOO_BROAD, tuple(self.witnesses), reasons, tuple(self.closed))
        return Proof(NARROW, (), (), tuple(self.closed), dead)

    def spelt(self, reason: str) -> str:
        """Write the keys of a reason as the policy does."""
        for key, name in self.names.items():
            reason = reason.replace(f"`{key}`", f"`{name}`")
        return reason

    def look_at(self, asker: RequestClass) -> None:
        """Look for a request of a class that lies outside the zones and is allowed."""
        self.budget.spend(2 + len(self.rules) // 2)
        allows = self.granting(asker)
        if not allows:
            return
        if asker.outside is None:
            self.closed[asker.label] = None
            return
        denies = [
            (rule, match) for rule in self.rules if not rule.allows and (match := rule.match(asker)) is not Match.NO
        ]
        before = len(self.doubts), len(self.witnesses)
        for rule, match in allows:
            self.try_rule(asker, rule, match, denies)
            if len(self.witnesses) > before[1]:
                break
        if before == (len(self.doubts), len(self.witnesses)):
            self.closed[asker.label] = None

    def granting(self, asker: RequestClass) -> list[tuple[Rule, Match]]:
        """List the statements that may allow a class, the certain ones first; none that adds nothing to a witness."""
        found = [(rule, match) for rule in self.rules if rule.allows and (match := rule.match(asker)) is not Match.NO]
        kinds = {witness.kind for witness in self.witnesses}
        if asker.is_identity and ("any-account" in kinds or (asker.foreign_org and "organization" in kinds)):
            found = [(rule, match) for rule, match in found if not rule.is_open]
        if self.witnesses:
            found = [(rule, match) for rule, match in found if match is Match.YES]
        return sorted(found, key=lambda pair: pair[1] is Match.MAYBE)

    def try_rule(self, asker: RequestClass, rule: Rule, match: Match, denies: Sequence[tuple[Rule, Match]]) -> None:
        """Look for a request that one statement allows; what may be one but is not certain becomes a doubt."""
        possible = [
            *self.conditions(asker, rule),
            *(self.denial(asker, deny) for deny, applies in denies if applies is Match.YES),
            *(asker.outside or ()),
        ]
        solution = solve(asker, possible, self.budget, sure=False)
        if solution is None:
            return
        doubts = list(solution.doubts)
        if match is Match.MAYBE:
            doubts.append(
                f"{rule.place}: whether a grant to everyone admits {_admitted(asker)} is not documented "
                f"({REMEDIES.get(asker.caller, NAME_THEM)})"
            )
        if any(applies is Match.MAYBE for _, applies in denies):
            doubts.append(EXCLUSION)
        if match is Match.YES and (doubts or asker.surely is not None):
            certain = [
                *self.conditions(asker, rule),
                *(self.denial(asker, deny) for deny, _ in denies),
                *(asker.surely if asker.surely is not None else asker.outside or ()),
            ]
            found = solve_surely(asker, certain, self.budget)
            if found is not None:
                solution, doubts = found, []
            elif not doubts:
                doubts = [NOT_SURELY_OUTSIDE]
        if not doubts:
            witness = make_witness(
                asker, rule, solution=solution, scene=self.scene, names=self.names, budget=self.budget
            )
            self.budget.spend(10 + 2 * len(self.rules))
            if replays(witness, self.policy, self.scene):
                self.witnesses.append(witness)
                return
            doubts.append(
                f"the policy engine does not allow what was found: {witness.summary} (a fault of stsguard's: please report it)"
            )
        self.doubts.update(dict.fromkeys(doubts))

    def conditions(self, asker: RequestClass, rule: Rule) -> list[Clause]:
        """Say that a statement's conditions hold, and what holds for the class anyway."""
        return [
            *((literal,) for literal in asker.given),
            *self.ties,
            *((Literal(settled(asker, check), want=True),) for check in rule.checks),
        ]

    def denial(self, asker: RequestClass, rule: Rule) -> Clause:
        """Say that a Deny does not apply: one of its conditions fails."""
        return tuple(Literal(settled(asker, check), want=False) for check in rule.checks)

    def is_dead(self) -> bool:
        """Tell whether no request at all is allowed, from inside the zones or outside."""
        for asker in classes_of(self.rules, self.scene):
            denies = [rule for rule in self.rules if not rule.allows and rule.match(asker) is Match.YES]
            for rule in self.rules:
                if rule.allows and rule.match(asker) is not Match.NO:
                    clauses = [*self.conditions(asker, rule), *(self.denial(asker, deny) for deny in denies)]
                    found = solve(asker, clauses, self.budget, sure=False)
                    formal = found is not None and found.doubts and set(found.doubts) <= {FORMAL}
                    if formal and solve(asker, clauses, self.budget, sure=True) is None:
                        found = None
                    if found is not None:
                        return False
        return True


def _ids(rules: Sequence[Rule]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """List the plain values of claims that name a tenant by an id, by key."""
    found: dict[str, dict[str, None]] = {}
    for check in chain.from_iterable(rule.checks for rule in rules):
        if check.key.rpartition(":")[2] in TENANTS:
            plain = (value for value in check.condition.values if not any(sign in value for sign in "*?$"))
            found.setdefault(check.key, {}).update(dict.fromkeys(plain))
    return tuple((key, tuple(values)) for key, values in found.items() if values)


def _admitted(asker: RequestClass) -> str:
    return {"service": "services", "oidc": "tokens of OIDC issuers", "saml": "SAML assertions"}.get(asker.caller, "it")
