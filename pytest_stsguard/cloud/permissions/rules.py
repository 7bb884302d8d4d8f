"""`required`: from a call to its permissions, by service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import apigateway, dynamodb, ec2, iam, others, s3, sts
from .permission import Permission, State, UnmappedOperationError
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.calls import Call

__all__ = ["SERVICES", "required"]

SERVICES: dict[str, Callable[[Scope], list[Permission]]] = {
    "apigateway": apigateway.permissions,
    "apigatewayv2": apigateway.permissions,
    "dynamodb": dynamodb.permissions,
    "dynamodbstreams": dynamodb.permissions,
    "ec2": ec2.permissions,
    "iam": iam.permissions,
    "s3": s3.permissions,
    "sts": sts.permissions,
}


def required(
    call: Call, *, account: str, state: State, partition: str = "aws", caller_name: str | None = None
) -> tuple[Permission, ...]:
    """Say what IAM checks for `call`, in the order in which AWS names them in a denial: the operation's own first.

    Args:
        call: the call, as `calls.parse` gives it.
        account: the account that the call is made in, 12 digits.
        state: the live cloud, asked for owners, tags, paths and roles.
        partition: ``aws``, ``aws-cn``, ``aws-us-gov`` ...
        caller_name: the caller's user name, for IAM operations that act on the caller; None for a session.

    Raises:
        UnmappedOperationError: the operation's permissions are not known here, or the call does not name its resource.
    """
    scope = Scope(call, account, state, partition, caller_name)
    permissions = SERVICES.get(call.service, others.permissions)(scope)
    if not permissions:
        raise UnmappedOperationError(call.service, call.operation, hint="nothing to check was found")
    return tuple(permissions)
