"""The shipped static checks, run by pytest in this process: nobody's ini file, conftest or plugin has a say."""

from __future__ import annotations

import io
import os
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.errors import InputError, StsGuardError
from pytest_stsguard.run import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.findings import Report

__all__ = ["Outcome", "run_checks"]

_ALONE = (
    "--pyargs", "pytest_stsguard.checks", "-m", "not stsguard_drill",
    "-c", os.devnull, "--noconftest", "--import-mode=importlib", "--assert=plain", "--capture=no", "-q",
    "--continue-on-collection-errors",
    "-p", "pytest_stsguard.plugin", "-p", "no:cacheprovider", "-p", "no:logging",
)  # fmt: skip
_DRILLS = b"pytestmark = pytest.mark.stsguard_drill"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the checks say, and whether that fails the run."""

    report: Report
    failed: bool


def run_checks(options: Sequence[tuple[str, str | None]]) -> Outcome:
    """Run the static checks.

    Args:
        options: the plugin's own options without their prefix, each with its value, None for a flag.

    Raises:
        StsGuardError: the input or the target cannot be used.
        KeyboardInterrupt: somebody interrupted the run.
    """
    observer = _Observer()
    arguments = [*_ALONE, f"--rootdir={Path.cwd()}", *(_argument(name, value) for name, value in options)]
    said = io.StringIO()
    with _alone(), redirect_stdout(said), redirect_stderr(said):
        code = pytest.main(arguments, plugins=[observer])
    if observer.error is not None:
        raise observer.error
    if observer.outcome is not None and code in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        return observer.outcome
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    lines = [line for line in said.getvalue().splitlines() if line.strip()]
    raise InputError(f"pytest could not run the checks: {lines[-1] if lines else code}", hint="see stsguard doctor")


def _argument(name: str, value: str | None) -> str:
    return f"--stsguard-{name}" if value is None else f"--stsguard-{name}={value}"


class _Observer:
    """Sees the run as a plugin: keeps drills out, and takes the report or the error."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self.error: StsGuardError | None = None
        self._unread: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        try:
            session.config.stash[RUN].prepare()
        except StsGuardError as error:
            self.error = error
            pytest.exit("the input cannot be used", returncode=pytest.ExitCode.USAGE_ERROR)

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out modules that are drills as a whole: they need not even be imported."""
        if collection_path.suffix == ".py" and _DRILLS in collection_path.read_bytes():
            return True
        return None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module of checks that cannot be read: its controls have no verdict."""
        if report.failed:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            self._unread.append(f"{report.nodeid}: {lines[-1].strip() if lines else 'cannot be read'}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Take the report, and write the files before the plugin would: an error of theirs is ours to word."""
        run = session.config.stash[RUN]
        if self.error is not None or not run.prepared:
            return
        for name in run.controls:
            if name in run.evaluated or name in run.errors or name in run.not_evaluated:
                continue
            if self._unread:
                run.fail_check(name, f"its check could not be read: {'; '.join(self._unread)}")
            else:
                run.gaps.add(name, "no check of it has run")
        try:
            report = run.report()
            run.write_reports()
            self.outcome = Outcome(report, report.fails(run.fail_on))
        except StsGuardError as error:
            self.error = error
        run.prepared = False


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other plugins and options out for as long as the checks run."""
    names = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)
