"""Who can assume whom, and what follows: cycles, MFA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_stsguard.reach import people, renewal
from pytest_stsguard.reach.admission import may_assume

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.reach import Survey

ROOT = {"AWS": "arn:aws:iam::111122223333:root"}
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def role(name: str) -> str:
    return f"arn:aws:iam::111122223333:role/{name}"


def trusts(principal: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return statement | ({"Condition": condition} if condition else {})


def may(action: Any, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def guard(regions: list[str]) -> dict[str, Any]:
    """Deny everything elsewhere, as many accounts do."""
    condition = {"StringNotEquals": {"aws:RequestedRegion": regions}}
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}


def assume(name: str) -> dict[str, Any]:
    return may("sts:AssumeRole", role(name))


def cycles(survey: Survey) -> dict[str, list[str]]:
    faults = renewal.renewals(survey.graph, survey.permissions.wanted)
    return {fault.resource.rpartition("/")[2]: fault.evidence["cycle"] for fault in faults}


def test_trust_alone_makes_a_cycle(survey_of: Callable[..., Survey]) -> None:
    survey = survey_of(
        {"a": trusts({"AWS": role("b")}), "b": trusts({"AWS": role("a")}), "c": trusts({"AWS": role("a")})}
    )
    assert cycles(survey) == {"a": ["a", "b", "a"], "b": ["b", "a", "b"]}


def test_trust_in_the_account_needs_the_permission_as_well(survey_of: Callable[..., Survey]) -> None:
    both = {"a": trusts(ROOT), "b": trusts(ROOT)}
    assert cycles(survey_of(both)) == {}
    assert cycles(survey_of(both, may={"a": assume("b")})) == {}
    assert set(cycles(survey_of(both, may={"a": assume("b"), "b": assume("a")}))) == {"a", "b"}


def test_guards_of_regions_and_organisations_do_not_hide_a_cycle(survey_of: Callable[..., Survey]) -> None:
    outsiders = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": outsiders}
    both = {"a": [trusts(ROOT), deny], "b": [trusts(ROOT), deny]}
    permissions = {"a": [assume("b"), guard(["eu-west-1"])], "b": [assume("a"), guard(["eu-central-1"])]}
    survey = survey_of(both, may=permissions, zones={"org_id": "o-a1b2c3d4e5"})
    assert set(cycles(survey)) == {"a", "b"}


def test_everybody_trusted_needs_no_permission_in_the_same_account(survey_of: Callable[..., Survey]) -> None:
    """AWS: in one account a resource's policy that names everybody grants by itself; a Deny still counts."""
    own = {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
    deny = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
    survey = survey_of({"open": trusts("*", **own), "a": trusts({"AWS": role("open")}), "b": trusts({"AWS": role("open")})}, may={"b": deny})  # fmt: skip
    assert cycles(survey) == {"open": ["open", "open"], "a": ["a", "open", "a"]}
    assert cycles(survey_of({"open": trusts("*", StringEquals={"aws:PrincipalAccount": "444455556666"})})) == {}


def test_thousand_roles_open_to_everybody_are_asked_about_once_a_policy(survey_of: Callable[..., Survey]) -> None:
    names = [f"role-{index}" for index in range(1000)]
    own = trusts({"AWS": "*"}, StringEquals={"aws:PrincipalAccount": "111122223333"})
    survey = survey_of(dict.fromkeys(names, own))
    assert len(cycles(survey)) == 1000
    assert survey.graph.questions == 1
    assert sum(map(len, survey.graph.successors)) == 2000


def test_thousand_roles_that_compare_tags_are_asked_about_once_a_pair_of_tags(survey_of: Callable[..., Survey]) -> None:
    names = [f"role-{index}" for index in range(1000)]
    details = {name: {"Tags": [{"Key": "team", "Value": name[-1]}]} for name in names}
    same = trusts("*", StringEquals={"aws:PrincipalTag/team": "${aws:ResourceTag/team}"})
    survey = survey_of(dict.fromkeys(names, same), details=details)
    assert len(cycles(survey)) == 1000
    assert survey.graph.questions == 100
    assert survey.graph.complete


def test_role_that_assumes_itself_is_a_cycle(survey_of: Callable[..., Survey]) -> None:
    assert cycles(survey_of({"a": trusts({"AWS": role("a")})})) == {"a": ["a", "a"]}
    assert cycles(survey_of({"a": trusts(ROOT)}, may={"a": may("sts:*")})) == {"a": ["a", "a"]}


def test_deny_and_boundary_and_conditions_break_a_cycle(survey_of: Callable[..., Survey]) -> None:
    both = {"a": trusts(ROOT), "b": trusts(ROOT)}
    deny = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
    assert cycles(survey_of(both, may={"a": [assume("b"), deny], "b": assume("a")})) == {}
    named = {
        "a": trusts({"AWS": role("b")}, Bool={"aws:MultiFactorAuthPresent": "true"}),
        "b": trusts({"AWS": role("a")}),
    }
    assert cycles(survey_of(named)) == {}
    bound = {
        "PolicyName": "Bound", "PolicyId": "ANPAEXAMPLE000000000", "Arn": "arn:aws:iam::111122223333:policy/Bound",
        "Path": "/", "DefaultVersionId": "v1", "CreateDate": "2024-01-01T00:00:00Z",
        "PolicyVersionList": [{
            "Document": {"Version": "2012-10-17", "Statement": may("s3:*")},
            "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2024-01-01T00:00:00Z",
        }],
    }  # fmt: skip
    boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": bound["Arn"]}
    survey = survey_of(
        both,
        may={"a": assume("b"), "b": assume("a")},
        details={"a": {"PermissionsBoundary": boundary}},
        policies=(bound,),
    )
    assert cycles(survey) == {}


def test_condition_on_who_is_asked_for_each_caller(survey_of: Callable[..., Survey]) -> None:
    only_b = trusts(ROOT, ArnEquals={"aws:PrincipalArn": role("b")})
    everybody = dict.fromkeys("abc", may("sts:AssumeRole"))
    survey = survey_of({"a": only_b, "b": trusts({"AWS": role("a")}), "c": trusts({"AWS": role("a")})}, may=everybody)
    assert cycles(survey) == {"a": ["a", "b", "a"], "b": ["b", "a", "b"]}


def test_thousand_roles_that_all_reach_each_other_are_one_component(survey_of: Callable[..., Survey]) -> None:
    names = [f"role-{index}" for index in range(1000)]
    survey = survey_of(dict.fromkeys(names, trusts(ROOT)), may=dict.fromkeys(names, may("sts:AssumeRole")))
    found = cycles(survey)
    assert len(found) == 1000
    assert all(len(cycle) == 2 for cycle in found.values())
    assert survey.graph.complete
    assert survey.graph.questions == 0


def test_ring_of_a_thousand_roles_is_shown_and_not_enumerated(survey_of: Callable[..., Survey]) -> None:
    count = 1000
    survey = survey_of({f"r{n}": trusts({"AWS": role(f"r{(n + 1) % count}")}) for n in range(count)})
    faults = list(renewal.renewals(survey.graph, survey.permissions.wanted))
    assert len(faults) == count
    assert all(fault.evidence["roles"] == count and len(fault.message) < 200 for fault in faults)


SELF = {"AWS": role("a")}
WITH_NAME = {"StringLike": {"sts:RoleSessionName": "app-*"}}
BOTH = ["sts:AssumeRole", "sts:SetSourceIdentity"]


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        (trusts(SELF, **WITH_NAME), True),
        (trusts(SELF, StringEquals={"sts:ExternalId": "known"}), True),
        ([trusts(SELF), trusts("*", StringNotLike=WITH_NAME["StringLike"]) | {"Effect": "Deny"}], True),
        (trusts(SELF, StringEquals={"sts:RoleSessionName": "no such name!"}), False),
        (trusts(SELF, StringLike={"sts:SourceIdentity": "*"}), False),
        (trusts(SELF, StringLike={"sts:SourceIdentity": "*"}) | {"Action": BOTH}, True),
        (trusts(SELF, Null={"sts:SourceIdentity": "false"}) | {"Action": BOTH}, True),
        (trusts(SELF, StringEquals={"aws:RequestTag/team": "x"}), False),
        (trusts(SELF, StringEquals={"aws:RequestTag/team": "x"}) | {"Action": "sts:*"}, True),
        (trusts(SELF, IpAddress={"aws:SourceIp": "203.0.113.0/24"}), False),
        (trusts({"AWS": "arn:aws:sts::111122223333:assumed-role/a/app"}), True),
        (trusts({"AWS": "arn:aws:sts::111122223333:assumed-role/b/app"}), False),
    ],
)
def test_what_a_caller_chooses_holds_it_off_no_role(
    survey_of: Callable[..., Survey], trust: Any, expected: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    assert ("a" in cycles(survey_of({"a": trust, "b": EC2}))) is expected


def test_duplicate_names_are_no_trouble(survey_of: Callable[..., Survey]) -> None:
    survey = survey_of({"a": trusts([{"AWS": role("a")}][0]), "b": EC2}, details={"b": {"RoleName": "a"}})
    assert "a" in cycles(survey)


@pytest.mark.parametrize(
    ("trust", "users", "expected"),
    [
        (trusts({"AWS": "arn:aws:iam::111122223333:user/u"}), {"u": None}, True),
        (trusts({"AWS": "arn:aws:iam::111122223333:user/gone"}), {"u": None}, False),
        (trusts({"AWS": "arn:aws:iam::111122223333:user/u"}, Bool={"aws:MultiFactorAuthPresent": "true"}), {"u": None}, False),
        (trusts({"AWS": "arn:aws:iam::111122223333:user/u"}, BoolIfExists={"aws:MultiFactorAuthPresent": "true"}), {"u": None}, True),
        (trusts({"AWS": "arn:aws:iam::111122223333:user/u"}, NumericLessThan={"aws:MultiFactorAuthAge": "900"}), {"u": None}, False),
        (trusts(ROOT), {"u": None}, False),
        (trusts(ROOT), {"u": may("sts:AssumeRole")}, True),
        (trusts(ROOT), {"u": may("sts:AssumeRole", Bool={"aws:MultiFactorAuthPresent": "true"})}, False),
        (trusts(ROOT), {"u": may("sts:AssumeRole", role("role"))}, True),
        (trusts(ROOT), {"u": may("sts:AssumeRole", role("other"))}, False),
        (EC2, {"u": may("*")}, False),
        (trusts(ROOT, StringLike={"sts:RoleSessionName": "${aws:username}"}), {"jane": may("sts:AssumeRole")}, True),
        (trusts(ROOT, StringEquals={"sts:RoleSessionName": "v"}, Bool={"aws:MultiFactorAuthPresent": "true"}), {"u": may("*")}, False),
    ],
)  # fmt: skip
def test_mfa_is_asked_of_the_people_that_may_assume_a_role(
    survey_of: Callable[..., Survey], trust: Any, users: Any, expected: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    survey = survey_of({"role": trust}, users=users)
    assert bool(list(people.without_mfa(survey.permissions))) is expected


@pytest.mark.parametrize(
    "trust",
    [
        trusts(ROOT, ArnEquals={"aws:PrincipalArn": "arn:aws:iam::111122223333:user/bob"}),
        trusts(ROOT, ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:user/b*"}),
        trusts(ROOT, StringEquals={"aws:username": "bob"}),
        trusts(ROOT, StringLike={"aws:userid": "*"}, StringNotEquals={"aws:username": ["alice", "carol"]}),
        [trusts(ROOT), trusts("*", StringNotEquals={"aws:username": "bob"}) | {"Effect": "Deny"}],
    ],
)
def test_users_with_the_same_policies_are_told_apart_where_the_role_does(
    survey_of: Callable[..., Survey], trust: Any
) -> None:
    everybody = dict.fromkeys(["alice", "bob", "carol"], may("sts:AssumeRole"))
    (fault,) = people.without_mfa(survey_of({"role": trust}, users=everybody).permissions)
    assert fault.evidence["user"].endswith("user/bob")


NAMES = ("a", "b", "c")
STATEMENTS = (
    None,
    may("sts:AssumeRole"),
    may("sts:*", role("*")),
    may("*", [role("a"), role("b")]),
    may("sts:AssumeRole", role("${aws:PrincipalTag/x}")),
    may("sts:AssumeRole", Bool={"aws:MultiFactorAuthPresent": "true"}),
    may("sts:AssumeRole", ArnLike={"aws:PrincipalArn": role("a")}),
    [may("sts:AssumeRole"), {"Effect": "Deny", "Action": "sts:*", "Resource": role("c")}],
    {"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": role("b")},
    {"Effect": "Deny", "Action": "sts:AssumeRole", "NotResource": role("b")},
    {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2027-01-01"}},
    },
    {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2025-01-01"}},
    },
    {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:ResourceTag/x": "true"}}},
)
BOUND = {
    "PolicyName": "Bound", "PolicyId": "ANPAEXAMPLE000000000", "Arn": "arn:aws:iam::111122223333:policy/Bound",
    "Path": "/", "DefaultVersionId": "v1", "CreateDate": "2024-01-01T00:00:00Z",
    "PolicyVersionList": [{
        "Document": {"Version": "2012-10-17", "Statement": may("sts:AssumeRole", role("c"))},
        "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2024-01-01T00:00:00Z",
    }],
}  # fmt: skip
DETAILS = (
    {},
    {"Tags": [{"Key": "x", "Value": "y"}]},
    {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": BOUND["Arn"]}},
)
TRUSTS = (
    EC2,
    trusts(ROOT),
    trusts({"AWS": [role("a"), role("c")]}),
    trusts(ROOT, ArnLike={"aws:PrincipalArn": role("b")}),
    trusts(ROOT, StringEquals={"aws:ResourceTag/x": "y"}),
    [trusts(ROOT), {"Effect": "Deny", "Principal": {"AWS": role("c")}, "Action": "sts:AssumeRole"}],
    [trusts({"AWS": role("a")}, Bool={"aws:MultiFactorAuthPresent": "true"}), trusts({"AWS": "111122223333"})],
    trusts("*"),
    trusts({"AWS": "*"}, StringEquals={"aws:PrincipalAccount": "111122223333"}),
    [trusts(ROOT), trusts({"AWS": "*"}, StringLike={"aws:PrincipalArn": role("[ab]").replace("[ab]", "?")})],
    trusts("*", StringEquals={"aws:ResourceTag/x": "y"}),
    [
        trusts("*"),
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sts:*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": role("b")}},
        },
    ],
    [trusts("*"), {"Effect": "Perhaps", "Principal": "*", "Action": "sts:*"}],
    {"Effect": "Allow", "NotPrincipal": {"AWS": role("a")}, "Action": "sts:AssumeRole"},
    [trusts("*"), {"Effect": "Deny", "Principal": {"AWS": role("c")}, "Action": "sts:AssumeRole"}],
    [trusts("*", Null={"aws:PrincipalTag/x": "false"}), trusts({"AWS": role("a")})],
    trusts("*", StringEquals={"aws:PrincipalTag/x": "${aws:ResourceTag/X}"}),
    trusts("*", StringLike={"sts:RoleSessionName": "${aws:PrincipalTag/x}*"}),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from(TRUSTS))),
    st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from(STATEMENTS))),
    st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from(DETAILS))),
)
def test_graph_says_what_the_engine_says_of_every_pair(
    survey_of: Callable[..., Survey], trust: dict[str, Any], statements: dict[str, Any], details: dict[str, Any]
) -> None:
    graph = survey_of(trust, may=statements, details=details, policies=(BOUND,)).graph
    for number, caller in enumerate(graph.roles):
        direct, waiting = set[int](), list(graph.successors[number])
        for node in waiting:
            if graph.name(node) is None:
                waiting += graph.successors[node]
            else:
                direct.add(node)
        assert direct == {index for index, one in enumerate(graph.roles) if may_assume(caller, one)}
