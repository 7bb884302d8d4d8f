"""``stsguard blast``: the tree, the data, the exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from pytest_stsguard.cli.blast import blast
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.errors import ConfigurationError, InputError, StsGuardError

if TYPE_CHECKING:
    from pathlib import Path

HOME = "111122223333"


@pytest.fixture
def target(checkout: Path) -> str:
    return f"export:{checkout / 'examples' / 'account.json'}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(blast, [*arguments, "--at", "2026-11-20T12:00:00Z"], standalone_mode=False)


def test_the_tree_shows_who_comes_back(target: str) -> None:
    result = run("blue-operator", "--target", target)
    assert result.return_value == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"arn:aws:iam::{HOME}:role/blue-operator stolen survives"
    assert lines[1] == "├── assume-role -> role green-operator survives"
    assert "Next Statement[0], sts.AssumeRole" in lines[2]
    assert "back to the start" in lines[3]
    assert "4 of 4 identities outlive a revocation of the start alone" in lines
    assert f"  arn:aws:iam::{HOME}:role/green-operator" in lines


def test_the_data_holds_every_step_and_its_calls(target: str) -> None:
    result = run("blue-operator", "--target", target, "--output", "json", "--replay")
    data: dict[str, Any] = json.loads(result.stdout)
    assert (result.return_value, data["schema"]) == (1, 1)
    assert data["start"] == data["nodes"][0]["id"] == f"arn:aws:iam::{HOME}:role/blue-operator"
    assert {edge["demonstrated"] for edge in data["edges"]} == {True}
    known = {node["id"] for node in data["nodes"]}
    assert all(edge["from"] in known and edge["to"] in known for edge in data["edges"])
    assert data["edges"][0]["calls"][0]["operation"] == "AssumeRole"
    assert len(data["revocation_set"]) == 4


def test_an_administrator_cannot_be_contained_by_a_set(target: str) -> None:
    result = run("break-glass", "--target", target, "--exit-zero")
    assert result.return_value == 0
    assert "administrator -> account 111122223333 survives" in result.stdout
    assert "no set of revocations is enough" in result.stdout


def test_nothing_survives_in_the_demo_world() -> None:
    result = run("A4L-InstanceRole")
    assert result.return_value == 0
    assert "0 of 1 identities outlive" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (("nobody",), ConfigurationError, "there is no role or user `nobody`"),
        (("app-server", "--at", "soon"), ConfigurationError, "`soon` is no moment"),
        (("app-server", "--target", "export:/nowhere.json"), InputError, "nowhere.json"),
    ],
)
def test_bad_input_is_one_clear_line(
    target: str, arguments: tuple[str, ...], error: type[Exception], told: str
) -> None:
    chosen = arguments if "--target" in arguments else (*arguments, "--target", target)
    result = CliRunner().invoke(blast, chosen, standalone_mode=False)
    assert isinstance(result.exception, error)
    assert told in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_live_account_is_asked_in_the_regions_of_the_configuration_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "stsguard.toml"
    config.write_text('[live]\nregions = ["eu-west-1"]\n')
    with Cloud() as cloud:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.admin.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", cloud.admin.secret_access_key)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        before = len(cloud.trail.records())
        result = run("A4L-InstanceRole", "--target", "aws", "--config", str(config))
        calls = {(one["eventName"], one["awsRegion"]) for one in cloud.trail.records()[before:]}
    assert result.return_value == 0
    assert {region for name, region in calls if name == "DescribeInstances"} == {"eu-west-1"}
    assert "DescribeRegions" not in {name for name, _ in calls}


def test_a_session_policy_limits_the_start(target: str, tmp_path: Path) -> None:
    policy = tmp_path / "session.json"
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    result = run("green-operator", "--target", target, "--session-policy", str(policy), "--replay", "--output", "json")
    data = json.loads(result.stdout)
    assert data["nodes"][0]["kind"] == "session"
    kept = {edge["to"] for edge in data["edges"] if edge["from"] == data["start"]}
    assert f"arn:aws:iam::{HOME}:role/blue-operator" not in kept
    for text in ("{", None):
        path = tmp_path / "bad.json"
        if text:
            path.write_text(text)
        arguments = ["green-operator", "--target", target, "--session-policy", str(path if text else tmp_path)]
        failed = CliRunner().invoke(blast, arguments, standalone_mode=False)
        assert isinstance(failed.exception, StsGuardError)
        assert failed.exception.exit_code == 2
