"""Denying everything, fresh sessions included: for a role that nobody may use until it is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.revocation.change import Change
from pytest_stsguard.revocation.document import rounded
from pytest_stsguard.revocation.organization_setting import check_reached
from pytest_stsguard.revocation.plan import LONGEST_ROLE_SESSION, LONGEST_USER_SESSION, Plan
from pytest_stsguard.revocation.scope import DENY_ALL, principal_document
from pytest_stsguard.revocation.setting import Setting
from pytest_stsguard.revocation.target import find_role, find_user

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from pytest_stsguard.revocation.clients import Clients

__all__ = ["boundary", "deactivate_key", "deny_all", "scp"]

_DENY_ALL_NAME = "StsGuardRevokeAllSessions"


def deny_all(clients: Clients, target: str, *, now: datetime) -> Plan:
    """Deny everything to role `target` by an inline policy.

    Raises:
        InputError: no such role, a role that cannot carry the policy, or another policy under the same name.
    """
    role = find_role(clients, target)
    setting = Setting("role-policy", {"role": target, "name": _DENY_ALL_NAME})
    previous, changes = _deny(clients, setting, DENY_ALL)
    return Plan(
        "deny-all",
        target,
        role["Arn"],
        rounded(now),
        changes,
        DENY_ALL,
        previous,
        policy_name=_DENY_ALL_NAME,
        unique_id=role["RoleId"],
    )


def boundary(clients: Clients, target: str, *, now: datetime) -> Plan:
    """Put a permissions boundary that denies everything around role `target`, in place of the one that it has.

    Raises:
        InputError: no such role, a role that cannot be changed, or another managed policy under the same name.
    """
    role = find_role(clients, target)
    _, partition, _, _, account, _ = role["Arn"].split(":", 5)
    name = f"StsGuardDenyEverything-{target}"
    arn = f"arn:{partition}:iam::{account}:policy/{name}"
    previous, policy = _deny(clients, Setting("managed-policy", {"arn": arn}), DENY_ALL)
    edge = Setting("role-boundary", {"role": target})
    held = edge.read(clients)
    changes = policy if held == arn else (*policy, Change(edge, held, arn))
    return Plan(
        "boundary",
        target,
        role["Arn"],
        rounded(now),
        changes,
        DENY_ALL,
        previous,
        policy_name=name,
        unique_id=role["RoleId"],
    )


def scp(
    clients: Clients,
    target: str,
    *,
    now: datetime,
    attach_to: str | None = None,
    cutoff: datetime | None = None,
    kind: str = "role",
) -> Plan:
    """Deny a role, a user or the root user by a service control policy, which nobody in its account can remove.

    It does not reach the management account. It needs an Organizations client of the management account, or of a
    delegated administrator.

    Args:
        clients: makes boto3 clients: of IAM in the principal's account, of Organizations above it.
        target: the name of the role or user; ``"root"`` for the root user.
        now: the present moment.
        attach_to: the id of an account, unit or root; default: the principal's account.
        cutoff: deny only sessions issued before it; default: everything, fresh sessions and a user's keys too.
        kind: ``"role"``, ``"user"`` or ``"root"``, whose sessions AssumeRoot makes as well.

    Raises:
        InputError: no such principal, a service-linked role, one of the management account, or another policy under the
            same name.
        ConfigurationError: `cutoff` has no time zone, or there is no such kind.
    """
    if cutoff is not None and cutoff.tzinfo is None:
        raise ConfigurationError(f"the cutoff `{cutoff.isoformat()}` has no time zone", hint="give an aware datetime")
    arn, own_id, name = _principal(clients, target, kind)
    account = arn.split(":")[4]
    check_reached(clients, account)
    document = principal_document(arn, rounded(cutoff) if cutoff else None)
    previous, policy = _deny(clients, Setting("scp", {"name": name}), document)
    attached = Setting("scp-attachment", {"name": name, "target": attach_to or account})
    changes = policy if attached.read(clients) else (*policy, Change(attached, None, "attached"))
    longest = LONGEST_ROLE_SESSION if kind == "role" else LONGEST_USER_SESSION
    return Plan(
        "scp",
        target,
        arn,
        rounded(cutoff or now),
        changes,
        document,
        previous,
        policy_name=name,
        longest=longest,
        unique_id=own_id,
    )


def _principal(clients: Clients, target: str, kind: str) -> tuple[str, str, str]:
    """Give the ARN and the unique id of a principal, and what the policy that denies it is called."""
    if kind == "role":
        role = find_role(clients, target, by_organization=True)
        return role["Arn"], role["RoleId"], f"StsGuardDeny-{role['Arn'].split(':')[4]}-{target}"
    if kind == "user":
        user = find_user(clients, target)
        return user["Arn"], user["UserId"], f"StsGuardDeny-{user['Arn'].split(':')[4]}-user-{target}"
    if kind != "root" or target != "root":
        raise ConfigurationError(
            f"there is no kind of principal `{kind}`" if kind != "root" else f"`{target}` is not the root user",
            hint="role, user, or root with the target `root`",
        )
    caller = clients("sts").get_caller_identity()
    return (
        f"arn:{caller['Arn'].split(':')[1]}:iam::{caller['Account']}:root",
        "",
        f"StsGuardDeny-{caller['Account']}-root-user",
    )


def deactivate_key(clients: Clients, target: str, *, now: datetime, key_id: str | None = None) -> Plan:
    """Deactivate the access keys of user `target`, or the one named `key_id`.

    Sessions that were made from a key live on: revoke them with `user-sessions` as well.

    Raises:
        InputError: no such user, or no such key.
    """
    user = find_user(clients, target)
    pages = clients("iam").get_paginator("list_access_keys").paginate(UserName=target)
    keys = [one for page in pages for one in page["AccessKeyMetadata"] if key_id in (None, one["AccessKeyId"])]
    if not keys:
        which = f"no access key `****{key_id[-4:]}`" if key_id else "no access key"
        raise InputError(f"user `{target}` has {which}")
    active = [one["AccessKeyId"] for one in keys if one["Status"] == "Active"]
    changes = tuple(Change(Setting("access-key", {"user": target, "key": key}), "Active", "Inactive") for key in active)
    longest, own_id = LONGEST_USER_SESSION, user["UserId"]
    return Plan(
        "deactivate-key", target, user["Arn"], rounded(now), changes, policy_name="", longest=longest, unique_id=own_id
    )


def _deny(clients: Clients, setting: Setting, document: dict[str, Any]) -> tuple[Any, tuple[Change, ...]]:
    previous = setting.read(clients)
    if previous is None:
        return None, (Change(setting, None, document),)
    if previous != document:
        raise InputError(
            f"there is a policy `{setting.where.get('name') or setting.where['arn']}` already, which says something else",
            hint="rename or remove it first: writing over it would lose it",
        )
    return previous, ()
