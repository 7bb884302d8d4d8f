"""Denying everything, fresh sessions included: for a role that nobody may use until it is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.revocation.change import Change
from pytest_stsguard.revocation.document import rounded
from pytest_stsguard.revocation.organization_setting import check_reached
from pytest_stsguard.revocation.plan import LONGEST_USER_SESSION, Plan
from pytest_stsguard.revocation.scope import DENY_ALL, principal_document
from pytest_stsguard.revocation.setting import Setting
from pytest_stsguard.revocation.target import find_role, find_user

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from pytest_stsguard.revocation.setting import Clients

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
    clients: Clients, target: str, *, now: datetime, attach_to: str | None = None, cutoff: datetime | None = None
) -> Plan:
    """Deny role `target` by a service control policy, which nobody in its account can remove.

    It does not reach the management account. It needs an Organizations client of the management account, or of a
    delegated administrator.

    Args:
        clients: makes boto3 clients: of IAM in the role's account, of Organizations above it.
        target: the role's name.
        now: the present moment.
        attach_to: the id of an account, unit or root; default: the role's account.
        cutoff: deny only sessions issued before it; default: every session, fresh ones too.

    Raises:
        InputError: no such role, a service-linked one, one of the management account, or another policy under the same name.
        ConfigurationError: `cutoff` has no time zone.
    """
    if cutoff is not None and cutoff.tzinfo is None:
        raise ConfigurationError(f"the cutoff `{cutoff.isoformat()}` has no time zone", hint="give an aware datetime")
    role = find_role(clients, target, by_organization=True)
    account = role["Arn"].split(":")[4]
    check_reached(clients, account)
    name = f"StsGuardDeny-{account}-{target}"
    document = principal_document(role["Arn"], cutoff)
    previous, policy = _deny(clients, Setting("scp", {"name": name}), document)
    attached = Setting("scp-attachment", {"name": name, "target": attach_to or account})
    changes = policy if attached.read(clients) else (*policy, Change(attached, None, "attached"))
    return Plan(
        "scp",
        target,
        role["Arn"],
        rounded(cutoff or now),
        changes,
        document,
        previous,
        policy_name=name,
        unique_id=role["RoleId"],
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
