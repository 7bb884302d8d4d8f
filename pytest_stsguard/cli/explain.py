"""``stsguard explain``: all that is known of one control."""

from __future__ import annotations

import click

from pytest_stsguard.cli.conventions import command, epilog

__all__ = ["explain"]

_FORMS = (
    ("cli", "AWS CLI", "bash"),
    ("terraform", "Terraform", "terraform"),
    ("cloudformation", "CloudFormation", "yaml"),
)


@command(
    short_help="Explain a control: its risk, and how to set it right.",
    epilog=epilog("stsguard explain STSG-101", "Exit code: 0, 2 no such control."),
)
@click.argument("control")
def explain(control: str) -> None:
    """Explain CONTROL (as STSG-101): the risk, how to set it right in three forms, references, compliance."""
    from io import StringIO

    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

    from pytest_stsguard.cli.output import emit
    from pytest_stsguard.findings import control as find

    found = find(control)
    terminal = Console()
    page = Console(
        file=StringIO(), force_terminal=terminal.is_terminal, width=min(terminal.width, 120), highlight=False
    )
    page.print(Text(f"{found.id}  {found.title}", style="bold"))
    page.print(Text(f"severity: {found.severity}"))
    page.print(Text(f"\n{found.risk}"))
    page.print(Text("\nWhat to do", style="bold"))
    page.print(Text(found.remediation.text))
    for name, title, language in _FORMS:
        page.print(Text(f"\n{title}", style="bold"))
        code = getattr(found.remediation, name)
        page.print(
            Syntax(code, language, background_color="default", word_wrap=False)
            if terminal.is_terminal
            else Text(code, no_wrap=True, overflow="ignore"),
            soft_wrap=True,
        )
    page.print(Text("\nCompliance", style="bold"))
    for framework, ids in found.compliance.items():
        page.print(Text(f"  {framework}: {', '.join(ids)}"))
    page.print(Text("\nReferences", style="bold"))
    for reference in found.references:
        page.print(Text(f"  {reference}"), soft_wrap=True)
    file = page.file
    assert isinstance(file, StringIO)  # noqa: S101 - it was made above
    emit(file.getvalue())
