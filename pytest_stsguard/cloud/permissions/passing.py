"""iam:PassRole: handing a role to a service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .permission import Context, Permission

if TYPE_CHECKING:
    from .scope import Scope

__all__ = ["pass_role"]


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
