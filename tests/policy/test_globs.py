"""Patterns match what a plain reading says, in time linear in the text."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.policy.globs import MANY, ONE, glob, match_tokens, tokenize

PATTERNS = st.text(alphabet="ab*?", max_size=12)
TEXTS = st.text(alphabet="ab", max_size=14)


def by_regex(pattern: str, text: str) -> bool:
    regex = "".join(".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.fullmatch(regex, text, re.DOTALL) is not None


@given(PATTERNS, TEXTS)
def test_a_glob_is_the_regular_expression_it_stands_for(pattern: str, text: str) -> None:
    assert glob(pattern)(text) is by_regex(pattern, text)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_taken_literally_but_for_the_two_wildcards(pattern: str, text: str) -> None:
    assert glob(pattern)(text) is by_regex(pattern, text)
    literal = pattern.replace("*", "").replace("?", "")
    assert glob(literal)(literal)


@given(TEXTS, TEXTS)
def test_a_wildcard_that_came_in_as_text_is_text(before: str, after: str) -> None:
    test = match_tokens([before, "*?", after])
    assert test(f"{before}*?{after}")
    assert not test(f"{before}ab{after}")


def test_tokens_are_runs_and_wildcards() -> None:
    assert tokenize("ab*c?") == ("ab", MANY, "c", ONE)
    assert tokenize("") == ()


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("?", "", False),
        ("**", "anything", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("ab*bc", "abc", False),
        ("*b*", "abc", True),
        ("*x*", "abc", False),
        ("a*c*e", "abcde", True),
        ("a*d*c*e", "abcde", False),
        ("a*bc*cd", "abcd", False),
        ("a?*", "a", False),
        ("*?b?*", "aab", False),
        ("*?b?*", "aabb", True),
        ("a?c", "abcd", False),
        ("x?*c", "abc", False),
        ("a?*d", "abc", False),
        ("a\n?", "a\nb", True),
    ],
)
def test_shapes(pattern: str, text: str, *, matches: bool) -> None:
    assert glob(pattern)(text) is matches
    assert bool(fnmatch.fnmatchcase(text, pattern)) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 2000 + "b",
        "a*" * 2000 + "b",
        "*" * 10_000 + "b",
        "?" * 9_000 + "*b",
        "*" + "a?" * 2000 + "b*",
        "*a?" * 1500 + "b",
    ],
)
def test_hostile_patterns_end(pattern: str) -> None:
    # A backtracking matcher would not come back from any of these within a lifetime.
    assert glob(pattern)("a" * 10_000) is False


@given(st.text(alphabet="a*?", max_size=300), st.integers(0, 10_000))
def test_hostile_patterns_on_long_values_agree_with_counting(pattern: str, size: int) -> None:
    # On a text of one letter a pattern matches by its length alone.
    least = len(pattern.replace("*", ""))
    expected = size >= least if "*" in pattern else size == least
    assert glob(pattern)("a" * size) is expected
