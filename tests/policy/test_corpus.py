"""Every case of the corpus: the decision, the statements that decided, or the place that is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_stsguard.clock import Clock
from pytest_stsguard.policy.simulation import simulate_record

CORPUS = Path(__file__).parents[1] / "corpus"


class NewYear(Clock):
    """The clock of the corpus stands at the first moment of 2026."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


def cases() -> list[Any]:
    files = sorted(path for path in CORPUS.glob("*.json") if not path.name.startswith(("audit", "trust")))
    return [pytest.param(case, id=case["id"]) for path in files for case in json.loads(path.read_text("utf-8"))]


def test_corpus_is_large_and_every_case_has_its_source() -> None:
    found = [parameter.values[0] for parameter in cases()]
    assert len(found) >= 350
    assert len({case["id"] for case in found}) == len(found)
    assert all(case["why"] and case["source"].startswith("https://docs.aws.amazon.com/") for case in found)


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any]) -> None:
    answer = simulate_record(case["input"], clock=NewYear())
    if "error" in case:
        assert answer["Error"]["Code"] == case["error"]
        assert f"1: {case['location']}" in answer["Error"]["Message"].replace("ResourcePolicy:", "1:")
        return
    (result,) = answer["EvaluationResults"]
    deciding = [f"{found['SourcePolicyId']}: {found['Statement']}" for found in result["MatchedStatements"]]
    assert (result["EvalDecision"], deciding) == (case["decision"], case["deciding"])
