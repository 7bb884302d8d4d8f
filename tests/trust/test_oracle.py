"""A second opinion of z3 on random policies: the same exists-question, put as strings and regular expressions.

Nightly only: it needs z3-solver (the extra `oracle`) and ``STSGUARD_NIGHTLY=1``.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from functools import reduce
from random import Random
from typing import Any

import pytest

from pytest_stsguard.trust import Zones, prove

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(os.environ.get("STSGUARD_NIGHTLY") != "1", reason="nightly only: set STSGUARD_NIGHTLY=1"),
]
NOW = datetime(2026, 11, 20, tzinfo=UTC)
OWN, EXTERNAL, ISSUER = "111122223333", "444455556666", "id.corp.example"
POLICIES = 150
PIECES = ("a", "b", "ab", "-", "*", "?", "a*", "*b", "team:", "ci")
MILLISECONDS = 2_000


def z3() -> Any:
    return pytest.importorskip("z3", reason="needs the extra `oracle`")


def text_of(random: Random) -> str:
    return "".join(random.choice(PIECES) for _ in range(random.choice((1, 2, 2, 3, 4))))


def glob(solver: Any, pattern: str, *, plain: bool) -> Any:
    """Give the regular expression of a pattern; `plain`: its wildcards are characters."""
    sign = solver.AllChar(solver.ReSort(solver.StringSort()))
    parts = [solver.Re(solver.StringVal(""))]
    for char in pattern:
        if plain or char not in "*?":
            parts.append(solver.Re(solver.StringVal(char)))
        else:
            parts.append(solver.Star(sign) if char == "*" else sign)
    return reduce(solver.Concat, parts) if len(parts) > 1 else parts[0]


class Key:
    """One context key: is it there, and what is it."""

    def __init__(
        self, solver: Any, name: str, alphabet: tuple[str, ...], *, most: int, optional: bool, least: int = 1
    ) -> None:
        self.name = name
        self.there = solver.Bool(f"{name} there") if optional else solver.BoolVal(val=True)
        self.value = solver.String(name)
        ranges = [solver.Range(first, last) for first, last in alphabet]
        one = solver.Union(*ranges) if len(ranges) > 1 else ranges[0]
        length = solver.Length(self.value)
        self.shape = solver.And(solver.InRe(self.value, solver.Star(one)), length >= least, length <= most)

    def holds(self, solver: Any, operator: str, values: list[str]) -> Any:
        """Put a condition on it as a formula, from FACTS of the policy language alone."""
        if operator == "Null":
            return solver.Not(self.there) if values == ["true"] else self.there
        bare = operator.removesuffix("IfExists").removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
        plain = "Equals" in bare
        among = solver.Or(*(solver.InRe(self.value, glob(solver, value, plain=plain)) for value in values))
        hit = solver.Not(among) if "Not" in bare else among
        if operator.startswith("ForAllValues:") or operator.endswith("IfExists"):
            return solver.Or(solver.Not(self.there), hit)
        if operator.startswith("ForAnyValue:"):
            return solver.And(self.there, hit)
        return solver.Or(solver.Not(self.there), hit) if "Not" in bare else solver.And(self.there, hit)


Conditions = list[tuple[str, str, list[str]]]


def statements(random: Random, keys: list[str], operators: tuple[str, ...]) -> list[tuple[str, Conditions]]:
    """Make some Allows and Denies, each with conditions on the keys."""
    found = []
    for effect in ("Allow", *random.choices(("Allow", "Deny", "Deny"), k=random.choice((0, 1, 1, 2)))):
        conditions: Conditions = []
        for _ in range(random.choice((0, 1, 1, 2, 2))):
            operator = random.choice(operators)
            values = [text_of(random) for _ in range(random.choice((1, 1, 2)))]
            conditions.append(
                (operator, random.choice(keys), [random.choice(("true", "false"))] if operator == "Null" else values)
            )
        unique = {(operator, key): values for operator, key, values in conditions}
        found.append((effect, [(operator, key, values) for (operator, key), values in unique.items()]))
    return found


def document(principal: Any, action: str, found: list[tuple[str, Conditions]]) -> dict[str, Any]:
    written = []
    for effect, conditions in found:
        one: dict[str, Any] = {"Effect": effect, "Principal": principal, "Action": action}
        for operator, key, values in conditions:
            one.setdefault("Condition", {}).setdefault(operator, {})[key] = values
        written.append(one)
    return {"Version": "2012-10-17", "Statement": written}


def opinion(solver: Any, found: list[tuple[str, Conditions]], keys: dict[str, Key], inside: Any) -> str:
    """Ask z3: is there a request that some Allow and no Deny matches, and that is not inside?"""

    def matches(conditions: Conditions) -> Any:
        return solver.And(*(keys[key].holds(solver, operator, values) for operator, key, values in conditions))

    question = solver.Solver()
    question.set("timeout", MILLISECONDS)
    question.add(*(key.shape for key in keys.values()), solver.Not(inside))
    question.add(solver.Or(*(matches(conditions) for effect, conditions in found if effect == "Allow")))
    question.add(*(solver.Not(matches(conditions)) for effect, conditions in found if effect == "Deny"))
    return {"sat": "too_broad", "unsat": "narrow"}.get(str(question.check()), "lost")


def agree(verdicts: Counter[tuple[str, str]]) -> None:
    """Hold that the two never contradict each other, and that the comparison was worth its name."""
    assert not {pair for pair in verdicts if set(pair) == {"narrow", "too_broad"}}, verdicts
    assert verdicts["narrow", "narrow"] > POLICIES // 20, verdicts
    assert verdicts["too_broad", "too_broad"] > POLICIES // 20, verdicts
    assert sum(count for pair, count in verdicts.items() if "undecided" in pair or "lost" in pair) < POLICIES // 4, (
        verdicts
    )


def test_subjects_of_a_private_issuer() -> None:
    """The subject is always there, as any text of printable characters; the zone names two patterns."""
    solver, verdicts = z3(), Counter[tuple[str, str]]()
    printable = ("!~",)
    operators = ("StringLike", "StringEquals", "StringNotLike", "StringNotEquals", "StringLikeIfExists",
                 "ForAllValues:StringLike", "ForAnyValue:StringLike")  # fmt: skip
    for number in range(POLICIES):
        random = Random(number)
        declared = [text_of(random) + "*", text_of(random)]
        key = Key(solver, f"{ISSUER}:sub", printable, most=60, optional=False)
        found = statements(random, [key.name], operators)
        zones = {"account": OWN, "trust": {"oidc": [{"issuer": ISSUER, "sub": declared}]}}
        provider = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{ISSUER}"}
        policy = document(provider, "sts:AssumeRoleWithWebIdentity", found)
        inside = solver.Or(*(solver.InRe(key.value, glob(solver, one, plain=False)) for one in declared))
        expected = opinion(solver, found, {key.name: key}, inside)
        proof = prove(policy, Zones.parse(zones), now=NOW)
        assert {proof.verdict, expected} != {"narrow", "too_broad"}, (policy, zones, proof, expected)
        verdicts[proof.verdict, expected] += 1
    agree(verdicts)


def test_external_ids_of_a_declared_account() -> None:
    """The ExternalId may be absent; who shows the declared one is inside."""
    solver, verdicts = z3(), Counter[tuple[str, str]]()
    letters = ("az", "AZ", "09", "+/", "::", "==", "@@", "__")
    operators = ("StringLike", "StringEquals", "StringNotLike", "StringNotEquals", "StringEqualsIfExists", "Null",
                 "StringNotLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringEquals")  # fmt: skip
    for number in range(POLICIES):
        random = Random(10_000 + number)
        declared = "".join(random.choice("ab") for _ in range(2))
        key = Key(solver, "sts:ExternalId", letters, most=60, optional=True)
        found = statements(random, [key.name], operators)
        zones = {"account": OWN, "trust": {"accounts": [{"id": EXTERNAL, "external_id": [declared]}]}}
        policy = document({"AWS": EXTERNAL}, "sts:AssumeRole", found)
        inside = solver.And(key.there, key.value == solver.StringVal(declared))
        expected = opinion(solver, found, {key.name: key}, inside)
        proof = prove(policy, Zones.parse(zones), now=NOW)
        assert {proof.verdict, expected} != {"narrow", "too_broad"}, (policy, zones, proof, expected)
        verdicts[proof.verdict, expected] += 1
    agree(verdicts)


def test_two_tags_of_any_principal() -> None:
    """Tags may be absent, or be any text of their letters; nobody is inside, and so narrow means nobody at all."""
    solver, verdicts = z3(), Counter[tuple[str, str]]()
    letters = ("az", "AZ", "09", "  ", "++", "-/", "::", "==", "@@", "__")
    operators = ("StringLike", "StringEquals", "StringNotLike", "StringNotEquals", "Null", "StringLikeIfExists")
    for number in range(POLICIES):
        random = Random(20_000 + number)
        keys = {
            name: Key(solver, name, letters, most=60, optional=True, least=0)
            for name in ("aws:PrincipalTag/one", "aws:PrincipalTag/two")
        }
        found = statements(random, list(keys), operators)
        zones = {"account": OWN, "trust": {"own_account": False}}
        policy = document({"AWS": EXTERNAL}, "sts:AssumeRole", found)
        expected = opinion(solver, found, keys, solver.BoolVal(val=False))
        proof = prove(policy, Zones.parse(zones), now=NOW)
        assert {proof.verdict, expected} != {"narrow", "too_broad"}, (policy, zones, proof, expected)
        verdicts[proof.verdict, expected] += 1
    assert verdicts["too_broad", "too_broad"] > POLICIES // 2, verdicts
