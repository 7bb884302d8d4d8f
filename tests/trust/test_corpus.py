from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_stsguard.policy import Policy
from pytest_stsguard.trust import Zones, prove

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TO_DO = re.compile(r"\([^()]{4,}(\([^()]*\))?[^()]*\)$")
"""What to do stands at a reason's end, in brackets, as an error's hint does."""
KINDS = {"any-account", "external-account", "own-account", "organization", "service", "oidc", "saml"}


def test_the_verdict_is_the_expected_one_and_every_reason_says_what_to_do(example: dict[str, Any]) -> None:
    proof = prove(json.dumps(example["trust_policy"]), Zones.parse(example["zones"]), now=NOW)
    assert (proof.verdict, proof.reasons if proof.verdict != example["expected"] else ()) == (example["expected"], ())
    assert proof.dead is (example.get("dead", proof.dead))
    assert "kind" not in example or example["kind"] in {witness.kind for witness in proof.witnesses}
    assert bool(proof.witnesses) is (proof.verdict == "too_broad")
    assert proof.reasons or proof.verdict != "undecided"
    assert proof.verdict != "narrow" or not proof.reasons
    assert [reason for reason in proof.reasons if not TO_DO.search(reason)] == []


def test_every_witness_replays_and_lies_outside_the_zones(
    example: dict[str, Any], is_way_in: Callable[..., bool]
) -> None:
    zones = Zones.parse(example["zones"])
    policy = Policy.parse(example["trust_policy"], kind="trust", lenient=True)
    proof = prove(policy, zones, now=NOW)
    assert proof == prove(example["trust_policy"], zones, now=NOW)
    role = f"arn:{zones.partition}:iam::{zones.account}:role/any"
    table = example["zones"]
    helpers = {"github", "gitlab", "eks", "terraform_cloud"} & set(table.get("trust", {}))
    if helpers:
        entries = [
            {
                "issuer": one.issuer,
                **({} if one.subjects is None else {"sub": list(one.subjects)}),
                "claims": {name: list(values) for name, values in one.claims},
            }
            for one in zones.oidc
        ]
        table = {**table, "trust": {**table["trust"], "oidc": entries}}
    for witness in proof.witnesses:
        assert is_way_in(policy, table, witness, role)
        assert witness.kind in KINDS
        assert witness.statement in witness.summary
