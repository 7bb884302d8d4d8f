"""`stsguard audit org:` and `pytest checks --stsguard-target org:`: every account, over HTTP, one failure is not the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STSGUARD = str(Path(sys.executable).with_name("stsguard"))
READ = [
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "iam:GetOpenIDConnectProvider",
    "iam:ListSAMLProviders",
    "ec2:DescribeInstances",
]
"""Not ec2:DescribeRegions: asking in every region costs the tests seconds."""


class Company:
    """The management account, one with the audit role, one that has no such role; each has a role open to everybody."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.own = cloud.account
        client = cloud.client("organizations")
        client.create_organization(FeatureSet="ALL")
        self.member, self.closed = (
            client.create_account(Email=f"a{n}@example.com", AccountName=f"a{n}")["CreateAccountStatus"]["AccountId"]
            for n in range(2)
        )
        for account in (self.own, self.member, self.closed):
            self.add_role(account, "open", "*")
        self.add_role(self.member, "auditor", f"arn:aws:iam::{self.own}:root", READ)
        key = self.add_user("inspector", [*READ, "organizations:*", "sts:AssumeRole"])
        self.settings = {
            "AWS_ENDPOINT_URL": cloud.serve().url,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def add_user(self, name: str, actions: list[str]) -> Any:
        iam = self.cloud.client("iam")
        iam.create_user(UserName=name)
        allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=document(allow))
        return iam.create_access_key(UserName=name)["AccessKey"]

    def add_role(self, account: str, name: str, trusted: str, actions: list[str] | None = None) -> None:
        iam = self.cloud.administrator(account).session().client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        if actions:
            allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
            iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document(allow))

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.settings, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd, env=environment
        )


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with pytest.MonkeyPatch.context() as patch, Cloud(world="empty") as cloud:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # reading them takes a second for each account
        yield Company(cloud)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stsguard.toml").write_text('[live]\naudit_role = "auditor"\n')
    return tmp_path


def test_every_account_is_audited_and_one_that_refuses_is_an_error_and_not_the_end(
    company: Company, folder: Path
) -> None:
    done = company.run(STSGUARD, "audit", "org", "--output", "json", "--report", "json:report.json", cwd=folder)
    assert done.returncode == 1, done.stderr
    data = json.loads(done.stdout)
    assert (data["target"], data["account"]) == ("org", company.own)
    found = defaultdict(set)
    for finding in data["findings"]:
        found[finding["account"]].add((finding["control"], finding["resource"]))
    assert set(found) == {company.own, company.member}
    for account in (company.own, company.member):
        assert ("STSG-101", f"arn:aws:iam::{account}:role/open") in found[account]
        assert all(resource.split(":")[4] == account for _, resource in found[account])
    told = f"the account `{company.closed}` could not be read: AccessDenied at AssumeRole"
    assert [(one["control"], told in one["reason"]) for one in data["errors"]] == [("STSG-112", True)]
    gaps = {one["control"]: one["reason"] for one in data["not_evaluated"]}
    assert f"account {company.closed}: roles: AccessDenied at AssumeRole" in gaps["STSG-101"]
    assert f"account {company.closed}: instances: AccessDenied at AssumeRole" in gaps["STSG-401"]
    written = json.loads((folder / "report.json").read_text())["findings"]
    assert len(written) == len(data["findings"])


def test_pytest_has_an_item_for_each_check_and_account_and_workers_hand_them_over(
    company: Company, folder: Path
) -> None:
    chosen = json.dumps([company.member, company.closed])
    (folder / "stsguard.toml").write_text(f'[live]\naudit_role = "auditor"\naudit_accounts = {chosen}\n')
    asked = ["-p", "pytest_stsguard.plugin", "-p", "xdist.plugin", "-p", "no:cacheprovider", "-n", "1", "-v"]
    asked += ["--pyargs", "pytest_stsguard.checks", "--stsguard-target", "org"]
    select = ("-k", "any_account or every_policy_can_be_read", "--stsguard-write-baseline", "found.json")
    done = company.run(sys.executable, "-m", "pytest", *asked, *select, cwd=folder)
    assert done.returncode == 1
    items = [line for line in done.stdout.splitlines() if "%]" in line]
    for account, passed, skipped in ((company.own, 0, 0), (company.member, 1, 0), (company.closed, 0, 1)):
        mine = [line for line in items if f"[{account}]" in line]
        assert len([line for line in mine if "PASSED" in line]) == passed, done.stdout
        assert len([line for line in mine if "SKIPPED" in line]) == skipped, done.stdout
    assert "could not be read: AccessDenied at AssumeRole" in done.stdout
    assert f"account {company.closed}: roles: AccessDenied at AssumeRole" in done.stdout
    found = json.loads((folder / "found.json").read_text())["findings"]
    assert [one["resource"] for one in found] == [f"arn:aws:iam::{company.member}:role/open"]


@pytest.fixture
def audit(
    company: Company, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], tuple[object, str, str]]:
    """Give ``(settings of [live]) -> exit code, output, errors``: the command, called in this process."""
    from pytest_stsguard.cli import main

    def call(live: str) -> tuple[object, str, str]:
        (folder / "stsguard.toml").write_text(f"[live]\n{live}\n")
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["stsguard", "audit", "org", "--output", "json"])
        for name, value in company.settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as exit_:
            main()
        said = capsys.readouterr()
        return exit_.value.code, said.out, said.err

    return call


def test_accounts_are_chosen_and_what_is_left_out_is_said(
    company: Company, audit: Callable[[str], tuple[object, str, str]]
) -> None:
    live = f'audit_role = "auditor"\nskip_accounts = ["{company.closed}"]\naudit_accounts = ["{company.member}"]\n'
    _, out, _ = audit(live)
    data = json.loads(out)
    assert {one["account"] for one in data["findings"]} == {company.member}
    assert data["errors"] == []
    left = ", ".join(sorted([company.own, company.closed]))
    assert data["warnings"] == [f"left out of the audit by the configuration: {left}"]


@pytest.mark.parametrize(
    ("live", "words"),
    [
        ('audit_accounts = ["000000000001"]', "`000000000001` is no active account of the organisation"),
        ('audit_role = "a/b"', "`a/b` is no name of a role"),
        ("skip_accounts = EVERYBODY", "no account is left to audit"),
    ],
)
def test_a_wrong_choice_is_one_line(
    company: Company, audit: Callable[[str], tuple[object, str, str]], live: str, words: str
) -> None:
    everybody = json.dumps([company.own, company.member, company.closed])
    code, out, err = audit(live.replace("EVERYBODY", everybody))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert words in err
