"""Denying sessions by the moment of their issue: all of a role or user, or one that something singles out.

Temporary credentials cannot be cancelled; they can only be denied, by a condition on their issue time.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.revocation.change import Change
from pytest_stsguard.revocation.document import POLICY_NAME, cutoff_of, older_sessions_document, rounded
from pytest_stsguard.revocation.plan import LONGEST_ROLE_SESSION, LONGEST_USER_SESSION, Plan
from pytest_stsguard.revocation.scope import check_mark, marked_cutoff, marked_document, marked_name
from pytest_stsguard.revocation.setting import Setting
from pytest_stsguard.revocation.target import find_role, find_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_stsguard.revocation.clients import Clients

__all__ = ["older_sessions", "one_session", "principal_tag", "source_identity", "user_sessions"]


def older_sessions(clients: Clients, target: str, *, now: datetime, cutoff: datetime | None = None) -> Plan:
    """Deny everything to the sessions of role `target` that were issued before `cutoff` (aware; default: now).

    A revocation that is already there is never moved backwards: of two cutoffs the later one stays.

    Raises:
        InputError: no such role, a role that cannot carry the policy, or another policy under the same name.
        ConfigurationError: `cutoff` has no time zone.
    """
    wanted = _moment(cutoff, now)
    role = find_role(clients, target)
    setting = Setting("role-policy", {"role": target, "name": POLICY_NAME})
    return _timed(clients, "older-sessions", setting, wanted, arn=role["Arn"], unique_id=role["RoleId"])


def user_sessions(clients: Clients, target: str, *, now: datetime, cutoff: datetime | None = None) -> Plan:
    """Deny everything to the sessions of user `target` (GetSessionToken, GetFederationToken) issued before `cutoff`.

    The user's long-term keys go on working: close them as well, or the thief makes a new session.

    Raises:
        InputError: no such user, or another policy under the same name.
        ConfigurationError: `cutoff` has no time zone.
    """
    wanted = _moment(cutoff, now)
    user = find_user(clients, target)
    setting = Setting("user-policy", {"user": target, "name": POLICY_NAME})
    return _timed(clients, "user-sessions", setting, wanted, arn=user["Arn"], unique_id=user["UserId"])


def one_session(
    clients: Clients, target: str, *, now: datetime, session_name: str | None = None, cutoff: datetime | None = None
) -> Plan:
    """Deny everything to the sessions of role `target` that bear one session name, by ``aws:userid``.

    Raises:
        InputError: no such role, a role that cannot carry the policy, or another policy under the same name.
        ConfigurationError: no such session name, or `cutoff` has no time zone.
    """
    name, wanted = check_mark("session_name", session_name), _moment(cutoff, now)
    role = find_role(clients, target)
    return _marked(clients, "one-session", role, {"aws:userid": f"{role['RoleId']}:{name}"}, wanted)


def source_identity(
    clients: Clients, target: str, *, now: datetime, source_identity: str | None = None, cutoff: datetime | None = None
) -> Plan:
    """Deny everything to the sessions of role `target` with a source identity, which survives role chaining.

    Raises:
        InputError: no such role, a role that cannot carry the policy, or another policy under the same name.
        ConfigurationError: no such source identity, or `cutoff` has no time zone.
    """
    identity, wanted = check_mark("source_identity", source_identity), _moment(cutoff, now)
    return _marked(clients, "source-identity", find_role(clients, target), {"aws:SourceIdentity": identity}, wanted)


def principal_tag(
    clients: Clients,
    target: str,
    *,
    now: datetime,
    tag_key: str | None = None,
    tag_value: str | None = None,
    cutoff: datetime | None = None,
) -> Plan:
    """Deny everything to the sessions of role `target` that carry a principal tag.

    Raises:
        InputError: no such role, a role that cannot carry the policy, or another policy under the same name.
        ConfigurationError: no such tag, or `cutoff` has no time zone.
    """
    key, value = check_mark("tag_key", tag_key), check_mark("tag_value", tag_value)
    wanted = _moment(cutoff, now)
    return _marked(clients, "principal-tag", find_role(clients, target), {f"aws:PrincipalTag/{key}": value}, wanted)


def _moment(cutoff: datetime | None, now: datetime) -> datetime:
    if cutoff is not None and cutoff.tzinfo is None:
        raise ConfigurationError(f"the cutoff `{cutoff.isoformat()}` has no time zone", hint="give an aware datetime")
    return rounded(cutoff or now)


def _timed(clients: Clients, method: str, setting: Setting, wanted: datetime, *, arn: str, unique_id: str) -> Plan:
    plan = _plan(clients, setting, wanted, read=cutoff_of, write=older_sessions_document)
    longest = LONGEST_USER_SESSION if setting.kind == "user-policy" else LONGEST_ROLE_SESSION
    target = arn.rpartition("/")[2]
    return Plan(method=method, target=target, arn=arn, longest=longest, unique_id=unique_id, **plan)


def _marked(clients: Clients, method: str, role: dict[str, Any], marks: dict[str, str], wanted: datetime) -> Plan:
    name = marked_name(marks)
    setting = Setting("role-policy", {"role": role["RoleName"], "name": name})
    plan = _plan(
        clients,
        setting,
        wanted,
        read=lambda document: marked_cutoff(document, marks),
        write=lambda cutoff: marked_document(cutoff, marks),
    )
    target, own_id = role["RoleName"], role["RoleId"]
    return Plan(method=method, target=target, arn=role["Arn"], policy_name=name, unique_id=own_id, **plan)


def _plan(
    clients: Clients,
    setting: Setting,
    wanted: datetime,
    *,
    read: Callable[[dict[str, Any]], datetime | None],
    write: Callable[[datetime], dict[str, Any]],
) -> dict[str, Any]:
    """Find what stands in the policy's place, and never move a cutoff backwards."""
    previous = setting.read(clients)
    if previous is not None:
        held = read(previous)
        if held is None:
            holder = "user" if "user" in setting.where else "role"
            raise InputError(
                f"{holder} `{setting.where[holder]}` has a policy `{setting.where['name']}` that does something else than "
                "revoke older sessions",
                hint="rename or remove it first: writing over it would lose it",
            )
        if held >= wanted:
            return {"cutoff": held, "changes": (), "document": previous, "previous": previous}
    document = write(wanted)
    return {
        "cutoff": wanted,
        "changes": (Change(setting, previous, document),),
        "document": document,
        "previous": previous,
    }
