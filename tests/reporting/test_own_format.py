"""A project's own report formats, by the hook `pytest_stsguard_reports`."""

from __future__ import annotations

from pathlib import Path

import pytest

TARGET = f"--stsguard-target=export:{Path(__file__).parents[2]}/examples/account.json"
CONFTEST = """
def counts(run):
    return "".join(f"{name}={count}\\n" for name, count in sorted(run.summary.by_severity.items()))

def pytest_stsguard_reports(config):
    return {"counts": counts}
"""
CHECK = """
import pytest

@pytest.mark.stsguard("STSG-202")
def test_check(sts_findings):
    sts_findings.add("arn:aws:iam::111122223333:role/x", "tainted")
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(CHECK)
    return pytester


def test_own_format_is_written_beside_ours(project: pytest.Pytester) -> None:
    result = project.runpytest(
        "-p", "no:cacheprovider", "--stsguard-report=counts:c.txt", "--stsguard-report=csv:c.csv"
    )
    result.stdout.fnmatch_lines(["*generated counts report: *c.txt*"])
    assert (project.path / "c.txt").read_text() == "critical=0\nhigh=0\nlow=1\nmedium=0\n"
    assert (project.path / "c.csv").exists()


@pytest.mark.parametrize(
    ("given", "asked", "said"),
    [
        ('{"counts": counts}', "count:x", "unknown report format `count` (did you mean `counts`?)"),
        ('{"html": counts}', "csv:x", "report format `html` is defined twice"),
        ('{"a:b": counts}', "csv:x", "`a:b` is no name of a report format"),
        ('{"counts": 7}', "csv:x", "report format `counts` is no function"),
        ('{"counts": lambda run: 7}', "counts:x", "report format `counts` gives no text"),
    ],
)
def test_wrong_format_is_one_clear_line(given: str, asked: str, said: str, project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST.replace('{"counts": counts}', given))
    result = project.runpytest("-p", "no:cacheprovider", TARGET, f"--stsguard-report={asked}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = [line for line in result.errlines if "stsguard" in line]
    assert len(told) == 1
    assert said in told[0]


def test_policies_of_the_demo_are_shown_as_it_opens(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CHECK.replace("STSG-202", "STSG-110")
        .replace("role/x", "role/A4L-DataRole")
        .replace('"tainted"', '"x", place="trust policy Statement[0]"')
    )
    pytester.runpytest("-p", "no:cacheprovider", "--stsguard-report=html:r.html")
    page = (pytester.path / "r.html").read_text()
    assert "trust policy, as the demo opens, the deciding statement marked" in page
    assert "<mark>" in page
