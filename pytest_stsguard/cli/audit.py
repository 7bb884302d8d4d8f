"""``stsguard audit``: the static checks on a target, run by pytest in this process, reported as data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pytest_stsguard.cli.conventions import aws_settings, command, config_file, epilog, exit_zero, output_form

if TYPE_CHECKING:
    from pytest_stsguard.findings import Report

__all__ = ["audit"]


@command(
    epilog=epilog(
        "stsguard audit export:account.json --fail-on critical",
        "TARGET is demo, export:FILE, export:DIRECTORY, cfn:FILE, tfplan:FILE, aws or aws:PROFILE, org or org:PROFILE.",
        "Exit code: 0 clean, 1 findings, 2 bad usage or input, 3 AWS out of reach or access denied there.",
    ),
)
@click.argument("target")
@config_file
@click.option("--at", metavar="ISO8601", help="The moment to audit as of (default: now).")
@output_form("table", "json", "ndjson")
@click.option(
    "--fail-on", metavar="SEVERITY", help="Lowest severity that fails: low, medium, high (default), critical."
)
@click.option("--report", metavar="FORMAT:PATH", multiple=True, help="Write a report to a file; repeatable.")
@click.option("--jobs", metavar="N", help="Processes for the prover.")
@click.option("--baseline", metavar="FILE", help="Findings in it do not count.")
@click.option("--role", metavar="GLOB", multiple=True, help="Only roles whose name matches; repeatable.")
@click.option(
    "--replay", is_flag=True, help="Carry out each witness in the simulated cloud; the evidence says what came of it."
)
@aws_settings
@exit_zero
def audit(
    target: str,
    *,
    config: str | None,
    at: str | None,
    output: str,
    fail_on: str | None,
    report: tuple[str, ...],
    jobs: str | None,
    baseline: str | None,
    role: tuple[str, ...],
    replay: bool,
) -> int:
    """Audit TARGET with the shipped checks."""
    from pytest_stsguard.cli.checks import run_checks
    from pytest_stsguard.cli.output import progress

    options = {"target": target, "config": config, "at": at, "fail-on": fail_on, "jobs": jobs, "baseline": baseline}
    single = [(name, value) for name, value in options.items() if value is not None]
    with progress(f"auditing {target}"):
        several = [*(("report", one) for one in report), *(("role", one) for one in role)]
        outcome = run_checks([*single, *several, *([("replay", None)] if replay else [])])
    _print(outcome.report, output)
    return 1 if outcome.failed else 0


def _print(report: Report, output: str) -> None:
    from pytest_stsguard.cli.output import emit

    data = report.as_json()
    if output == "json":
        emit(json.dumps(data, indent=2))
    elif output == "ndjson":
        findings = data.pop("findings")
        emit("\n".join(json.dumps(line) for line in (*findings, data)))
    else:
        from pytest_stsguard.cli.table import table_of

        emit(table_of(report))
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
