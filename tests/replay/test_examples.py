"""The corpus of trust policies, acted out: every witness gets in, and nobody else does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.replay import Stage, act_out
from pytest_stsguard.trust import Zones, prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.account import Account

HOME = "111122223333"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
EXAMPLES = json.loads((Path(__file__).parents[1] / "corpus" / "trust-examples.json").read_text())
OUTSIDER = "arn:aws:iam::666666666666:role/evil"


def arn(name: str) -> str:
    return f"arn:aws:iam::{HOME}:role/{name}"


@pytest.fixture(scope="module")
def examples(account_of: Callable[..., Account]) -> Iterator[Stage]:
    with Stage(account_of({one["id"]: one["trust_policy"] for one in EXAMPLES})) as stage:
        yield stage


@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if one["expected"] == "too_broad"], ids=lambda one: str(one["id"])
)
def test_every_too_broad_example_is_carried_out(examples: Stage, example: dict[str, Any]) -> None:
    proof = prove(json.dumps(example["trust_policy"]), Zones.parse(example["zones"]), now=NOW)
    assert proof.witnesses
    for witness in proof.witnesses:
        shown = act_out(
            examples,
            arn(example["id"]),
            principal=witness.principal,
            action=witness.action,
            context=witness.context,
        )
        assert shown.done, shown.reason
        assert f"assumed-role/{example['id']}/" in shown.calls[-1]


@pytest.mark.parametrize(
    "example",
    [one for one in EXAMPLES if one["expected"] == "narrow" and "Federated" not in str(one["trust_policy"])],
    ids=lambda one: str(one["id"]),
)
def test_nobody_from_an_undeclared_account_enters_a_narrow_example(examples: Stage, example: dict[str, Any]) -> None:
    shown = act_out(examples, arn(example["id"]), principal=OUTSIDER, action="sts:AssumeRole", context={})
    assert not shown.done
    assert "AccessDenied" in shown.reason
