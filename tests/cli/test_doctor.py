"""`stsguard doctor`: each examination says what it saw, what to do, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_stsguard.cli.diagnosis import _clock, _optional, _requirement, diagnose
from pytest_stsguard.cli.doctor import doctor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Give ``(*arguments) -> name: diagnosis``, of a folder of its own; the exit code under ``exit``."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> dict[str, Any]:
        done = CliRunner().invoke(doctor, [*arguments, "--output", "json"], standalone_mode=False)
        assert done.exception is None, done.exception
        return {one["name"]: one for one in json.loads(done.output)} | {"exit": done.return_value}

    return call


def test_sound_installation_without_aws_is_well(told: Callable[..., Any]) -> None:
    found = told()
    assert found["exit"] == 0
    for name in ("python", "boto3", "moto", "pytest plugin", "checks"):
        assert found[name]["state"] == "ok"
    assert found["configuration"]["advice"] == "stsguard init writes one"
    assert found["AWS"]["state"] == "optional"


def test_configuration_that_cannot_be_used_exits_with_2(told: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "stsguard.toml").write_text("fail_onn = 'low'")
    found = told()
    assert found["exit"] == 2
    assert "unknown key `fail_onn`" in found["configuration"]["text"]
    (tmp_path / "stsguard.toml").write_text("[zones]\naccount = 'mine'")
    assert "zones.account" in told()["configuration"]["text"]
    (tmp_path / "stsguard.toml").write_text("[zones]\naccount = '111122223333'")
    assert told()["configuration"]["state"] == "ok"


def test_caller_and_clock_are_told(told: Callable[..., Any], sts_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**sts_cloud.admin.environ, "AWS_ENDPOINT_URL": sts_cloud.serve().url}.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", "from pytest_stsguard.cli import main; main()", "doctor", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 0
    assert sts_cloud.account in found["AWS"]["text"]
    assert sts_cloud.admin.access_key_id not in done.stdout
    assert found["clock"]["state"] == "ok"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    refused = told()
    assert refused["exit"] == 3
    assert "SignatureDoesNotMatch" in refused["AWS"]["text"]


def test_absent_profile_and_unreachable_aws(told: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert told("--profile", "absent")["exit"] == 2
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    assert told()["exit"] == 3


@pytest.mark.parametrize(
    ("minutes", "state", "word"), [(0, "ok", "within"), (9, "wrong", "behind"), (-9, "wrong", "ahead")]
)
def test_clock_that_is_off(minutes: int, state: str, word: str) -> None:
    seen = _clock(format_datetime(datetime.now(UTC) + timedelta(minutes=minutes)))
    assert seen.state == state
    assert word in seen.text


def test_missing_and_old_requirements_name_the_command() -> None:
    from packaging.requirements import Requirement

    absent = _requirement(Requirement("no-such-thing-anywhere>=2"))
    assert (absent.state, absent.exit_code) == ("missing", 1)
    assert absent.advice == "python -m pip install 'no-such-thing-anywhere>=2'"
    old = _requirement(Requirement("pytest>=999"))
    assert (old.state, old.exit_code) == ("wrong", 1)
    extra = _optional("no-such-thing-anywhere", "a use", "how to get it")
    assert (extra.state, extra.exit_code, extra.advice) == ("optional", 0, "how to get it")


def test_table_tells_the_same_as_json(told: Callable[..., Any]) -> None:
    done = CliRunner().invoke(doctor, [], standalone_mode=False)
    for one in diagnose(None, None):
        assert one.text in done.output
        assert one.advice in done.output


HIDE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name={name!r})

sys.meta_path.insert(0, Hidden())
from pytest_stsguard.cli import main
main()
"""


def without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line where a module cannot be imported."""
    command = [sys.executable, "-c", HIDE.format(name=module), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("module", "name"), [("boto3", "AWS"), ("packaging", "packaging")])
def test_doctor_looks_around_where_a_package_is_missing(module: str, name: str) -> None:
    done = without(module, "doctor", "--output", "json")
    assert done.returncode == 1, done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert found[name]["state"] == "missing"
    assert found[name]["advice"] == f"python -m pip install {module}"
    assert found["checks"]["state"] == "ok"


@pytest.mark.parametrize("arguments", [("drill", "assumed-role"), ("audit", "demo")], ids=["drill", "audit"])
def test_command_that_needs_a_missing_package_sends_to_the_doctor(arguments: tuple[str, ...]) -> None:
    done = without("moto", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "moto" in done.stderr
    assert "stsguard doctor" in done.stderr
    assert done.stderr.count("\n") == 1


def test_pytest_that_takes_no_plugins_is_told(told: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    found = told()["pytest plugin"]
    assert found["state"] == "optional"
    assert found["advice"].startswith("pytest -p pytest_stsguard.plugin")
