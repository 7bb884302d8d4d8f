"""``stsguard cleanup``: remove the revoke policies that no living session needs any more, and say what stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.cli.conventions import aws_settings, command, config_file, epilog, output_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.account import Account, Document, Role, User
    from pytest_stsguard.cli.connection import Connection
    from pytest_stsguard.findings import Configuration
    from pytest_stsguard.revocation import Leftover, Outcome, Plan

__all__ = ["cleanup"]


@dataclass(frozen=True, slots=True)
class _Found:
    """A leftover, whose it is, the plan that removes it, and why it stays when there is none."""

    holder: str
    leftover: Leftover
    plan: Plan | None
    stays: str = ""


@command(
    epilog=epilog(
        "stsguard cleanup --output json",
        "What was removed is in the journal: stsguard revoke --rollback --journal FILE brings it back.",
        "Exit code: 0 done, also when something must stay; 2 bad usage; 3 AWS out of reach or access denied there.",
    ),
)
@click.option("--apply", is_flag=True, help="Remove; without it nothing is written.")
@click.option("--account", metavar="ID", help="The account that may be changed, unless stsguard.toml lists it.")
@config_file
@click.option("--journal", metavar="FILE", help="Where every step is noted before it is done.")
@click.option("--at", metavar="ISO8601", help="Say what could be removed at this moment; not with --apply.")
@output_form("table", "json", "ndjson")
@aws_settings
def cleanup(**options: Any) -> int:
    """Remove leftover revoke policies that may go."""
    from pytest_stsguard.account import from_session
    from pytest_stsguard.cli.connection import check_consent, configuration_of, connect

    moment = _moment(options)
    configuration = configuration_of(options["config"])
    connection = connect(options["profile"])
    if options["apply"]:
        check_consent(connection, configuration, options["account"])
    account = from_session(connection.session)
    found = tuple(_examine(account, configuration, moment or connection.clock.now()))
    outcomes = _remove(connection, found, options) if options["apply"] else ()
    _print(found, outcomes, options)
    return max((one.error.exit_code for one in outcomes if one.error), default=0)


def _moment(options: dict[str, Any]) -> datetime | None:
    from pytest_stsguard.errors import ConfigurationError

    text = options["at"]
    if text is None:
        return None
    if options["apply"]:
        raise ConfigurationError("--at and --apply exclude each other", hint="what is removed is removed now")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"`{text}` is no moment", hint="write it in ISO 8601: 2026-11-20T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _examine(account: Account, configuration: Configuration, now: datetime) -> Iterator[_Found]:
    from pytest_stsguard.revocation import assess

    holders: tuple[tuple[Role | User, timedelta], ...] = (
        *((role, configuration.longest_role_session) for role in account.roles),
        *((user, configuration.longest_user_session) for user in account.users),
    )
    for holder, longest in holders:
        documents = {document.name: document for document in account.identity_documents(holder)}
        for leftover in assess(
            [document.policy for document in documents.values()],
            now=now,
            principal_arn=holder.arn,
            principal_id=holder.id,
            longest_session=longest,
        ):
            yield _judge(holder, documents[leftover.policy_name], leftover)


def _judge(holder: Role | User, document: Document, leftover: Leftover) -> _Found:
    from pytest_stsguard.revocation import Change, Plan, Setting, State

    if leftover.state is not State.REMOVABLE:
        return _Found(holder.arn, leftover, None, leftover.why)
    if leftover.others:
        return _Found(holder.arn, leftover, None, "it says something else as well: edit it by hand")
    kind = "user" if ":user/" in holder.arn else "role"
    if any(one is document for one in holder.inline):
        setting = Setting(f"{kind}-policy", {kind: holder.name, "name": document.name})
        before: Any = document.value
    elif any(one.arn == document.name for one in holder.attached):
        setting, before = Setting(f"{kind}-attachment", {kind: holder.name, "arn": document.name}), "attached"
    else:
        return _Found(holder.arn, leftover, None, "it belongs to a group: remove it there")
    assert leftover.cutoff is not None  # noqa: S101 - what is removable has a cutoff
    plan = Plan(
        method="cleanup",
        target=f"{holder.arn} {document.name}",
        arn=holder.arn,
        cutoff=leftover.cutoff,
        changes=(Change(setting, before, None),),
        policy_name=document.name,
        unique_id=holder.id or "",
    )
    return _Found(holder.arn, leftover, plan)


def _remove(connection: Connection, found: Sequence[_Found], options: dict[str, Any]) -> tuple[Outcome, ...]:
    from pytest_stsguard.revocation import Campaign, Journal

    plans = [one.plan for one in found if one.plan is not None]
    if not plans:
        return ()
    path = options["journal"] or f"stsguard-cleanup-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.jsonl"
    with Journal.create(path) as journal:
        click.echo(f"journal: {journal.path}", err=True)
        connection.tell_retries(journal)
        campaign = Campaign(journal, connection.client, clock=connection.clock, jobs=1, lock=connection.lock)
        return campaign.carry_out(plans, purpose="cleanup", account=connection.account)


def _print(found: Sequence[_Found], outcomes: Sequence[Outcome], options: dict[str, Any]) -> None:
    from pytest_stsguard.cli.output import emit, emit_data, printable

    errors = {one.target: one.error for one in outcomes if one.error}
    data = [_data(one, errors, applied=options["apply"]) for one in found]
    if options["output"] != "table":
        emit_data(data, options["output"])
        return
    lines = [line for one in data for line in _lines(one)]
    removable = sum(one["action"] == "removable" for one in data)
    if removable:
        lines.append(f"{removable} may go; nothing was written: add --apply")
    emit(printable("\n".join(lines) or "no revoke policy is left"))


def _data(one: _Found, errors: dict[str, Any], *, applied: bool) -> dict[str, Any]:
    from pytest_stsguard.clock import isoformat

    leftover = one.leftover
    error = errors.get(one.plan.target) if one.plan else None
    action = "left" if one.plan is None or error else "removed" if applied else "removable"
    return {
        "action": action,
        "resource": one.holder,
        "policy": leftover.policy_name,
        "state": str(leftover.state),
        "cutoff": isoformat(leftover.cutoff, milliseconds=True) if leftover.cutoff else None,
        "safe_date": isoformat(leftover.safe_date) if leftover.safe_date else None,
        "why": str(error) if error else one.stays or leftover.why,
    }


def _lines(data: dict[str, Any]) -> list[str]:
    until = f", until {data['safe_date']}" if data["action"] == "left" and data["state"] == "active" else ""
    return [
        f"{data['action']:<9}  {data['resource']}  {data['policy']}",
        f"           {data['state']}{until}: {data['why']}",
    ]
