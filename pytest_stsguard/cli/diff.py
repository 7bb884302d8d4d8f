"""``stsguard diff``: what is new, fixed and unchanged between two runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reporting.difference import Difference

__all__ = ["diff"]


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def diff(old: str, new: str, *, output: str) -> int:
    """Compare two runs, OLD and NEW, both written as JSON.

    Exit code: 1 when NEW holds a finding that OLD lacks and that nobody has muted, else 0.
    """
    from pytest_stsguard.reporting import read
    from pytest_stsguard.reporting.difference import compare

    found = compare(read(old), read(new))
    if output == "json":
        click.echo(json.dumps(found.as_json(), indent=2))
    else:
        for line in _lines(found):
            click.echo(line)
    return 1 if any(finding.active for finding in found.new) else 0


def _lines(found: Difference) -> Iterator[str]:
    from pytest_stsguard.reporting.text import visible

    groups = (("new", "+", found.new), ("fixed", "-", found.fixed), ("not evaluated any more", "?", found.gone))
    for _, mark, findings in groups:
        for finding in findings:
            quiet = " (muted)" if finding.muted else ""
            yield (
                f"{mark} {finding.severity:8} {finding.control}  {visible(finding.resource)}: "
                f"{visible(finding.message)}{quiet}"
            )
    counts = [f"{len(findings)} {word}" for word, _, findings in groups if findings or word != "not evaluated any more"]
    yield ", ".join([*counts, f"{len(found.unchanged)} unchanged"])
