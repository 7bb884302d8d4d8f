"""``stsguard revoke``: end the sessions of roles or users, journalled; without --apply it only says what it would do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.cli.conventions import aws_settings, command, config_file, epilog, output_form
from pytest_stsguard.errors import ConfigurationError, StsGuardError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.cli.connection import Connection
    from pytest_stsguard.revocation import Campaign, Outcome

__all__ = ["revoke"]

_SCOPE = ("session_name", "source_identity", "tag", "key_id", "instance", "attach_to", "kind")


@command(
    short_help="End the sessions of roles and users.",
    epilog=epilog(
        "stsguard revoke my-role --method older-sessions",
        "It only shows what it would do, until --apply is given, with --account or an account that stsguard.toml lists. "
        "--resume and --rollback go on with the journal of such a run, and write at once.",
        "Exit code: 0 done; else that of the gravest error: 2 bad usage or input, 3 AWS out of reach or access denied there.",
    ),
)
@click.argument("target", nargs=-1)
@click.option(
    "--method", metavar="NAME", default="older-sessions", show_default=True, help="How; an unknown one lists them."
)
@click.option("--cutoff", metavar="ISO8601", help="Sessions issued before it are meant (default: now).")
@click.option("--session-name", metavar="NAME", help="For one-session.")
@click.option("--source-identity", metavar="NAME", help="For source-identity.")
@click.option("--tag", metavar="KEY=VALUE", help="For principal-tag.")
@click.option("--key-id", metavar="ID", help="For deactivate-key; default: all keys.")
@click.option("--instance", metavar="ID", help="For replace-profile and restart-instance.")
@click.option("--attach-to", metavar="ID", help="For scp: an account, unit or root; default: the role's account.")
@click.option(
    "--organization-profile",
    metavar="NAME",
    help="For scp: AWS profile of the management account or a delegated administrator (default: that of the account).",
)
@click.option("--kind", type=click.Choice(["role", "user", "root"]), help="For scp: what TARGET is (default: role).")
@click.option(
    "--with",
    "together",
    type=click.Choice(["cycle", "reachable", "instance"]),
    help="Revoke with TARGET: its trust cycle, all that it can become, or the roles of its instances.",
)
@click.option(
    "--source", metavar="TARGET", help="For --with: what tells of the account, as export:FILE (default: live)."
)
@click.option("--account", metavar="ID", help="The account that may be changed, unless stsguard.toml lists it.")
@config_file
@click.option("--apply", is_flag=True, help="Do it; without it nothing is written.")
@click.option("--journal", metavar="FILE", help="Where every step is noted before it is done.")
@click.option("--resume", is_flag=True, help="Finish what the journal began.")
@click.option("--rollback", is_flag=True, help="Put back what the journal changed.")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1, 64), default=4, show_default=True, help="Targets at a time."
)
@click.option(
    "--rate", metavar="N", type=click.FloatRange(0.01, 1000), default=5, show_default=True, help="Targets a second."
)
@output_form("table", "json", "ndjson")
@aws_settings
def revoke(target: tuple[str, ...], **options: Any) -> int:
    """End the sessions of TARGET: roles, or users for the methods that take users."""
    from pytest_stsguard.cli.connection import check_consent, configuration_of, connect

    again = options["resume"] or options["rollback"]
    _check_usage(target, options)
    scope = _scope(options)
    connection = connect(options["profile"])
    if options["organization_profile"]:
        connection = replace(connection, above=connect(options["organization_profile"]))
    if again:
        outcomes = _go_on(connection, options)
    else:
        if options["apply"]:
            check_consent(connection, configuration_of(options["config"]), options["account"])
        if options["together"]:
            from pytest_stsguard.cli.together import together

            target = together(connection, target, options["together"], source=options["source"], method=scope["method"])
        outcomes = _begin(connection, target, scope, options) if options["apply"] else _look(connection, target, scope)
    _print(outcomes, options)
    return max((one.error.exit_code for one in outcomes if one.error), default=0)


def _check_usage(target: Sequence[str], options: dict[str, Any]) -> None:
    again = options["resume"] or options["rollback"]
    if options["resume"] and options["rollback"]:
        raise ConfigurationError("--resume and --rollback exclude each other")
    if options["source"] and not options["together"]:
        raise ConfigurationError("--source goes with --with")
    if again and target:
        raise ConfigurationError("the journal says which targets", hint="leave TARGET out")
    if again and not options["journal"]:
        raise ConfigurationError("which journal is not said", hint="give --journal FILE")
    if not again and not target:
        raise ConfigurationError("whose sessions are to be ended is not said", hint="name a role")


def _scope(options: dict[str, Any]) -> dict[str, Any]:
    scope = {name: options[name] for name in _SCOPE if options[name] is not None and name != "tag"}
    if options["tag"] is not None:
        scope["tag_key"], _, scope["tag_value"] = options["tag"].partition("=")
    if options["cutoff"] is not None:
        try:
            cutoff = datetime.fromisoformat(options["cutoff"])
        except ValueError:
            raise ConfigurationError(
                f"`{options['cutoff']}` is no moment", hint="write it in ISO 8601: 2026-11-20T12:00:00Z"
            ) from None
        scope["cutoff"] = cutoff if cutoff.tzinfo else cutoff.replace(tzinfo=UTC)
    return {**scope, "method": options["method"]}


def _look(connection: Connection, target: Sequence[str], scope: dict[str, Any]) -> tuple[Outcome, ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    from pytest_stsguard.errors import AwsUnavailableError
    from pytest_stsguard.revocation import Outcome, plan

    outcomes = []
    for name in dict.fromkeys(target):
        try:
            outcomes.append(Outcome(name, plan(connection.client, name, now=connection.clock.now(), **scope)))
        except StsGuardError as error:
            outcomes.append(Outcome(name, error=error))
        except (BotoCoreError, ClientError) as error:
            outcomes.append(Outcome(name, error=AwsUnavailableError(f"`{name}`: {error}")))
    return tuple(outcomes)


def _begin(
    connection: Connection, target: Sequence[str], scope: dict[str, Any], options: dict[str, Any]
) -> tuple[Outcome, ...]:
    from pytest_stsguard.revocation import METHODS, Journal, plan

    if scope["method"] not in METHODS or set(scope) - {"method", *METHODS[scope["method"]].takes}:
        plan(
            connection.client, target[0], now=connection.clock.now(), **scope
        )  # says what is wrong before a journal begins
    path = options["journal"] or f"stsguard-revoke-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.jsonl"
    with Journal.create(path) as journal:
        click.echo(f"journal: {journal.path}", err=True)
        outcomes = _campaign(journal, connection, options).begin(target, account=connection.account, **scope)
    if any(one.error for one in outcomes):
        click.echo(f"not all is done: stsguard revoke --resume --journal {path}, or --rollback", err=True)
    return outcomes


def _go_on(connection: Connection, options: dict[str, Any]) -> tuple[Outcome, ...]:
    from pytest_stsguard.revocation import Journal

    with Journal.open(options["journal"]) as journal:
        campaign = _campaign(journal, connection, options)
        if options["resume"]:
            return campaign.resume(account=connection.account)
        return campaign.roll_back(account=connection.account)


def _campaign(journal: Any, connection: Connection, options: dict[str, Any]) -> Campaign:
    from pytest_stsguard.revocation import Campaign

    connection.tell_retries(journal)
    return Campaign(
        journal,
        connection.client,
        clock=connection.clock,
        jobs=options["jobs"],
        rate=options["rate"],
        lock=connection.lock,
    )


def _print(outcomes: Sequence[Outcome], options: dict[str, Any]) -> None:
    from pytest_stsguard.cli.output import emit, emit_data, printable

    state = "rolled back" if options["rollback"] else "revoked" if options["apply"] or options["resume"] else "planned"
    if options["output"] != "table":
        emit_data([_data(one, state) for one in outcomes], options["output"])
        return
    lines = [line for one in outcomes for line in _lines(one, state)]
    if state == "planned":
        lines.append("nothing was written: add --apply")
    emit(printable("\n".join(lines) or "nothing to do"))


def _data(outcome: Outcome, state: str) -> dict[str, Any]:
    if outcome.plan is None:
        return {"target": outcome.target, "state": "failed", "error": str(outcome.error)}
    data = {"target": outcome.target, "state": state, **outcome.plan.as_json()}
    return data | {"safe_removal": (outcome.plan.cutoff + outcome.plan.longest).isoformat()}


def _lines(outcome: Outcome, state: str) -> list[str]:
    from pytest_stsguard.clock import isoformat

    plan = outcome.plan
    if plan is None:
        return [f"failed   {outcome.target}: {outcome.error}"]
    head = f"{state:<8} {plan.arn} by {plan.method}"
    if state == "rolled back":
        return [head]
    safe = isoformat(plan.cutoff + plan.longest)
    meant = f"sessions issued before {isoformat(plan.cutoff, milliseconds=True)}; may be taken back from {safe}"
    return [head, f"         {meant}", *(f"         - {line}" for line in plan.lines())]
