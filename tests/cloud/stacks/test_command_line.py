"""A stolen session at a terminal: `aws cloudformation deploy` against the server, and what the administrator sees of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("moto.cloudformation")
pytest.importorskip("awscli")

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import World

TEMPLATE = """\
Parameters: {Name: {Type: String, Default: backdoor}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref Name
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"]
"""
# Both commands in one process, each by a driver of its own, as the program `aws` makes it.
CLI = """
import json, os, sys
from awscli.clidriver import create_clidriver
for environment, arguments in json.load(sys.stdin):
    os.environ.update(environment)
    print("exit code", create_clidriver().main(arguments), flush=True)
"""


def test_deploying_with_a_stolen_session_makes_nothing(world: World, tmp_path: Path) -> None:
    may = {"Effect": "Allow", "Action": ["cloudformation:*", "s3:*", "iam:Get*"], "Resource": "*"}
    world.role("app", access=(may,))
    stolen, admin = world.assume("app", RoleSessionName="thief"), world.cloud.admin
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    deploy = ["cloudformation", "deploy", "--template-file", "template.yaml", "--capabilities", "CAPABILITY_NAMED_IAM"]
    told: list[Any] = [
        (
            {
                "AWS_ACCESS_KEY_ID": who.access_key_id,
                "AWS_SECRET_ACCESS_KEY": who.secret_access_key,
                "AWS_SESSION_TOKEN": who.session_token or "",
            },
            [*deploy, "--stack-name", name],
        )
        for who, name in ((stolen, "thief"), (admin, "admin"))
    ]
    settings = {"AWS_ENDPOINT_URL": world.cloud.serve().url, "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(tmp_path)}
    clean = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", CLI],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=clean | settings,
    )
    assert [line for line in done.stdout.splitlines() if "exit code" in line] == ["exit code 255", "exit code 0"], done
    assert "Failed to create/update the stack" in done.stderr
    assert sorted(each["RoleName"] for each in world.iam.list_roles()["Roles"]) == ["app", "backdoor"]
    stacks = world.cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert {each["StackName"]: each["StackStatus"] for each in stacks} == {
        "thief": "ROLLBACK_COMPLETE",
        "admin": "CREATE_COMPLETE",
    }
    (denied,) = [each for each in world.cloud.trail.records() if each.get("errorCode") == "AccessDenied"]
    assert (denied["eventName"], denied["userIdentity"]["arn"]) == ("CreateRole", stolen.arn)
    assert denied["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
