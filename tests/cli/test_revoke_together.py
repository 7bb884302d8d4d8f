"""``stsguard revoke --with``: roles that must be revoked together, in one go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_stsguard.account import load
from pytest_stsguard.cli.revoke import revoke
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.errors import ConfigurationError, StsGuardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXPORT = Path(__file__).parents[2] / "examples" / "account.json"
HOME = "111122223333"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """Open a cloud with the example account in it, whose administrator the environment names."""
    monkeypatch.chdir(tmp_path)
    with Cloud(account=HOME, world="empty") as opened:
        opened.load(load(f"export:{EXPORT}"))
        for name, value in opened.admin.environ.items():
            monkeypatch.setenv(name, value)
        yield opened


@pytest.fixture
def run(cloud: Cloud) -> Callable[..., Any]:
    """Give the command."""
    assert cloud.account == HOME

    def call(*arguments: str, raises: type[StsGuardError] | None = None) -> Any:
        done = CliRunner().invoke(revoke, [*arguments, "--source", f"export:{EXPORT}"], standalone_mode=False)
        assert (done.exception is not None) is (raises is not None), done.output
        assert raises is None or isinstance(done.exception, raises)
        return done.exception if raises else done

    return call


def test_a_cycle_is_revoked_together(run: Callable[..., Any], cloud: Cloud) -> None:
    done = run("blue-operator", "--with", "cycle", "--apply", "--account", HOME, "--output", "json")
    assert [one["target"] for one in json.loads(done.stdout)] == ["blue-operator", "green-operator"]
    for name in ("blue-operator", "green-operator"):
        found = cloud.client("iam").list_role_policies(RoleName=name)["PolicyNames"]
        assert "AWSRevokeOlderSessions" in found


def test_what_it_can_become_is_planned_and_the_rest_is_told(run: Callable[..., Any]) -> None:
    done = run("github-deploy-shop", "--with", "reachable", "--output", "json")
    names = [one["target"] for one in json.loads(done.stdout)]
    assert names[:2] == ["github-deploy-shop", "self-renewing"]
    told = run("upload-portal", "--with", "reachable", "--method", "user-sessions", "--output", "json")
    assert [one["target"] for one in json.loads(told.stdout)] == ["upload-portal"]
    assert f"revoke it as well: arn:aws:iam::{HOME}:role/public-demo" in told.stderr


def test_what_cannot_be_meant_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    assert "no role or user `nobody`" in str(run("nobody", "--with", "cycle", raises=ConfigurationError))
    assert "--source goes with --with" in str(run("blue-operator", raises=ConfigurationError))
    assert "not known: instances" in str(run("app-server", "--with", "instance", raises=ConfigurationError))
    other = tmp_path / "other.json"
    other.write_text(EXPORT.read_text().replace(HOME, "999988887777"))
    arguments = ["blue-operator", "--with", "cycle", "--source", f"export:{other}"]
    done = CliRunner().invoke(revoke, arguments, standalone_mode=False)
    assert "is of account `999988887777`" in str(done.exception)


def test_without_a_source_the_live_account_is_read(cloud: Cloud) -> None:
    assert cloud.account == HOME
    arguments = ["green-operator", "--with", "cycle", "--output", "json"]
    done = CliRunner().invoke(revoke, arguments, standalone_mode=False)
    assert done.exception is None
    assert [one["target"] for one in json.loads(done.stdout)] == ["green-operator", "blue-operator"]
