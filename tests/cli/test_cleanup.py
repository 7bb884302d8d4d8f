"""`stsguard cleanup`: removes what may go, leaves the rest and says until when."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_stsguard.cli.cleanup import cleanup
from pytest_stsguard.cli.revoke import revoke
from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.revocation import POLICY_NAME, older_sessions_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud

ROLE, OTHER, USER = "A4L-DataRole", "A4L-InstanceRole", "a4l-developer"


@pytest.fixture
def run(sts_cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    for name, value in sts_cloud.admin.environ.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, command: Any = cleanup) -> Any:
        done = CliRunner().invoke(command, arguments, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done

    return call


@pytest.fixture
def tainted(sts_cloud: Cloud) -> Cloud:
    """Give a cloud with leftovers of several ages: 13 hours on a role, 11 on another, 13 on a user, one attached."""
    iam, now = sts_cloud.client("iam"), sts_cloud.clock.now()
    old = json.dumps(older_sessions_document(now - timedelta(hours=13)))
    new = json.dumps(older_sessions_document(now - timedelta(hours=11)))
    iam.put_role_policy(RoleName=ROLE, PolicyName=POLICY_NAME, PolicyDocument=old)
    iam.put_role_policy(RoleName=OTHER, PolicyName="deny-older", PolicyDocument=new)
    iam.put_user_policy(UserName=USER, PolicyName=POLICY_NAME, PolicyDocument=old)
    arn = iam.create_policy(PolicyName="revoke-all", PolicyDocument=old)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=OTHER, PolicyArn=arn)
    return sts_cloud


def test_only_what_may_go_is_removed_and_it_comes_back(run: Callable[..., Any], tainted: Cloud) -> None:
    iam = tainted.client("iam")
    found = {
        (one["resource"].rpartition("/")[2], one["policy"]): one for one in json.loads(run("--output", "json").stdout)
    }
    arn = f"arn:aws:iam::{tainted.account}:policy/revoke-all"
    assert {key: one["action"] for key, one in found.items()} == {
        (ROLE, POLICY_NAME): "removable",
        (OTHER, "deny-older"): "left",
        (OTHER, arn): "removable",
        (USER, POLICY_NAME): "left",
    }
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == [f"{ROLE}Access", POLICY_NAME]
    done = run("--apply", "--account", tainted.account, "--journal", "j")
    assert done.return_value == 0
    assert f"left       arn:aws:iam::{tainted.account}:user/{USER}" in done.stdout
    assert f"until {found[(USER, POLICY_NAME)]['safe_date']}" in done.stdout
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == [f"{ROLE}Access"]
    assert iam.list_role_policies(RoleName=OTHER)["PolicyNames"] == [f"{OTHER}Access", "deny-older"]
    assert iam.list_attached_role_policies(RoleName=OTHER)["AttachedPolicies"] == []
    assert iam.list_user_policies(UserName=USER)["PolicyNames"] == [POLICY_NAME]
    assert run("--rollback", "--journal", "j", command=revoke).return_value == 0
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == [f"{ROLE}Access", POLICY_NAME]
    assert iam.list_attached_role_policies(RoleName=OTHER)["AttachedPolicies"][0]["PolicyArn"] == arn


def test_moment_and_longest_session_decide(run: Callable[..., Any], tainted: Cloud, tmp_path: Path) -> None:
    later = (tainted.clock.now() + timedelta(hours=30)).isoformat()
    assert {one["action"] for one in json.loads(run("--at", later, "--output", "json").stdout)} == {"removable"}
    (tmp_path / "stsguard.toml").write_text("[sessions]\nrole_hours = 48\nuser_hours = 48\n")
    assert {one["action"] for one in json.loads(run("--output", "json").stdout)} == {"left"}


def test_policy_that_says_more_than_the_revocation_is_left(run: Callable[..., Any], tainted: Cloud) -> None:
    document = older_sessions_document(tainted.clock.now() - timedelta(hours=13))
    document["Statement"].append({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"})
    tainted.client("iam").put_role_policy(RoleName=ROLE, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(document))
    found = [one for one in json.loads(run("--output", "json").stdout) if one["resource"].endswith(ROLE)]
    assert [(one["action"], one["state"]) for one in found] == [("left", "removable")]
    assert "edit it by hand" in found[0]["why"]


def test_clean_account_says_so(run: Callable[..., Any]) -> None:
    assert run().stdout == "no revoke policy is left\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--apply",), "without being named"),
        (("--apply", "--at", "2030-01-01"), "exclude"),
        (("--at", "tomorrow"), "no moment"),
    ],
)
def test_bad_usage_is_refused(run: Callable[..., Any], arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        run(*arguments)
