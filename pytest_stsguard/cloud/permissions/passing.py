"""iam:PassRole: handing a role to a service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.calls.catalogue import model

from .permission import Context, Permission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scope import Scope
    from .table import Service

__all__ = ["pass_role", "passed_roles"]

_ROLE = re.compile("(role(s|arn|arns|name)?|instanceprofile)$", re.IGNORECASE)
_ROLE_ARN = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_DEPTH = 8
_EACH = "{}"


def passed_roles(scope: Scope, service: Service, prefix: str) -> list[Permission]:
    """Give the checks for every role among a call's parameters, at any depth, that it hands to the service.

    A parameter passes a role when it is called one and holds a role's ARN, or its name where the service's table says
    that it takes one; the role of an instance profile goes to EC2. The keys of a map are the caller's own words, such as
    a function's environment, and no parameters.
    """
    found: dict[tuple[str, str], Permission] = {}
    for path in _paths(scope.call.service, scope.call.operation):
        name = path[-1]
        principal = service.passes.get(name, service.principal or f"{prefix}.amazonaws.com")
        for value in _texts(scope.call.parameters, path):
            if name in service.profiles:
                role, receiver = scope.state.instance_profile_role(value), "ec2.amazonaws.com"
            else:
                role = value if _ROLE_ARN.fullmatch(value) or name in service.role_names else None
                receiver = principal
            for permission in pass_role(scope, role, receiver) if role and receiver else ():
                found.setdefault((permission.resource, receiver), permission)
    return list(found.values())


@cache
def _paths(service: str, operation: str) -> tuple[tuple[str, ...], ...]:
    """Give the paths to an operation's parameters that are called roles; ``{}`` is any key of a map."""
    shape = model(service).operation_model(operation).input_shape
    return tuple(_below(shape, _DEPTH, frozenset())) if shape is not None else ()


def _below(shape: Any, depth: int, above: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Go through the members of a shape; one that holds itself is gone through once."""
    if depth == 0 or shape.name in above:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            inner = member.member if member.type_name == "list" else member
            if inner.type_name == "string" and _ROLE.search(name):
                yield (name,)
            for path in _below(inner, depth - 1, above | {shape.name}):
                yield (name, *path)
    elif shape.type_name == "list":
        yield from _below(shape.member, depth - 1, above)
    elif shape.type_name == "map":
        for path in _below(shape.value, depth - 1, above):
            yield (_EACH, *path)


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Give the texts at a path, through lists."""
    if isinstance(value, list):
        for each in value:
            yield from _texts(each, path)
    elif not path:
        if isinstance(value, str):
            yield value
    elif isinstance(value, dict):
        inner = list(value.values()) if path[0] == _EACH else [value.get(path[0])]
        for each in inner:
            yield from _texts(each, path[1:])


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
