"""What condition operators compare is read strictly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.policy.values import address, binary, moment, network, number

MOMENTS = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1))  # noqa: DTZ001 - zones are added below


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_in_every_zone(naive: datetime, minutes: int) -> None:
    there = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert moment(there.isoformat()) == there
    assert moment(naive.isoformat()) == naive.replace(tzinfo=UTC)
    assert moment(f"{naive.isoformat()}Z") == naive.replace(tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001 - a zone is added below
def test_epoch_seconds_are_moments(naive: datetime) -> None:
    there = naive.replace(tzinfo=UTC, microsecond=0)
    seconds = (there - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert moment(str(seconds)) == there


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-04", datetime(2026, 3, 4, tzinfo=UTC)),
        ("2026-03-04T05:06Z", datetime(2026, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-03-04T05:06:07.5Z", datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC)),
        ("2026-03-04T05:06:07.1234567Z", datetime(2026, 3, 4, 5, 6, 7, 123_456, tzinfo=UTC)),
        ("2026-03-04T05:06:07,5Z", datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC)),
        ("1.5", datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)),
        ("-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("99999999999999", datetime.max.replace(tzinfo=UTC)),
        ("-99999999999999", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "today", "2026-13-01", "2026-02-30", "2026-01-01T25:00:00Z", "2026-01-01T00:60:00Z", "2026-W01-1T00:00:00Z",
        "2026-01-01 00:00:00Z", "2026-01-01T00:00:00 Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60",
        "2026-01-01T", "2026-01-01*", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e9", "0x10", "1_000",
        "\u0662\u0660\u0662\u0666-01-01", "1" * 21, "2026-02-30T00:00:00Z", "0000-01-01", "--T::Z",
    ],
)  # fmt: skip
def test_malformed_moments(text: str) -> None:
    assert moment(text) is None


def test_a_year_of_digits_alone_is_epoch_seconds() -> None:
    assert moment("2026") == datetime(1970, 1, 1, 0, 33, 46, tzinfo=UTC)


@given(st.integers(-(10**30), 10**30))
def test_numbers_are_exact(value: int) -> None:
    assert number(str(value)) == value


@pytest.mark.parametrize(("text", "expected"), [("1.50", Decimal("1.5")), ("+3", 3), ("1e3", 1000), ("-0", 0)])
def test_numbers(text: str, expected: Decimal | int) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "one", "1,5", "nan", "inf", "1_0", "\u0663", "0x1", "1.", ".5", "1e1000", "1" * 401, "\u00b2"],
)
def test_malformed_numbers(text: str) -> None:
    assert number(text) is None


def test_the_longest_number_is_still_read() -> None:
    assert number("9" * 399) == int("9" * 399)
    assert number("9" * 400) == Decimal("9" * 400)


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_range_holds_what_ipaddress_says(found: object, prefix: int) -> None:
    text = str(found)
    size = min(prefix, ip_address(text).max_prefixlen)
    for other in (text, "203.0.113.7", "2001:db8::1"):
        read, limit = address(other), network(f"{text}/{size}")
        assert read is not None
        assert limit is not None
        inside = read & limit.mask == limit.base
        assert inside is (ip_address(other) in ip_network(f"{text}/{size}", strict=False))


@pytest.mark.parametrize(
    "text", ["", "localhost", "1.2.3", "1.2.3.4/24", "1.2.3.04", "fe80::1%eth0", "::1/64", "1.2.3.4 ", "::g"]
)
def test_malformed_addresses(text: str) -> None:
    assert address(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.2.3.4/33",
        "::/129",
        "1.2.3.4/255.255.255.0",
        "1.2.3.4/x",
        "1.2.3.4/-1",
        "1.2.3.4/\u0662",
        "1.2.3.4/0032",
        "1.2.3.4/024/1",
        "1.2.3/24",
        "a",
        "fe80::1%1/64",
    ],
)
def test_malformed_ranges(text: str) -> None:
    assert network(text) is None


@given(st.binary(max_size=40))
def test_binary_is_base64(data: bytes) -> None:
    import base64

    assert binary(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize("text", ["A", "AB=", "****", "AQ ID", "\u00e9"])
def test_malformed_binary(text: str) -> None:
    assert binary(text) is None
