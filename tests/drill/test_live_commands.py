"""Drills on an account by the command and by pytest: the simulated cloud over HTTP, reached by endpoint settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.drill.access import Access
from pytest_stsguard.drill.live_drill import LiveDrill
from pytest_stsguard.errors import InputError
from pytest_stsguard.revocation import runner_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials

STSGUARD = str(Path(sys.executable).with_name("stsguard"))
WRITES = ("Create", "Put", "Update", "Delete")


def world_of(cloud: Cloud) -> str:
    kinds = ["Role", "User", "LocalManagedPolicy"]
    details = cloud.client("iam").get_account_authorization_details(Filter=kinds)
    details.pop("ResponseMetadata")
    return json.dumps(details, default=str, sort_keys=True)


def run(cloud: Cloud, url: str, *arguments: str, cwd: Path, wait: bool = True) -> Any:
    (cwd / "stsguard.toml").write_text(f'[live]\naccounts = ["{cloud.account}"]\n')
    environ = {**os.environ, **cloud.admin.environ, "AWS_ENDPOINT_URL": url}
    process = subprocess.Popen(
        [STSGUARD, "drill", "--target", "aws", *arguments],
        env=environ,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not wait:
        return process
    process.stdout_text, process.stderr_text = process.communicate(timeout=120)  # type: ignore[attr-defined]
    return process


SMALL = """
probes = ["s3.list_buckets", "dynamodb.list_tables"]
[[warm_up]]
act = "role"
name = "data"
[[theft]]
act = "assume"
role = "data"
session = "stolen"
[[containment]]
act = "revoke"
target = "data"
[[containment]]
act = "expect"
session = "stolen"
outcome = "denied"
[[cleanup]]
act = "clean-up"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


