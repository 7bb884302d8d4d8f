"""``stsguard-templates``: the entry for pre-commit, which gives the changed files; what is no template is passed over."""

from __future__ import annotations

from pathlib import Path

import click

from pytest_stsguard.cli.conventions import command, config_file, epilog, exit_zero
from pytest_stsguard.cli.scheme import scheme_of
from pytest_stsguard.errors import StsGuardError

__all__ = ["templates"]


@command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog(
        "stsguard-templates stack.yaml plan.json",
        "CloudFormation templates, Terraform plans as JSON and account exports are told apart by what they hold.",
        "Exit code: that of the gravest file: 0 clean, 1 findings, 2 a file that cannot be used.",
    ),
)
@click.argument("file", nargs=-1)
@config_file
@click.option("--fail-on", metavar="SEVERITY", help="Lowest severity that fails.")
@click.option("--baseline", metavar="FILE", help="Findings in it do not count.")
@exit_zero
def templates(file: tuple[str, ...], **options: str | None) -> int:
    """Audit those of the FILEs that are templates or plans."""
    given = [(name.replace("_", "-"), value) for name, value in options.items() if value is not None]
    return max((_audit(name, given) for name in dict.fromkeys(file)), default=0)


def _audit(name: str, given: list[tuple[str, str]]) -> int:
    from pytest_stsguard.cli.checks import run_checks
    from pytest_stsguard.cli.output import emit, printable
    from pytest_stsguard.cli.table import table_of

    scheme = scheme_of(Path(name))
    if scheme is None:
        return 0
    try:
        outcome = run_checks([("target", f"{scheme}:{name}"), *given])
    except StsGuardError as error:
        click.echo(f"stsguard: {printable(str(error))}", err=True)
        return error.exit_code
    if outcome.report.findings:
        emit(f"{table_of(outcome.report)}\n")
    return 1 if outcome.failed else 0
