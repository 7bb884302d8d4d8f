"""Three verdicts: a check that breaks, or cannot look, has not passed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

REPORTER = """
    import json
    from pytest_stsguard.run import RUN

    def pytest_sessionfinish(session):
        run = session.config.stash[RUN]
        found = [finding.control for finding in run.findings]
        text = json.dumps({"errors": run.errors, "not_evaluated": run.not_evaluated, "findings": found})
        session.config.rootpath.joinpath("said.json").write_text(text)
"""
BROKEN = """
    import pytest

    @pytest.mark.stsguard("STSG-303")
    def test_breaks(sts_findings):
        sts_findings.add("arn:aws:iam::111122223333:role/seen", "found before it broke")
        raise KeyError("no such thing")

    @pytest.mark.stsguard("STSG-401")
    def test_cannot_look(sts_survey, sts_findings):
        pass
"""


def test_broken_check_is_an_error_and_keeps_what_it_found(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(REPORTER)
    pytester.makepyfile(BROKEN)
    detail = {
        "RoleName": "a",
        "Arn": "arn:aws:iam::111122223333:role/a",
        "Path": "/",
        "RoleId": "AROAEXAMPLEEXAMPLE123",
        "CreateDate": "2026-11-01T00:00:00Z",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "InstanceProfileList": [],
    }
    export = pytester.path / "account.json"
    export.write_text(json.dumps({"RoleDetailList": [detail]}))
    result = pytester.runpytest("--stsguard-target", f"export:{export}")
    result.assert_outcomes(failed=1, skipped=1)
    said = json.loads((pytester.path / "said.json").read_text())
    assert "the check broke: KeyError" in said["errors"]["STSG-303"]
    assert said["findings"] == ["STSG-303"]
    assert "describe-instances" in said["not_evaluated"]["STSG-401"]


def test_audit_with_a_broken_module_and_a_broken_fixture_fails_and_says_so(checkout: Path, tmp_path: Path) -> None:
    for folder in ("pytest_stsguard", "checks", "reports"):
        shutil.copytree(checkout / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "checks" / "test_instances.py").write_text("import nothing_of_that_name\n")
    with (tmp_path / "checks" / "test_sessions.py").open("a") as file:
        file.write("\n\n@pytest.fixture\ndef sts_survey():\n    raise RuntimeError('no survey')\n")
    program = "from pytest_stsguard.cli import main; main()"
    target = f"export:{checkout / 'examples' / 'account.json'}"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            "audit",
            target,
            "--fail-on",
            "critical",
            "--role",
            "app-server",
            "--output",
            "json",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    errors = {entry["control"]: entry["reason"] for entry in json.loads(done.stdout)["errors"]}
    assert errors.keys() == {"STSG-301", "STSG-302", "STSG-303", "STSG-401", "STSG-402"}
    assert "nothing_of_that_name" in errors["STSG-401"]
    assert "no survey" in errors["STSG-302"]
