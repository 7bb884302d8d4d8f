"""Tricky accounts: every role, user and policy with the controls that find it, and no other.

What a case expects was derived from the text of the control and from AWS's documentation; where the first run said otherwise, either the code
or the reading of the documentation was wrong, and was mended.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import pytest

from pytest_stsguard.cli.checks import run_checks

Json = dict[str, Any]
HERE: Final = Path(__file__).parents[1] / "corpus"
FILES: Final = {
    name: json.loads((HERE / f"audit-{name}.json").read_text())
    for name in ("trust", "federation", "revocation", "people", "reach")
}
CASES: Final = [(name, case) for name, file in FILES.items() for case in file["cases"] if "finds" in case]
ACCOUNT: Final = "111122223333"
ORGANIZATION: Final = "o-a1b2c3d4e5"
CREATED: Final = "2026-10-01T00:00:00Z"
ZONES: Final = f"""[zones]
account = "{ACCOUNT}"
org_id = "{ORGANIZATION}"
[zones.trust]
organization = true
accounts = [{{id = "444455556666", external_id = ["EXT-1"]}}, {{id = "555566667777"}}]
saml = ["Okta"]
[[zones.trust.oidc]]
issuer = "token.actions.githubusercontent.com"
sub = ["repo:acme/*"]
[[zones.trust.oidc]]
issuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789ABCDEF0123456789"
sub = ["system:serviceaccount:shop:*"]
"""


def kind_of(case: Json) -> str:
    return next(kind for kind in ("role", "user", "group", "policy") if kind in case)


def arn(case: Json) -> str:
    kind = kind_of(case)
    return f"arn:aws:iam::{ACCOUNT}:{kind}{case.get('path', '/')}{case[kind]}"


def document(written: Any) -> Any:
    return written if isinstance(written, str) else {"Version": "2012-10-17", "Statement": written}


def entity(case: Json) -> Json:
    """Write a role, user or group as an export does."""
    kind = kind_of(case)
    title, name = kind.capitalize(), case[kind]
    prefix = {"role": "AROA", "user": "AIDA", "group": "AGPA"}[kind]
    made = {
        f"{title}Name": name,
        f"{title}Id": prefix + (name.upper().replace("-", "") + "X" * 17)[:17],
        "Arn": arn(case),
        "Path": case.get("path", "/"),
        "CreateDate": CREATED,
        f"{title}PolicyList": [
            {"PolicyName": one, "PolicyDocument": text} for one, text in case.get("inline", {}).items()
        ],
        "AttachedManagedPolicies": [
            {"PolicyName": one.rpartition("/")[2], "PolicyArn": one} for one in case.get("attached", [])
        ],
    }
    if "boundary" in case:
        bound = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": case["boundary"]}
        made["PermissionsBoundary"] = bound
    if kind == "user":
        made["GroupList"] = case.get("groups", [])
    if kind == "role":
        made |= {
            "AssumeRolePolicyDocument": document(case["trust"]),
            "InstanceProfileList": [],
            "Tags": [{"Key": key, "Value": value} for key, value in case.get("tags", {}).items()],
            "RoleLastUsed": {"LastUsedDate": "2026-11-18T00:00:00Z", "Region": "eu-west-1"},
            "MaxSessionDuration": 3600,
            **case.get("details", {}),
        }
    return made


def managed(case: Json) -> Json:
    """Write a managed policy as an export does; the last version is in force unless the case names another."""
    default = case.get("default", f"v{len(case['versions'])}")
    versions = [
        {
            "Document": text,
            "VersionId": f"v{number}",
            "IsDefaultVersion": f"v{number}" == default,
            "CreateDate": CREATED,
        }
        for number, text in enumerate(case["versions"], 1)
    ]
    return {
        "PolicyName": case["policy"],
        "PolicyId": f"ANPA{case['policy'].upper()}",
        "Arn": arn(case),
        "Path": "/",
        "DefaultVersionId": default,
        "CreateDate": CREATED,
        "PolicyVersionList": versions,
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """Audit each account once: file to ARN to the numbers of the controls."""
    answers: dict[str, dict[str, set[str]]] = {}
    for name, file in FILES.items():
        folder = tmp_path_factory.mktemp(name)
        made = {
            kind: [one for one in file["cases"] if kind_of(one) == kind] for kind in ("role", "user", "group", "policy")
        }
        roles = [entity(one) for one in made["role"]]
        account = folder / "account"
        account.mkdir()
        details = {
            "RoleDetailList": roles,
            "UserDetailList": [entity(one) for one in made["user"]],
            "GroupDetailList": [entity(one) for one in made["group"]],
            "Policies": [managed(one) for one in made["policy"]],
        }
        organization = {"Organization": {"Id": ORGANIZATION, "MasterAccountId": "555566667777"}}
        (account / "details.json").write_text(json.dumps(details))
        (account / "roles.json").write_text(json.dumps({"Roles": roles}))
        (account / "organization.json").write_text(json.dumps(organization))
        (folder / "stsguard.toml").write_text(ZONES)
        options = [
            ("target", f"export:{account}"),
            ("config", str(folder / "stsguard.toml")),
            ("at", "2026-11-20T12:00:00Z"),
        ]
        report = run_checks(options).report
        assert report.errors == {}
        answers[name] = defaultdict(set)
        for finding in report.findings:
            if (number := finding.control.removeprefix("STSG-")) not in file["left_out"]:
                answers[name][finding.resource].add(number)
    return answers


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}-{case[kind_of(case)]}" for name, case in CASES])
def test_case_is_found_by_its_controls_and_no_others(
    found: dict[str, dict[str, set[str]]], name: str, case: Json
) -> None:
    assert sorted(found[name].get(arn(case), ())) == case["finds"].split()
