"""The pytest plugin: options, markers, and how a check's findings become its outcome.

Imports nothing heavy: a run that does not use the plugin pays for this module and `fixtures` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.errors import ConfigurationError, StsGuardError
from pytest_stsguard.fixtures import (
    imds_credentials,
    sts_account,
    sts_assume_role,
    sts_cloud,
    sts_configuration,
    sts_drill,
    sts_findings,
    sts_member,
    sts_now,
    sts_oidc_provider,
    sts_revoke,
    sts_saml_provider,
    sts_survey,
)
from pytest_stsguard.run import RECORDER, RUN, TIMELINE, Run, as_usage_error

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = [
    "imds_credentials",
    "sts_account",
    "sts_assume_role",
    "sts_cloud",
    "sts_configuration",
    "sts_drill",
    "sts_findings",
    "sts_member",
    "sts_now",
    "sts_oidc_provider",
    "sts_revoke",
    "sts_saml_provider",
    "sts_survey",
]

_MARKERS = (
    "stsguard(control_id, severity=None): the control that a check is for",
    "stsguard_drill: a game-day drill: theft, revocation and proof",
    "stsguard_cloud(account=..., region=..., world=...): the simulated cloud that the test gets",
)
_SIMULATED = frozenset({"sts_cloud", "sts_assume_role", "sts_revoke", "imds_credentials"})
# option, metavar, ini type, help
_OPTIONS = (
    ("target", "TARGET", "string", "what is audited and drilled: demo (default), export:FILE, aws[:PROFILE]"),
    ("config", "FILE", "string", "stsguard.toml (default: in the rootdir, else [tool.stsguard] of pyproject.toml)"),
    ("fail_on", "SEVERITY", "string", "lowest severity that fails a check: low, medium, high (default), critical"),
    ("baseline", "FILE", "string", "findings in it do not fail"),
    ("write_baseline", "FILE", "string", "write the findings of this run as a baseline"),
    ("jobs", "N", "string", "processes for the prover (default: the cores there are, where there are many roles)"),
    ("at", "ISO8601", "string", "the moment to audit as of (default: now)"),
)

_FLAGS = (("replay", "carry out the witnesses of trust findings in the simulated cloud, and mark them in the reports"),)
_REPEATABLE = (
    ("role", "GLOB", "only roles whose name matches; repeatable"),
    ("report", "FORMAT:PATH", "write a report, as json:report.json; repeatable"),
)

_LIVE = "let drills change the account of the target, which stsguard.toml must list under [live] accounts"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group `stsguard`, each with an ini key of the same name."""
    group = parser.getgroup("stsguard", "AWS session revocation: compliance checks and drills")
    for name, metavar, ini_type, text in _OPTIONS:
        flag = f"--stsguard-{name.replace('_', '-')}"
        group.addoption(flag, dest=f"stsguard_{name}", metavar=metavar, help=text)
        parser.addini(f"stsguard_{name}", text, type=ini_type)  # type: ignore[arg-type] # one of pytest's own names
    for name, text in _FLAGS:
        group.addoption(f"--stsguard-{name}", dest=f"stsguard_{name}", action="store_true", help=text)
        parser.addini(f"stsguard_{name}", text, type="bool", default=False)
    group.addoption("--stsguard-live-drill", dest="stsguard_live_drill", action="store_true", help=_LIVE)
    parser.addini("stsguard_live_drill", _LIVE, type="bool")
    for name, metavar, text in _REPEATABLE:
        group.addoption(f"--stsguard-{name}", dest=f"stsguard_{name}", metavar=metavar, action="append", help=text)
        parser.addini(f"stsguard_{name}", text, type="args")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make the hooks for extension known."""
    from pytest_stsguard import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and the run."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    config.stash[RUN] = Run(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse what cannot be used before the first test runs: one clear line, pytest's exit code for usage errors."""
    run = session.config.stash[RUN]
    if not any(
        run.option(name) for name in ("target", "config", "fail_on", "baseline", "at", "jobs", "report", "live_drill")
    ):
        return
    try:
        if run.option("live_drill") and run.target.partition(":")[0] != "aws":
            raise ConfigurationError(
                f"nothing of `{run.target}` can be changed", hint="give --stsguard-target aws:PROFILE"
            )
        run.prepare(load=not hasattr(session.config, "workerinput"))
        if run.prepared and run.report_files:
            session.config.pluginmanager.register(run.collector, "stsguard-reports")
    except StsGuardError as error:
        raise as_usage_error(error) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have a check look at each account of an organisation."""
    run = metafunc.config.stash[RUN]
    if "sts_member" in metafunc.fixturenames and run.is_organization:
        try:
            metafunc.parametrize("sts_member", [account.id for account in run.accounts], indirect=True)
        except StsGuardError as error:
            raise as_usage_error(error) from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a configuration that cannot be used once, where there are checks that would each run into it.

    In a worker of pytest-xdist each says it for itself: an error during its collection would look like a crash.
    """
    if not hasattr(config, "workerinput") and any(item.get_closest_marker("stsguard") for item in items):
        try:
            config.stash[RUN].configuration  # noqa: B018 - reads it
        except StsGuardError as error:
            raise as_usage_error(error) from None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave drills out where they would not run on the demo world, nor may on the account."""
    run = item.config.stash[RUN]
    if run.is_demo or not item.get_closest_marker("stsguard_drill"):
        return
    if not run.option("live_drill"):
        pytest.skip(
            f"drills run on the demo world, not on `{run.target}`, which --stsguard-live-drill would let them change"
        )
    if not _SIMULATED.isdisjoint(item.fixturenames):  # type: ignore[attr-defined] # functions have it
        pytest.skip("this drill needs the simulated cloud")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a check for what it recorded, and skip it, in so many words, for what it could not evaluate."""
    try:
        result = yield
    except Exception as error:
        _note_broken_check(item, error)
        raise
    recorder = item.stash.get(RECORDER, None)
    if recorder is not None:
        from pytest_stsguard.reporting.junit import properties

        item.user_properties += properties(recorder.findings)
        failure = item.config.stash[RUN].close_check(recorder, check=item.nodeid)
        if failure:
            pytest.fail(failure, pytrace=False)
        if recorder.reasons:
            pytest.skip(f"not evaluated: {'; '.join(recorder.reasons)}")
    return result


