"""What CloudFormation does in somebody else's name: more than its own permission covers, and not looked into here.

A stack's resources are made with the permissions of the caller, or of the service role that the call hands over: "AWS
CloudFormation service role" in the CloudFormation User Guide. Which permissions that are, each resource type's handler
decides. They are not simulated, so only who may do everything gets a stack; for anybody else a yes would be a guess, and a no
as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.cloud.permissions import Permission
from pytest_stsguard.cloud.permissions.reference import services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.cloud.calls import Call

__all__ = ["changes_a_stack", "everything", "hands_over"]

_CHANGES: Final = frozenset(
    {
        "ContinueUpdateRollback",
        "CreateStack",
        "CreateStackInstances",
        "DeleteStack",
        "DeleteStackInstances",
        "ExecuteChangeSet",
        "RollbackStack",
        "UpdateStack",
        "UpdateStackInstances",
        "UpdateStackSet",
    }
)


def changes_a_stack(call: Call) -> bool:
    """Whether the call makes CloudFormation make, change or delete resources."""
    return call.service == "cloudformation" and call.operation in _CHANGES


def hands_over(call: Call) -> bool:
    """Whether a role's permissions count, and not the caller's."""
    return bool(call.parameters.get("RoleARN"))


def everything() -> Iterator[Permission]:
    """Give what only somebody who may do everything is allowed: all actions together, and all of each service."""
    context: dict[str, str | list[str]] = {
        "aws:CalledVia": ["cloudformation.amazonaws.com"],
        "aws:CalledViaFirst": "cloudformation.amazonaws.com",
        "aws:CalledViaLast": "cloudformation.amazonaws.com",
        "aws:ViaAWSService": "true",
    }
    yield Permission("*", "*", context)
    for service in services():
        yield Permission(f"{service}:*", "*", context)
