"""Deleting a role, user or policy that a drill made, with whatever has come to hang on it; what is gone already is gone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

__all__ = ["strike"]


def strike(iam: Any, kind: str, name: str) -> None:
    """Delete a ``"role"`` or ``"user"`` by its name, or a ``"policy"`` by its ARN.

    It can be done any number of times: a part that an earlier attempt has deleted is passed over.
    """
    with suppress(iam.exceptions.NoSuchEntityException):
        if kind == "policy":
            iam.delete_policy(PolicyArn=name)
        elif kind == "user":
            _strike_user(iam, name)
        else:
            _strike_role(iam, name)


def _strike_role(iam: Any, name: str) -> None:
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _strike_user(iam: Any, name: str) -> None:
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)
