"""What is often tried and does not end a session, or ends far more: here so that a drill can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.revocation.change import Change
from pytest_stsguard.revocation.document import rounded
from pytest_stsguard.revocation.plan import Plan
from pytest_stsguard.revocation.scope import NOBODY
from pytest_stsguard.revocation.setting import Setting
from pytest_stsguard.revocation.target import find_role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_stsguard.revocation.clients import Clients

__all__ = ["delete_role", "remove_permissions", "replace_profile", "restart_instance", "trust_edit"]


def trust_edit(clients: Clients, target: str, *, now: datetime) -> Plan:
    """Let nobody assume role `target` any more; sessions that were handed out do not ask the trust policy."""
    role = find_role(clients, target)
    setting = Setting("role-trust", {"role": target})
    held = setting.read(clients)
    changes = () if held == NOBODY else (Change(setting, held, NOBODY),)
    return Plan(
        "trust-edit", target, role["Arn"], rounded(now), changes, NOBODY, held, policy_name="", unique_id=role["RoleId"]
    )


def remove_permissions(clients: Clients, target: str, *, now: datetime) -> Plan:
    """Take every identity policy from role `target`; what resource policies grant stays, and every workload stops."""
    role = find_role(clients, target)
    changes = tuple(_stripped(clients, target))
    return Plan(
        "remove-permissions", target, role["Arn"], rounded(now), changes, policy_name="", unique_id=role["RoleId"]
    )


def delete_role(clients: Clients, target: str, *, now: datetime) -> Plan:
    """Delete role `target`, which cannot be undone: a role made anew has another unique id."""
    role = find_role(clients, target)
    iam = clients("iam")
    pages = iam.get_paginator("list_instance_profiles_for_role").paginate(RoleName=target)
    profiles = [one["InstanceProfileName"] for page in pages for one in page["InstanceProfiles"]]
    out = tuple(Change(Setting("profile-role", {"profile": name}), target, None) for name in profiles)
    gone = Change(Setting("role", {"role": target}), {"id": role["RoleId"]}, None)
    changes = (*out, *_stripped(clients, target), gone)
    return Plan("delete-role", target, role["Arn"], rounded(now), changes, policy_name="", unique_id=role["RoleId"])


def replace_profile(clients: Clients, target: str, *, now: datetime, instance: str | None = None) -> Plan:
    """Take the instance profile from an instance that has role `target`; its sessions live on."""
    role, instance = find_role(clients, target), _given(instance)
    setting = Setting("instance-profile", {"instance": instance})
    held = setting.read(clients)
    if held is None:
        raise InputError(f"instance `{instance}` has no instance profile")
    return Plan(
        "replace-profile",
        target,
        role["Arn"],
        rounded(now),
        (Change(setting, held, None),),
        policy_name="",
        unique_id=role["RoleId"],
    )


def restart_instance(clients: Clients, target: str, *, now: datetime, instance: str | None = None) -> Plan:
    """Stop and start an instance that has role `target`: it gets new credentials, and the thief keeps the old."""
    role, instance = find_role(clients, target), _given(instance)
    setting = Setting("instance-run", {"instance": instance})
    change = Change(setting, setting.read(clients), "started anew")
    return Plan(
        "restart-instance", target, role["Arn"], rounded(now), (change,), policy_name="", unique_id=role["RoleId"]
    )


def _stripped(clients: Clients, role: str) -> Iterator[Change]:
    iam = clients("iam")
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            setting = Setting("role-policy", {"role": role, "name": name})
            yield Change(setting, setting.read(clients), None)
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for one in page["AttachedPolicies"]:
            yield Change(Setting("role-attachment", {"role": role, "arn": one["PolicyArn"]}), "attached", None)


def _given(instance: str | None) -> str:
    if not instance:
        raise ConfigurationError("which instance is not said", hint="give `instance`")
    return instance
