"""The condition operators, one small unit each: what a context value must be to satisfy the policy's values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

Each operator compiles its values, once, into a test of one context value. A value that cannot be read as the
operator's type satisfies neither the operator nor its negation.
"""

from __future__ import annotations

import operator as compare
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.policy.arns import ARN_PARTS
from pytest_stsguard.policy.globs import MANY, Token, match_tokens
from pytest_stsguard.policy.values import address, binary, moment, network, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["OPERATORS", "Operator", "Test"]

Test = "Callable[[str], bool]"
Pattern = "Sequence[Token]"


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator.

    `compile` makes the test of one context value; it takes the policy's values as tokens when `wildcards` is true, as
    text otherwise. `read` tells a readable policy value from one that is not (None); None when every text will do.
    `variables` says whether policy variables count in its values.
    """

    name: str
    negated: bool
    compile: Callable[[Sequence[Any]], Callable[[str], bool]]
    wildcards: bool = False
    variables: bool = False
    read: Callable[[str], object] | None = None


def _equals(values: Sequence[str]) -> Callable[[str], bool]:
    if len(values) == 1:
        only = values[0]
        return lambda text: text == only
    return frozenset(values).__contains__


def _equals_ignoring_case(values: Sequence[str]) -> Callable[[str], bool]:
    folded = frozenset(value.lower() for value in values)
    return lambda text: text.lower() in folded


def _like(patterns: Sequence[Sequence[Token]]) -> Callable[[str], bool]:
    return _any_of([match_tokens(pattern) for pattern in patterns])


def _any_of(tests: Sequence[Callable[[str], bool]]) -> Callable[[str], bool]:
    if len(tests) == 1:
        return tests[0]

    def test(text: str) -> bool:
        for one in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if one(text):
                return True
        return False

    return test


def _not(
    positive: Callable[[Sequence[Any]], Callable[[str], bool]],
) -> Callable[[Sequence[Any]], Callable[[str], bool]]:
    """Negate a test over texts: none of the values may match."""

    def compile_negated(values: Sequence[Any]) -> Callable[[str], bool]:
        test = positive(values)
        return lambda text: not test(text)

    return compile_negated


def _typed(
    read: Callable[[str], Any], holds: Callable[[Any, Any], bool], *, limit: Callable[[str], Any], negated: bool = False
) -> Callable[[Sequence[str]], Callable[[str], bool]]:
    """Compare values of a type: any may hold, or none when negated, and what cannot be read satisfies neither."""

    def compile_typed(values: Sequence[str]) -> Callable[[str], bool]:
        limits = [found for found in map(limit, values) if found is not None]

        def test(text: str) -> bool:
            value = read(text)
            if value is None:
                return False
            for one in limits:
                if holds(value, one):
                    return not negated
            return negated

        return test

    return compile_typed


def _arn_like(patterns: Sequence[Sequence[Token]], *, negated: bool) -> Callable[[str], bool]:
    """Match ARNs part by part; what is no ARN satisfies neither ArnLike nor ArnNotLike."""
    tests = [found for found in map(_arn_test, patterns) if found is not None]

    def test(text: str) -> bool:
        parts = text.split(":", ARN_PARTS - 1)
        if len(parts) < ARN_PARTS:
            return False
        for one in tests:
            if one(parts):
                return not negated
        return negated

    return test


def _arn_test(tokens: Sequence[Token]) -> Callable[[list[str]], bool] | None:
    """Compile one ARN pattern; a lone star is any ARN, and a pattern of fewer than six parts matches none [I]."""
    if tuple(tokens) == (MANY,):
        return lambda _: True
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            pieces[-1].append(token)
            continue
        first, *rest = token.split(":", ARN_PARTS - len(pieces))
        pieces[-1].append(first)
        pieces.extend([text] for text in rest)
    if len(pieces) < ARN_PARTS:
        return None
    tests = [(place, match_tokens(piece)) for place, piece in enumerate(pieces) if tuple(piece) != (MANY,)]

    def test(parts: list[str]) -> bool:
        for place, one in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if not one(parts[place]):
                return False
        return True

    return test


def _bool(values: Sequence[str]) -> Callable[[str], bool]:
    wanted = frozenset(value.lower() for value in values) & {"true", "false"}
    return lambda text: text.lower() in wanted


def _within(value: Any, limit: Any) -> bool:
    return bool(value & limit.mask == limit.base)


def _orders(prefix: str, read: Callable[[str], Any]) -> list[Operator]:
    """Make the six operators of a type that has an order."""
    holds: dict[str, Callable[[Any, Any], bool]] = {
        "Equals": compare.eq,
        "LessThan": compare.lt,
        "LessThanEquals": compare.le,
        "GreaterThan": compare.gt,
        "GreaterThanEquals": compare.ge,
    }
    found = [
        Operator(prefix + name, negated=False, compile=_typed(read, hold, limit=read), read=read)
        for name, hold in holds.items()
    ]
    negated = _typed(read, compare.eq, limit=read, negated=True)
    return [*found, Operator(f"{prefix}NotEquals", negated=True, compile=negated, read=read)]


def _texts(name: str, positive: Callable[[Sequence[Any]], Callable[[str], bool]], *, wildcards: bool) -> list[Operator]:
    """Make a text operator and its negation: ``StringLike`` and ``StringNotLike``."""
    negation = name.replace("String", "StringNot")
    return [
        Operator(name, negated=False, compile=positive, wildcards=wildcards, variables=True),
        Operator(negation, negated=True, compile=_not(positive), wildcards=wildcards, variables=True),
    ]


def _arns(name: str, *, negated: bool) -> Operator:
    return Operator(
        name,
        negated=negated,
        compile=lambda patterns: _arn_like(patterns, negated=negated),
        wildcards=True,
        variables=True,
    )


OPERATORS: Final[dict[str, Operator]] = {
    found.name: found
    for found in (
        *_texts("StringEquals", _equals, wildcards=False),
        *_texts("StringEqualsIgnoreCase", _equals_ignoring_case, wildcards=False),
        *_texts("StringLike", _like, wildcards=True),
        *_orders("Numeric", number),
        *_orders("Date", moment),
        Operator("Bool", negated=False, compile=_bool),
        Operator("BinaryEquals", negated=False, compile=_typed(binary, compare.eq, limit=binary)),
        Operator("IpAddress", negated=False, compile=_typed(address, _within, limit=network), read=network),
        Operator(
            "NotIpAddress", negated=True, compile=_typed(address, _within, limit=network, negated=True), read=network
        ),
        _arns("ArnEquals", negated=False),
        _arns("ArnLike", negated=False),
        _arns("ArnNotEquals", negated=True),
        _arns("ArnNotLike", negated=True),
    )
}
"""Every operator but Null, which asks only whether a key is there, by its exact name."""
