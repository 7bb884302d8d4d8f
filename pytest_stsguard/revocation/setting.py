"""One thing in an account that a revocation changes: read it, write it, compare.

A state is plain JSON, and None is absence, so that a journal can hold what was there and put it back exactly. A write whose
answer was lost is made again by the SDK: what it finds done already is done.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_stsguard.errors import InputError
from pytest_stsguard.revocation.instance_setting import (
    read_instance_profile,
    restart_instance,
    running_since,
    write_instance_profile,
)
from pytest_stsguard.revocation.organization_setting import (
    read_scp,
    read_scp_attachment,
    write_scp,
    write_scp_attachment,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.revocation.clients import Clients

__all__ = ["KINDS", "Setting"]

_NO_ROOM = {"LimitExceeded", "LimitExceededException", "ConstraintViolationException"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_OTHER_WAYS = {
    "role-policy": "the inline policies of a role hold 10,240 characters together: remove one, or take method `boundary` "
    "or `scp`",
    "user-policy": "the inline policies of a user hold 2,048 characters together: remove one, and deactivate the keys "
    "meanwhile: method `deactivate-key`",
    "managed-policy": "remove a managed policy that nobody uses, or take method `deny-all` or `scp`",
    "scp": "remove a service control policy that nobody uses, or take method `boundary` or `deny-all`",
    "scp-attachment": "attach it to a unit or root above: --attach-to, or take method `boundary` or `deny-all`",
}
State = Any


class Kind(NamedTuple):
    """How settings of a kind are read and written, and whether a write can be taken back."""

    read: Callable[..., State]
    write: Callable[..., None]
    reversible: bool = True


@dataclass(frozen=True, slots=True)
class Setting:
    """A place: its kind, and where it is, as names."""

    kind: str
    where: Mapping[str, str]

    def read(self, clients: Clients) -> State:
        """Give what is there now; None for nothing."""
        return KINDS[self.kind].read(clients, **self.where)

    def write(self, clients: Clients, state: State) -> None:
        """Make it so; None removes.

        Raises:
            InputError: AWS has no room for it: a quota is used up.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415 - whoever writes has botocore

        try:
            KINDS[self.kind].write(clients, state, **self.where)
        except ClientError as error:
            said = error.response["Error"]
            if said["Code"] not in _NO_ROOM:
                raise
            text = " ".join(str(said.get("Message") or said["Code"]).split()).rstrip(".")
            raise InputError(f"there is no room for `{self}`: {text}", hint=_OTHER_WAYS.get(self.kind)) from error

    @property
    def reversible(self) -> bool:
        """Whether what was there can be put back."""
        return KINDS[self.kind].reversible

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.where.values())}"


def _read_role_policy(clients: Clients, role: str, name: str) -> State:
    iam = clients("iam")
    try:
        return _document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    except iam.exceptions.NoSuchEntityException:
        return None


def _write_role_policy(clients: Clients, state: State, role: str, name: str) -> None:
    iam = clients("iam")
    if state is None:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role_policy(RoleName=role, PolicyName=name)
    else:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(state))


def _read_user_policy(clients: Clients, user: str, name: str) -> State:
    iam = clients("iam")
    try:
        return _document(iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"])
    except iam.exceptions.NoSuchEntityException:
        return None


def _write_user_policy(clients: Clients, state: State, user: str, name: str) -> None:
    iam = clients("iam")
    if state is None:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_user_policy(UserName=user, PolicyName=name)
    else:
        iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=json.dumps(state))


