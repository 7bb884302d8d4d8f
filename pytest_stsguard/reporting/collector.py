"""What a report wants to know of pytest's own outcomes: checks, drills, and which controls were looked at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting import builder

if TYPE_CHECKING:
    import pytest

    from pytest_stsguard.reporting.model import Drill

__all__ = ["TIMELINE", "Collector"]

TIMELINE: Final = "stsguard timeline"
"""The title of the section of pytest's report that carries a drill's timeline."""


class Collector:
    """A plugin for a run that writes reports; with pytest-xdist it sees the reports of every process.

    Attributes:
        drills: the drills, in the order in which they ended.
        checks: how many checks and drills passed, failed and were skipped.
        evaluated: the controls whose check came to an end.
    """

    def __init__(self) -> None:
        self.drills: list[Drill] = []
        self.checks: Counter[str] = Counter()
        self.evaluated: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a test's report; of one that passes its setup the call counts.

        A drill is what is marked as one, and whatever test has a timeline. An attempt that pytest-rerunfailures makes again
        does not count.
        """
        if report.outcome not in {"passed", "failed", "skipped"}:
            return
        control = getattr(report, "stsguard_control", None)
        timed = any(title == TIMELINE for title, _ in report.sections)
        if control is None and not timed and "stsguard_drill" not in report.keywords:
            return
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self.checks[report.outcome] += 1
            if control is not None and report.when == "call" and not report.skipped:
                self.evaluated.add(control)
            for title, text in report.sections:
                if title == TIMELINE:
                    self.drills.append(builder.drill(report.nodeid, report.outcome, text.splitlines()))
