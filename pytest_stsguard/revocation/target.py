"""Whose sessions are to be ended: found in the account, and refused with the reason when nobody can change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pytest_stsguard.revocation.clients import Clients

__all__ = ["find_role", "find_user", "unique_id_of"]


def find_role(clients: Clients, role: str, *, by_organization: bool = False) -> dict[str, Any]:
    """Give a role as IAM describes it, by its name.

    Args:
        clients: makes boto3 clients.
        role: the name, without the path.
        by_organization: whether it is to be denied from above, which reaches the roles of IAM Identity Center too.

    Raises:
        InputError: no such role, or one that cannot be contained this way; the hint says which way works.
    """
    iam = clients("iam")
    try:
        found: dict[str, Any] = iam.get_role(RoleName=role)["Role"]
    except iam.exceptions.NoSuchEntityException:
        raise InputError(f"there is no role `{role}`", hint="give the name of a role of this account") from None
    if found["Path"].startswith("/aws-service-role/"):
        spared = ", nor does a service control policy reach it" if by_organization else ""
        raise InputError(
            f"`{role}` is a service-linked role, which nobody can change{spared}",
            hint="end its use in the service itself",
        )
    reserved = role.startswith("AWSReservedSSO_") or found["Path"].startswith("/aws-reserved/sso.amazonaws.com/")
    if reserved and not by_organization:
        raise InputError(
            f"`{role}` belongs to IAM Identity Center, which alone may change it",
            hint="put the deny into the permission set, or into a service control policy: method `scp`",
        )
    return found


def find_user(clients: Clients, user: str) -> dict[str, Any]:
    """Give a user as IAM describes it, by its name.

    Raises:
        InputError: no such user.
    """
    iam = clients("iam")
    try:
        found: dict[str, Any] = iam.get_user(UserName=user)["User"]
    except iam.exceptions.NoSuchEntityException:
        raise InputError(f"there is no user `{user}`", hint="give the name of a user of this account") from None
    return found


def unique_id_of(clients: Clients, kind: str, name: str) -> str:
    """Give the unique id of a ``"role"`` or ``"user"``; empty when there is none of the name."""
    iam, label = clients("iam"), kind.capitalize()
    try:
        return str(getattr(iam, f"get_{kind}")(**{f"{label}Name": name})[label][f"{label}Id"])
    except iam.exceptions.NoSuchEntityException:
        return ""
