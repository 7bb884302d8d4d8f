"""Options, ini keys, markers and what wrong ones are answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CHECK = """
import pytest

@pytest.mark.stsguard("STSG-101")
def test_check(sts_account, sts_findings):
    for role in sts_account.roles:
        sts_findings.add(role.arn, f"{role.name} was looked at", place="trust policy")
"""


def export(path: Path, *names: str) -> Path:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    roles = [
        {
            "Path": "/",
            "RoleName": name,
            "RoleId": f"AROA{number:016d}",
            "Arn": f"arn:aws:iam::111122223333:role/{name}",
            "CreateDate": "2026-01-01T00:00:00Z",
            "AssumeRolePolicyDocument": trust,
            "InstanceProfileList": [],
            "RolePolicyList": [],
            "AttachedManagedPolicies": [],
            "Tags": [],
        }
        for number, name in enumerate(names)
    ]
    path.write_text(json.dumps({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": []}))
    return path


@pytest.fixture
def run(pytester: pytest.Pytester) -> Any:
    export(pytester.path / "account.json", "app", "web")
    pytester.makepyfile(CHECK)

    def run(*options: str) -> pytest.RunResult:
        return pytester.runpytest("-p", "no:cacheprovider", *options)

    return run


def test_finding_at_the_threshold_fails_the_check(run: Any) -> None:
    result = run("--stsguard-target=export:account.json")
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["critical STSG-101  arn:aws:iam::111122223333:role/app: app was looked at*", "*stsguard: export:account.json*"]
    )


def test_finding_below_the_threshold_is_counted(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CHECK.replace('"STSG-101"', '"STSG-101", severity="low"'))
    result = run("--stsguard-target=export:account.json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["findings: 2 low", "low      STSG-101  2 below high  Anyone can assume the role*"])
    run("--stsguard-target=export:account.json", "--stsguard-fail-on=low").assert_outcomes(failed=1)


def test_role_globs_narrow(run: Any) -> None:
    result = run("--stsguard-target=export:account.json", "--stsguard-role=w*")
    result.stdout.fnmatch_lines(["findings: 1 critical"])
    result.stdout.no_fnmatch_line("*role/app*")


def test_options_stand_in_the_ini_file_too(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nstsguard_target = export:account.json\nstsguard_role = w*\nstsguard_fail_on = critical\n"
    )
    run().stdout.fnmatch_lines(["findings: 1 critical"])


def test_baseline_silences_what_is_known(run: Any, pytester: pytest.Pytester) -> None:
    run("--stsguard-target=export:account.json", "--stsguard-write-baseline=known.json").assert_outcomes(failed=1)
    run("--stsguard-target=export:account.json", "--stsguard-baseline=known.json").assert_outcomes(passed=1)
    export(pytester.path / "account.json", "app", "web", "new")
    result = run("--stsguard-target=export:account.json", "--stsguard-baseline=known.json")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*role/new: new was looked at*"])


def test_mute_silences_until_it_expires(run: Any, pytester: pytest.Pytester) -> None:
    mute = '[[mute]]\ncontrol = "STSG-101"\nresource = "*"\nowner = "me"\nreason = "known"\nexpiry = 2026-11-30\n'
    (pytester.path / "stsguard.toml").write_text(mute)
    run("--stsguard-target=export:account.json", "--stsguard-at=2026-11-20").assert_outcomes(passed=1)
    run("--stsguard-target=export:account.json", "--stsguard-at=2026-12-02").assert_outcomes(failed=1)


def test_xdist_finds_the_same(run: Any) -> None:
    result = run("--stsguard-target=export:account.json", "-n", "2", "--stsguard-write-baseline=known.json")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["findings: 2 critical"])


def test_xdist_workers_have_a_cloud_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_cloud(sts_cloud, number):
            s3 = sts_cloud.client("s3")
            s3.create_bucket(Bucket="the-same-name")
            assert len(s3.list_buckets()["Buckets"]) == 2
        """
    )
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=6)


