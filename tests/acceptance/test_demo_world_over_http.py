"""The source material step by step, as a person walks it: `stsguard serve`, curl, and the real AWS CLI.

What the steps are about is typed: an `aws` process each. What prepares them, or asks again, goes to one process of the same
CLI that stays, since half of each command's time is the CLI's own start.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
AWS = Path(sys.executable).with_name("aws")
# One command a line, each by a driver of its own, as the program `aws` makes it.
CLI = """
import contextlib, io, json, os, sys
from awscli.clidriver import create_clidriver

kept = dict(os.environ)
for line in sys.stdin:
    given = json.loads(line)
    os.environ.clear()
    os.environ.update(kept | given["environment"])
    told = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    with contextlib.redirect_stdout(told[0]), contextlib.redirect_stderr(told[1]):
        code = create_clidriver().main(given["arguments"])
    texts = [one.buffer.getvalue().decode() for one in told]
    print(json.dumps([code, *texts]), flush=True)
"""
pytestmark = pytest.mark.skipif(
    not AWS.exists() or not shutil.which("curl"), reason="needs the AWS CLI beside this Python, and curl"
)


@dataclass
class World:
    """A served demo world and the tools that a person uses on it."""

    ready: dict[str, Any]
    cli: subprocess.Popen[str]

    def curl(self, *arguments: str) -> str:
        return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True).stdout

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = ["-X", "POST", "-d", json.dumps(body)] if body is not None else []
        answer: dict[str, Any] = json.loads(self.curl(*data, f"{self.ready['endpoint']}/_stsguard/{path}"))
        return answer

    def steal(self, number: int) -> dict[str, str]:
        url = f"{self.ready['instances'][number]['imds']}{CREDENTIALS}{self.ready['role']}"
        answer = json.loads(self.curl(url))
        return {
            "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
            "AWS_SESSION_TOKEN": answer["Token"],
        }

    @property
    def admin(self) -> dict[str, str]:
        admin = self.ready["admin"]
        return {"AWS_ACCESS_KEY_ID": admin["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": admin["SecretAccessKey"]}

    @property
    def settings(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.ready["endpoint"], "AWS_DEFAULT_REGION": self.ready["region"]}

    def typed(self, who: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program, as a person types it."""
        environment = {**_without_aws(), **self.settings, **who}
        return subprocess.run([str(AWS), *arguments], capture_output=True, text=True, check=False, env=environment)

    def aws(self, who: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Let the CLI that stays carry out a command."""
        assert self.cli.stdin is not None
        assert self.cli.stdout is not None
        command = {"environment": {**self.settings, **who}, "arguments": arguments}
        self.cli.stdin.write(json.dumps(command) + "\n")
        self.cli.stdin.flush()
        code, output, errors = json.loads(self.cli.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, output, errors)

    def ask(self, who: dict[str, str], *arguments: str, typed: bool = False) -> Any:
        done = (self.typed if typed else self.aws)(who, *arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


def _without_aws() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}


@pytest.fixture(scope="module")
def cli() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CLI], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_without_aws()
    )
    yield process
    process.communicate(timeout=20)
    assert process.returncode == 0


@contextmanager
def served(cli: subprocess.Popen[str]) -> Iterator[World]:
    command = Path(sys.executable).with_name("stsguard")
    process = subprocess.Popen(
        [str(command), "serve", "--port", "0", "--imds-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield World(json.loads(process.stdout.readline()), cli)
    finally:
        process.terminate()
        _, complaints = process.communicate(timeout=20)
    assert process.returncode == 0
    assert complaints == ""


@pytest.fixture
def world(cli: subprocess.Popen[str]) -> Iterator[World]:
    with served(cli) as world:
        yield world


@pytest.fixture(scope="module")
def standing(cli: subprocess.Popen[str]) -> Iterator[World]:
    """Give a world that tests share, which change nothing in it."""
    with served(cli) as world:
        yield world


def test_theft_revocation_collateral_and_recovery(world: World) -> None:
    # 1. The metadata service names the role, without a newline, and gives its credentials.
    first = world.ready["instances"][0]
    assert world.curl(first["imds"] + CREDENTIALS) == "A4L-InstanceRole"
    stolen, live = world.steal(0), world.steal(1)
    assert stolen["AWS_ACCESS_KEY_ID"] != live["AWS_ACCESS_KEY_ID"]
    # 2. They work from anywhere.
    assert "a4l-secrets-111122223333" in world.typed(stolen, "s3", "ls").stdout
    assert len(world.ask(stolen, "ec2", "describe-instances", typed=True)["Reservations"]) == 2
    # 5. The console's policy: the stolen session is denied, so is B's (collateral), a later one works.
    (now,) = {world.control("clock")["now"]}
    cutoff = now.replace("+00:00", "Z")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": ["*"],
                "Resource": ["*"],
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": cutoff}},
            }
        ],
    }
    role = ("--role-name", world.ready["role"], "--policy-name", "AWSRevokeOlderSessions")
    world.ask(world.admin, "iam", "put-role-policy", *role, "--policy-document", json.dumps(policy), typed=True)
    for session in (stolen, live):
        denied = world.typed(session, "s3", "ls")
        assert denied.returncode != 0
        assert "AccessDenied" in denied.stderr
        assert "with an explicit deny in an identity-based policy" in denied.stderr
        assert "UnauthorizedOperation" in world.aws(session, "ec2", "describe-instances").stderr
    # GetCallerIdentity answers all the same.
    assert world.ask(stolen, "sts", "get-caller-identity", typed=True)["Arn"].endswith(first["InstanceId"])
    # 7. A reboot brings nothing, stop and start bring new credentials.
    world.control("clock", {"advance": 2})
    world.ask(world.admin, "ec2", "reboot-instances", "--instance-ids", first["InstanceId"])
    assert world.steal(0) == stolen
    world.ask(world.admin, "ec2", "stop-instances", "--instance-ids", first["InstanceId"])
    world.ask(world.admin, "ec2", "start-instances", "--instance-ids", first["InstanceId"])
    fresh = world.steal(0)
    assert fresh != stolen
    assert "a4l-secrets" in world.aws(fresh, "s3", "ls").stdout
    # 6. Without the policy the stolen session is back until it expires.
    world.ask(world.admin, "iam", "delete-role-policy", *role)
    assert "a4l-secrets" in world.aws(stolen, "s3", "ls").stdout
    world.control("clock", {"advance": 6 * 3600})
    assert "ExpiredToken" in world.aws(stolen, "s3", "ls").stderr


def test_assumed_role_and_the_wrong_ways(world: World, tmp_path: Path) -> None:
    # 3. The permitted user assumes the role, keeps credentials.json, and reads the secret.
    made = world.ask(world.admin, "iam", "create-access-key", "--user-name", "a4l-developer")["AccessKey"]
    user = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    arn = "arn:aws:iam::111122223333:role/A4L-DataRole"
    assume = ("sts", "assume-role", "--role-arn", arn, "--role-session-name")
    (tmp_path / "credentials.json").write_text(json.dumps(world.ask(user, *assume, "stolen", typed=True)))
    kept = json.loads((tmp_path / "credentials.json").read_text())["Credentials"]
    stolen = {
        "AWS_ACCESS_KEY_ID": kept["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": kept["SecretAccessKey"],
        "AWS_SESSION_TOKEN": kept["SessionToken"],
    }
    bucket = "a4l-secrets-111122223333"
    listed = world.ask(stolen, "s3api", "list-objects-v2", "--bucket", bucket, typed=True)
    assert listed["Contents"][0]["Key"] == "secret.txt"
    assert "planning something" in world.typed(stolen, "s3", "cp", f"s3://{bucket}/secret.txt", "-").stdout
    # 4. Editing the trust policy changes nothing for the stolen session ...
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
    world.ask(
        world.admin,
        "iam",
        "update-assume-role-policy",
        "--role-name",
        "A4L-DataRole",
        "--policy-document",
        json.dumps(nobody),
        typed=True,
    )
    assert bucket in world.aws(stolen, "s3", "ls").stdout
    assert "AccessDenied" in world.aws(user, *assume, "again").stderr
    # ... removing the permissions hits every session ...
    access = ("--role-name", "A4L-DataRole", "--policy-name", "A4L-DataRoleAccess")
    world.ask(world.admin, "iam", "delete-role-policy", *access)
    assert "AccessDenied" in world.aws(stolen, "s3", "ls").stderr
    # ... and deleting the role too.
    world.ask(world.admin, "iam", "delete-role", "--role-name", "A4L-DataRole")
    assert "AccessDenied" in world.aws(stolen, "s3", "ls").stderr


def test_curl_signs_for_itself_and_the_trail_tells(standing: World) -> None:
    before = len(standing.control("trail")["Records"])
    who = f"{standing.admin['AWS_ACCESS_KEY_ID']}:{standing.admin['AWS_SECRET_ACCESS_KEY']}"
    answer = standing.curl(
        "--aws-sigv4", "aws:amz:us-east-1:sts", "--user", who,
        f"{standing.ready['endpoint']}/?Action=GetCallerIdentity&Version=2011-06-15",
    )  # fmt: skip
    assert "user/stsguard-administrator" in answer
    wrong = standing.curl(
        "--aws-sigv4", "aws:amz:us-east-1:sts", "--user", f"{who}x",
        f"{standing.ready['endpoint']}/?Action=GetCallerIdentity&Version=2011-06-15",
    )  # fmt: skip
    assert "SignatureDoesNotMatch" in wrong
    standing.aws(standing.steal(0), "s3", "ls")
    records = standing.control("trail")["Records"][before:]
    assert [record["eventName"] for record in records] == ["GetCallerIdentity", "GetCallerIdentity", "ListBuckets"]
    assert records[1]["errorCode"] == "SignatureDoesNotMatch"
    session = records[2]["userIdentity"]
    assert session["type"] == "AssumedRole"
    assert session["accessKeyId"].startswith("ASIA")
    assert session["sessionContext"]["attributes"]["creationDate"].endswith("Z")
    assert session["sessionContext"]["sessionIssuer"]["userName"] == "A4L-InstanceRole"
    assert standing.admin["AWS_SECRET_ACCESS_KEY"] not in json.dumps(records)


def test_wrong_controls_are_refused(standing: World) -> None:
    assert "advance" in standing.control("clock", {"advance": -5})["error"]
    assert "advance" in standing.control("clock", {"forward": 5})["error"]
    assert "no `GET" in standing.control("moon")["error"]
    assert standing.control("health") == {"status": "ok"}


def test_policy_simulator_through_the_aws_cli(standing: World) -> None:
    arn = "arn:aws:iam::111122223333:role/A4L-DataRole"
    simulate = ("iam", "simulate-principal-policy", "--policy-source-arn", arn, "--action-names")
    answer = standing.ask(standing.admin, *simulate, "s3:ListAllMyBuckets", "iam:CreateUser")
    decisions = {result["EvalActionName"]: result["EvalDecision"] for result in answer["EvaluationResults"]}
    assert decisions == {"s3:ListAllMyBuckets": "allowed", "iam:CreateUser": "implicitDeny"}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    custom = (
        "iam",
        "simulate-custom-policy",
        "--policy-input-list",
        json.dumps(policy),
        "--action-names",
        "s3:GetObject",
    )
    (result,) = standing.ask(standing.admin, *custom)["EvaluationResults"]
    assert result["EvalDecision"] == "explicitDeny"
    assert result["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"


def test_an_instance_that_is_launched_later_has_a_metadata_service_too(world: World) -> None:
    described = world.ask(world.admin, "ec2", "describe-instances")["Reservations"][0]["Instances"][0]
    launch = ("ec2", "run-instances", "--image-id", described["ImageId"], "--metadata-options", "HttpTokens=required")
    profile = ("--iam-instance-profile", f"Name={described['IamInstanceProfile']['Arn'].rpartition('/')[2]}")
    launched = world.ask(world.admin, *launch, *profile)["Instances"][0]["InstanceId"]
    found = {each["InstanceId"]: each["imds"] for each in world.control("instances")["instances"]}
    assert [found[each["InstanceId"]] for each in world.ready["instances"]] == [
        each["imds"] for each in world.ready["instances"]
    ]
    ttl = ("-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60")
    token = world.curl(*ttl, f"{found[launched]}/latest/api/token")
    header = ("-H", f"X-aws-ec2-metadata-token: {token}")
    assert world.curl(*header, f"{found[launched]}/latest/meta-data/instance-id") == launched
    assert world.curl(*header, f"{found[launched]}{CREDENTIALS}") == "A4L-InstanceRole"
    assert world.curl(f"{found[launched]}{CREDENTIALS}") == ""
    # A container on it is two hops away, which a limit of one does not reach; a token that it is given serves it.
    container = world.control("instances?hops=2")["instances"][-1]["imds"]
    assert container != found[launched]
    assert world.curl(*header, f"{container}/latest/meta-data/instance-id") == launched
    with pytest.raises(subprocess.CalledProcessError):
        world.curl(*ttl, f"{container}/latest/api/token")
    limit = ("ec2", "modify-instance-metadata-options", "--http-put-response-hop-limit", "2")
    world.ask(world.admin, *limit, "--instance-id", launched)
    assert len(world.curl(*ttl, f"{container}/latest/api/token")) == len(token)
    assert "hops" in world.control("instances?hops=0")["error"]
