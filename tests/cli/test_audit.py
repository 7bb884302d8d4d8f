"""`stsguard audit`: exit codes, output, and that pytest says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

STSGUARD = str(Path(sys.executable).with_name("stsguard"))
AT = ("--at", "2026-11-20T12:00:00Z")
CLEAN = {
    "UserDetailList": [],
    "GroupDetailList": [],
    "Policies": [],
    "RoleDetailList": [
        {
            "RoleName": "app",
            "Arn": "arn:aws:iam::111122223333:role/app",
            "Path": "/",
            "RoleId": "AROAEXAMPLEEXAMPLE123",
            "CreateDate": "2026-11-01T00:00:00Z",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ],
            },
            "RolePolicyList": [],
            "AttachedManagedPolicies": [],
            "InstanceProfileList": [],
            "RoleLastUsed": {},
        }
    ],
}


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [STSGUARD, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
        env={**os.environ, **environment},
    )


@pytest.fixture
def stsguard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., SimpleNamespace]:
    """Give ``(*arguments, cwd=None, **environment)``: the command line, called in this process."""
    from pytest_stsguard.cli import main

    def call(*arguments: str, cwd: Path | None = None, **environment: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["stsguard", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        if cwd is not None:
            monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as exit_:
            main()
        said = capsys.readouterr()
        return SimpleNamespace(returncode=exit_.value.code, stdout=said.out, stderr=said.err)

    return call


@pytest.fixture
def target(checkout: Path) -> str:
    return f"export:{checkout / 'examples' / 'account.json'}"


@pytest.fixture
def clean(tmp_path: Path) -> str:
    file = tmp_path / "clean.json"
    file.write_text(json.dumps(CLEAN))
    return f"export:{file}"


def test_findings_give_exit_code_1_and_json_of_the_contract(target: str) -> None:
    done = run("audit", target, *AT, "--output", "json")
    assert (done.returncode, done.stderr) == (1, "")
    data = json.loads(done.stdout)
    assert (data["schema"], data["target"], data["account"]) == (1, target, "111122223333")
    assert data["at"] == "2026-11-20T12:00:00Z"
    wanted = {"control", "severity", "resource", "message", "evidence", "fingerprint", "muted", "location"}
    assert all(wanted <= entry.keys() for entry in data["findings"])
    assert data["summary"]["findings"] == len(data["findings"])
    assert data["summary"]["errors"] == 0


def test_clean_account_gives_exit_code_0_and_says_what_it_could_not_look_at(
    clean: str, stsguard: Callable[..., SimpleNamespace]
) -> None:
    done = stsguard("audit", clean, *AT, "--output", "json")
    assert done.returncode == 0
    data = json.loads(done.stdout)
    assert data["findings"] == []
    assert {entry["control"] for entry in data["not_evaluated"]} == {"STSG-301", "STSG-401", "STSG-402"}


def test_demo_is_audited_and_clean_at_high() -> None:
    done = run("audit", "demo", "--output", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert {entry["control"] for entry in json.loads(done.stdout)["findings"]} == {"STSG-113", "STSG-305", "STSG-401"}


def test_threshold_decides_what_fails(target: str, stsguard: Callable[..., SimpleNamespace]) -> None:
    narrow = ("audit", target, *AT, "--role", "report-builder")
    assert stsguard(*narrow).returncode == 0
    assert stsguard(*narrow, "--fail-on", "low").returncode == 1


def test_ndjson_is_a_finding_a_line_and_the_sum_last(target: str, stsguard: Callable[..., SimpleNamespace]) -> None:
    lines = [json.loads(line) for line in stsguard("audit", target, *AT, "--output", "ndjson").stdout.splitlines()]
    assert all("control" in line for line in lines[:-1])
    assert lines[-1]["summary"]["findings"] == len(lines) - 1


def test_table_names_every_finding(target: str, stsguard: Callable[..., SimpleNamespace]) -> None:
    done = stsguard("audit", target, *AT)
    assert "critical  STSG-101  arn:aws:iam::111122223333:role/public-demo" in done.stdout
    assert "not evaluated  STSG-401" in done.stdout


def test_report_holds_the_findings_of_the_output(
    target: str, tmp_path: Path, stsguard: Callable[..., SimpleNamespace]
) -> None:
    file = tmp_path / "report.json"
    done = stsguard("audit", target, *AT, "--output", "json", "--report", f"json:{file}")
    written, printed = json.loads(file.read_text())["findings"], json.loads(done.stdout)["findings"]
    assert sorted(one["fingerprint"] for one in written) == sorted(one["fingerprint"] for one in printed)


def test_pytest_finds_the_same(target: str, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    options = ("--stsguard-target", target, "--stsguard-at", AT[1], "--stsguard-write-baseline", str(file))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "pytest_stsguard.checks", "-p", "no:cacheprovider", *options],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 1
    audited = json.loads(run("audit", target, *AT, "--output", "json").stdout)["findings"]
    found = json.loads(file.read_text())["findings"]
    assert sorted(one["fingerprint"] for one in found) == sorted(one["fingerprint"] for one in audited)


def test_configuration_of_the_folder_counts_and_nobodys_pytest_settings_do(
    clean: str, tmp_path: Path, stsguard: Callable[..., SimpleNamespace]
) -> None:
    (tmp_path / "stsguard.toml").write_text('[zones.trust.services]\n"lambda.amazonaws.com" = "any"\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    done = stsguard("audit", clean, *AT, "--output", "json", cwd=tmp_path, PYTEST_ADDOPTS="--no-such-option")
    assert done.stderr == ""
    assert [entry["control"] for entry in json.loads(done.stdout)["findings"]] == ["STSG-104"]
    assert done.returncode == 1


def test_baseline_and_mutes_do_not_fail(target: str, tmp_path: Path, stsguard: Callable[..., SimpleNamespace]) -> None:
    baseline = tmp_path / "baseline.json"
    found = json.loads(stsguard("audit", target, *AT, "--output", "json").stdout)["findings"]
    baseline.write_text(json.dumps({"schema": 1, "findings": found}))
    done = stsguard("audit", target, *AT, "--output", "json", "--baseline", str(baseline))
    assert done.returncode == 0
    assert json.loads(done.stdout)["summary"]["baselined"] == len(found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export:no-such-file.json",), "cannot be read"),
        (("cfn:template.yaml",), "template.yaml"),
        (("tfplan:plan.json",), "plan.json"),
        (("org:no-such-profile",), "no-such-profile"),
        (("elsewhere",), "unknown target `elsewhere`"),
        (("demo", "--at", "yesterday"), "`yesterday` is no moment"),
        (("demo", "--fail-on", "huge"), "unknown severity `huge`"),
        (("demo", "--jobs", "many"), "`many` is no number of processes"),
        (("demo", "--config", "no-such.toml"), "no-such.toml"),
        (("demo", "--baseline", "no-such.json"), "no-such.json"),
        (("demo", "--report", "papyrus:report.txt"), "`papyrus`"),
        (("demo", "--report", "report.json"), "`report.json`"),
        (("demo", "--report", "json:no-such-folder/report.json"), "no-such-folder"),
        (("demo", "--report", "json:."), "cannot be written"),
        (("aws:no-such-profile",), "`no-such-profile`"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], words: str, tmp_path: Path, stsguard: Callable[..., SimpleNamespace]
) -> None:
    done = stsguard("audit", *arguments, "--output", "json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr


def test_unknown_key_in_the_zones_is_bad_input(tmp_path: Path, stsguard: Callable[..., SimpleNamespace]) -> None:
    (tmp_path / "stsguard.toml").write_text("[zones]\nacount = 1\n")
    done = stsguard("audit", "demo", cwd=tmp_path)
    assert done.returncode == 2
    assert "acount" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_aws_out_of_reach_is_exit_code_3(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE12",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
    }
    done = run("audit", "aws", cwd=tmp_path, **settings)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_reader_that_has_seen_enough_is_no_error(target: str, stsguard: Callable[..., SimpleNamespace]) -> None:
    command = f'"{STSGUARD}" audit {target} --output json | head -c 10'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""


def test_broken_policy_is_its_own_finding_and_hides_nothing(
    tmp_path: Path, stsguard: Callable[..., SimpleNamespace]
) -> None:
    account = json.loads(json.dumps(CLEAN))
    good = account["RoleDetailList"][0]
    for index, document in enumerate(["{", "[]", '{"Version": "2012-10-17"}', "\ud800", "null"]):
        account["RoleDetailList"].append(
            good | {"RoleName": f"bad{index}", "Arn": f"{good['Arn']}-bad{index}", "AssumeRolePolicyDocument": document}
        )
    wide = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
    account["RoleDetailList"].append(
        good | {"RoleName": "wide", "Arn": f"{good['Arn']}-wide", "AssumeRolePolicyDocument": wide}
    )
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    done = stsguard("audit", f"export:{file}", *AT, "--output", "json")
    found = {(entry["control"], entry["resource"].rpartition("-")[2]) for entry in json.loads(done.stdout)["findings"]}
    assert {(control, f"bad{n}") for n in range(5) for control in ("STSG-111", "STSG-112")} <= found
    assert ("STSG-101", "wide") in found


def test_what_a_policy_says_is_no_command_to_the_log_of_a_pipeline(
    tmp_path: Path, stsguard: Callable[..., SimpleNamespace], pytester: pytest.Pytester
) -> None:
    """https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands"""
    account = json.loads(json.dumps(CLEAN))
    trust = account["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Principal"] = {"AWS": "*"}
    trust["Condition"] = {"StringEquals": {"aws:UserAgent": "##vso[task.complete result=Succeeded]"}}
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    table = stsguard("audit", f"export:{file}", *AT)
    assert table.returncode == 1
    where = ("--pyargs", "pytest_stsguard.checks.test_trust_policies", "-p", "no:cacheprovider")
    checks = pytester.runpytest(*where, f"--stsguard-target=export:{file}", "--stsguard-at=2026-11-20T12:00:00Z")
    assert checks.ret == pytest.ExitCode.TESTS_FAILED
    for shown in (table.stdout, checks.stdout.str()):
        assert "task.complete" in shown
        assert "##vso[" not in shown


def test_controls_lists_the_catalogue(stsguard: Callable[..., SimpleNamespace]) -> None:
    listed = json.loads(stsguard("controls", "--output", "json").stdout)
    assert len(listed) == 25
    assert {"id", "title", "severity", "risk", "remediation", "references", "compliance"} <= listed[0].keys()
    assert "STSG-402" in stsguard("controls").stdout


def test_reference_of_the_controls_is_made_from_the_catalogue(
    checkout: Path, stsguard: Callable[..., SimpleNamespace]
) -> None:
    assert stsguard("controls", "--output", "markdown").stdout == (checkout / "docs" / "controls.md").read_text()


def test_explain_tells_all_of_a_control(stsguard: Callable[..., SimpleNamespace]) -> None:
    done = stsguard("explain", "stsg-101")
    assert done.returncode == 0
    for words in ("STSG-101", "critical", "Terraform", "CloudFormation", "MITRE ATT&CK: T1078.004", "https://docs.aws"):
        assert words in done.stdout


def test_explain_of_an_unknown_control_helps(stsguard: Callable[..., SimpleNamespace]) -> None:
    done = stsguard("explain", "STSG-999")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_live_account_is_audited_over_http_and_its_refusal_is_exit_code_3(tmp_path: Path) -> None:
    from pytest_stsguard.cloud import DEMO, Cloud

    (tmp_path / "stsguard.toml").write_text('[live]\nregions = ["us-east-1"]\n')

    with Cloud() as cloud:
        other = cloud.client("iam").create_access_key(UserName=DEMO.user)["AccessKey"]
        settings = {"AWS_ENDPOINT_URL": cloud.serve().url, "AWS_DEFAULT_REGION": "us-east-1"}
        admin = {"AWS_ACCESS_KEY_ID": cloud.admin.access_key_id, "AWS_SECRET_ACCESS_KEY": cloud.admin.secret_access_key}
        user = {"AWS_ACCESS_KEY_ID": other["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": other["SecretAccessKey"]}
        done = run("audit", "aws", "--output", "json", cwd=tmp_path, **settings, **admin)
        called = [record["eventName"] for record in cloud.trail.records()]
        denied = run("audit", "aws", "--output", "json", cwd=tmp_path, **settings, **user)
    assert done.stderr == ""
    data = json.loads(done.stdout)
    assert (data["target"], data["account"]) == ("aws", "111122223333")
    assert {entry["control"] for entry in data["findings"]} == {"STSG-113", "STSG-305", "STSG-401"}
    assert sorted(called[-4:]) == [
        "DescribeInstances",
        "DescribeOrganization",
        "GetAccountAuthorizationDetails",
        "ListRoles",
    ]
    assert "instances outside us-east-1" in json.dumps(data["not_evaluated"])
    assert (denied.returncode, denied.stdout) == (3, "")
    assert len(denied.stderr.splitlines()) == 1
