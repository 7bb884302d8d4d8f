"""``stsguard doctor``: what this installation has, what it lacks, and how to get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.cli.conventions import aws_settings, command, config_file, epilog, output_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.cli.diagnosis import Diagnosis

__all__ = ["doctor"]

_COLOURS = {"ok": "green", "optional": "cyan", "missing": "red", "wrong": "red"}


@command(
    epilog=epilog(
        "stsguard doctor",
        "It asks AWS for the caller's identity where there are credentials, and changes nothing.",
        "Exit code: 0 all is well, 1 something of the installation is missing, 2 the configuration cannot be used, 3 AWS out "
        "of reach or the credentials refused.",
    ),
)
@config_file
@output_form("table", "json", "ndjson")
@aws_settings
def doctor(**options: Any) -> int:
    """Say what is here, what is missing, and how to get it."""
    from pytest_stsguard.cli.diagnosis import diagnose
    from pytest_stsguard.cli.output import emit, emit_data, progress

    with progress("looking around"):
        found = list(diagnose(options["config"], options["profile"]))
    if options["output"] == "table":
        emit(_table(found))
    else:
        emit_data([one.as_json() for one in found], options["output"])
    return max((one.exit_code for one in found), default=0)


def _table(found: Sequence[Diagnosis]) -> str:
    from pytest_stsguard.cli.output import coloured, printable

    width = max(len(one.name) for one in found)
    lines = []
    for one in found:
        state = f"{one.state:8}"
        shown = click.style(state, fg=_COLOURS[one.state], bold=True) if coloured() else state
        lines.append(f"{shown}  {one.name:{width}}  {printable(one.text)}")
        if one.advice:
            lines.append(f"{'':8}  {'':{width}}  -> {printable(one.advice)}")
    return "\n".join(lines)
