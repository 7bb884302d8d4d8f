"""``stsguard report``: a run that was written as JSON, rendered again in another format."""

from __future__ import annotations

import sys

import click

__all__ = ["report"]


@click.command()
@click.option("--from", "source", metavar="FILE", required=True, help="A JSON report, or what `audit` printed as JSON.")
@click.option("--format", "name", metavar="FORMAT", required=True, help="One of those of --stsguard-report.")
@click.option("--output", "-o", metavar="PATH", help="Where to write it (default: standard output).")
def report(source: str, *, name: str, output: str | None) -> int:
    """Render a run again: the same bytes as when it was fresh.

    A file of --stsguard-report json:PATH holds all that the other formats show. Of what `stsguard audit --output json`
    printed the policies and the drills are missing.
    """
    from pytest_stsguard.reporting import parse_request, read, render, write

    if output is not None:
        name, path = parse_request(f"{name}:{output}")
        write(read(source), name, path)
        return 0
    sys.stdout.buffer.write(render(read(source), name).encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
    return 0
