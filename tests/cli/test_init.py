"""`stsguard init`: files that work as they stand, from what an account holds; nothing is overwritten unasked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pytest_stsguard.cli import main
from pytest_stsguard.findings import Configuration
from pytest_stsguard.trust import Zones

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {"stsguard.toml", "test_stsguard.py", ".github/workflows/stsguard.yml"}


@pytest.fixture
def init(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[object, str, str]]:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["stsguard", "init", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def account(folder: Path, *trusts: dict[str, Any]) -> str:
    roles = [
        {
            "RoleName": f"role-{number}",
            "Arn": f"arn:aws:iam::111122223333:role/role-{number}",
            "Path": "/",
            "RoleId": f"AROAEXAMPLEEXAMPLE{number:03}",
            "CreateDate": "2026-11-01T00:00:00Z",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "RolePolicyList": [],
            "AttachedManagedPolicies": [],
            "InstanceProfileList": [],
        }
        for number, trust in enumerate(trusts)
    ]
    details = {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": roles}
    (folder / "mine.json").write_text(json.dumps(details))
    return "export:mine.json"


def uncommented(text: str) -> str:
    """Give the configuration of somebody who confirms all that is commented out."""
    lines = [line.replace("    # ", "    ", 1) if line.startswith("    # ") else line for line in text.splitlines()]
    settings = ("# org_id", "# accounts", "# audit_role")
    return "\n".join(line.removeprefix("# ") if line.startswith(settings) else line for line in lines)


def test_form_without_a_target_is_a_configuration(init: Callable[..., Any], tmp_path: Path) -> None:
    code, out, err = init()
    assert code == 0
    assert all(f"written  {name}" in out for name in FILES)
    assert "next: read stsguard.toml" in err
    assert Configuration.load(None, tmp_path).zones["trust"] == {
        "own_account": True, "accounts": [], "oidc": [], "saml": []
    }  # fmt: skip


def test_outsiders_are_named_and_not_let_in(init: Callable[..., Any], tmp_path: Path) -> None:
    github = "token.actions.githubusercontent.com"
    target = account(
        tmp_path,
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:user/own"]},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"STS:ExternalId": "id-1", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{github}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {f"{github}:sub": "repo:acme/*"}, "StringEquals": {f"{github}:aud": "sts"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/Okta"},
            "Action": "sts:AssumeRoleWithSAML",
        },
        {"Effect": "Deny", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"},
    )
    assert init(target)[0] == 0
    text = (tmp_path / "stsguard.toml").read_text()
    assert Zones.parse(Configuration.load(None, tmp_path).zones) == Zones("111122223333")
    confirmed = Zones.parse(tomllib.loads(uncommented(text))["zones"])
    assert [(one.id, one.external_ids) for one in confirmed.accounts] == [("444455556666", ("id-1",))]
    assert [(one.issuer, one.subjects, one.audiences) for one in confirmed.oidc] == [
        (github, ("repo:acme/*",), ("sts",))
    ]
    assert confirmed.saml == ("Okta",)
    assert confirmed.org_id == "o-a1b2c3d4e5"
    assert set(tomllib.loads(uncommented(text))["live"]) == {"accounts", "audit_role"}
    assert "confirm: trusted by role-0" in text
    assert "999999999999" not in text


def test_subjects_of_strangers_are_not_offered_for_confirmation(init: Callable[..., Any], tmp_path: Path) -> None:
    github, other = "token.actions.githubusercontent.com", "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"

    def trust(issuer: str, *subjects: str) -> dict[str, Any]:
        condition = {"StringLike": {f"{issuer}:sub": list(subjects)}} if subjects else {}
        return {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{issuer}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }

    narrow, wide = (
        ["repo:acme/*", "repo:acme/shop:ref:refs/heads/v?"],
        ["repo:acme*", "repo:*", "*", "repo:?cme/shop:*"],
    )
    target = account(tmp_path, trust(github, *narrow, *wide), trust(other, "system:serviceaccount:shop:*"))
    init(target)
    text = (tmp_path / "stsguard.toml").read_text()
    confirmed = Zones.parse(tomllib.loads(uncommented(text))["zones"])
    assert [(one.issuer, list(one.subjects)) for one in confirmed.oidc] == [
        (github, narrow), (other, ["system:serviceaccount:shop:*"])
    ]  # fmt: skip
    assert f"strangers could match it: {json.dumps(wide)} of {github}" in text
    init(account(tmp_path, trust(github)), "--force")
    text = (tmp_path / "stsguard.toml").read_text()
    assert Zones.parse(tomllib.loads(uncommented(text))["zones"]).oidc == ()
    assert f"no role says which repositories of {github}" in text


def test_hostile_names_stay_texts(init: Callable[..., Any], tmp_path: Path) -> None:
    target = account(
        tmp_path,
        {
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": 'x"]}]\nfail_on = "low"\n\x7f\U0001f600'}},
        },
    )
    assert init(target)[0] == 0
    zones = tomllib.loads(uncommented((tmp_path / "stsguard.toml").read_text()))["zones"]
    assert zones["trust"]["accounts"][0]["external_id"] == ['x"]}]\nfail_on = "low"\n\x7f\U0001f600']
    assert Configuration.load(None, tmp_path).fail_on.name.lower() == "high"


def test_what_is_there_is_kept_without_force(init: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "stsguard.toml").write_text("# mine\n")
    code, out, _ = init()
    assert code == 0
    assert "kept     stsguard.toml" in out
    assert "written  test_stsguard.py" in out
    assert (tmp_path / "stsguard.toml").read_text() == "# mine\n"
    init("--force")
    assert "[zones]" in (tmp_path / "stsguard.toml").read_text()


def test_directory_and_other_ci(init: Callable[..., Any], tmp_path: Path) -> None:
    init("demo", "--directory", "new/place", "--ci", "gitlab")
    assert {path.name for path in (tmp_path / "new" / "place").iterdir()} == {
        "stsguard.toml", "test_stsguard.py", ".gitlab-ci.yml"
    }  # fmt: skip
    assert "script" in yaml.safe_load((tmp_path / "new" / "place" / ".gitlab-ci.yml").read_text())["stsguard"]
    init("--directory", "none", "--ci", "none")
    assert len(list((tmp_path / "none").iterdir())) == 2


def test_workflow_signs_in_for_a_live_target_alone() -> None:
    from pytest_stsguard.cli.starter import workflow

    live = yaml.safe_load(workflow("github", "aws:mine", None)[1])
    assert live["permissions"]["id-token"] == "write"
    steps = live["jobs"]["audit"]["steps"]
    assert any("configure-aws-credentials" in step.get("uses", "") for step in steps)
    assert any("stsguard audit aws " in step.get("run", "") for step in steps)
    still = yaml.safe_load(workflow("github", "cfn:a b's: #stack.yaml", None)[1])
    assert "id-token" not in still["permissions"]
    assert any("'cfn:a b'\"'\"'s: #stack.yaml'" in step.get("run", "") for step in still["jobs"]["audit"]["steps"])


def test_unreadable_target_and_folder_are_one_line(init: Callable[..., Any], tmp_path: Path) -> None:
    code, out, err = init("export:absent.json")
    assert (code, out, err.count("\n")) == (2, "", 1)
    (tmp_path / "file").write_text("")
    code, out, err = init("--directory", "file/under")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot be written" in err


def test_what_init_writes_is_a_gate(init: Callable[..., Any], tmp_path: Path, checkout: Path) -> None:
    shutil.copy(checkout / "examples" / "stack.yaml", tmp_path / "our stack.yaml")
    assert init("cfn:our stack.yaml")[0] == 0
    assert init("cfn:our stack.yaml", "--ci", "gitlab")[0] == 0
    install, audit, checks = steps_of(tmp_path, "github")
    assert install == "python -m pip install pytest-stsguard"
    assert step(audit, tmp_path) == 1  # imperfect on purpose
    for name in ("stsguard.sarif", "stsguard.html"):
        assert (tmp_path / name).stat().st_size
    assert step(checks, tmp_path) == 0
    mute = 'control = "STSG-*"\nresource = "*"\nreason = "known"\nowner = "us"\nexpiry = 2100-01-01\n'
    with (tmp_path / "stsguard.toml").open("a") as file:
        file.write(f"[[mute]]\n{mute}")
    _, audit, the_same = steps_of(tmp_path, "gitlab")
    assert step(audit, tmp_path) == 0
    assert the_same.split() == [*checks.split(), "--junitxml=stsguard.xml"]


def steps_of(folder: Path, kind: str) -> list[str]:
    """Give the commands of a workflow, in order; and see to it that what it keeps is what they write."""
    if kind == "gitlab":
        job = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["stsguard"]
        assert job["artifacts"]["paths"] == ["stsguard.html", "stsguard.sarif"]
        return [str(one) for one in job["script"]]
    steps = yaml.safe_load((folder / ".github/workflows/stsguard.yml").read_text())["jobs"]["audit"]["steps"]
    kept = {value for one in steps for name, value in one.get("with", {}).items() if name in {"path", "sarif_file"}}
    assert kept == {"stsguard.html", "stsguard.sarif"}
    return [one["run"] for one in steps if "run" in one]


def step(command: str, folder: Path) -> int:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = ["bash", "-eo", "pipefail", "-c", command]
    return subprocess.run(script, cwd=folder, env=environment, capture_output=True, check=False, timeout=120).returncode


def test_first_checks_run(init: Callable[..., Any], tmp_path: Path, pytester: pytest.Pytester, checkout: Path) -> None:
    target = account(
        tmp_path, {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    init("--directory", str(pytester.path), "--ci", "none")
    text = (pytester.path / "test_stsguard.py").read_text()
    (drill,) = re.findall(r"def test_stolen.*?\n\n\n", text, re.DOTALL)
    assert drill.strip() in (checkout / "README.md").read_text()  # where tests/acceptance runs it
    scheme, _, name = target.partition(":")
    result = pytester.runpytest(
        "-p", "no:cacheprovider", "test_stsguard.py", f"--stsguard-target={scheme}:{tmp_path / name}"
    )
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*OWN-1*"])
