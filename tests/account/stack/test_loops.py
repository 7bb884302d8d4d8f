"""Loops, macros and the language's extensions: what they make is audited, or named as unknown, and never taken for narrow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.account import Account, load
from pytest_stsguard.cli.checks import run_checks
from pytest_stsguard.errors import InputError
from pytest_stsguard.trust import Zones, prove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXTENDED = {"Transform": "AWS::LanguageExtensions"}
MACRO = {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/key"}}


def trust(principal: Any, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more
    return {"Version": "2012-10-17", "Statement": [statement]}


EC2 = trust({"Service": "ec2.amazonaws.com"})


def role(document: Any, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document} | properties}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Account]:
    def read(resources: Any, **sections: Any) -> Account:
        path = tmp_path / "stack.json"
        path.write_text(json.dumps({"Resources": resources} | sections))
        return load(f"cfn:{path}", account="111122223333")

    return read


def principals(account: Account) -> dict[str, Any]:
    return {role.name: role.trust.value["Statement"][0]["Principal"] for role in account.roles}


def test_loop_makes_a_role_a_round(read: Callable[..., Account]) -> None:
    loop = ["Team", ["a", "b-2"], {"Role&{Team}": role(trust({"AWS": {"Fn::Sub": "arn:aws:iam::444455556666:role/${Team}"}}),
                                                       RoleName={"Fn::Join": ["-", ["app", {"Ref": "Team"}]]})}]  # fmt: skip
    account = read(
        {"Fn::ForEach::Roles": loop, "Other": role(trust({"AWS": {"Fn::GetAtt": ["Roleb2", "Arn"]}}))}, **EXTENDED
    )
    assert principals(account) == {
        "app-a": {"AWS": "arn:aws:iam::444455556666:role/a"},
        "app-b-2": {"AWS": "arn:aws:iam::444455556666:role/b-2"},
        "STACK-Other-STANDIN": {"AWS": "arn:aws:iam::111122223333:role/app-b-2"},
    }
    assert account.lacks("roles") == ()


def test_loop_in_a_loop_over_a_list_of_a_parameter(read: Callable[..., Account]) -> None:
    inner = {"Fn::ForEach::Inner": ["Y", {"Ref": "Names"}, {"R${X}${Y}": role(EC2, RoleName="${X}-${Y}")}]}
    account = read(
        {"Fn::ForEach::Outer": ["X", ["a", "b"], inner]},
        Parameters={"Names": {"Type": "CommaDelimitedList", "Default": "c, d"}},
        **EXTENDED,
    )
    assert [role.name for role in account.roles] == ["a-c", "a-d", "b-c", "b-d"]


@pytest.mark.parametrize(
    ("loop", "reason"),
    [
        (["X", {"Ref": "Names"}, {}], "its collection is not known: parameter `Names`, which has no default"),
        (["X", "a", {}], "its collection is not known: a value that is no list"),
        (["X", ["a"]], "its collection is not known: a malformed `Fn::ForEach`"),
        (["not a name", ["a"], {}], "its collection is not known: a malformed `Fn::ForEach`"),
        ("X", "its collection is not known: a malformed `Fn::ForEach`"),
    ],
)
def test_loop_that_cannot_be_written_out_is_a_gap(read: Callable[..., Account], loop: Any, reason: str) -> None:
    parameters = {"Names": {"Type": "CommaDelimitedList"}}
    account = read({"Fn::ForEach::R": loop, "A": role(EC2)}, Parameters=parameters, **EXTENDED)
    assert account.lacks("roles") == (f"roles of Fn::ForEach::R: {reason}",)


def test_loops_that_make_too_much_are_refused(read: Callable[..., Account]) -> None:
    fragment: Any = {"R${A}${B}${C}": role(EC2)}
    for name in "ABC":
        fragment = {f"Fn::ForEach::{name}": [name, [str(number) for number in range(100)], fragment]}
    with pytest.raises(InputError, match="resolving takes more than"):
        read(fragment, **EXTENDED)


def test_extensions_count_only_where_the_template_asks_for_them(read: Callable[..., Account]) -> None:
    roles = {"A": role({"Fn::ToJsonString": trust("*")}, MaxSessionDuration={"Fn::Length": ["x"] * 3})}
    asked, plain = read(roles, **EXTENDED), read(roles)
    assert asked.roles[0].trust.problems == ()
    assert asked.roles[0].max_session_duration == 3
    assert "`Fn::ToJsonString`, which is not evaluated here" in str(plain.roles[0].trust.problems[0])
    nothing = read({"A": role({"Fn::ToJsonString": {"Ref": "AWS::NoValue"}})}, **EXTENDED)
    assert "`Fn::ToJsonString` of nothing" in str(nothing.roles[0].trust.problems[0])
    hidden = read({"A": role({"Fn::ToJsonString": trust({"AWS": {"Ref": "No"}})})}, **EXTENDED)
    assert "`No`, which is neither parameter nor resource" in str(hidden.roles[0].trust.problems[0])


def test_macro_beside_written_values_may_make_any_of_them(read: Callable[..., Account], tmp_path: Path) -> None:
    document = trust({"AWS": "arn:aws:iam::111122223333:role/x"})
    document["Statement"][0]["Fn::Transform"] = MACRO
    account = read({
        "A": role(document, RoleName="a"),
        "B": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "b", "Fn::Transform": MACRO}},
        "C": role(EC2, RoleName="c", **{"Fn::Transform": MACRO}),
        "D": {"Fn::Transform": MACRO},
    })  # fmt: skip
    zones = Zones.parse({"account": "111122223333"})
    assert [prove(one.trust.policy, zones).verdict for one in account.roles] == ["undecided", "undecided", "narrow"]
    assert all(account.missing_policies(one) for one in account.roles[1:])
    assert account.lacks("roles") == ("roles that macros make: `D` is what a macro makes of it",)
    report = run_checks([("target", f"cfn:{tmp_path / 'stack.json'}")]).report
    found = {(one.control, one.resource.rpartition("/")[2], str(one.severity)) for one in report.findings}
    assert {name for control, name, _ in found if control == "STSG-111"} == {"a", "b"}
    assert {severity for control, _, severity in found if control == "STSG-112"} == {"low"}  # known at deployment only
