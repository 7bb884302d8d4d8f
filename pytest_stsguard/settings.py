"""What a pytest run was asked: its options, configuration, controls and report files, each read when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import Clock
from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.examined import moment_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pytest

    from pytest_stsguard.findings import Configuration, Control, Severity
    from pytest_stsguard.reporting.writer import Formats

__all__ = ["Settings"]

DEMO_TARGET = "demo"
MOST_JOBS = 256


class Settings:
    """The options of a run, from the command line, the ini file and stsguard.toml.

    Every property raises `ConfigurationError` for what cannot be used.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def option(self, name: str) -> Any:
        """Give an option of the command line, else the ini key of the same name; None or empty when neither is set."""
        value = self._config.getoption(f"stsguard_{name}", None)
        return value if value not in (None, [], False) else self._config.getini(f"stsguard_{name}")

    @cached_property
    def target(self) -> str:
        """What is examined: ``demo`` unless another target is given."""
        return str(self.option("target") or DEMO_TARGET)

    @property
    def is_demo(self) -> bool:
        """Whether the simulated demo world is examined."""
        return self.target == DEMO_TARGET

    @property
    def is_organization(self) -> bool:
        """Whether all accounts of an organisation are examined, each check once for each."""
        return self.target == "org" or self.target.startswith("org:")

    @cached_property
    def at(self) -> datetime:
        """The moment to audit as of."""
        text = self.option("at")
        return moment_of(text) if text else Clock().now()

    @cached_property
    def configuration(self) -> Configuration:
        """stsguard.toml, or the table of pyproject.toml, or nothing but defaults."""
        from pytest_stsguard.findings import Configuration  # noqa: PLC0415 - an unrelated run must not pay for it

        return Configuration.load(self.option("config") or None, self._config.rootpath)

    @cached_property
    def fail_on(self) -> Severity:
        """The lowest severity that fails a check."""
        from pytest_stsguard.findings import Severity  # noqa: PLC0415 - as above

        text = self.option("fail_on")
        return Severity.parse(text) if text else self.configuration.fail_on

    @cached_property
    def jobs(self) -> int | None:
        """The processes for the prover; None: as many as it is worth."""
        text = self.option("jobs")
        if not text:
            return None
        try:
            jobs = int(text)
        except ValueError:
            jobs = 0
        if not 0 < jobs <= MOST_JOBS:
            raise ConfigurationError(f"`{text}` is no number of processes", hint=f"give one from 1 to {MOST_JOBS}")
        return jobs

    @cached_property
    def role_globs(self) -> tuple[str, ...]:
        """The globs of the role names to look at; empty: all."""
        return tuple(self.option("role") or ())

    @property
    def given(self) -> dict[str, tuple[str, ...]]:
        """What was given beside target and moment, as options of ``stsguard audit``: their values, none for a flag."""
        given = {name.replace("_", "-"): self.option(name) for name in ("config", "baseline", "fail_on")}
        found: dict[str, tuple[str, ...]] = {name: (str(value),) for name, value in given.items() if value}
        if self.option("replay"):
            found["replay"] = ()
        if self.role_globs:
            found["role"] = self.role_globs
        return found

    @cached_property
    def controls(self) -> dict[str, Control]:
        """The catalogue, with the controls that hooks add."""
        from pytest_stsguard.findings import controls  # noqa: PLC0415 - as above

        known = dict(controls())
        for added in self._config.hook.pytest_stsguard_controls(config=self._config):
            for entry in added:
                if entry.id in known:
                    raise ConfigurationError(f"control `{entry.id}` is defined twice", hint="use a prefix of your own")
                known[entry.id] = entry
        return known

    def severity_of(self, control_id: str, marked: str | None) -> Severity:
        """Give a control's severity: of the marker, of the configuration, of the catalogue."""
        from pytest_stsguard.findings import Severity  # noqa: PLC0415 - as above

        if marked is not None:
            return Severity.parse(marked)
        if control_id in self.configuration.severity:
            return self.configuration.severity[control_id]
        known = self.controls.get(control_id)
        if known is None:
            raise ConfigurationError(
                f"unknown control `{control_id}`", hint="give the marker a severity, or add it by the controls hook"
            )
        return known.severity

    @cached_property
    def report_files(self) -> tuple[tuple[str, Path], ...]:
        """The reports to write, each a format and a path."""
        asked = self.option("report") or ()
        if not asked:
            return ()
        from pytest_stsguard.reporting import parse_request  # noqa: PLC0415 - as above

        folder = self._config.invocation_params.dir
        return tuple(parse_request(text, folder=folder, formats=self.report_formats) for text in asked)

    @cached_property
    def report_formats(self) -> Formats:
        """The report formats that hooks add, by name."""
        from pytest_stsguard.reporting.writer import join_formats  # noqa: PLC0415 - as above

        return join_formats(self._config.hook.pytest_stsguard_reports(config=self._config))
