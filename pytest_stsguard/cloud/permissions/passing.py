"""iam:PassRole: handing a role to a service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .permission import Context, Permission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scope import Scope
    from .table import Service

__all__ = ["pass_role", "passed_roles"]

_ROLE = re.compile("role(s|arn|arns|name)?$", re.IGNORECASE)
_ROLE_ARN = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_DEPTH = 8


def passed_roles(scope: Scope, service: Service, prefix: str) -> list[Permission]:
    """Give the checks for every role among a call's parameters, at any depth, that it hands to the service.

    A parameter passes a role when it is called one and holds a role's ARN, or its name where the service's table says
    that it takes one; the role of an instance profile goes to EC2.
    """
    found: dict[tuple[str, str], Permission] = {}
    for name, value in _leaves(scope.call.parameters, _DEPTH):
        principal = service.passes.get(name, service.principal or f"{prefix}.amazonaws.com")
        if name in service.profiles:
            role = scope.state.instance_profile_role(value)
            principal = "ec2.amazonaws.com"
        else:
            role = value if _ROLE_ARN.fullmatch(value) or name in service.role_names else None
        if role is None or not principal or not (_ROLE.search(name) or name in service.profiles):
            continue
        for permission in pass_role(scope, role, principal):
            found.setdefault((permission.resource, principal), permission)
    return list(found.values())


def _leaves(value: Any, depth: int, name: str = "") -> Iterator[tuple[str, str]]:
    """Give the texts among parameters with the name of the member that holds them."""
    if isinstance(value, str):
        yield name, value
    elif depth and isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, depth - 1, str(key))
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, depth - 1, name)


def pass_role(scope: Scope, role: str, service: str, *, associated: str | None = None) -> list[Permission]:
    """Give the check for passing `role` (an ARN, or a name) to `service`; `associated` is the resource that gets it."""
    if not role.startswith("arn:"):
        role = scope.state.iam_arn("role", role) or f"arn:{scope.partition}:iam::{scope.account}:role/{role}"
    context: Context = {"iam:PassedToService": service}
    if associated is not None:
        context["iam:AssociatedResourceArn"] = associated
    tags = scope.state.resource_tags(role)
    context.update(
        {f"{name}/{key}": value for key, value in tags.items() for name in ("aws:ResourceTag", "iam:ResourceTag")}
    )
    return [Permission("iam:PassRole", role, context)]
