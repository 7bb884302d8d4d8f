"""``stsguard revoke --with``: from the roles that were named to all that must go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.cli.connection import Connection

__all__ = ["together"]


def together(
    connection: Connection, names: Sequence[str], kind: str, *, source: str | None, method: str
) -> tuple[str, ...]:
    """Give the names of all targets, those that were named first; what the method does not fit is told on stderr.

    Args:
        connection: the account that the targets are in.
        names: roles or users; with ``instance`` also instance ids.
        kind: one of `reach.sets.SETS`.
        source: what tells who can become whom: a target as of ``stsguard audit``; None reads the live account.
        method: the revocation method, which is for roles or for users.

    Raises:
        StsGuardError: the source cannot be read, or holds no such name.
    """
    from pytest_stsguard.clock import Clock
    from pytest_stsguard.reach.blast import Ground
    from pytest_stsguard.reach.sets import revocation_set
    from pytest_stsguard.revocation import METHODS

    ground = Ground(_accounts(connection, source), now=Clock().now())
    found = dict.fromkeys(arn for name in names for arn in revocation_set(ground, name, kind))
    noun = METHODS[method].target if method in METHODS else "role"
    chosen = []
    for arn in found:
        if arn.split(":")[4] == connection.account and f":{noun}/" in arn:
            chosen.append(arn.rpartition("/")[2])
        else:
            click.echo(f"not among the targets, revoke it as well: {arn}", err=True)
    return tuple(chosen)


def _accounts(connection: Connection, source: str | None) -> tuple[Account, ...]:
    from pytest_stsguard.account import from_session, load_all

    if source is None:
        return (from_session(connection.session),)
    accounts = load_all(source, account=connection.account)
    home = [one for one in accounts if one.id == connection.account]
    if not home:
        known = ", ".join(one.id for one in accounts)
        raise ConfigurationError(
            f"`{source}` is of account `{known}`, and these credentials are of `{connection.account}`"
        )
    return (*home, *(one for one in accounts if one.id != connection.account))
