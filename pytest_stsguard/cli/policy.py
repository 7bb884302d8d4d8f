"""``stsguard policy``: the least IAM policy that a use of this tool needs."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Final

import click

from pytest_stsguard.cli.conventions import command, epilog

__all__ = ["policy"]

_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


@command(epilog=epilog("stsguard policy revoke --method boundary --account 111122223333", "Exit code: 0, 2 bad usage."))
@click.argument("use", type=click.Choice(["audit", "cleanup", "drill", "revoke"]))
@click.option("--method", metavar="NAME", default="older-sessions", show_default=True, help="The method of revoke.")
@click.option("--account", metavar="ID", default="*", help="The account in the ARNs (default: any).")
@click.option("--role", multiple=True, metavar="ARN", help="A role that a drill may be played on; repeatable.")
@click.option(
    "--hours", metavar="HOURS", type=click.FloatRange(0.1, 744), help="Let the policy end after so many hours."
)
def policy(use: str, method: str, account: str, *, role: tuple[str, ...], hours: float | None) -> int:
    """Print the IAM policy that USE needs, and no more."""
    from pytest_stsguard.cli.output import emit
    from pytest_stsguard.clock import Clock
    from pytest_stsguard.errors import ConfigurationError
    from pytest_stsguard.revocation import runner_policy

    if account != "*" and not (len(account) == 12 and account.isascii() and account.isdigit()):  # noqa: PLR2004 - an account id
        raise ConfigurationError(f"`{account}` is no AWS account id", hint="an account id has twelve digits")
    if wrong := [one for one in role if not _ROLE.fullmatch(one)]:
        raise ConfigurationError(
            f"`{wrong[0]}` is no ARN of a role", hint="write it as arn:aws:iam::111122223333:role/NAME"
        )
    until = None if hours is None else Clock().now() + timedelta(hours=hours)
    emit(json.dumps(runner_policy(use, method=method, account=account, roles=role, until=until), indent=2))
    return 0
