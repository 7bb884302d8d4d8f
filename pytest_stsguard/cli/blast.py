"""``stsguard blast``: what a stolen session can become, as a tree, the shortest ways first, or as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.cli.conventions import aws_settings, command, config_file, epilog, exit_zero, output_form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from rich.tree import Tree

    from pytest_stsguard.account import Account
    from pytest_stsguard.findings import Configuration
    from pytest_stsguard.policy import Policy
    from pytest_stsguard.reach.blast import Blast, Edge
    from pytest_stsguard.replay import Demonstration

__all__ = ["blast"]

_SHOWN = 400
"""Identities that the tree shows; the data has them all."""

_WIDE = 1000
"""Columns where no terminal says how wide it is: nothing is cut."""


@command(
    short_help="Show what a stolen session can become, and what to revoke.",
    epilog=epilog(
        "stsguard blast blue-operator --target export:account.json",
        "ROLE is a name or an ARN, of a role or a user, or the ARN of a session. TARGET is as for stsguard audit.",
        "Exit code: 0 nothing outlives a revocation of ROLE, 1 something does, 2 bad usage or input, 3 AWS out of reach "
        "or access denied there.",
    ),
)
@click.argument("role")
@click.option(
    "--target", metavar="TARGET", default="demo", show_default=True, help="Where ROLE is, and what it can reach."
)
@config_file
@click.option("--at", metavar="ISO8601", help="The moment of the theft (default: now).")
@click.option("--session-policy", metavar="FILE", multiple=True, help="A policy passed with the session; repeatable.")
@click.option("--replay", is_flag=True, help="Take every step in the simulated cloud, and say what came of it.")
@output_form("table", "json", "ndjson")
@aws_settings
@exit_zero
def blast(
    role: str,
    *,
    target: str,
    config: str | None,
    at: str | None,
    session_policy: tuple[str, ...],
    replay: bool,
    output: str,
) -> int:
    """Show what a thief can turn a stolen session of ROLE into, and what must be revoked together."""
    from pytest_stsguard.cli.connection import configuration_of
    from pytest_stsguard.cli.output import emit_data, progress
    from pytest_stsguard.reach.blast import Ground, blast_radius
    from pytest_stsguard.replay.blast import walk_among

    configuration, moment, texts = configuration_of(config), _moment(at), [_read(path) for path in session_policy]
    session = [_parsed(text, path) for text, path in zip(texts, session_policy, strict=True)] or None
    with progress(f"reading {target}"):
        accounts = _accounts(target, configuration)
    with progress(f"following {role}"):
        ground = Ground(accounts, now=moment, org_id=_organization(accounts, configuration))
        found = blast_radius(ground, role, session=session)
        shown = walk_among(accounts, found, session=texts or None) if replay else {}
    if output == "table":
        _print(found, shown)
    else:
        emit_data(_data(found, shown), output)
    return 1 if found.survivors else 0


def _read(path: str) -> str:
    from pathlib import Path

    from pytest_stsguard.errors import InputError

    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"cannot be read: {str(reason).lower()}", location=path) from error


def _parsed(text: str, path: str) -> Policy:
    from pytest_stsguard.policy import Policy

    return Policy.parse(text, kind="session", name=path)


def _moment(text: str | None) -> datetime:
    from datetime import UTC, datetime

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.errors import ConfigurationError

    if text is None:
        return Clock().now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "write it in ISO 8601: 2026-11-20T12:00:00Z"
        raise ConfigurationError(f"`{text}` is no moment", hint=hint) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _accounts(target: str, configuration: Configuration) -> tuple[Account, ...]:
    """Read the accounts of a target; the demo world is read out of a simulated cloud."""
    from pytest_stsguard.examined import load_accounts

    if target == "demo":
        from pytest_stsguard.account import from_session
        from pytest_stsguard.cloud import Cloud

        with Cloud() as cloud:
            return (from_session(cloud.admin.session(), source=target),)
    return load_accounts(target, configuration)


def _organization(accounts: Sequence[Account], configuration: Configuration) -> str | None:
    known = next((account.organization.id for account in accounts if account.organization), None)
    return known or configuration.zones.get("org_id")


def _data(found: Blast, shown: Mapping[Edge, Demonstration]) -> dict[str, Any]:
    data = found.as_json()
    for entry, edge in zip(data["edges"], found.edges, strict=True):
        if edge in shown:
            entry |= {"demonstrated": shown[edge].done, "reason": shown[edge].reason or None}
    return data


def _print(found: Blast, shown: Mapping[Edge, Demonstration]) -> None:
    from rich.console import Console

    from pytest_stsguard.cli.output import printable

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(_Drawing.of(found, shown).tree())
    survivors = len(found.survivors)
    console.print(
        f"\n{survivors} of {len(found.nodes)} identities outlive a revocation of the start alone", markup=False
    )
    if survivors:
        console.print("revoke together:")
        for arn in found.revocation_set:
            console.print(f"  {printable(arn)}", markup=False)
    if found.unbounded:
        console.print(f"[bold red]no set of revocations is enough[/]: {printable(found.unbounded)}")
    for line in found.left_out:
        click.echo(f"warning: {printable(line)}", err=True)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A blast radius as a tree: each identity where the first step leads to it, further steps as leaves."""

    found: Blast
    shown: Mapping[Edge, Demonstration]
    first: Mapping[str, Edge]
    ahead: Mapping[str, list[Edge]]

    @classmethod
    def of(cls, found: Blast, shown: Mapping[Edge, Demonstration]) -> _Drawing:
        first: dict[str, Edge] = {}
        ahead: dict[str, list[Edge]] = {}
        for edge in found.edges:
            if edge.to != found.start:
                first.setdefault(edge.to, edge)
            ahead.setdefault(edge.source, []).append(edge)
        return cls(found, shown, first, ahead)

    def tree(self) -> Tree:
        """Draw it, without recursion: a chain of roles may be as long as the account is large."""
        from rich.markup import escape
        from rich.tree import Tree

        from pytest_stsguard.cli.output import printable

        nodes = {node.id: node for node in self.found.nodes}
        start = nodes[self.found.start]
        tree = Tree(f"[bold]{escape(printable(start.arn))}[/] stolen{_survives(survives=start.survives)}")
        branches, waiting, count = {start.id: tree}, [start.id], 0
        for here in waiting:
            for edge in self.ahead.get(here, ()):
                node, name = nodes[edge.to], escape(printable(_name(edge.to)))
                if self.first.get(edge.to) is edge:
                    count += 1
                    if count > _SHOWN:
                        continue
                    text = f"{edge.kind} -> [bold]{node.kind} {name}[/]{_survives(survives=node.survives)}"
                    branches[edge.to] = branches[here].add(f"{text}{self._told(edge)}")
                    waiting.append(edge.to)
                elif edge.to == start.id:
                    again = "to itself" if here == start.id else "back to the start"
                    branches[here].add(f"{edge.kind} -> {again}{self._told(edge)}")
        if count > _SHOWN:
            tree.add(f"{count - _SHOWN} more; --output json has them all")
        return tree

    def _told(self, edge: Edge) -> str:
        from rich.markup import escape

        from pytest_stsguard.cli.output import printable

        lines = [edge.statement, *(f"{call.service}.{call.operation}" for call in edge.calls)]
        text = f"\n[dim]{escape(printable(', '.join(line for line in lines if line)))}[/]"
        result = self.shown.get(edge)
        if result is None:
            return text
        return f" [green]demonstrated[/]{text}" if result.done else f" not demonstrated: {escape(result.reason)}{text}"


def _survives(*, survives: bool) -> str:
    return " [red]survives[/]" if survives else ""


def _name(identity: str) -> str:
    tail = identity.split(":", 5)[-1]
    return tail.partition("/")[2] or identity.split(":")[4]
