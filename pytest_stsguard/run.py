"""One pytest run: what it was asked to examine, as of when, and what it found."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.examined import inline_mutes, left_out, load_accounts
from pytest_stsguard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_stsguard.account import Account
    from pytest_stsguard.errors import StsGuardError
    from pytest_stsguard.findings import (
        Finding,
        Reasons,
        Recorder,
        Report,
        Triage,
    )
    from pytest_stsguard.reach import Survey
    from pytest_stsguard.reach.blast import Blast, Edge
    from pytest_stsguard.replay import Demonstration
    from pytest_stsguard.reporting import Run as ReportModel
    from pytest_stsguard.reporting.collector import Collector

__all__ = ["RECORDER", "RUN", "TIMELINE", "Run"]


_LONGEST_LINE = 10_000


class Run(Settings):
    """What the run examines, and its findings by control."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.findings: list[Finding] = []
        self.evaluated: dict[str, None] = {}
        self._of_check: dict[str, list[Finding]] = {}
        self.prepared = False
        self.written: list[tuple[str, Path]] = []
        self._survey: Survey | None = None
        self._surveys: dict[str, Survey] = {}

    @cached_property
    def gaps(self) -> Reasons:
        """Why controls were not evaluated."""
        from pytest_stsguard.findings import Reasons  # noqa: PLC0415 - an unrelated run must not pay for it

        return Reasons()

    @cached_property
    def faults(self) -> Reasons:
        """Why controls broke."""
        from pytest_stsguard.findings import Reasons  # noqa: PLC0415 - as above

        return Reasons()

    @property
    def not_evaluated(self) -> dict[str, str]:
        """Control id to the reason, for what could not be evaluated, or not everywhere."""
        return self.gaps.texts() if "gaps" in vars(self) else {}

    @property
    def errors(self) -> dict[str, str]:
        """Control id to the reason, for what came to no verdict."""
        return self.faults.texts() if "faults" in vars(self) else {}

    @cached_property
    def triage(self) -> Triage:
        """The mutes and the baseline of this run."""
        from pytest_stsguard.findings import Baseline, Triage  # noqa: PLC0415 - as above

        path = self.option("baseline") or self.configuration.baseline
        inline = inline_mutes(self.account) if self.target.startswith("cfn:") else ()
        return Triage(
            (*self.configuration.mutes, *inline),
            baseline=Baseline.read(path) if path else None,
            at=self.at,
        )

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that the target names: those of an organisation, else one; not for the demo."""
        return load_accounts(self.target, self.configuration)

    @cached_property
    def account(self) -> Account:
        """The account that the target names; the accounts of an organisation as one. Not for the demo, which each test opens."""
        from pytest_stsguard.account import together  # noqa: PLC0415 - as above

        return together(self.accounts, source=self.target) if self.is_organization else self.accounts[0]

    def member(self, account: str) -> Account:
        """Give an account of the organisation by its id."""
        return next(one for one in self.accounts if one.id == account)

    @cached_property
    def demo_account(self) -> Account:
        """The account of the demo world as it opens, for checks that need no cloud of their own."""
        from pytest_stsguard.account import from_session  # noqa: PLC0415 - as above
        from pytest_stsguard.cloud import Cloud  # noqa: PLC0415 - as above

        with Cloud() as cloud:
            return from_session(cloud.admin.session(), source=self.target)

    def narrowed(self, account: Account) -> Account:
        """Give the account with nothing but the roles that were asked for."""
        wanted = self.survey(account).roles
        if len(wanted) == len(account.roles):
            return account
        return replace(account, roles=wanted)

    def survey(self, account: Account, *, now: datetime | None = None) -> Survey:
        """Give what the checks ask of an account; made once for as long as they ask of the same one."""
        from pytest_stsguard.reach import Survey, zones_of  # noqa: PLC0415 - as above

        kept = self._surveys.get(account.id)
        if kept is not None and kept.account is account:
            return kept
        if self._survey is None or self._survey.account is not account:
            wanted = [role for role in account.roles if not self.role_globs or _named(role.name, self.role_globs)]
            self._survey = Survey(
                account,
                zones_of(account, self.configuration.zones),
                now=self.at if now is None else now,
                roles=wanted,
                jobs=self.jobs,
            )
            if self.is_organization:
                self._surveys[account.id] = self._survey
        return self._survey

    def prepare(self, *, load: bool = True) -> None:
        """Read everything that the options name, so that what cannot be used is refused before the first check.

        Args:
            load: read the account as well, and write reports in the end; not in a worker of pytest-xdist.

        Raises:
            StsGuardError: something cannot be used, or cannot be reached.
        """
        from pytest_stsguard.trust import Zones  # noqa: PLC0415 - as above

        self.triage  # noqa: B018 - reads configuration, moment and baseline
        self.fail_on  # noqa: B018
        self.jobs  # noqa: B018
        self.report_files  # noqa: B018
        if self.configuration.zones:
            Zones.parse({"account": "000000000000", **self.configuration.zones})
        if load and not self.is_demo:
            self.accounts  # noqa: B018
        self.prepared = load

    @cached_property
    def collector(self) -> Collector:
        """What the reports want to know of pytest's own outcomes; a plugin, registered when reports are asked for."""
        from pytest_stsguard.reporting.collector import Collector  # noqa: PLC0415 - as above

        return Collector()

    def report_model(self) -> ReportModel:
        """Give what the run found, and what it saw, as every format shows it.

        The policies of the demo are shown as the demo opens: each test has a demo account of its own, and may change it.
        """
        from pytest_stsguard.reporting import build  # noqa: PLC0415 - as above
        from pytest_stsguard.reporting.radius import radii  # noqa: PLC0415 - as above

        accounts = (self.demo_account,) if self.is_demo else self.accounts
        baseline = self.option("baseline") or self.configuration.baseline
        return build(
            self.report(),
            fail_on=self.fail_on,
            controls=self.controls,
            account=self.demo_account if self.is_demo else self.account,
            shown_as="as the demo opens" if self.is_demo else "",
            baseline=self.triage.baseline if baseline else None,
            drills=self.collector.drills,
            checks=self.collector.checks,
            evaluated=self.collector.evaluated,
            options=self.given,
            blasts=radii(
                self.findings,
                accounts,
                now=self.at,
                org_id=self.configuration.zones.get("org_id"),
                walk=self._walk(accounts) if self.option("replay") else None,
            ),
        )

    def _walk(self, accounts: tuple[Account, ...]) -> Callable[[Blast], Mapping[Edge, Demonstration]]:
        from pytest_stsguard.replay.blast import walk_among  # noqa: PLC0415 - only who asks for a replay pays

        return partial(walk_among, accounts)

    def write_reports(self) -> None:
        """Write the reports that were asked for.

        Raises:
            ConfigurationError: one cannot be written.
        """
        if self.report_files:
            from pytest_stsguard.reporting import write  # noqa: PLC0415 - as above

            model = self.report_model()
            for name, path in self.report_files:
                write(model, name, path, formats=self.report_formats)
                self.written.append((name, path))

    def fail_check(self, control_id: str, reason: str) -> None:
        """Note that a control came to no verdict: its check broke. Never a pass."""
        self.faults.add(control_id, reason)

    def report(self) -> Report:
        """Give what the run found, as data."""
        from pytest_stsguard.findings import Report  # noqa: PLC0415 - as above

        account = self.demo_account if self.is_demo else self.account
        if self.option("replay"):
            from pytest_stsguard.replay import demonstrate  # noqa: PLC0415 - as above

            self.findings[:] = demonstrate(self.findings, (account,) if self.is_demo else self.accounts)
        return Report(
            target=self.target,
            account=account.id,
            at=self.at,
            findings=tuple(self.findings),
            not_evaluated=self.not_evaluated,
            errors=self.errors,
            # With some of the roles only, a mute may well be meant for another.
            warnings=(
                *(left_out(self.accounts) if self.is_organization else ()),
                *(() if self.role_globs else self.triage.warnings(self.findings)),
            ),
        )

    def hand_over(self) -> dict[str, Any]:
        """Give what was found, JSON-able, as a worker of pytest-xdist hands it to the controller."""
        if not self.findings and not self.not_evaluated and not self.errors:
            return {}
        findings = [finding.as_json() for finding in self.findings]
        return {"findings": findings, "gaps": self.gaps.as_json(), "faults": self.faults.as_json()}

    def take_over(self, handed: Mapping[str, Any]) -> None:
        """Take over what a worker handed over."""
        if handed:
            from pytest_stsguard.findings import Finding  # noqa: PLC0415 - as above

            self.findings.extend(Finding.from_json(entry) for entry in handed["findings"])
            self.gaps.take(handed["gaps"])
            self.faults.take(handed["faults"])

    def close_check(self, recorder: Recorder, *, check: str) -> str | None:
        """Take over what a check recorded; gives the text of its failure, None when it passes.

        Args:
            recorder: what the check recorded.
            check: its node id. Run again (by pytest-rerunfailures, for one) it counts once: as it went the last time.
        """
        self.evaluated[recorder.control] = None
        self._note_gaps(recorder)
        seen = self.triage.apply(recorder.findings)
        for earlier in self._of_check.get(check, ()):
            self.findings.remove(earlier)
        self._of_check[check] = list(seen)
        self.findings.extend(seen)
        for reason in recorder.errors:
            self.faults.add(recorder.control, reason, account=recorder.account)
        for reason in recorder.reasons:
            self.gaps.add(recorder.control, reason, account=recorder.account)
        lines = [f"error    {recorder.control}  {reason}" for reason in recorder.errors]
        lines += [finding.told() for finding in _worst_first(seen) if finding.fails(self.fail_on)]
        if not lines:
            return None
        from pytest_stsguard.reporting.text import visible  # noqa: PLC0415 - most checks pass

        return "\n".join(visible(line, _LONGEST_LINE) for line in lines)

    def _note_gaps(self, recorder: Recorder) -> None:
        """Say what the control needs and the source lacks, so that no check can pass for what nobody looked at."""
        known = self.controls.get(recorder.control)
        if known is None or not known.needs:
            return
        # Not the survey's account alone: whether this process has made one depends on what pytest-xdist gave it to run.
        account: Account | None
        if recorder.account:
            account = self.member(recorder.account)
        else:
            account = self.account if not self.is_demo else self._survey.account if self._survey else None
        for reason in account.lacks(*known.needs) if account else ():
            recorder.not_evaluated(reason)


def _named(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _worst_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.sort_key())


def as_usage_error(error: StsGuardError) -> pytest.UsageError:
    """Turn an error of the user's input into pytest's own kind: one line, exit code 4, no traceback."""
    return pytest.UsageError(f"stsguard: {error}")


RUN = pytest.StashKey[Run]()
RECORDER = pytest.StashKey["Recorder"]()
TIMELINE = pytest.StashKey["list[str]"]()
