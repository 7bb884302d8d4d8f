"""The JavaScript SDK v3, as it comes from the npm registry, on the served cloud: calls, uploads, credential providers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud import DEMO, Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).with_name("javascript")
BUCKET = "a4l-secrets-111122223333"
ROLE = "arn:aws:iam::111122223333:role/A4L-DataRole"


@pytest.fixture(scope="session")
def sdk() -> Path:
    """Give a folder with the SDK in it: installed once for each state of the lock file, into the user's cache."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("needs node and npm")
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "pytest-stsguard" / "javascript" / digest
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "installed").exists():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"npm cannot install the SDK: {done.stderr.strip().splitlines()[-1:]}")
        (folder / "installed").touch()
    shutil.copy(HERE / "client.mjs", folder)
    return folder


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as served:
        served.serve()
        yield served


@pytest.fixture(scope="module")
def node(sdk: Path, cloud: Cloud) -> Callable[..., dict[str, Any]]:
    _trust_ecs(cloud)
    container = cloud.container(DEMO.instance_role)

    def run(**more: str) -> dict[str, Any]:
        settings = {
            "PATH": os.environ["PATH"],
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": cloud.instance("A").metadata_url,
            **container.environ,
            **cloud.admin.environ,
            **more,
        }
        argument = json.dumps({"bucket": BUCKET, "role": ROLE})
        done = subprocess.run(
            ["node", "client.mjs", argument],
            cwd=sdk,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        outcomes: dict[str, Any] = json.loads(done.stdout)
        return outcomes

    return run


def _trust_ecs(cloud: Cloud) -> None:
    services = ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    cloud.client("iam").update_assume_role_policy(
        RoleName=DEMO.instance_role,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def test_the_sdk_calls_uploads_and_finds_its_credentials(cloud: Cloud, node: Callable[..., dict[str, Any]]) -> None:
    got = node()
    assert got["identity"]["value"].endswith("user/stsguard-administrator")
    assert got["buckets"]["value"] == [BUCKET]
    assert got["instances"]["value"] == 2
    assert got["tables"]["value"] == []
    assert (got["object"]["value"]["length"], got["object"]["value"]["end"]) == (70003, "end")
    assert got["object"]["value"]["checksum"]
    assert got["assumed"]["value"].endswith("assumed-role/A4L-DataRole/node")
    instance = cloud.instance("A")
    assert got["instance"]["value"]["arn"].endswith(f"assumed-role/{DEMO.instance_role}/{instance.instance_id}")
    assert got["instance"]["value"]["id"] == instance.credentials("2.0").access_key_id
    assert got["container"]["value"]["buckets"] == [BUCKET]
    assert f"assumed-role/{DEMO.instance_role}/" in got["container"]["value"]["arn"]
    assert cloud.client("s3").get_object(Bucket=BUCKET, Key="plain")["Body"].read() == b"plain"


def test_a_revoked_session_is_denied_in_the_words_of_each_protocol(
    cloud: Cloud, node: Callable[..., dict[str, Any]]
) -> None:
    stolen = cloud.credentials_of(_held(cloud))
    cutoff = cloud.clock.advance(2).isoformat().replace("+00:00", "Z")
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"]}
    condition = {"DateLessThan": {"aws:TokenIssueTime": cutoff}}
    cloud.client("iam").put_role_policy(
        RoleName=DEMO.instance_role,
        PolicyName="AWSRevokeOlderSessions",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}),
    )
    cloud.clock.advance(2)
    got = node(**stolen.environ)
    assert got["identity"]["value"].endswith(cloud.instance("A").instance_id)
    assert (got["buckets"]["error"], got["buckets"]["status"]) == ("AccessDenied", 403)
    assert (got["instances"]["error"], got["instances"]["status"]) == ("UnauthorizedOperation", 403)
    assert (got["tables"]["error"], got["tables"]["status"]) == ("AccessDeniedException", 400)
    assert "explicit deny" in got["tables"]["message"]
    # The instance itself goes on with the revoked session until it is started anew.
    assert got["instance"]["error"] == "AccessDenied"
    cloud.instance("A").renew()
    assert node(**stolen.environ)["instance"]["value"]["buckets"] == [BUCKET]


def _held(cloud: Cloud) -> dict[str, str]:
    held = cloud.instance("A").credentials("2.0")
    return {"AccessKeyId": held.access_key_id, "SecretAccessKey": held.secret_access_key, "Token": held.token}
