"""``stsguard-templates``: the entry for pre-commit, which gives the changed files; what is no template is passed over."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import click

from pytest_stsguard.cli.conventions import command, config_file, epilog, exit_zero
from pytest_stsguard.errors import StsGuardError

__all__ = ["scheme_of", "templates"]

_MARKS: Final = (("planned_values", "tfplan"), ("RoleDetailList", "export"), ("Resources", "cfn"))
_YAML_TEMPLATE: Final = re.compile(r"""^["']?Resources["']?[ \t]*:""", re.MULTILINE)
_OF_AWS: Final = re.compile(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9]+")


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


def scheme_of(path: Path) -> str | None:
    """Tell what a file is: ``cfn``, ``tfplan``, ``export``; None when it is none of them, or cannot be read.

    A Kubernetes manifest, a compose file and the like must pass a hook that sees every changed YAML file.
    """
    from pytest_stsguard.account.text import read_text

    try:
        text = read_text(path)
    except StsGuardError:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return "cfn" if _YAML_TEMPLATE.search(text) and _OF_AWS.search(text) else None
    known = [scheme for mark, scheme in _MARKS if isinstance(data, dict) and mark in data]
    return known[0] if known and (known[0] != "cfn" or _OF_AWS.search(text)) else None


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
