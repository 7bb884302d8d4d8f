"""``stsguard controls``: the catalogue."""

from __future__ import annotations

import json

import click

__all__ = ["controls"]


@click.command()
@click.option(
    "--output", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True, help="Form."
)
def controls(output: str) -> None:
    """List the controls with their severities."""
    from pytest_stsguard.cli.output import emit
    from pytest_stsguard.findings import controls as catalogue
    from pytest_stsguard.reporting.catalogue import control_as_json, controls_as_markdown

    every = list(catalogue().values())
    if output == "json":
        emit(json.dumps([control_as_json(one) for one in every], indent=2))
    elif output == "markdown":
        emit(controls_as_markdown(every))
    else:
        width = max(len(str(one.severity)) for one in every)
        emit("\n".join(f"{one.id}  {one.severity!s:{width}}  {one.title}" for one in every))
