"""``stsguard drill``: play a scenario from theft to proof in the simulated cloud, or measure the containment matrix."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.cli.conventions import aws_settings, command, config_file, epilog, exit_zero, output_form
from pytest_stsguard.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.drill import Cell, Result, Scenario

__all__ = ["drill"]

_COLOURS = {"failed": "bold red", "denied": "green", "allowed": "yellow", "revoked": "bold", "state": "bold blue"}


@command(
    short_help="Play theft, revocation and recovery, and prove them.",
    epilog=epilog(
        "stsguard drill assumed-role",
        "On an account: --target aws:PROFILE rehearses and prints each call; --live-drill does it, in an account that "
        "stsguard.toml lists under [live] accounts. A drill that was killed: --rollback --journal FILE.",
        "Exit code: 0 every expectation was met, 1 one was not, 2 bad usage or input, 3 AWS out of reach or access denied "
        "there, 130 interrupted.",
    ),
)
@click.argument("name", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="List the shipped scenarios.")
@click.option("--matrix", is_flag=True, help="Measure every method against every kind of session.")
@click.option("--method", multiple=True, metavar="NAME", help="With --matrix: only this method; repeatable.")
@click.option(
    "--target", metavar="TARGET", default="demo", show_default=True, help="Where: demo, export:FILE or aws[:PROFILE]."
)
@click.option("--role", multiple=True, metavar="NAME", help="A role of the target for the scenario's; repeatable.")
@click.option("--probe", multiple=True, metavar="CALL", help="Probe with it, as s3.list_buckets; repeatable.")
@click.option("--live-drill", "live", is_flag=True, help="Change the account; without it the drill is rehearsed.")
@config_file
@click.option("--journal", metavar="FILE", help="Where every step on an account is noted before it is done.")
@click.option(
    "--kill-switch",
    metavar="FILE",
    help="Stop, and put all back, as soon as this file exists (default: stsguard-drill.stop).",
)
@click.option(
    "--within",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    default=60,
    show_default=True,
    help="Seconds that an account is given to follow a change.",
)
@click.option(
    "--time-limit",
    metavar="SECONDS",
    type=click.FloatRange(1, 43200),
    default=3600,
    show_default=True,
    help="Seconds after which a drill on an account stops, and puts all back.",
)
@click.option("--resume", is_flag=True, help="Refused: a killed drill cannot go on; says what to do.")
@click.option("--rollback", is_flag=True, help="Put back what a drill left that was killed.")
@output_form("table", "json", "ndjson")
@exit_zero
@aws_settings
def drill(
    name: tuple[str, ...],
    *,
    listing: bool,
    matrix: bool,
    method: tuple[str, ...],
    target: str,
    output: str,
    **more: Any,
) -> int:
    """Play the scenarios NAME: shipped ones by name, your own by file."""
    from pytest_stsguard.errors import ConfigurationError

    if more.pop("resume"):
        raise ConfigurationError(
            "a drill that was killed cannot go on: its stolen sessions were never written down",
            hint="put back what it left: stsguard drill --rollback --journal FILE --target aws; then play it anew",
        )
    if listing + matrix + bool(name) + more["rollback"] != 1:
        raise ConfigurationError("what to play is not said", hint="give names, or --list, or --matrix")
    if listing:
        return _list(output)
    if matrix:
        return _matrix(method, output)
    scheme, _, where = target.partition(":")
    scenarios = _scenarios(name, more.pop("probe"), wide=scheme not in {"demo", "aws"})
    if scheme == "aws":
        return _on_account(scenarios, where or None, more, output)
    if more["live"] or more["rollback"]:
        raise ConfigurationError(f"nothing of `{target}` can be changed", hint="a live drill goes with --target aws")
    return _play(scenarios, target, more["role"], output)


def _scenarios(names: Sequence[str], probes: tuple[str, ...], *, wide: bool) -> list[Scenario]:
    from pytest_stsguard.drill import WIDE, Probe, load_scenario

    for probe in probes:
        Probe.of(probe)
    chosen = probes or (WIDE if wide else ())
    found = [load_scenario(name) for name in names]
    return [replace(one, probes=chosen) for one in found] if chosen else found


def _on_account(scenarios: Sequence[Scenario], profile: str | None, live: dict[str, Any], output: str) -> int:
    from pytest_stsguard.cli.live_drill import LiveOptions, play_live, roll_back_live

    rollback = live.pop("rollback")
    options = LiveOptions(profile, roles=live.pop("role"), **live)
    if rollback:
        return roll_back_live(options)
    results, code = play_live(scenarios, options)
    _tell(results, output)
    return code


def _list(output: str) -> int:
    from pytest_stsguard.cli.output import emit, emit_data
    from pytest_stsguard.drill import load_scenario, shipped

    scenarios = [load_scenario(name) for name in shipped()]
    if output != "table":
        emit_data([{"name": one.name, "title": one.title, "about": one.about} for one in scenarios], output)
    else:
        width = max(len(one.name) for one in scenarios)
        emit("\n".join(f"{one.name:<{width}}  {one.title}" for one in scenarios))
    return 0


def _play(scenarios: Sequence[Scenario], target: str, roles: Sequence[str], output: str) -> int:
    from pytest_stsguard.drill import play

    results = []
    for number, scenario in enumerate(scenarios):
        given = _stand_ins(scenario, target, roles)
        with Progress(scenario.title) as progress, _world(target, roles, tell=not number) as (cloud, doubts):
            _make_buckets(cloud, scenario.probes)
            results.append(play(scenario, cloud, given=given, doubts=doubts, listener=progress.step))
    _tell(results, output)
    return 0 if all(one.passed for one in results) else 1


def _stand_ins(scenario: Scenario, target: str, roles: Sequence[str]) -> dict[str, str]:
    """Say which role of the target stands in for which of the scenario."""
    from pytest_stsguard.errors import ConfigurationError

    if len(roles) > len(scenario.roles):
        raise ConfigurationError(
            f"`{scenario.name}` has {len(scenario.roles)} roles to stand in for, and --role names {len(roles)}"
        )
    if target != "demo" and not roles:
        raise ConfigurationError("on which role to play is not said", hint=f"name one of `{target}`: --role NAME")
    return dict(zip(scenario.roles, roles, strict=False))


@contextmanager
def _world(target: str, roles: Sequence[str], *, tell: bool) -> Iterator[tuple[Cloud, tuple[str, ...]]]:
    """Open the simulated cloud: the demo world, or what an export, a template or a plan tells of an account.

    Gives it with what of the roles it could not hold as they are; tells of everything else that it could not.
    """
    from pytest_stsguard.cli.output import printable
    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.errors import ConfigurationError

    if target == "demo":
        with Cloud() as cloud:
            yield cloud, ()
        return
    from pytest_stsguard.account import load
    from pytest_stsguard.drill.world import region_of

    account = load(target)
    arns = {role.name: role.arn for role in account.roles}
    if missing := [name for name in roles if name not in arns]:
        raise ConfigurationError(f"there is no role `{missing[0]}` in `{target}`")
    with Cloud(account=account.id, region=region_of(account), world="empty") as cloud:
        loaded = cloud.load(account)
        for one in loaded.left_out if tell else ():
            click.echo(printable(f"not loaded as it is: {one.what}: {one.reason}"), err=True)
        yield cloud, tuple(f"{name}: {why}" for name in roles for why in loaded.doubts(arns[name]))


def _make_buckets(cloud: Cloud, probes: Sequence[str]) -> None:
    """Make the buckets that probes name: an account's listing does not hold them, and a call to none proves nothing."""
    s3 = cloud.client("s3")
    held = {one["Name"] for one in s3.list_buckets()["Buckets"]}
    named = {
        text.removeprefix("Bucket=") for probe in probes for text in probe.split()[1:] if text.startswith("Bucket=")
    }
    for name in sorted(named - held):
        s3.create_bucket(Bucket=name)


