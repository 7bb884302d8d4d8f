"""``stsguard diff``: what is new, fixed and unchanged between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_stsguard.cli.conventions import command, epilog, exit_zero, output_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reporting.difference import Difference

__all__ = ["diff"]


@command(
    short_help="Compare two runs, and fail for what is new.",
    epilog=epilog(
        "stsguard diff old.json new.json",
        "Exit code: 0 nothing new, 1 NEW holds a finding that OLD lacks and that nobody has muted, 2 bad usage or input.",
    ),
)
@click.argument("old")
@click.argument("new")
@output_form("table", "json", "ndjson")
@exit_zero
def diff(old: str, new: str, *, output: str) -> int:
    """Compare two runs, OLD and NEW, both written as JSON; one of them may be - for standard input."""
    from pytest_stsguard.cli.output import emit_data
    from pytest_stsguard.reporting import read
    from pytest_stsguard.reporting.difference import compare
    from pytest_stsguard.reporting.text import visible

    earlier, later = read(old), read(new)
    found = compare(earlier, later)
    if earlier.account != later.account:
        click.echo(f"not of the same account: {visible(earlier.account)} and {visible(later.account)}", err=True)
    if output != "table":
        emit_data(found.as_json(), output)
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
