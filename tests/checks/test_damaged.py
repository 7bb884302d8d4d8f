"""Values of any type in any place of an export, a template or a plan: each control finds, tells or refuses, and none of them breaks."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.account import load
from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.account.stack.template import read_template
from pytest_stsguard.errors import InputError
from pytest_stsguard.reach import (
    Survey,
    containment,
    documents,
    entrance,
    escalation,
    exposure,
    federation,
    people,
    renewal,
    trustees,
    zones_of,
)  # fmt: skip
from pytest_stsguard.revocation import assess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Account, Role, User

EXAMPLE: Final = json.loads((Path(__file__).parents[2] / "examples" / "account.json").read_text())
LISTS: Final = ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies")
NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
VALUES: Final[tuple[Any, ...]] = (
    None, 0, -1, True, "", "*", "\x00", "é", "a" * 3000, "${aws:username}", "${", "1e309", "99999999999999999999", [], {}, [[]], [None],
    {"AWS": None}, {"AWS": {}}, {"StringLike": {"sts:RoleSessionName": ["${aws:username}", "*"]}}, {"ForAllValues:StringEquals": {"": ""}},
    {"Null": {"aws:TokenIssueTime": "maybe"}}, {"DateLessThan": {"aws:TokenIssueTime": []}},
    {"DateLessThan": {"aws:TokenIssueTime": "0001-01-01"}}, {"DateGreaterThan": {"aws:CurrentTime": "9999-12-31T23:59:59.999999999Z"}},
)  # fmt: skip


def look(account: Account) -> tuple[dict[str, str], int]:
    """Ask everything that the controls ask; gives what the prover failed at, and how many faults there are."""
    survey = Survey(account, zones_of(account, {}), now=NOW)
    proofs, permissions = survey.proofs, survey.permissions
    found = chain(
        entrance.any_account(proofs), entrance.outside_zones(proofs), entrance.chosen_external_id(proofs),
        entrance.confused_deputies(proofs), entrance.unsettled_deputies(proofs), entrance.undecided(proofs),
        entrance.wide_claims(proofs, audience=True), entrance.wide_claims(proofs, audience=False),
        federation.open_subjects(proofs), federation.open_audiences(proofs), federation.open_assertions(proofs),
        trustees.excluded(proofs), trustees.gone(proofs), trustees.whole_accounts(proofs),
        people.without_mfa(permissions), people.federation_survivors(permissions), containment.own_undoing(permissions),
        escalation.escalations(permissions, survey.graph), renewal.renewals(survey.graph, permissions.wanted),
        documents.unreadable(survey), exposure.long_sessions(proofs, hours=4), exposure.unused_roles(proofs, days=90),
        permissions.missing(permissions.roles), permissions.unknown(permissions.roles, containment.UNDOING),
    )  # fmt: skip
    count = sum(1 for _ in found)
    holders: tuple[Role | User, ...] = (*account.roles, *account.users)
    for holder in holders:
        policies = [document.policy for document in account.identity_documents(holder)]
        count += len(assess(policies, now=NOW, principal_arn=holder.arn, principal_id=holder.id))
    return proofs.faults, count


def read(page: Any) -> Account:
    builder = AccountBuilder("damaged")
    builder.add_text(json.dumps(page), None)
    return builder.build()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*path, name)
        yield from places(member, (*path, name))


@settings(max_examples=120)
@given(st.data())
def test_damaged_account_is_refused_or_looked_at_whole(data: st.DataObject) -> None:
    page = {name: copy.deepcopy(data.draw(st.lists(st.sampled_from(EXAMPLE[name]), max_size=4))) for name in LISTS}
    for _ in range(data.draw(st.integers(0, 3))):
        found = list(places(page))
        if found:
            *path, last = data.draw(st.sampled_from(found))
            holder: Any = page
            for name in path:
                holder = holder[name]
            holder[last] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    try:
        account = read(page)
    except InputError:
        return  # one clear line: see tests/account
    assert look(account)[0] == {}


LOOP: Final = {
    "Fn::ForEach::L": ["X", ["a", "b"], {"R${X}": {"Type": "AWS::IAM::Role", "Properties": {
        "Fn::Transform": {"Name": "AWS::Include"}, "RoleName": {"Fn::Sub": "r-${X}"},
        "AssumeRolePolicyDocument": {"Fn::ToJsonString": EXAMPLE["RoleDetailList"][0]["AssumeRolePolicyDocument"]},
    }}}],
}  # fmt: skip
FUNCTIONS: Final[tuple[Any, ...]] = (
    *VALUES, {"Ref": "X"}, {"Ref": "AWS::NoValue"}, {"Fn::If": ["A", 1, 2]}, {"Fn::Sub": ["${A}", {"A": []}]}, {"Fn::GetAtt": "A"},
    {"Fn::Join": ["", [{"Ref": "AWS::NoValue"}, 1]]}, {"Fn::ForEach::Q": ["Y", ["a"], {"${Y}": 1}]}, {"Fn::Length": "x"},
    {"Fn::ToJsonString": {"Ref": "AWS::NoValue"}}, {"Fn::Transform": {}}, {"references": ["a.b"]}, {"constant_value": 1},
)  # fmt: skip


@pytest.fixture(scope="module")
def sources(checkout: Path) -> dict[str, Any]:
    stack = read_template((checkout / "examples" / "stack.yaml").read_text(), "stack.yaml").plain()
    stack = stack | {"Transform": "AWS::LanguageExtensions", "Resources": stack["Resources"] | LOOP}
    return {"cfn": stack, "tfplan": json.loads((checkout / "examples" / "plan.json").read_text())}


@pytest.mark.parametrize("scheme", ["cfn", "tfplan"])
@settings(max_examples=40)
@given(data=st.data())
def test_damaged_template_or_plan_is_refused_or_looked_at_whole(
    sources: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, scheme: str, data: st.DataObject
) -> None:
    page = copy.deepcopy(sources[scheme])
    for _ in range(data.draw(st.integers(1, 4))):
        *path, last = data.draw(st.sampled_from(list(places(page))))
        holder: Any = page
        for name in path:
            holder = holder[name]
        holder[last] = copy.deepcopy(data.draw(st.sampled_from(FUNCTIONS)))
    file = tmp_path_factory.mktemp("damaged") / "source.json"
    file.write_text(json.dumps(page))
    try:
        account = load(f"{scheme}:{file}", account="111122223333")
    except InputError:
        return  # as above
    assert look(account)[0] == {}


@pytest.mark.parametrize("operator", ["DateLessThan", "DateEquals", "DateGreaterThan", "DateNotEquals"])
@pytest.mark.parametrize("moment", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999Z"])
def test_ends_of_the_calendar_break_no_proof(operator: str, moment: str) -> None:
    role = copy.deepcopy(EXAMPLE["RoleDetailList"][0])
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    statement |= {"Condition": {operator: {"aws:TokenIssueTime": moment}}}
    role["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [statement]}
    assert look(read({"RoleDetailList": [role]}))[0] == {}