def test_not_evaluated_is_no_pass(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.stsguard("STSG-301")
        def test_check(sts_findings):
            sts_findings.not_evaluated("the export holds no MaxSessionDuration")
        """
    )
    result = pytester.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["not evaluated: STSG-301: the export holds no MaxSessionDuration"])


def test_fault_of_a_check_is_a_failure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.stsguard("STSG-301")
        def test_check(sts_findings):
            sts_findings.error("the engine gave up")
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["error    STSG-301  the engine gave up"])


def test_control_of_a_projects_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from pytest_stsguard.findings import Control, Remediation, Severity

        def pytest_stsguard_controls(config):
            fix = Remediation("rename it", "", "", "")
            return [Control("ACME-001", "roles have an owner", Severity.CRITICAL, "nobody cares for it", fix)]
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.stsguard("ACME-001")
        def test_owner(sts_findings):
            sts_findings.add("arn:aws:iam::111122223333:role/app", "nobody owns it")
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["critical ACME-001 *nobody owns it*"])


@pytest.mark.stsguard_cloud(account="444455556666", region="eu-west-1", world="empty")
def test_marker_sets_the_cloud_up(sts_cloud: Any) -> None:
    identity = sts_cloud.client("sts").get_caller_identity()
    assert identity["Account"] == "444455556666"
    assert sts_cloud.client("s3").list_buckets()["Buckets"] == []
    assert sts_cloud.client("ec2").meta.region_name == "eu-west-1"
    assert sts_cloud.instances == ()


WRONG = {
    "missing file": ("--stsguard-target=export:nowhere.json", "nowhere.json"),
    "no JSON": ("--stsguard-target=export:text.json", "text.json"),
    "half a file": ("--stsguard-target=export:half.json", "half.json"),
    "the wrong JSON": ("--stsguard-target=export:wrong.json", "wrong.json"),
    "unknown target": ("--stsguard-target=moon:x", "unknown target `moon:x`"),
    "unknown severity": ("--stsguard-fail-on=terrible", "unknown severity `terrible`"),
    "no moment": ("--stsguard-at=yesterday", "`yesterday` is no moment"),
    "missing baseline": ("--stsguard-baseline=nowhere.json", "nowhere.json"),
    "missing configuration": ("--stsguard-config=nowhere.toml", "nowhere.toml"),
    "unknown key": ("--stsguard-config=unknown.toml", "unknown key `fial_on`"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_one_clear_line(run: Any, pytester: pytest.Pytester, case: str) -> None:
    whole = (pytester.path / "account.json").read_text()
    (pytester.path / "text.json").write_text("this is no JSON")
    (pytester.path / "half.json").write_text(whole[: len(whole) // 2])
    (pytester.path / "wrong.json").write_text('{"Reservations": []}')
    (pytester.path / "unknown.toml").write_text('fial_on = "low"\n')
    option, words = WRONG[case]
    result = run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.stderr.lines if line.startswith("ERROR")]
    assert len(errors) == 1
    assert words in errors[0]
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_policy_with_an_unknown_operator_does_not_hide_the_account(run: Any, pytester: pytest.Pytester) -> None:
    data = json.loads((pytester.path / "account.json").read_text())
    statement = data["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Condition"] = {"StringSortOf": {"aws:PrincipalTag/team": "x"}}
    (pytester.path / "account.json").write_text(json.dumps(data))
    pytester.makepyfile(
        """
        def test_it(sts_account):
            assert [role.name for role in sts_account.roles] == ["app", "web"]
            (problem,) = sts_account.role("app").trust.problems
            assert "StringSortOf" in str(problem)
        """
    )
    run("--stsguard-target=export:account.json").assert_outcomes(passed=1)


def test_configuration_that_cannot_be_used_is_told_once(pytester: pytest.Pytester) -> None:
    (pytester.path / "stsguard.toml").write_text("[limits]\naccounts = []\n")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(3))
        @pytest.mark.stsguard("OWN-1")
        def test_own(sts_findings, number):
            pass
        """
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in (*result.outlines, *result.errlines) if "unknown key `limits.accounts`" in line]) == 1
    pytester.makepyfile(test_configuration_that_cannot_be_used_is_told_once="def test_plain(): pass")
    assert pytester.runpytest("-p", "no:cacheprovider").ret == pytest.ExitCode.OK
