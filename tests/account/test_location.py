from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.account import Document, Location
from pytest_stsguard.account.location import JsonText

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)),
    max_leaves=20,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    found = [(path, value)]
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths(inner, (*path, key))
    return found


@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans(), st.text(alphabet=" \n", max_size=3))
def test_every_value_is_found_where_it_stands(value: Any, indent: int | None, ascii_only: bool, space: str) -> None:  # noqa: FBT001 - drawn
    text = space + json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    source = JsonText("x.json", text)
    for path, inner in paths(value):
        offset = source.offset_of(path)
        assert json.JSONDecoder().raw_decode(text, offset)[0] == inner
        assert source.line_at(offset) == text.count("\n", 0, offset) + 1


def test_a_step_that_leads_nowhere_stays_at_the_last_place() -> None:
    source = JsonText("x.json", '{"a":\n {"b": 1}}')
    assert Location("x.json", ("a", "c", 3), text=source).line == 2
    assert Location("x.json", ("a", "b", "c"), text=source).line == 2
    assert source.column_at(source.offset_of(("a", "b"))) == 8


@pytest.mark.parametrize(
    "text", ['{"a": 1,', '{"a"', '{"a": ' + "9" * 5000 + ', "b": 2}', "[", "{", '{{"a": 1}: 2}', '{"a": ' + "[" * 9999]
)
def test_what_cannot_be_read_gives_a_rough_place_and_no_fault(text: str) -> None:
    assert Location("x.json", ("b",), text=JsonText("x.json", text)).line == 1


def test_a_location_writes_itself_for_people_and_for_machines() -> None:
    location = Location("x.json", ("a/b", 3, "c~d"), text=JsonText("x.json", "{}"))
    assert location.pointer == "/a~1b/3/c~0d"
    assert str(location) == "x.json:1: a/b[3].c~d"
    assert repr(location) == "<Location x.json:1: a/b[3].c~d>"
    assert str(Location("x.json", (), text=JsonText("x.json", "{}"))) == "x.json:1"
    assert str(Location(None, ("a", 1))) == "a[1]"


def test_a_document_made_by_hand_may_hold_anything() -> None:
    broken = Document("d", "identity", '"no end')
    assert (broken.text, broken.value) == ('"no end', None)
    assert broken.problems
    assert Document("d", "identity", "[" * 100_000).value is None
    assert Document("d", "identity", '"{\\"a\\": \\"100%25\\"}"').value == {"a": "100%25"}
