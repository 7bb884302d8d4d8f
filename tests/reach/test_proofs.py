"""Proofs in several processes: the same as in one, whatever a document is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_stsguard.account import Account, Document, Role, load
from pytest_stsguard.reach import zones_of
from pytest_stsguard.reach.proofs import Proofs

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAMBDA = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)


def proofs(account: Account, jobs: int) -> Proofs:
    return Proofs(account, zones_of(account, {}), now=NOW, jobs=jobs)


def role(name: str, raw: str, *, fault: str | None = None) -> Role:
    document = Document("trust policy", "trust", raw, fault=fault)
    return Role(name, f"arn:aws:iam::111122223333:role/{name}", "/", "", None, document)


def test_what_only_a_deployment_knows_keeps_its_name_in_another_process(checkout: Path) -> None:
    for target in ("cfn:examples/stack.yaml", "tfplan:examples/plan.json"):
        scheme, _, file = target.partition(":")
        account = load(f"{scheme}:{checkout / file}")
        alone, shared = proofs(account, 1), proofs(account, 2)
        told = {one.name: (shared.of(one).verdict, shared.of(one).reasons) for one in shared.roles}
        assert told == {one.name: (alone.of(one).verdict, alone.of(one).reasons) for one in alone.roles}
        reasons = [reason for _, given in told.values() for reason in given]
        assert any("unknown value: parameter `MonitoringAccount`" in reason for reason in reasons) or scheme == "tfplan"
        assert any("known after apply" in reason for reason in reasons) or scheme == "cfn"


def test_a_document_that_its_source_could_not_give_is_no_twin_of_one_that_reads_the_same() -> None:
    whole, broken = role("whole", LAMBDA), role("broken", LAMBDA, fault="holds a lone surrogate")
    for roles in ((whole, broken), (broken, whole)):
        for jobs in (1, 2):
            made = proofs(Account("111122223333", roles=roles), jobs)
            assert [made.of(one).verdict for one in (whole, broken)] == ["narrow", "undecided"]


def test_a_missing_document_is_undecided_in_another_process_too() -> None:
    account = Account("111122223333", roles=(role("gone", "null"), role("whole", LAMBDA)))
    made = proofs(account, 2)
    assert made.of(account.roles[0]).verdict == "undecided"
    assert made.of(account.roles[0]).reasons == proofs(account, 1).of(account.roles[0]).reasons


def test_tags_of_the_role_decide_only_where_the_policy_asks_for_them() -> None:
    asks = LAMBDA.replace("lambda.amazonaws.com", "sns.amazonaws.com").replace(
        '"sts:AssumeRole"', '"sts:AssumeRole", "Condition": {"StringEquals": {"aws:ResourceTag/open": "no"}}'
    )
    one, other = role("one", asks), replace(role("other", asks), tags={"open": "no"})
    made = proofs(Account("111122223333", roles=(one, other)), 2)
    assert made.of(other).verdict == "too_broad"
    assert made.of(one).verdict != "too_broad"
