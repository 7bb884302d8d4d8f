"""The command ``stsguard``: one module for each command, thin over the library.

Data goes to stdout, messages to stderr. Exit codes: 0 clean, 1 findings or a failed drill, 2 bad usage or bad input, 3 AWS
out of reach or access denied there, 130 interrupted.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from pytest_stsguard.cli.conventions import epilog
from pytest_stsguard.cli.streams import own_streams
from pytest_stsguard.errors import InputError, StsGuardError

__all__ = ["cli", "main", "main_templates"]

# command -> the module beside this one that holds it; loaded when it is called
_COMMANDS = {
    "audit": "audit",
    "blast": "blast",
    "cleanup": "cleanup",
    "completion": "completion",
    "controls": "controls",
    "diff": "diff",
    "doctor": "doctor",
    "drill": "drill",
    "explain": "explain",
    "init": "init",
    "policy": "policy",
    "prove": "prove",
    "report": "report",
    "revoke": "revoke",
    "serve": "serve",
    "simulate": "simulate",
}
_INTERRUPTED = 130


class _Lazy(click.Group):
    """A group whose commands are imported when they are called, so that none pays for another's libraries."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"pytest_stsguard.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        if args and not ctx.resilient_parsing and not args[0].startswith("-") and args[0] not in _COMMANDS:
            from pytest_stsguard.findings.suggestion import show, suggest

            raise click.UsageError(f"no such command `{show(args[0])}` ({suggest(args[0], sorted(_COMMANDS))})", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog(
        "stsguard audit demo",
        "Exit codes: 0 clean, 1 findings or a failed drill, 2 bad usage or bad input, 3 AWS out of reach or access denied "
        "there, 130 interrupted. Data goes to standard output, messages to standard error.",
    ),
)
@click.version_option(package_name="pytest-stsguard", prog_name="stsguard")
def cli() -> None:
    """Prove that a stolen AWS session dies when it is revoked, and that the workload lives on."""


def main() -> None:
    """Run the command line; every error that a user can cause is one line on stderr."""
    _run(cli, "stsguard")


def main_templates() -> None:
    """Run ``stsguard-templates``, the entry for pre-commit."""
    from pytest_stsguard.cli.templates import templates

    _run(templates, "stsguard-templates")


def _run(command: click.Command, name: str) -> None:
    try:
        with own_streams():
            code = _exit_code(command, name)
    except StsGuardError as error:  # what was printed last
        code = _told(error)
    sys.exit(code)


def _exit_code(command: click.Command, name: str) -> int:
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except StsGuardError as error:
        return _told(error)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"", "pytest_stsguard"}:
            raise  # a fault of ours
        return _told(
            InputError(f"the package `{error.name}` is not installed", hint="stsguard doctor says how to get it")
        )
    return code if isinstance(code, int) else 0


def _told(error: StsGuardError) -> int:
    from pytest_stsguard.cli.output import printable

    # The user's own words are in it: a name of a file may hold a line break, or what a terminal would act upon.
    text = printable(str(error)).replace("\n", "\\n")
    click.echo(f"stsguard: {text}", err=True)
    return error.exit_code
