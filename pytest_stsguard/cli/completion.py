"""``stsguard completion``: what a shell needs to complete commands, options and their values."""

from __future__ import annotations

import click

from pytest_stsguard.cli.conventions import command, epilog

__all__ = ["completion"]

_VARIABLE = "_STSGUARD_COMPLETE"


@command(
    epilog=epilog(
        'eval "$(stsguard completion bash)"',
        "Put that line into ~/.bashrc; for zsh the same with zsh into ~/.zshrc; for fish: stsguard completion fish > "
        "~/.config/fish/completions/stsguard.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL."""
    from click.shell_completion import get_completion_class

    from pytest_stsguard.cli import cli
    from pytest_stsguard.cli.output import emit

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows these three
    emit(kind(cli, {}, "stsguard", _VARIABLE).source())