def _tell(results: Sequence[Result], output: str) -> None:
    from pytest_stsguard.cli.output import emit_data

    if output != "table":
        emit_data([one.as_json() for one in results], output)
    else:
        for result in results:
            _show(result)


def _show(result: Result) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(result.scenario.title)}[/]")
    for line in _timeline(result):
        console.print(line)
    for label, text in _figures(result):
        console.print(f"{label:<20}  {escape(text)}")
    for failure in result.failures:
        console.print(f"[bold red]failed[/]: {escape(failure)}")
    console.print(f"{result.scenario.name}: {'[bold green]passed[/]' if result.passed else '[bold red]failed[/]'}\n")


def _timeline(result: Result) -> list[str]:
    """Write a line for each step; the same thing seen again in a row is counted."""
    from itertools import groupby

    from rich.markup import escape

    from pytest_stsguard.cli.output import printable
    from pytest_stsguard.clock import isoformat

    lines = []
    for (action, detail), group in groupby(result.timeline, key=lambda step: (step.action, step.detail)):
        steps = list(group)
        times = f"  ({len(steps)} times)" if len(steps) > 1 else ""
        colour = _COLOURS.get(action)
        word = f"[{colour}]{action:<8}[/]" if colour else f"{action:<8}"
        lines.append(f"{isoformat(steps[0].at, milliseconds=True)}  {word}  {escape(printable(detail))}{times}")
    return lines


