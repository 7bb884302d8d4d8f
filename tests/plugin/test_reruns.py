"""A check that is run again, as pytest-rerunfailures does it, counts once: as it went the last time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

AGAIN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    runtestprotocol(item, nextitem=nextitem, log=False)
    item._initrequest()
    for report in runtestprotocol(item, nextitem=nextitem, log=False):
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
FIRST = """    for report in runtestprotocol(item, nextitem=nextitem, log=False):
        report.outcome = "rerun" if report.failed else report.outcome
        if report.when != "teardown":
            item.ihook.pytest_runtest_logreport(report=report)
"""
DRILL = """
import pytest

TRIES = []

@pytest.mark.stsguard_drill
def test_own(sts_drill):
    TRIES.append(None)
    sts_drill.note("tried", str(len(TRIES)))
    assert len(TRIES) > 1
"""
CHECK = """
import pytest

TRIES = []

@pytest.mark.stsguard("OWN-1", severity="high")
def test_own(sts_findings):
    TRIES.append(None)
    if len(TRIES) in {attempts}:
        sts_findings.add("arn:aws:iam::111122223333:role/a", "at fault")
"""
USER = {"UserName": "a", "Arn": "arn:aws:iam::111122223333:user/a", "Path": "/", "UserId": "AIDAEXAMPLEEXAMPLE001"}
ACCOUNT = {"UserDetailList": [USER], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}


@pytest.mark.parametrize(("attempts", "count"), [("{1, 2}", 1), ("{1}", 0), ("{2}", 1)])
def test_last_attempt_counts(pytester: pytest.Pytester, tmp_path: Path, attempts: str, count: int) -> None:
    (tmp_path / "account.json").write_text(json.dumps(ACCOUNT))
    pytester.makeconftest(AGAIN)
    pytester.makepyfile(test_own=CHECK.replace("{attempts}", attempts))
    result = pytester.runpytest(
        "-p", "no:cacheprovider", "-q", f"--stsguard-target=export:{tmp_path / 'account.json'}",
        f"--stsguard-report=json:{tmp_path / 'run.json'}", f"--junitxml={tmp_path / 'junit.xml'}",
    )  # fmt: skip
    result.assert_outcomes(failed=count, passed=1 - count)
    assert json.loads((tmp_path / "run.json").read_text())["summary"]["findings"] == count
    text = (tmp_path / "junit.xml").read_text()
    assert text.count('name="stsguard_control"') == 1
    assert text.count('name="stsguard_finding"') == count


def test_drill_that_is_run_again_is_one_drill(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """https://github.com/pytest-dev/pytest-rerunfailures tells an attempt that failed with the outcome ``rerun``."""
    pytester.makeconftest(AGAIN.replace("    runtestprotocol(item, nextitem=nextitem, log=False)\n", FIRST, 1))
    pytester.makepyfile(test_own=DRILL)
    result = pytester.runpytest("-p", "no:cacheprovider", "-q", f"--stsguard-report=json:{tmp_path / 'run.json'}")
    result.assert_outcomes(passed=1)
    told = json.loads((tmp_path / "run.json").read_text())
    assert [(drill["outcome"], drill["steps"][-1]["detail"]) for drill in told["drills"]] == [("passed", "2")]
    assert told["checks"] == {"passed": 1}