def test_without_consent_it_is_rehearsed_and_each_call_printed(sts_cloud: Cloud, folder: Path) -> None:
    url, before, calls = sts_cloud.serve().url, world_of(sts_cloud), len(sts_cloud.trail.records())
    done = run(sts_cloud, url, "small.toml", cwd=folder)
    assert done.returncode == 0, done.stderr_text
    assert world_of(sts_cloud) == before
    reached = {record["eventName"] for record in sts_cloud.trail.records()[calls:]}
    assert reached <= {"GetCallerIdentity", "DescribeOrganization", "GetAccountAuthorizationDetails"}
    told = [line.split()[2] for line in done.stderr_text.splitlines() if line.startswith("would call")]
    assert [one for one in told if one.partition(":")[2].startswith(WRITES)] == [
        *("iam:CreatePolicy", "iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        *("iam:DeleteRolePolicy", "iam:DeleteRole", "iam:DeletePolicy"),
    ]
    assert {"s3:ListBuckets", "dynamodb:ListTables", "sts:AssumeRole"} <= set(told)
    assert "/stsguard-drill/" in done.stderr_text
    assert "PermissionsBoundary" in done.stderr_text
    assert "nothing was changed" in done.stderr_text
    assert not list(folder.glob("*.jsonl"))


def test_interrupted_drill_puts_everything_back(sts_cloud: Cloud, folder: Path, faults: Callable[..., Any]) -> None:
    front, before = faults(), world_of(sts_cloud)
    front.on_write = lambda number, when: process.terminate() if (number, when) == (4, "after") else None
    process = run(sts_cloud, front.url, "small.toml", "--live-drill", cwd=folder, wait=False)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "stopped by the kill switch: SIGTERM" in output
    assert world_of(sts_cloud) == before


@pytest.mark.stsguard_cloud(consistency="0.5:7")
def test_drill_killed_amid_trouble_is_rolled_back_by_the_command(
    sts_cloud: Cloud, folder: Path, faults: Callable[..., Any]
) -> None:
    front, before = faults(throttle=9, drop=7), world_of(sts_cloud)
    front.on_write = lambda number, when: process.kill() if (number, when) == (4, "after") else None
    process = run(sts_cloud, front.url, "small.toml", "--live-drill", "--journal", "j", cwd=folder, wait=False)
    process.communicate(timeout=120)
    assert process.returncode == -9
    assert world_of(sts_cloud) != before
    done = run(sts_cloud, front.url, "--resume", "--journal", "j", cwd=folder)
    assert done.returncode == 2
    assert "cannot go on: its stolen sessions were never written down" in done.stderr_text
    assert "--rollback" in done.stderr_text
    front.on_write = None
    done = run(sts_cloud, front.url, "--rollback", "--journal", "j", cwd=folder)
    assert done.returncode == 0, done.stderr_text
    assert "nothing is left of the drill" in done.stdout_text
    assert world_of(sts_cloud) == before
    assert front.throttled >= 2
    assert front.dropped >= 2


CHECKS = """
import pytest

pytestmark = pytest.mark.stsguard_drill


def test_live(sts_drill):
    if why := sts_drill.refuses("instance-credentials"):
        result = sts_drill.play("small.toml")
        assert result.passed, result.failures
        assert result.timeline[-1].action == "state"


def test_simulated(sts_cloud, sts_drill):
    raise AssertionError("there is none")
"""


def looking_runner(cloud: Cloud, policy: dict[str, Any]) -> Credentials:
    """A runner that may look at the target of a run as well, which every run does first."""
    iam, read = (
        cloud.client("iam"),
        {"Effect": "Allow", "Action": "iam:GetAccountAuthorizationDetails", "Resource": "*"},
    )
    iam.create_user(UserName="runner")
    text = json.dumps(policy | {"Statement": [*policy["Statement"], read]})
    iam.put_user_policy(UserName="runner", PolicyName="least", PolicyDocument=text)
    return cloud.user_credentials("runner")


def test_pytest_plays_on_the_account_when_it_may(sts_cloud: Cloud, folder: Path) -> None:
    # Not by pytester: it forgets the modules that this process has loaded meanwhile, and cryptography breaks.
    (folder / "test_checks.py").write_text(CHECKS)
    (folder / "small.toml").write_text("within = 1\n" + SMALL)
    (folder / "stsguard.toml").write_text(f'[live]\naccounts = ["{sts_cloud.account}"]\n')
    runner = looking_runner(sts_cloud, runner_policy("drill", account=sts_cloud.account))
    before, url = world_of(sts_cloud), sts_cloud.serve().url
    done = run_pytest(folder, "--stsguard-target", "aws", **{**runner.environ, "AWS_ENDPOINT_URL": url})
    assert "1 passed, 1 skipped" in done.stdout, done.stdout
    assert world_of(sts_cloud) == before
    (journal,) = folder.glob("stsguard-drill-*.jsonl")
    assert journal.read_text().splitlines()[-1] == '{"entry":"back"}'


def test_named_roles_narrow_what_pytest_plays_on(sts_cloud: Cloud, folder: Path) -> None:
    (folder / "test_checks.py").write_text(CHECKS.partition("def test_simulated")[0])
    (folder / "small.toml").write_text("within = 1\n" + SMALL)
    (folder / "stsguard.toml").write_text(f'[live]\naccounts = ["{sts_cloud.account}"]\n')
    iam, trust = sts_cloud.client("iam"), {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    for name, tags in (("mine", [{"Key": "stsguard-drill", "Value": "allowed"}]), ("mute", [])):
        text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=text, Tags=tags)
        read = {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "dynamodb:ListTables"], "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [read]})
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=text)
    policy = runner_policy("drill", account=sts_cloud.account, roles=[f"arn:aws:iam::{sts_cloud.account}:role/mine"])
    environ = {**looking_runner(sts_cloud, policy).environ, "AWS_ENDPOINT_URL": sts_cloud.serve().url}
    before = world_of(sts_cloud)
    done = run_pytest(folder, "--stsguard-target", "aws", "--stsguard-role", "mine", **environ)
    assert "1 passed" in done.stdout, done.stdout
    written = [one["requestParameters"] for one in sts_cloud.trail.records() if one["eventName"] == "PutRolePolicy"]
    assert [one["roleName"] for one in written] == ["mine", "mute", "mine"]
    assert [one["eventName"] for one in sts_cloud.trail.records()].count("CreateRole") == 2
    for role, words in (("mute", "did not opt in"), ("mi*", "`mi[*]` is a pattern"), ("nobody", "there is no role")):
        with pytest.raises(InputError, match=words):
            LiveDrill(Access.open(sts_cloud.admin.session()), folder, roles=[role]).play("assumed-role")
    assert "has 1 roles to stand in for" in LiveDrill(
        Access.open(sts_cloud.admin.session()), folder, roles=["a", "b"]
    ).refuses("assumed-role")
    assert world_of(sts_cloud) == before


def run_pytest(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir=.",
        "--stsguard-live-drill",
        *options,
    ]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120, check=False
    )


def test_demo_is_nothing_that_a_live_drill_could_change(tmp_path: Path) -> None:
    refused = run_pytest(tmp_path)
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nothing of `demo` can be changed" in refused.stderr