def _read_role_attachment(clients: Clients, role: str, arn: str) -> State:
    pages = clients("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return "attached" if any(one["PolicyArn"] == arn for page in pages for one in page["AttachedPolicies"]) else None


def _write_role_attachment(clients: Clients, state: State, role: str, arn: str) -> None:
    iam = clients("iam")
    if state is None:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    else:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _read_user_attachment(clients: Clients, user: str, arn: str) -> State:
    pages = clients("iam").get_paginator("list_attached_user_policies").paginate(UserName=user)
    return "attached" if any(one["PolicyArn"] == arn for page in pages for one in page["AttachedPolicies"]) else None


def _write_user_attachment(clients: Clients, state: State, user: str, arn: str) -> None:
    iam = clients("iam")
    if state is None:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.detach_user_policy(UserName=user, PolicyArn=arn)
    else:
        iam.attach_user_policy(UserName=user, PolicyArn=arn)


def _read_boundary(clients: Clients, role: str) -> State:
    found = clients("iam").get_role(RoleName=role)["Role"].get("PermissionsBoundary")
    return found["PermissionsBoundaryArn"] if found else None


def _write_boundary(clients: Clients, state: State, role: str) -> None:
    iam = clients("iam")
    if state is None:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role_permissions_boundary(RoleName=role)
    else:
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=state)


def _read_managed_policy(clients: Clients, arn: str) -> State:
    iam = clients("iam")
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return _document(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    except iam.exceptions.NoSuchEntityException:
        return None


def _write_managed_policy(clients: Clients, state: State, arn: str) -> None:
    iam = clients("iam")
    if state is None:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_policy(PolicyArn=arn)
        return
    try:
        iam.create_policy(PolicyName=arn.rpartition("/")[2], PolicyDocument=json.dumps(state))
    except iam.exceptions.EntityAlreadyExistsException:
        if _read_managed_policy(clients, arn) != state:
            raise


def _read_trust(clients: Clients, role: str) -> State:
    return _document(clients("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])


def _write_trust(clients: Clients, state: State, role: str) -> None:
    clients("iam").update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(state))


def _read_access_key(clients: Clients, user: str, key: str) -> State:
    pages = clients("iam").get_paginator("list_access_keys").paginate(UserName=user)
    found = (one["Status"] for page in pages for one in page["AccessKeyMetadata"] if one["AccessKeyId"] == key)
    return next(found, None)


def _write_access_key(clients: Clients, state: State, user: str, key: str) -> None:
    clients("iam").update_access_key(UserName=user, AccessKeyId=key, Status=state)


def _read_profile_role(clients: Clients, profile: str) -> State:
    roles = clients("iam").get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]
    return roles[0]["RoleName"] if roles else None


def _write_profile_role(clients: Clients, state: State, profile: str) -> None:
    iam = clients("iam")
    held = _read_profile_role(clients, profile)
    if held is not None:
        iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=held)
    if state is not None:
        iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=state)


def _read_role(clients: Clients, role: str) -> State:
    iam = clients("iam")
    try:
        return {"id": iam.get_role(RoleName=role)["Role"]["RoleId"]}
    except iam.exceptions.NoSuchEntityException:
        return None


def _write_role(clients: Clients, state: State, role: str) -> None:
    if state is not None:
        raise InputError(
            f"the deletion of role `{role}` cannot be undone",
            hint="a role made anew has another unique id, which policies and sessions do not know",
        )
    clients("iam").delete_role(RoleName=role)


def _document(document: str | dict[str, Any]) -> dict[str, Any]:
    return dict(document) if isinstance(document, dict) else dict(json.loads(document))


KINDS: dict[str, Kind] = {
    "role-policy": Kind(_read_role_policy, _write_role_policy),
    "user-policy": Kind(_read_user_policy, _write_user_policy),
    "role-attachment": Kind(_read_role_attachment, _write_role_attachment),
    "user-attachment": Kind(_read_user_attachment, _write_user_attachment),
    "role-boundary": Kind(_read_boundary, _write_boundary),
    "managed-policy": Kind(_read_managed_policy, _write_managed_policy),
    "role-trust": Kind(_read_trust, _write_trust),
    "access-key": Kind(_read_access_key, _write_access_key),
    "profile-role": Kind(_read_profile_role, _write_profile_role),
    "role": Kind(_read_role, _write_role, reversible=False),
    "scp": Kind(read_scp, write_scp),
    "scp-attachment": Kind(read_scp_attachment, write_scp_attachment),
    "instance-profile": Kind(read_instance_profile, write_instance_profile),
    "instance-run": Kind(running_since, restart_instance, reversible=False),
}
