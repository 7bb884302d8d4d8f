"""``stsguard report``: a run that was written as JSON, rendered again in another format, or sent to Security Hub."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pytest_stsguard.cli.conventions import aws_settings, command, epilog

if TYPE_CHECKING:
    from pytest_stsguard.reporting import Run

__all__ = ["report"]


@command(
    short_help="Render the report of a run again, in any format.",
    epilog=epilog(
        "stsguard report --from report.json --format markdown",
        "Exit code: 0 done, 1 Security Hub refused some, 2 bad usage or input, 3 AWS out of reach or access denied there.",
    ),
)
@click.option(
    "--from", "source", metavar="FILE", help="A JSON report, or what `audit` printed as JSON; - for standard input."
)
@click.option("--format", "name", metavar="FORMAT", help="One of those of --stsguard-report.")
@click.option("--output", "-o", metavar="PATH", help="Where to write it (default: standard output).")
@click.option(
    "--blast",
    "blast",
    metavar="FILE",
    multiple=True,
    help="Show this too: what `blast --output json` printed; repeatable.",
)
@click.option("--send-asff", is_flag=True, help="Import the findings into Security Hub, with the AWS CLI's settings.")
@click.option("--schema", "wants_schema", is_flag=True, help="Print the JSON schema of the JSON report, nothing else.")
@aws_settings
def report(
    source: str | None,
    *,
    name: str | None,
    output: str | None,
    blast: tuple[str, ...],
    send_asff: bool,
    profile: str | None,
    wants_schema: bool,
) -> int:
    """Render a run again: the same bytes as when it was fresh.

    A file of --stsguard-report json:PATH holds all that the other formats show. Of what `stsguard audit --output json`
    printed the policies and the drills are missing.
    """
    if wants_schema:
        return _print_schema()
    if source is None:
        raise click.UsageError("give --from FILE, or --schema")
    if name is None and not send_asff:
        raise click.UsageError("give --format, --send-asff, or both")
    if name is None and output is not None:
        raise click.UsageError("--output needs --format")
    from pytest_stsguard.reporting import parse_request, render, write

    request = parse_request(f"{name}:{output}") if output is not None else None
    run = _read(source, blast)
    if request is not None:
        write(run, *request)
    elif name is not None:
        sys.stdout.buffer.write(render(run, name).encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    return _send(run, profile) if send_asff else 0


def _print_schema() -> int:
    from pytest_stsguard.reporting.model import schema
    from pytest_stsguard.reporting.text import indented

    click.echo(indented(schema()), nl=False)
    return 0


def _read(source: str, blasts: tuple[str, ...]) -> Run:
    import msgspec

    from pytest_stsguard.reporting.reading import check_counts, read, read_blast

    run = read(source)
    check_counts(run, source)
    known = {one.start: one for one in (*run.blast, *map(read_blast, blasts))}
    return msgspec.structs.replace(run, blast=tuple(known.values()))


def _send(run: Run, profile: str | None) -> int:
    import boto3
    from botocore.exceptions import ProfileNotFound

    from pytest_stsguard.errors import ConfigurationError
    from pytest_stsguard.reporting.delivery import send_asff

    try:
        session = boto3.Session(profile_name=profile)
    except ProfileNotFound:
        raise ConfigurationError(f"there is no AWS profile `{profile}`") from None
    done = send_asff(run, session)
    click.echo(f"Security Hub took {done.sent:,} findings", err=True)
    for line in done.refused:
        click.echo(f"refused: {line}", err=True)
    return 1 if done.refused else 0
