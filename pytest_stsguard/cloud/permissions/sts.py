"""The Security Token Service's operations.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservicests.html. Tags and a
source identity are checked as actions of their own:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .generic import Table, generic
from .permission import Permission
from .tags import request_tags, tag_context

if TYPE_CHECKING:
    from .reference import Use
    from .scope import Scope

__all__ = ["TABLE", "permissions"]

_PATHS = {"role": "RoleArn", "federated-user": "Name", "root-user": "TargetPrincipal"}
_SESSION = ("AssumeRole", "GetFederationToken")


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one call; what a SAML or OIDC token brings in tags and source identity is not in the call."""
    found = generic(scope, TABLE)
    if scope.call.operation not in _SESSION:
        return found
    target, context = found[0].resource, found[0].context
    tags = tag_context(request_tags(scope.call.parameters))
    own = {key: value for key, value in context.items() if key not in tags}
    if tags:
        found.append(Permission("sts:TagSession", target, {**own, **tags}))
    if scope.text("SourceIdentity") is not None:
        found.append(Permission("sts:SetSourceIdentity", target, own))
    return found


def _arn(scope: Scope, use: Use, identifier: str | None) -> str:
    if use.name == "root-user" and identifier is not None and identifier.isdigit():
        return f"arn:{scope.partition}:iam::{identifier}:root"
    return scope.arn(use.template, identifier)


TABLE = Table("sts", _PATHS, arn=_arn)
