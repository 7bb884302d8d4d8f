"""``stsguard controls``: the catalogue."""

from __future__ import annotations

from pytest_stsguard.cli.conventions import command, epilog, output_form

__all__ = ["controls"]


@command(epilog=epilog("stsguard controls --output ndjson"))
@output_form("table", "json", "ndjson", "markdown")
def controls(output: str) -> None:
    """List the controls with their severities."""
    from pytest_stsguard.cli.output import emit, emit_data
    from pytest_stsguard.findings import controls as catalogue
    from pytest_stsguard.reporting.catalogue import control_as_json, controls_as_markdown

    every = list(catalogue().values())
    if output in {"json", "ndjson"}:
        emit_data([control_as_json(one) for one in every], output)
    elif output == "markdown":
        emit(controls_as_markdown(every))
    else:
        width = max(len(str(one.severity)) for one in every)
        emit("\n".join(f"{one.id}  {one.severity!s:{width}}  {one.title}" for one in every))
