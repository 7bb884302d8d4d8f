from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_stsguard.policy.globs import glob, tokenize
from pytest_stsguard.policy.operators import OPERATORS
from pytest_stsguard.policy.statement import Condition
from pytest_stsguard.trust.budget import Budget, BudgetExceededError
from pytest_stsguard.trust.chars import (
    ANY,
    DIGIT,
    NAME,
    NOT_COLON,
    Chars,
    Slot,
    covers,
    literal,
    many,
    restrict,
    some,
    times,
)
from pytest_stsguard.trust.check import NO_ARN, Check, check_of
from pytest_stsguard.trust.machine import find
from pytest_stsguard.trust.text import Demand, Shape, find_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.trust.chars import Slots

LETTERS = "ab:z"
TEXTS = ["".join(letters) for size in range(6) for letters in product(LETTERS, repeat=size)]
GLOBS = st.text(alphabet="ab:*?", max_size=5)
GROUPS = st.lists(st.lists(GLOBS, min_size=1, max_size=3), min_size=1, max_size=3)
CHARS = st.builds(
    lambda members, negated: Chars(frozenset(members), negated), st.sets(st.sampled_from("abz")), st.booleans()
)


def slots_of(pattern: str) -> Slots:
    found: list[Slot] = []
    for token in tokenize(pattern):
        found.extend(literal(token) if isinstance(token, str) else [Slot(ANY, many=token.value == "*")])
    return tuple(found)


def any_of(patterns: list[str]) -> Callable[[str], bool]:
    tests = [glob(pattern) for pattern in patterns]
    return lambda text: any(test(text) for test in tests)


@given(GROUPS, st.lists(GLOBS, max_size=3))
@settings(max_examples=150)
def test_a_text_is_found_when_there_is_one_and_only_then(groups: list[list[str]], never: list[str]) -> None:
    wanted = [any_of(group) for group in groups]
    unwanted = any_of(never)
    found = find([map(slots_of, group) for group in groups], map(slots_of, never), budget=Budget(10**6))
    if found is None:
        assert not [text for text in TEXTS if all(test(text) for test in wanted) and not unwanted(text)]
    else:
        assert all(test(found) for test in wanted)
        assert not unwanted(found)


@given(GROUPS, st.lists(GLOBS, max_size=3))
def test_a_found_text_is_a_shortest_one(groups: list[list[str]], never: list[str]) -> None:
    wanted, unwanted = [any_of(group) for group in groups], any_of(never)
    found = find([map(slots_of, group) for group in groups], map(slots_of, never), budget=Budget(10**6))
    shorter = [text for text in TEXTS if found is not None and len(text) < len(found)]
    assert not [text for text in shorter if all(test(text) for test in wanted) and not unwanted(text)]


@given(GLOBS, GLOBS)
@settings(max_examples=200)
def test_a_pattern_covers_only_what_it_matches(general: str, special: str) -> None:
    if covers(slots_of(general), slots_of(special)):
        matches, inner = glob(general), glob(special)
        assert all(matches(text) for text in TEXTS if inner(text))


@pytest.mark.parametrize(
    ("general", "special", "expected"),
    [
        ("repo:acme/*", "repo:acme/api:*", True),
        ("repo:acme/*", "repo:acme*", False),
        ("*", "a?*", True),
        ("a?", "a*", False),
        ("a*", "a", True),
        ("*b", "ab*", False),
        ("a*c*", "abcbd", True),
        ("*ab", "aab", True),
    ],
)
def test_one_pattern_is_laid_along_another(general: str, special: str, *, expected: bool) -> None:
    assert covers(slots_of(general), slots_of(special)) is expected


@given(CHARS, CHARS, st.sampled_from("abzq"))
def test_sets_of_characters_meet_and_contain(one: Chars, other: Chars, letter: str) -> None:
    met = one.meet(other)
    assert met.holds(letter) is (one.holds(letter) and other.holds(letter))
    if one.within(other):
        assert not one.holds(letter) or other.holds(letter)
    if met.is_empty():
        assert not met.holds(letter)


