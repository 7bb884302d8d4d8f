"""What docs/policy-engine.md shows is what happens."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

from pytest_stsguard.policy.simulation import simulate_record

PAGE = (Path(__file__).parents[2] / "docs" / "policy-engine.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_example_runs_and_prints_what_the_page_shows() -> None:
    (example,) = blocks("python")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, "docs/policy-engine.md", "exec"), {})
    assert printed.getvalue() == blocks("text")[0]


def test_the_record_is_answered_as_the_page_shows() -> None:
    record, answer = map(json.loads, blocks("json"))
    assert simulate_record(record) == answer
