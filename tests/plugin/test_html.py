"""pytest-html shows control, severity and the drill's steps, all escaped; without it nothing breaks."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

TEST = """
import pytest

@pytest.mark.stsguard("STSG-201", severity="medium")
def test_drill(sts_drill):
    stolen = sts_drill.steal("A")
    sts_drill.note("hostile", "<script>alert(1)</script> ]]> & more")

@pytest.mark.stsguard("<b>X</b>", severity="low")
def test_hostile_control():
    pass

def test_plain():
    pass
"""


def rows(path: Any) -> dict[str, Any]:
    page = path.read_text()
    blob = re.search(r'data-jsonblob="([^"]*)"', page)
    assert blob is not None
    tests: dict[str, Any] = json.loads(html.unescape(blob.group(1)))["tests"]
    return {name.rpartition("::")[2]: entries[0] for name, entries in tests.items()}


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_columns_and_timeline(pytester: pytest.Pytester, workers: list[str]) -> None:
    pytester.makepyfile(TEST)
    result = pytester.runpytest("--html=report.html", "--self-contained-html", *workers)
    result.assert_outcomes(passed=3)
    found = rows(pytester.path / "report.html")
    drill = "".join(found["test_drill"]["resultsTableRow"])
    assert "STSG-201" in drill
    assert "medium" in drill
    assert "<b>X</b>" not in "".join(found["test_hostile_control"]["resultsTableRow"])
    assert "&lt;b&gt;X&lt;/b&gt;" in "".join(found["test_hostile_control"]["resultsTableRow"])
    expanded = json.dumps(found["test_drill"])
    assert "stolen" in expanded
    assert "<script>alert(1)" not in expanded
    page = (pytester.path / "report.html").read_text()
    assert "<script>alert(1)" not in page
    assert "Control" in page
    assert "Severity" in page


def test_without_pytest_html_nothing_breaks(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST)
    pytester.runpytest("-p", "no:html").assert_outcomes(passed=3)


def test_without_the_plugin_nothing_is_left(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest("--html=report.html", "-p", "no:stsguard")
    result.assert_outcomes(passed=1)