@given(GLOBS, st.sets(st.sampled_from("ab:z"), min_size=1))
def test_a_pattern_is_restricted_to_a_set(pattern: str, letters: set[str]) -> None:
    kept = restrict(slots_of(pattern), Chars(frozenset(letters)))
    matches = glob(pattern)
    expected = {text for text in TEXTS if matches(text) and set(text) <= letters}
    for text in expected:
        assert kept is not None
        assert find([[kept], [literal(text)]], [], budget=Budget()) == text
    if kept is None:
        assert not expected


def test_shapes_are_made_of_parts() -> None:
    shape = Shape((*literal("a"), *times(DIGIT, 2), *some(NAME), *many(NOT_COLON)))
    assert shape.fits("a12x/?")
    assert not shape.fits("a12")
    assert not shape.fits("a12x:")
    assert not shape.fits("a12" + "x" * 3000)
    assert Shape(many(ANY)).fits("\n\u20ac")


def check(operator: str, *values: str) -> Check:
    return check_of(Condition(operator, operator, None, if_exists=False, key="k", values=values), "2012-10-17")


OPERATOR_NAMES = st.sampled_from([name for name in OPERATORS if name.startswith(("String", "Arn"))])
VALUES = st.lists(
    st.text(alphabet="aAbB:*?", max_size=7)
    | st.lists(st.text(alphabet="aAb*?", max_size=2), min_size=6, max_size=7).map(":".join),
    max_size=3,
)
LONG_TEXTS = [
    *("".join(letters) for size in range(4) for letters in product("aAbB:z", repeat=size)),
    *(":".join(parts) for parts in product(["", "a", "bA"], repeat=6)),
]


@given(st.lists(st.tuples(OPERATOR_NAMES, VALUES, st.booleans()), min_size=1, max_size=3))
@settings(max_examples=150)
def test_conditions_on_a_text_are_solved_exactly(asked: list[tuple[str, list[str], bool]]) -> None:
    demands = [Demand(check(name, *values), want) for name, values, want in asked]
    assume(all(demand.check.unclear is None for demand in demands))
    found = find_text((Shape(many(ANY), ("a",)),), demands, Budget(10**6))
    if found is None:
        assert not [text for text in LONG_TEXTS if all(demand.accepts(text) for demand in demands)]
    else:
        assert all(demand.accepts(found) for demand in demands)


def test_what_is_no_arn_has_fewer_than_five_colons() -> None:
    assert find([NO_ARN, [literal("a:b:c:d:e")]], [], budget=Budget()) == "a:b:c:d:e"
    assert find([NO_ARN, [literal("a:b:c:d:e:f")]], [], budget=Budget()) is None


def test_the_kelvin_sign_is_a_k_where_case_is_ignored() -> None:
    kelvin = check("StringEqualsIgnoreCase", "K")
    demands = [Demand(kelvin, want=True), Demand(check("StringEquals", "k", "K"), want=False)]
    assert find_text((Shape(many(ANY)),), demands, Budget()) == "\u212a"


def test_a_budget_counts_steps_and_says_when_it_is_used_up() -> None:
    budget = Budget(10)
    budget.spend(4)
    assert budget.used == 4
    with pytest.raises(BudgetExceededError, match="the budget of 10 steps is used up"):
        budget.spend(7)


def test_a_hard_question_ends_with_its_budget() -> None:
    never = [slots_of("*" + "a" + "?" * size) for size in range(12, 20)]
    with pytest.raises(BudgetExceededError):
        find(
            [[slots_of("?" * 40)], [(*many(Chars(frozenset("ab"))),)]],
            [*never, slots_of("*b*a*")],
            budget=Budget(2_000),
        )


def test_a_private_character_in_a_pattern_is_only_itself() -> None:
    assert find([[slots_of("\ue000*")]], [slots_of("\ue000")], budget=Budget()) == "\ue000\ue000"
    odd = find(
        [[slots_of("?")]], [(Slot(Chars(frozenset(map(chr, range(0x20, 0x7F))))),), literal("\ue000")], budget=Budget()
    )
    assert odd == "\ue001"
