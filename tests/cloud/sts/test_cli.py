"""Each way to a session that the AWS CLI has a command for, through the real one, over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.sts import totp

if TYPE_CHECKING:
    from conftest import World
    from pytest_stsguard.cloud import Credentials

AWS = Path(sys.executable).with_name("aws")
pytestmark = pytest.mark.skipif(not AWS.exists(), reason="needs the AWS CLI beside this Python")
ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def aws(who: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(
        [str(AWS), *arguments], capture_output=True, text=True, check=False, env={**environment, **settings, **who}
    )


def answered(who: dict[str, str], *arguments: str) -> Any:
    done = aws(who, *arguments, "--output", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def held(world: World, answer: dict[str, Any]) -> Credentials:
    return world.cloud.credentials_of(answer["Credentials"])


def test_a_user_with_mfa_takes_a_tagged_role_and_goes_on(world: World) -> None:
    world.cloud.serve()
    alice = world.user("alice", ANY)
    device = world.iam.create_virtual_mfa_device(VirtualMFADeviceName="alice")["VirtualMFADevice"]
    codes = [totp(device["Base32StringSeed"], world.clock.now()) for _ in range(2) if world.clock.advance(30)]
    world.iam.enable_mfa_device(
        UserName="alice",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=codes[0],
        AuthenticationCode2=codes[1],
    )
    world.clock.advance(30)
    code = totp(device["Base32StringSeed"], world.clock.now())
    token = held(
        world,
        answered(
            alice.environ, "sts", "get-session-token", "--serial-number", device["SerialNumber"], "--token-code", code
        ),
    )
    role = world.role(condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    answer = answered(
        token.environ, "sts", "assume-role", "--role-arn", role, "--role-session-name", "cli",
        "--tags", "Key=team,Value=red", "--transitive-tag-keys", "team", "--source-identity", "alice",
    )  # fmt: skip
    assert answer["SourceIdentity"] == "alice"
    assert answered(held(world, answer).environ, "sts", "get-caller-identity")["Arn"].endswith(
        "assumed-role/target/cli"
    )
    key = answer["Credentials"]["AccessKeyId"]
    assert answered(alice.environ, "sts", "get-access-key-info", "--access-key-id", key) == {"Account": world.account}


def test_a_federated_user_and_its_limits(world: World) -> None:
    world.cloud.serve()
    policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    visitor = held(
        world,
        answered(world.cloud.admin.environ, "sts", "get-federation-token", "--name", "visitor", "--policy", policy),
    )
    assert aws(visitor.environ, "s3", "ls").returncode == 0
    denied = aws(visitor.environ, "ec2", "describe-instances")
    assert "UnauthorizedOperation" in denied.stderr
    encoded = denied.stderr.strip().rpartition(" ")[2]
    decoded = answered(world.cloud.admin.environ, "sts", "decode-authorization-message", "--encoded-message", encoded)
    assert json.loads(decoded["DecodedMessage"])["context"]["action"] == "ec2:DescribeInstances"


def test_a_job_and_a_person_from_elsewhere(world: World, tmp_path: Path) -> None:
    server = world.cloud.serve()
    place = {"AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": world.cloud.region}
    github = world.cloud.oidc_provider("github")
    role = world.role("job", principal={"Federated": github.arn}, actions=["sts:AssumeRoleWithWebIdentity"])
    answer = answered(
        place, "sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "job",
        "--web-identity-token", github.token(),
    )  # fmt: skip
    assert answer["SubjectFromWebIdentityToken"] == "repo:acme/app:ref:refs/heads/main"
    # What a CI job really does: the SDK reads the token from a file and asks by itself.
    token_file = tmp_path / "token"
    token_file.write_text(github.token())
    job = {
        **place,
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
        "AWS_ROLE_SESSION_NAME": "file",
        # The CLI keeps what it was given below the home folder, for whoever asks the same of another cloud.
        "HOME": str(tmp_path),
    }
    assert answered(job, "sts", "get-caller-identity")["Arn"].endswith("assumed-role/job/file")

    okta = world.cloud.saml_provider(name="Okta")
    person = world.role("person", principal={"Federated": okta.arn}, actions=["sts:AssumeRoleWithSAML"])
    answer = answered(
        place, "sts", "assume-role-with-saml", "--role-arn", person, "--principal-arn", okta.arn,
        "--saml-assertion", okta.response(person),
    )  # fmt: skip
    assert answer["Subject"] == "alice"


def test_a_privileged_task_in_a_member_account(world: World) -> None:
    world.cloud.serve()
    world.cloud.administrator("444455556666")
    task = "arn=arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"
    answer = answered(
        world.cloud.admin.environ, "sts", "assume-root", "--target-principal", "444455556666", "--task-policy-arn", task
    )
    identity = answered(held(world, answer).environ, "sts", "get-caller-identity")
    assert identity["Arn"] == "arn:aws:iam::444455556666:root"
