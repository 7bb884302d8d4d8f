from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.policy import Condition
from pytest_stsguard.trust.budget import Budget
from pytest_stsguard.trust.check import Check
from pytest_stsguard.trust.option import ABSENT, FREE, Option, address, fixed, moment, number, texts, values
from pytest_stsguard.trust.points import addresses, epoch, moment_text, number_text, numbers, timestamps
from pytest_stsguard.trust.text import Demand
from pytest_stsguard.trust.value import Found, find_value
from pytest_stsguard.trust.views import AS_EPOCH, AS_MOMENT

ORDERS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")


def demand(
    operator: str, *given_values: str, want: bool = True, qualifier: str | None = None, several: bool = False
) -> Demand:
    name = operator.removesuffix("IfExists")
    check = Check(Condition(operator, name, qualifier, if_exists=name != operator, key="k", values=given_values))
    return Demand(check, want, None, several)


def solve(option: Option, *demands: Demand, sure: bool = True) -> Found | None:
    return find_value((option,), demands, Budget(10**6), sure=sure)


@given(st.lists(st.tuples(st.sampled_from(ORDERS), st.integers(-6, 6), st.booleans()), min_size=1, max_size=4))
def test_numbers_are_solved_exactly(asked: list[tuple[str, int, bool]]) -> None:
    demands = [demand(f"Numeric{order}", str(value), want=want) for order, value, want in asked]
    found = solve(number(Decimal(-5), Decimal(5)), *demands)
    tried = [number_text(Decimal(half) / 2) for half in range(-10, 11)]
    expected = [text for text in tried if all(one.accepts(text) for one in demands)]
    assert (found is None) is (not expected)


@given(st.lists(st.tuples(st.sampled_from(ORDERS), st.integers(0, 12), st.booleans()), min_size=1, max_size=4))
def test_moments_are_solved_exactly(asked: list[tuple[str, int, bool]]) -> None:
    demands = [
        Demand(one.check, one.want, AS_MOMENT)
        for one in (demand(f"Date{order}", f"2026-01-01T00:00:{value:02}Z", want=want) for order, value, want in asked)
    ]
    low = epoch_of("2026-01-01T00:00:03Z")
    found = solve(moment(low), *demands)
    tried = [number_text(low + Decimal(half) / 2) for half in range(24)]
    assert (found is None) is (not [text for text in tried if all(one.accepts(text) for one in demands)])


def epoch_of(text: str) -> Decimal:
    from datetime import datetime

    return epoch(datetime.fromisoformat(text))


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(28, 32), st.booleans(), st.booleans()), min_size=1, max_size=4)
)
def test_addresses_are_solved_exactly(asked: list[tuple[int, int, bool, bool]]) -> None:
    demands = [
        demand("NotIpAddress" if negated else "IpAddress", f"10.0.0.{last}/{bits}", want=want)
        for last, bits, negated, want in asked
    ]
    found = solve(address(), *demands)
    tried = [f"10.0.0.{last}" for last in range(256)] + ["11.0.0.0", "2001:db8::1"]
    assert (found is None) is (not [text for text in tried if all(one.accepts(text) for one in demands)])


def test_the_points_of_numbers_are_the_limits_and_what_lies_between() -> None:
    assert numbers(["5", "x", "7"]) == [Decimal(4), Decimal(5), Decimal(6), Decimal(7), Decimal(8)]
    assert numbers(["5"], low=Decimal(5), high=Decimal(6)) == [Decimal(5), Decimal(6), Decimal("5.5")]
    assert numbers([]) == [Decimal(1)]
    assert numbers([f"1{'0' * 60}1", f"1{'0' * 60}2"])[1:3] == [Decimal(f"1{'0' * 60}1"), Decimal(f"1{'0' * 60}2")]


def test_the_points_of_moments_end_with_the_year_9999() -> None:
    assert timestamps(["9999-12-31T23:59:59Z"])[-1] == Decimal(253402300799)
    assert moment_text(Decimal("1.5")) == "1970-01-01T00:00:01.500000Z"
    assert AS_EPOCH.extract("1.5") == "1"


def test_the_points_of_networks_stay_within_their_version() -> None:
    found = [ip_address(text) for text in addresses(["0.0.0.0/0", "::/0", "no network", "10.0.0.0/8"])]
    assert ip_address("9.255.255.255") in found
    assert ip_address("11.0.0.0") in found
    assert ip_address("::") in found


def test_an_absent_key_answers_as_the_engine_says() -> None:
    assert solve(ABSENT, demand("StringNotEquals", "x")) == Found(None)
    assert solve(ABSENT, demand("StringEquals", "x")) is None
    assert solve(ABSENT, demand("StringEqualsIfExists", "x")) == Found(None)
    assert solve(ABSENT, demand("Null", "true")) == Found(None)
    assert solve(ABSENT, demand("StringEquals", "x", qualifier="ForAllValues")) == Found(None)


