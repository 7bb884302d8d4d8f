"""An export that somebody made to break the audit: every role has a finding or a clear error, and no role hides another.

That it takes seconds and not hours is what the run of this module shows; nothing here is timed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cli.checks import run_checks

if TYPE_CHECKING:
    from pytest_stsguard.findings import Report

AT = "2026-11-20T12:00:00Z"
PREFIX = "arn:aws:iam::111122223333:role/"
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
RING = 1000
BIG = 5 * 1024 * 1024


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


EC2 = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def role(name: str, trust: Any, inline: Any = None) -> dict[str, Any]:
    return {
        "RoleName": name,
        "Arn": PREFIX + name,
        "Path": "/",
        "RoleId": "AROAEXAMPLEEXAMPLE123",
        "CreateDate": "2026-11-01T00:00:00Z",
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [] if inline is None else [{"PolicyName": "p", "PolicyDocument": inline}],
        "AttachedManagedPolicies": [],
        "InstanceProfileList": [],
    }


def hostile_roles() -> list[dict[str, Any]]:
    tag = {"StringEquals": {"aws:PrincipalTag/x": "a" * BIG}}
    many = [EC2["Statement"][0]] * 10_000
    writes = [
        {"Effect": "Allow", "Action": "iam:Put*Policy", "Resource": f"arn:aws:iam::*:role/many-{number}*"}
        for number in range(10_000)
    ]
    deep = policy({**EVERYBODY, "Condition": json.loads('{"a":' * 300 + "1" + "}" * 300)})
    return [
        role("no-json", "{]", "not json"),
        role("big-trust", policy({**EVERYBODY, "Condition": tag})),
        role("big-inline", EC2, policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::" + "b" * BIG})),
        role("many-trust", policy(*many)),
        role("many-inline", EC2, policy({"Effect": "Allow", "Action": "*", "Resource": "*"}, *writes)),
        role("deep-text", "[" * 100_000 + "]" * 100_000),
        role("deep-object", deep),
        role("nul", policy({"Effect": "Allow", "Principal": {"AWS": "\x00*"}, "Action": "sts:AssumeRole"})),
        role("nul-text", "\x00"),
        role("surrogate", policy({"Effect": "Allow", "Principal": {"AWS": "\ud800"}, "Action": "sts:AssumeRole"})),
        role("twice", EC2),
        role("twice", policy(EVERYBODY)),
        *(
            role(
                f"ring-{number}",
                policy({**EVERYBODY, "Principal": {"AWS": f"{PREFIX}ring-{(number + 1) % RING}"}}),
            )
            for number in range(RING)
        ),
        role("last", policy(EVERYBODY)),
    ]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    file = tmp_path_factory.mktemp("hostile") / "account.json"
    page = {"RoleDetailList": hostile_roles(), "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    file.write_text(json.dumps(page))
    return run_checks([("target", f"export:{file}"), ("at", AT)]).report


@pytest.fixture(scope="module")
def found(report: Report) -> dict[str, set[str]]:
    found = defaultdict(set)
    for finding in report.findings:
        found[finding.resource.removeprefix(PREFIX)].add(finding.control)
    return found


@pytest.mark.parametrize(
    ("name", "controls"),
    [
        ("no-json", {"STSG-111", "STSG-112"}),
        ("big-trust", {"STSG-111"}),
        ("many-trust", {"STSG-111"}),
        ("many-inline", {"STSG-205"}),
        ("deep-text", {"STSG-111", "STSG-112"}),
        ("deep-object", {"STSG-111", "STSG-112"}),
        ("nul", {"STSG-111", "STSG-112"}),
        ("nul-text", {"STSG-111", "STSG-112"}),
        ("surrogate", {"STSG-111", "STSG-112"}),
        ("twice", {"STSG-101"}),
        ("last", {"STSG-101"}),
    ],
)
def test_each_has_its_finding(found: dict[str, set[str]], name: str, controls: set[str]) -> None:
    assert found[name] >= controls


def test_a_ring_of_a_thousand_roles_is_one_finding_a_role(found: dict[str, set[str]]) -> None:
    assert sum("STSG-302" in found[f"ring-{number}"] for number in range(RING)) == RING


def test_a_name_twice_is_an_error_and_nothing_else_is(report: Report) -> None:
    assert list(report.errors) == ["STSG-112"]
    assert f"`{PREFIX}twice` is listed twice, with different content" in report.errors["STSG-112"]


def test_nothing_that_was_found_is_as_long_as_what_it_was_found_in(report: Report) -> None:
    assert max(len(finding.message) for finding in report.findings) < 2000
    assert all(len(json.dumps(finding.evidence, default=str)) < 50_000 for finding in report.findings)
    assert all("\n" not in finding.message and "\x00" not in finding.message for finding in report.findings)
