"""``stsguard drill --target aws``: a rehearsal that prints each call, and with ``--live-drill`` the drill itself."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_stsguard.drill import Result, Scenario
    from pytest_stsguard.drill.access import Access
    from pytest_stsguard.drill.kill_switch import KillSwitch

__all__ = ["LiveOptions", "play_live", "roll_back_live"]

_INTERRUPTED = 130
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the command line says of a drill on an account."""

    profile: str | None
    live: bool
    roles: tuple[str, ...]
    config: str | None
    journal: str | None
    kill_switch: str | None
    within: float
    time_limit: float


def play_live(scenarios: Sequence[Scenario], options: LiveOptions) -> tuple[list[Result], int]:
    """Play the scenarios on the account, or rehearse them; gives what came of them, and the exit code."""
    from pytest_stsguard.drill.access import check_role
    from pytest_stsguard.revocation.service_time import ServiceClock

    for scenario in scenarios:
        _check_playable(scenario, options)
    if options.journal and len(scenarios) > 1:
        raise ConfigurationError("one journal is for one drill", hint="name one scenario, or leave --journal out")
    access = _reach(options)
    clock = ServiceClock(access.offset)
    if clock.told:
        click.echo(clock.told, err=True)
    for role in options.roles:
        check_role(access, role, now=clock.now())
    results = []
    for scenario in scenarios:
        given = dict(zip(scenario.roles, options.roles, strict=False))
        if not options.live:
            results.append(_rehearse(scenario, access, given))
            continue
        result, stopped = _play(scenario, access, given, options)
        results.append(result)
        if stopped:
            return results, _INTERRUPTED
    return results, 0 if all(one.passed for one in results) else 1


def roll_back_live(options: LiveOptions) -> int:
    """Put back what a drill left whose process was killed."""
    from pytest_stsguard.cli.output import emit, printable
    from pytest_stsguard.drill.rollback import roll_back
    from pytest_stsguard.revocation import Journal

    if not options.journal:
        raise ConfigurationError("which journal is not said", hint="give --journal FILE")
    with Journal.open(options.journal) as journal:
        left = roll_back(journal, _reach(options), listener=lambda text: emit(printable(f"put back  {text}")))
    for line in left:
        emit(printable(f"left      {line}"))
    if not left:
        emit("nothing is left of the drill")
    return 1 if left else 0


def _check_playable(scenario: Scenario, options: LiveOptions) -> None:
    if scenario.simulated_only:
        raise ConfigurationError(
            f"`{scenario.name}` can be played in the simulated cloud only: it has `{scenario.simulated_only[0]}` in it",
            hint="play it with --target demo",
        )
    if len(options.roles) > len(scenario.roles):
        raise ConfigurationError(
            f"`{scenario.name}` has {len(scenario.roles)} roles to stand in for, and --role names {len(options.roles)}"
        )


def _reach(options: LiveOptions) -> Access:
    """Find the account, and require at once that it may be changed: before anything else is asked of it."""
    from pytest_stsguard.cli.connection import configuration_of
    from pytest_stsguard.drill.live_drill import open_account

    return open_account(options.profile, configuration_of(options.config).live_accounts)


def _rehearse(scenario: Scenario, access: Access, given: Mapping[str, str]) -> Result:
    from pytest_stsguard.drill.rehearsal import rehearse

    click.echo(f"{scenario.name} on account {access.account}: each call that would be made", err=True)
    last: list[str] = []

    def tell(whose: str, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        line = f"would call  {service}:{operation}  by {whose}  {_shown(parameters)}"
        if last != [line]:  # a probe is made several times in a row
            click.echo(line.rstrip(), err=True)
        last[:] = [line]

    result = rehearse(scenario, access, given=given, listener=tell)
    click.echo("nothing was changed: it was a rehearsal in the simulated cloud; add --live-drill to play it", err=True)
    return result


def _shown(parameters: Mapping[str, Any]) -> str:
    text = json.dumps({key: value for key, value in parameters.items() if key != "AccessKeyId"}, default=str)
    if text == "{}":
        return ""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _play(scenario: Scenario, access: Access, given: Mapping[str, str], options: LiveOptions) -> tuple[Result, bool]:
    from pytest_stsguard.cli.progress import Progress
    from pytest_stsguard.drill import play
    from pytest_stsguard.drill.kill_switch import KillSwitch, WatchedClock
    from pytest_stsguard.drill.live import LiveAccount
    from pytest_stsguard.drill.live_drill import KILL_SWITCH
    from pytest_stsguard.revocation import Journal
    from pytest_stsguard.revocation.lock import locked

    switch = KillSwitch(Path(options.kill_switch or KILL_SWITCH), limit=options.time_limit)
    switch.check()
    path = options.journal or f"stsguard-drill-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.jsonl"
    with ExitStack() as stack:
        for role in given.values():
            stack.enter_context(locked(f"{access.account}/{role}"))
        progress = stack.enter_context(Progress(scenario.title))
        journal = stack.enter_context(Journal.create(path))
        heard = stack.enter_context(_signals(switch))
        click.echo(f"journal: {journal.path}", err=True)
        clock = WatchedClock(switch, access.offset)
        ground = LiveAccount(access, scenario, clock=clock, switch=switch, journal=journal, propagation=options.within)
        return play(scenario, ground, given=given, listener=progress.step), bool(heard)


@contextmanager
def _signals(switch: KillSwitch) -> Iterator[list[str]]:
    """Let the interrupt key and SIGTERM stop the drill before its next step, so that everything is put back."""
    heard: list[str] = []

    def pull(number: int, _: object) -> None:
        heard.append(signal.Signals(number).name)
        switch.pull(heard[0])

    kept = {number: signal.signal(number, pull) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield heard
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
