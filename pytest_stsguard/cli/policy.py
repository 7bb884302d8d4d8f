"""``stsguard policy``: the least IAM policy that a use of this tool needs."""

from __future__ import annotations

import json

import click

from pytest_stsguard.cli.conventions import epilog

__all__ = ["policy"]


@click.command(
    epilog=epilog("stsguard policy revoke --method boundary --account 111122223333", "Exit code: 0, 2 bad usage.")
)
@click.argument("use", type=click.Choice(["audit", "cleanup", "drill", "revoke"]))
@click.option("--method", default="older-sessions", show_default=True, help="The method of revoke.")
@click.option("--account", metavar="ID", default="*", help="The account in the ARNs (default: any).")
def policy(use: str, method: str, account: str) -> int:
    """Print the IAM policy that USE needs, and no more."""
    from pytest_stsguard.cli.output import emit
    from pytest_stsguard.errors import ConfigurationError
    from pytest_stsguard.revocation import runner_policy

    if account != "*" and not (len(account) == 12 and account.isascii() and account.isdigit()):  # noqa: PLR2004 - an account id
        raise ConfigurationError(f"`{account}` is no AWS account id", hint="an account id has twelve digits")
    emit(json.dumps(runner_policy(use, method=method, account=account), indent=2))
    return 0
