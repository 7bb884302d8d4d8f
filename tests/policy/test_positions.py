"""Statements are found where they stand in the text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.policy.positions import Position, Span, statement_spans

TEXT = """{
  "Version": "2012-10-17",
  "Statement" : [
    {"Effect": "Allow", "Action": "*", "Resource": "*"} ,
    {
      "Effect": "Deny"
    }
  ],
  "Id": "x"
}"""


def test_lines_and_columns_count_from_one() -> None:
    assert statement_spans(TEXT) == (
        Span(Position(4, 5), Position(4, 56)),
        Span(Position(5, 5), Position(7, 6)),
    )


def test_a_single_statement() -> None:
    assert statement_spans('{"Statement":{}}') == (Span(Position(1, 14), Position(1, 16)),)


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5), st.text(max_size=5) | st.lists(st.text(max_size=5), max_size=2), max_size=3
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([None, 1, 4]),
)
def test_each_span_holds_its_statement(statements: list[dict[str, Any]], indent: int | None) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements, "Id": "}]"}, indent=indent)
    lines = text.split("\n")

    def offset(position: Position) -> int:
        return sum(len(line) + 1 for line in lines[: position.line - 1]) + position.column - 1

    spans = statement_spans(text)
    assert [json.loads(text[offset(span.start) : offset(span.end)]) for span in spans] == statements


@pytest.mark.parametrize("key", ["StartPosition", "EndPosition"])
def test_simulated_answers_tell_positions_of_policies_given_as_text(key: str) -> None:
    from pytest_stsguard.policy.simulation import simulate_record

    record = {
        "PolicyInputList": [TEXT.replace('"Effect": "Deny"', '"Effect":"Deny","Action":"s3:*","Resource":"*"')],
        "ActionNames": ["ec2:Run"],
    }
    (result,) = simulate_record(record)["EvaluationResults"]
    (matched,) = result["MatchedStatements"]
    assert matched[key] == {"StartPosition": {"Line": 4, "Column": 5}, "EndPosition": {"Line": 4, "Column": 56}}[key]