def test_what_aws_does_not_tell_is_a_doubt_either_way() -> None:
    unclear = demand("StringEqualsIfExists", "x", qualifier="ForAnyValue")
    assert solve(ABSENT, unclear) is None
    loose = solve(ABSENT, unclear, sure=False)
    assert loose is not None
    assert loose.doubts == (
        "what `StringEqualsIfExists` means for the absent key `k` is not documented (leave `IfExists` out)",
    )
    plain = demand("StringEquals", "x", several=True)
    assert solve(values(FREE), plain) is None
    found = solve(values(FREE), plain, sure=False)
    assert found is not None
    assert found.doubts == (
        "`StringEquals` without a set qualifier on the multi-valued key `k` (write `ForAnyValue:` before it)",
    )


def test_a_value_without_doubts_is_preferred() -> None:
    doubtful, certain = fixed("a", doubt="perhaps"), fixed("b")
    assert find_value((doubtful, certain), (), Budget(), sure=False) == Found("b")
    assert find_value((doubtful, fixed("c", doubt="or not")), (), Budget(), sure=False) == Found("a", ("perhaps",))
    assert find_value((doubtful,), (), Budget(), sure=True) is None


def test_presence_is_asked_of_every_form() -> None:
    for option in (fixed("a"), texts(FREE), number(Decimal(1)), address(), values(FREE)):
        assert solve(option, demand("Null", "false")) is not None
        assert solve(option, demand("Null", "true")) is None


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ([demand("StringLike", "a*", qualifier="ForAllValues")], {"a"}),
        (
            [
                demand("StringEquals", "a", qualifier="ForAnyValue"),
                demand("StringEquals", "b", qualifier="ForAnyValue"),
            ],
            {"a", "b"},
        ),
        (
            [
                demand("StringEquals", "a", qualifier="ForAllValues"),
                demand("StringEquals", "b", qualifier="ForAnyValue"),
            ],
            None,
        ),
        (
            [
                demand("StringEquals", "a", "b", qualifier="ForAllValues"),
                demand("StringEquals", "b", qualifier="ForAnyValue"),
            ],
            {"b"},
        ),
        (
            [
                demand("StringEquals", "a", want=False, qualifier="ForAllValues"),
                demand("StringLike", "x?", qualifier="ForAllValues"),
            ],
            {"xx"},
        ),
        ([demand("StringLike", "*", want=False, qualifier="ForAnyValue")], None),
    ],
)
def test_several_values(demands: list[Demand], expected: set[str] | None) -> None:
    found = solve(values(FREE), *demands)
    assert (set(found.value) if found is not None and found.value is not None else None) == expected


def test_required_and_banned_values() -> None:
    option = values(FREE, required=("in",), banned=("out",))
    assert solve(option) == Found(("in",))
    assert solve(option, demand("StringEquals", "out", qualifier="ForAnyValue")) is None
    assert solve(option, demand("StringEquals", "in", want=False, qualifier="ForAnyValue")) is None
    assert solve(option, demand("StringEquals", "more", qualifier="ForAnyValue")) == Found(("in", "more"))


def test_operators_of_another_type_are_a_doubt_unless_a_value_is_found() -> None:
    assert solve(number(Decimal(1)), demand("StringEquals", "3")) == Found("3")
    assert solve(number(Decimal(1)), demand("StringLike", "3?*x")) is None
    found = solve(number(Decimal(1)), demand("StringLike", "3?*x"), sure=False)
    assert found is not None
    assert found.doubts == ("operators of other types on the key `k` (use operators of the key's own type)",)
    assert solve(values(FREE), demand("NumericEquals", "3", qualifier="ForAnyValue")) is None
    assert solve(address(), demand("StringLike", "10.0.?.1")) is not None
    assert solve(texts(FREE), demand("NumericEquals", "3"), demand("NumericEquals", "4"), sure=False) is None
    assert solve(texts(FREE), demand("DateLessThan", "2026-01-01")) is not None
    assert solve(texts(FREE), demand("IpAddress", "10.0.0.0/8"), demand("StringLike", "x*"), sure=False) is not None
    assert solve(texts(FREE), demand("Bool", "true", "maybe"), demand("StringNotEquals", "true")) == Found("truE")


def test_an_empty_value_passes_all_of() -> None:
    assert solve(fixed(""), demand("StringEquals", "x", qualifier="ForAllValues")) == Found("")
    assert solve(fixed(""), demand("StringEquals", "x", qualifier="ForAllValues", want=False)) is None


def test_a_text_that_no_address_is_like_may_still_be_in_doubt() -> None:
    assert solve(address(), demand("StringLike", "zzz")) is None
    assert solve(address(), demand("StringLike", "zzz"), sure=False) is not None