def _note_broken_check(item: pytest.Item, error: Exception) -> None:
    """Keep what a check found before it broke, and note that its control has no verdict."""
    recorder = item.stash.get(RECORDER, None)
    if recorder is not None:
        run = item.config.stash[RUN]
        run.close_check(recorder, check=item.nodeid)
        run.fail_check(
            recorder.control, f"the check broke: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Carry the control, the severity and the drill's timeline with the report, across processes too."""
    marker = item.get_closest_marker("stsguard")
    if call.when == "setup" and marker is not None and marker.args:
        # What is there already is of an attempt before this one.
        item.user_properties[:] = [one for one in item.user_properties if not one[0].startswith("stsguard_")]
        item.user_properties += [
            ("stsguard_control", str(marker.args[0])),
            ("stsguard_severity", _severity(item, marker)),
        ]
    report = yield
    if marker is not None and marker.args:
        report.stsguard_control = str(marker.args[0])
        report.stsguard_severity = _severity(item, marker)
        if report.when == "setup" and report.failed and call.excinfo is not None:
            reason = f"the check could not start: {' '.join(str(call.excinfo.value).split())[:300]}"
            item.config.stash[RUN].fail_check(str(marker.args[0]), reason)
    if report.when == "call" and (steps := item.stash.get(TIMELINE, None)):
        report.sections.append(("stsguard timeline", "\n".join(steps)))
    return report


def _severity(item: pytest.Item, marker: pytest.Mark) -> str:
    try:
        return str(item.config.stash[RUN].severity_of(str(marker.args[0]), marker.kwargs.get("severity")))
    except StsGuardError:
        return ""


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_summary(prefix: list[str], session: pytest.Session) -> None:
    """Link from pytest-html's page to ours, when the run writes one."""
    run = session.config.stash[RUN]
    for name, path in run.report_files:
        if name == "html":
            from pytest_stsguard.reporting.pytest_html import link

            prefix.append(link(path, session.config.getoption("htmlpath")))


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_header(cells: list[str]) -> None:
    """Add the columns Control and Severity to pytest-html's table."""
    from pytest_stsguard.reporting.pytest_html import header_cells

    cells[2:2] = header_cells()


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_row(report: Any, cells: list[str]) -> None:
    """Fill the columns of one row, escaped."""
    from pytest_stsguard.reporting.pytest_html import row_cells

    cells[2:2] = row_cells(report)


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_html(report: Any, data: list[str]) -> None:
    """Put the drill's steps into the expanded row, escaped."""
    from pytest_stsguard.reporting.pytest_html import expand

    expand(report, data)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Hand a worker's findings to the controller, which alone writes files."""
    config = session.config
    run = config.stash[RUN]
    if hasattr(config, "workeroutput"):
        config.workeroutput["stsguard"] = run.hand_over()
        return
    path = run.option("write_baseline")
    try:
        if path:
            from pytest_stsguard.findings import Baseline

            Baseline.write(path, run.findings)
        if run.prepared and exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
        }:  # else it saw a part at most
            run.write_reports()
    except StsGuardError as error:
        raise as_usage_error(error) from None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the findings of a worker that has ended."""
    node.config.stash[RUN].take_over(getattr(node, "workeroutput", {}).get("stsguard", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how much was found, also of what fails no check."""
    run = config.stash[RUN]
    for name, path in run.written:
        terminalreporter.write_sep("-", f"generated {name} report: {path}")
    if not run.findings and not run.not_evaluated:
        return
    from pytest_stsguard.reporting.terminal import markup, summary_lines

    lines = summary_lines(
        run.findings,
        fail_on=run.fail_on,
        not_evaluated=run.not_evaluated,
        verbose=config.get_verbosity() > 0,
        titles={name: control.title for name, control in run.controls.items()},
    )
    terminalreporter.section(f"stsguard: {run.target}")
    for line in lines:
        terminalreporter.write_line(line, **markup(line))
