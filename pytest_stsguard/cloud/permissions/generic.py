"""The rule for every operation that is an action of its own name: its resources from the call's parameters.

Which resource types an action has, and how their ARNs are written, is the reference's; which parameter names a resource
of a type is a table of the service (`Table`). A required resource that no parameter names is either new or looked up
by AWS from another id: its ARN then ends in ``*``. With no resource at all the check is on ``*``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .permission import Context, Permission, UnmappedOperationError
from .reference import Action, Use, action
from .tags import request_tags, specified_tags, tag_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .scope import Scope

__all__ = ["NEW", "Table", "generic", "known_action", "own_tags"]

NEW = "+"
SKIP = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """What a service adds to the reference.

    `paths` lists by resource type the parameters that name a resource of it, `operations` the same for one operation;
    the paths of a type stand in one string, ``+`` in it is a resource that the operation creates, ``-`` alone says that
    the type plays no part. `arn` writes an ARN from a type, its template and a parameter; `keys` adds condition keys.
    """

    prefix: str
    paths: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    arn: Callable[[Scope, Use, str | None], str] | None = None
    keys: Callable[[Scope, Action, Use | None, str], Context] | None = None
    strict: bool = False

    def of(self, operation: str, use: Use) -> tuple[str, ...]:
        """Give the paths for one resource type of an operation."""
        own = self.operations.get(operation, {})
        text = own[use.name] if use.name in own else self.paths.get(use.name, "")
        return tuple(text.split())


def known_action(scope: Scope, prefix: str, name: str) -> Action:
    """Give the action from the reference; `UnmappedOperationError` when it is not there."""
    found = action(prefix, name)
    if found is None:
        call = scope.call
        raise UnmappedOperationError(
            call.service, call.operation, hint=f"the reference has no action `{prefix}:{name}`"
        )
    return found


def generic(scope: Scope, table: Table, name: str | None = None) -> list[Permission]:
    """Give the checks of one action, by default the one named like the operation."""
    found = known_action(scope, table.prefix, name or scope.call.operation)
    specified = specified_tags(scope.call.parameters)
    permissions = []
    for use in found.uses:
        for arn in _arns(scope, table, use):
            tags = specified.get(use.name) if specified else request_tags(scope.call.parameters)
            permissions.append(_permission(scope, table, found, use, arn, tags=tags or {}))
    if permissions:
        return permissions
    if table.strict and any(use.required for use in found.uses):
        raise UnmappedOperationError(scope.call.service, scope.call.operation, hint="no parameter names its resource")
    tags = next(iter(specified.values()), None) or request_tags(scope.call.parameters)
    return [_permission(scope, table, found, None, "*", tags=tags)]


def _arns(scope: Scope, table: Table, use: Use) -> list[str]:
    paths = table.of(scope.call.operation, use)
    if paths == (SKIP,):
        return []
    write = table.arn or (lambda scope, use, identifier: scope.arn(use.template, identifier))
    arns = [write(scope, use, each) for each in scope.texts(*(path for path in paths if path != NEW))]
    if NEW in paths or (use.required and not arns and not table.strict):
        arns.append(write(scope, use, None))
    return list(dict.fromkeys(arns))


def _permission(
    scope: Scope, table: Table, found: Action, use: Use | None, arn: str, *, tags: Mapping[str, str | None]
) -> Permission:
    keys = found.keys | (use.keys if use else frozenset())
    context: Context = {}
    if "aws:TagKeys" in keys:
        context.update(tag_context(tags))
    context.update(own_tags(scope, keys, arn))
    if table.keys is not None:
        context.update(table.keys(scope, found, use, arn))
    return Permission(f"{table.prefix}:{found.name}", arn, context)


def own_tags(scope: Scope, keys: frozenset[str], arn: str) -> Context:
    """Give the tags that an existing resource has, under each of the names that the action knows them by."""
    names = [key.partition("/")[0] for key in keys if key.endswith("ResourceTag/${TagKey}")]
    if not names or arn.endswith("*"):
        return {}
    return {f"{name}/{key}": value for key, value in scope.state.resource_tags(arn).items() for name in names}
