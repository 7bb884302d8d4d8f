"""`stsguard revoke`: nothing without --apply, nothing in an account that nobody named, exit codes by contract."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_stsguard.asserts import assert_denied
from pytest_stsguard.cli.revoke import revoke
from pytest_stsguard.errors import ConfigurationError, InputError, StsGuardError
from pytest_stsguard.revocation import POLICY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud, Credentials

ROLE = "A4L-DataRole"


@pytest.fixture
def run(sts_cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Give the command in a folder of its own, with the administrator's keys in the environment."""
    monkeypatch.chdir(tmp_path)
    for name, value in sts_cloud.admin.environ.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, raises: type[StsGuardError] | None = None) -> Any:
        done = CliRunner().invoke(revoke, arguments, standalone_mode=False)
        if raises is not None:
            assert isinstance(done.exception, raises), done.output
            return done.exception
        assert done.exception is None, done.exception
        return done

    return call


def policies(cloud: Cloud, role: str = ROLE) -> list[str]:
    names: list[str] = cloud.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    return names


def test_without_apply_nothing_is_written(run: Callable[..., Any], sts_cloud: Cloud, tmp_path: Path) -> None:
    done = run(ROLE)
    assert f"write role-policy {ROLE} {POLICY_NAME}" in done.output
    assert "nothing was written: add --apply" in done.output
    assert policies(sts_cloud) == [f"{ROLE}Access"]
    assert list(tmp_path.iterdir()) == []


def test_account_that_nobody_named_is_not_changed(run: Callable[..., Any], sts_cloud: Cloud, tmp_path: Path) -> None:
    assert "without being named" in str(run(ROLE, "--apply", raises=ConfigurationError))
    assert "not of `999999999999`" in str(run(ROLE, "--apply", "--account", "999999999999", raises=ConfigurationError))
    assert policies(sts_cloud) == [f"{ROLE}Access"]
    (tmp_path / "stsguard.toml").write_text(f'[live]\naccounts = ["{sts_cloud.account}"]\n')
    run(ROLE, "--apply")
    assert POLICY_NAME in policies(sts_cloud)


def test_applied_revocation_is_journalled_and_rolled_back(
    run: Callable[..., Any], sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], tmp_path: Path
) -> None:
    stolen = sts_assume_role(ROLE)
    cutoff = sts_cloud.clock.now().replace(microsecond=0).isoformat()
    sts_cloud.clock.advance(5)
    applied = ("--apply", "--account", sts_cloud.account, "--journal", "j", "--output", "json")
    (data,) = json.loads(run(ROLE, *applied, "--cutoff", sts_cloud.clock.now().isoformat()).stdout)
    assert (data["target"], data["state"], data["method"]) == (ROLE, "revoked", "older-sessions")
    assert data["safe_removal"] > data["cutoff"] > cutoff
    assert_denied(stolen, "s3.list_buckets")
    text = (tmp_path / "j").read_text()
    for credentials in (stolen, sts_cloud.admin):
        assert credentials.secret_access_key not in text
    assert str(stolen.session_token) not in text
    assert "exists" in str(run(ROLE, *applied, raises=InputError))
    assert run("--resume", "--journal", "j").return_value == 0
    assert "rolled back" in run("--rollback", "--journal", "j").output
    assert policies(sts_cloud) == [f"{ROLE}Access"]
    assert "has begun" in str(run("--resume", "--journal", "j", raises=InputError))


def test_every_target_is_told_and_the_gravest_error_counts(run: Callable[..., Any], sts_cloud: Cloud) -> None:
    done = run(ROLE, "nobody", "--apply", "--account", sts_cloud.account)
    assert done.return_value == 2
    assert "failed   nobody: there is no role `nobody`" in done.stdout
    assert "--resume" in done.stderr
    assert run("nobody").return_value == 2


def test_denied_access_exits_with_3(run: Callable[..., Any], sts_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sts_cloud.user_credentials("a4l-developer").environ.items():
        monkeypatch.setenv(name, value)
    for more in ((), ("--apply", "--account", sts_cloud.account)):
        done = run(ROLE, *more)
        assert done.return_value == 3
        assert "AccessDenied" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "whose sessions"),
        ((ROLE, "--resume", "--journal", "j"), "leave TARGET out"),
        (("--resume",), "which journal"),
        (("--resume", "--rollback", "--journal", "j"), "exclude"),
        ((ROLE, "--cutoff", "soon"), "no moment"),
        (("--profile", "nobody", ROLE), "profile `nobody`"),
        ((ROLE, "--method", "hope", "--apply", "--account", "111122223333"), "unknown revocation method"),
        ((ROLE, "--tag", "a=b", "--apply", "--account", "111122223333"), "takes no `tag_key`"),
    ],
)
def test_bad_usage_is_refused_before_anything_happens(
    run: Callable[..., Any], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    error = run(*arguments, raises=ConfigurationError)
    assert words in str(error)
    assert error.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_organisation_is_reached_by_a_profile_of_its_own(
    run: Callable[..., Any], sts_cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role of a member account is denied from above, and whoever is root there; the management account is refused."""
    member = sts_cloud.administrator("999900001111")
    assert "there is no organisation" in run(ROLE, "--method", "scp").output
    organizations = sts_cloud.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    with suppress(organizations.exceptions.PolicyTypeAlreadyEnabledException):
        organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")
    statement = {"Effect": "Allow", "Principal": {"AWS": "999900001111"}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sts_cloud.client("iam", member).create_role(RoleName="app", AssumeRolePolicyDocument=text)
    keys = {"member": member, "above": sts_cloud.admin}
    (tmp_path / "keys").write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
            for name, key in keys.items()
        )
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    there = ("--profile", "member", "--organization-profile", "above", "--journal", str(tmp_path / "j"))
    what = ("--method", "scp", "--apply", "--account", "999900001111")
    done = run("app", *what, *there)
    assert "revoked  arn:aws:iam::999900001111:role/app by scp" in done.output
    attached = organizations.list_policies_for_target(TargetId="999900001111", Filter="SERVICE_CONTROL_POLICY")
    assert "StsGuardDeny-999900001111-app" in {one["Name"] for one in attached["Policies"]}
    run("--rollback", *there)
    attached = organizations.list_policies_for_target(TargetId="999900001111", Filter="SERVICE_CONTROL_POLICY")
    assert "StsGuardDeny-999900001111-app" not in {one["Name"] for one in attached["Policies"]}
    assert "arn:aws:iam::999900001111:root" in run("root", *what[:2], *there[:4], "--kind", "root").output
    assert "is the management account" in str(
        run(ROLE, *what[:2], "--profile", "above", "--organization-profile", "above").output
    )
