"""The commands that change an account, through throttles, cut connections and slow answers: late, and never half done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_stsguard.revocation import older_sessions_document

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_stsguard.cloud import Cloud

STSGUARD = str(Path(sys.executable).with_name("stsguard"))
ROLES = ("A4L-DataRole", "A4L-InstanceRole")


def run(cloud: Cloud, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **cloud.admin.environ, "AWS_ENDPOINT_URL": url}
    return subprocess.run([STSGUARD, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False)


def state_of(cloud: Cloud) -> str:
    details = cloud.client("iam").get_account_authorization_details(Filter=["Role", "LocalManagedPolicy"])
    return json.dumps([details["RoleDetailList"], details["Policies"]], default=str, sort_keys=True)


def test_revocation_and_its_rollback_pass_through_trouble(
    sts_cloud: Cloud, faults: Callable[..., Any], tmp_path: Path
) -> None:
    before, journal = state_of(sts_cloud), str(tmp_path / "journal")
    front = faults(throttle=10, drop=4, delay=0.01)
    settings = ("--method", "boundary", "--apply", "--account", sts_cloud.account, "--journal", journal)
    done = run(sts_cloud, front.url, "revoke", *ROLES, *settings, "--rate", "100")
    assert done.returncode == 0, done.stderr + done.stdout
    iam = sts_cloud.client("iam")
    for role in ROLES:
        edge = iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
        assert edge == f"arn:aws:iam::{sts_cloud.account}:policy/StsGuardDenyEverything-{role}"
    assert front.throttled >= 1
    assert front.dropped >= 2
    done = run(sts_cloud, front.url, "revoke", "--rollback", "--journal", journal)
    assert done.returncode == 0, done.stderr + done.stdout
    assert state_of(sts_cloud) == before


def test_cleanup_passes_through_trouble(sts_cloud: Cloud, faults: Callable[..., Any], tmp_path: Path) -> None:
    from datetime import timedelta

    before, iam = state_of(sts_cloud), sts_cloud.client("iam")
    document = json.dumps(older_sessions_document(sts_cloud.clock.now() - timedelta(days=2)))
    for role in ROLES:
        iam.put_role_policy(RoleName=role, PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)
    front = faults(drop=3)
    journal = str(tmp_path / "journal")
    done = run(sts_cloud, front.url, "cleanup", "--apply", "--account", sts_cloud.account, "--journal", journal)
    assert done.returncode == 0, done.stderr + done.stdout
    assert front.dropped >= 1
    assert state_of(sts_cloud) == before


def test_aws_that_never_answers_is_an_error_by_contract(
    sts_cloud: Cloud, faults: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = faults(throttle=1)
    settings = ("--apply", "--account", sts_cloud.account, "--journal", str(tmp_path / "journal"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = run(sts_cloud, front.url, "revoke", ROLES[0], *settings)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "throttling" in done.stderr.lower()
