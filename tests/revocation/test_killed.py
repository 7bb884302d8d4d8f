"""The command `stsguard revoke`, killed by SIGKILL around each of its writes, against the simulated cloud over HTTP."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from pytest_stsguard.revocation import POLICY_NAME, Campaign, Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Cloud

STSGUARD = str(Path(sys.executable).with_name("stsguard"))
WRITES = (b"Action=Put", b"Action=Create", b"Action=Update", b"Action=Delete")


class Executioner:
    """Stands before the cloud's server and kills the client before or after its nth write."""

    def __init__(self, cloud: Cloud) -> None:
        self.server = cloud.serve()
        self.nth, self.when = 0, "never"
        self.seen = 0
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()
        self.front = make_server("127.0.0.1", 0, self.application, threaded=True)
        self.thread = threading.Thread(target=self.front.serve_forever, daemon=True)
        self.thread.start()

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with self.lock:
            self.seen += body.startswith(WRITES)
            due = body.startswith(WRITES) and self.seen == self.nth
        if due and self.when == "before":
            self.kill()
            start_response("500 Killed", [])
            return [b""]
        answer = self.server.application(environ, start_response)
        if due and self.when == "after":
            self.kill()
        return answer

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def run(self, cloud: Cloud, *arguments: str, nth: int = 0, when: str = "never") -> int:
        self.nth, self.when, self.seen = nth, when, 0
        environ = {
            **os.environ,
            **cloud.admin.environ,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.front.server_port}",
        }
        self.process = subprocess.Popen(
            [STSGUARD, "revoke", *arguments], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.process.communicate(timeout=120)
        return self.process.returncode


@pytest.fixture
def executioner(sts_cloud: Cloud) -> Iterator[Executioner]:
    made = Executioner(sts_cloud)
    yield made
    made.front.shutdown()
    made.thread.join()
    made.front.server_close()


def state_of(cloud: Cloud) -> str:
    details = cloud.client("iam").get_account_authorization_details(Filter=["Role", "LocalManagedPolicy"])
    return json.dumps([details["RoleDetailList"], details["Policies"]], default=str, sort_keys=True)


def edge_of(cloud: Cloud) -> str | None:
    role = cloud.client("iam").get_role(RoleName="A4L-DataRole")["Role"]
    edge: str | None = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return edge


@pytest.mark.parametrize(("nth", "when"), [(1, "before"), (1, "after"), (2, "before"), (2, "after")])
def test_killed_revocation_is_finished_and_taken_back(
    sts_cloud: Cloud, executioner: Executioner, tmp_path: Path, nth: int, when: str
) -> None:
    before = state_of(sts_cloud)
    journal = str(tmp_path / "journal")
    begin = ("A4L-DataRole", "--method", "boundary", "--apply", "--account", sts_cloud.account, "--journal", journal)
    assert executioner.run(sts_cloud, *begin, nth=nth, when=when) == -9
    assert (edge_of(sts_cloud) is not None) == ((nth, when) == (2, "after"))
    with Journal.open(journal) as opened:
        campaign = Campaign(opened, sts_cloud.client, clock=sts_cloud.clock)
        assert not campaign.settled
        campaign.resume(account=sts_cloud.account)
        assert campaign.settled
    assert edge_of(sts_cloud) == f"arn:aws:iam::{sts_cloud.account}:policy/StsGuardDenyEverything-A4L-DataRole"
    assert executioner.run(sts_cloud, "--rollback", "--journal", journal, nth=nth, when=when) == -9
    with Journal.open(journal) as opened:
        Campaign(opened, sts_cloud.client, clock=sts_cloud.clock).roll_back(account=sts_cloud.account)
    assert state_of(sts_cloud) == before


@pytest.mark.stsguard_cloud(world="empty")
def test_five_hundred_roles_are_revoked_through_a_kill_and_nothing_is_half_done(
    sts_cloud: Cloud, executioner: Executioner, tmp_path: Path
) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": sts_cloud.account}, "Action": "sts:AssumeRole"}
    iam, names = sts_cloud.client("iam"), [f"role-{number}" for number in range(500)]
    for name in names:
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    journal = tmp_path / "journal"
    settings = ("--apply", "--account", sts_cloud.account, "--journal", str(journal), "--jobs", "8", "--rate", "1000")
    assert executioner.run(sts_cloud, *names, *settings, nth=60, when="after") == -9
    assert len(revoked(sts_cloud)) in range(60, 69)
    with Journal.open(journal) as opened:
        outcomes = Campaign(opened, sts_cloud.client, clock=sts_cloud.clock, jobs=8, rate=1000).resume(
            account=sts_cloud.account
        )
    assert len(outcomes) == 500
    assert not any(one.error for one in outcomes)
    documents = revoked(sts_cloud)
    assert len(documents) == 500
    assert len(set(documents)) == 1
    assert sts_cloud.admin.secret_access_key not in journal.read_text()


def revoked(cloud: Cloud) -> list[str]:
    pages = cloud.client("iam").get_paginator("get_account_authorization_details").paginate(Filter=["Role"])
    inline = [one for page in pages for role in page["RoleDetailList"] for one in role["RolePolicyList"]]
    return [json.dumps(one["PolicyDocument"]) for one in inline if one["PolicyName"] == POLICY_NAME]
