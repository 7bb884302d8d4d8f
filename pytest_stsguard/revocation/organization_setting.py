"""Service control policies as settings, through an Organizations client of the management account.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pytest_stsguard.revocation.clients import Clients

__all__ = ["check_reached", "read_scp", "read_scp_attachment", "write_scp", "write_scp_attachment"]

_TYPE = "SERVICE_CONTROL_POLICY"


def check_reached(clients: Clients, account: str) -> None:
    """Require that service control policies reach an account: they never reach the management account.

    Raises:
        InputError: it is the management account: a deny would be written, and stop nobody. Or there is no organisation.
    """
    organizations = clients("organizations")
    try:
        manager = organizations.describe_organization()["Organization"]["MasterAccountId"]
    except organizations.exceptions.AWSOrganizationsNotInUseException:
        raise InputError(
            "there is no organisation, and so no service control policy",
            hint="name its management account by --organization-profile, or take `older-sessions` or `boundary`",
        ) from None
    if manager == account:
        raise InputError(
            f"account `{account}` is the management account of its organisation, which no service control policy reaches",
            hint="take a method that changes the role itself, as `older-sessions` or `boundary`",
        )


def read_scp(clients: Clients, name: str) -> Any:
    """Give the document of the service control policy of this name; None without one."""
    identity = _id(clients, name)
    if identity is None:
        return None
    return json.loads(clients("organizations").describe_policy(PolicyId=identity)["Policy"]["Content"])


def write_scp(clients: Clients, state: Any, name: str) -> None:
    """Create, change or delete the policy; deleting needs that nothing is attached to it."""
    organizations, identity = clients("organizations"), _id(clients, name)
    if state is None:
        if identity is not None:
            organizations.delete_policy(PolicyId=identity)
    elif identity is None:
        organizations.create_policy(
            Name=name, Type=_TYPE, Content=json.dumps(state), Description="made by stsguard to contain a session"
        )
    else:
        organizations.update_policy(PolicyId=identity, Content=json.dumps(state))


def read_scp_attachment(clients: Clients, name: str, target: str) -> Any:
    """Say whether the policy of this name is attached to an account, unit or root."""
    identity = _id(clients, name)
    if identity is None:
        return None
    pages = clients("organizations").get_paginator("list_targets_for_policy").paginate(PolicyId=identity)
    return "attached" if any(one["TargetId"] == target for page in pages for one in page["Targets"]) else None


def write_scp_attachment(clients: Clients, state: Any, name: str, target: str) -> None:
    """Attach or detach it."""
    organizations, identity = clients("organizations"), _id(clients, name)
    if identity is None:
        raise InputError(f"there is no service control policy `{name}`")
    (organizations.detach_policy if state is None else organizations.attach_policy)(PolicyId=identity, TargetId=target)


def _id(clients: Clients, name: str) -> str | None:
    pages = clients("organizations").get_paginator("list_policies").paginate(Filter=_TYPE)
    return next((str(one["Id"]) for page in pages for one in page["Policies"] if one["Name"] == name), None)