def _figures(result: Result) -> list[tuple[str, str]]:
    metrics = result.metrics
    first = ", ".join(f"{name} {_seconds(value)}" for name, value in metrics.first_denied.items())
    return [
        ("exposure", _seconds(metrics.exposure)),
        ("time to revoke", _seconds(metrics.time_to_revoke)),
        ("first denied call", first or "-"),
        ("first fresh success", _seconds(metrics.first_fresh)),
        ("recovery", _seconds(metrics.recovery)),
        ("collateral", ", ".join(metrics.collateral) or "none"),
        ("cleanup due", metrics.cleanup_due or "-"),
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _matrix(methods: Sequence[str], output: str) -> int:
    from pytest_stsguard.cli.output import emit, emit_data
    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.drill import NOT_MEASURED, measure_matrix, reason_against
    from pytest_stsguard.drill.sources import SOURCES
    from pytest_stsguard.errors import ConfigurationError
    from pytest_stsguard.revocation import METHODS

    if unknown := [one for one in methods if one not in METHODS]:
        raise ConfigurationError(f"unknown revocation method `{unknown[0]}`", hint=f"there are: {', '.join(METHODS)}")
    chosen = methods or tuple(METHODS)
    with Progress("containment matrix"), Cloud() as cloud:
        cells = tuple(measure_matrix(cloud, methods=chosen))
    missing = {name: why for name, why in NOT_MEASURED.items() if name in chosen}
    left_out: dict[tuple[str, str], list[str]] = {}
    for one, kind in product(chosen, SOURCES):
        if why := reason_against(one, kind):
            left_out.setdefault((one, why), []).append(kind)
    if output != "table":
        cannot = [{"method": one, "sessions": kinds, "why": why} for (one, why), kinds in left_out.items()]
        measured = [one.as_json() for one in cells]
        emit_data({"schema": 1, "cells": measured, "not_measured": missing, "impossible": cannot}, output)
    else:
        rows = [*_rows(cells), *(f"{name}: not measured: {why}" for name, why in missing.items())]
        rows += [f"{one}: not against {', '.join(kinds)}: {why}" for (one, why), kinds in left_out.items()]
        emit("\n".join(rows))
    return 0


def _rows(cells: Sequence[Cell]) -> list[str]:
    rows: list[Any] = [("method", "session", "stolen", "other live", "fresh", "taken back")]
    rows += [(one.method, one.session, one.stolen, one.live, one.fresh, one.undone) for one in cells]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
