"""The rule for every operation that is an action of its own name: its resources from the call's parameters.

Which resource types an action has, and how their ARNs are written, is the reference's; which parameter names a resource
of a type is a table of the service (`Table`). A required resource that no parameter names is either new or looked up
by AWS from another id (the instance behind an association's id): its ARN then ends in ``*``. With no resource at all the
check is on ``*``.
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

__all__ = ["Table", "context_of", "generic", "is_creation", "known_action", "own_tags"]

_NEW = "+"
_LOOKED_UP = "?"
_SKIP = "-"
_REQUEST_TAG = "aws:RequestTag/"
_CREATION = ("Create", "Run", "Allocate", "Copy", "Import", "Request", "Register", "Purchase", "Upload", "Put")


@dataclass(frozen=True, slots=True)
class Table:
    """What a service adds to the reference.

    `paths` lists by resource type the parameters that name a resource of it, `operations` the same for one operation;
    the paths of a type stand in one string, ``+`` in it is a resource that the operation creates, ``?`` one that AWS
    looks up when no path names it, ``-`` alone says that the type plays no part. `arn` writes an ARN from a type and a
    parameter; `keys` adds condition keys, knowing whether the resource is new.
    """

    prefix: str
    paths: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    arn: Callable[[Scope, Use, str | None], str] | None = None
    keys: Callable[[Scope, Action, Use | None, str, bool], Context] | None = None

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
    given, specified = request_tags(scope.call.parameters), specified_tags(scope.call.parameters)
    permissions = []
    for use in found.uses:
        tags = specified.get(use.name, {}) if specified else given
        for arn, new in _arns(scope, table, use):
            context = _context(scope, table, found, use, arn, new=new, tags=tags)
            permissions.append(Permission(f"{table.prefix}:{found.name}", arn, context))
    if permissions:
        return permissions
    tags = next(iter(specified.values()), given)
    context = _context(scope, table, found, None, "*", new=False, tags=tags)
    return [Permission(f"{table.prefix}:{found.name}", "*", context)]


def is_creation(operation: str) -> bool:
    """Tell whether an operation makes the resource that its parameters do not name."""
    return operation.startswith(_CREATION)


def _arns(scope: Scope, table: Table, use: Use) -> list[tuple[str, bool]]:
    """Give the ARNs of one resource type, each with whether the operation creates it."""
    operation = scope.call.operation
    paths = table.of(operation, use)
    if paths == (_SKIP,):
        return []
    write = table.arn or (lambda scope, use, identifier: scope.arn(use.template, identifier))
    named = scope.texts(*(path for path in paths if path not in (_NEW, _LOOKED_UP)))
    arns = dict.fromkeys((write(scope, use, each) for each in named), False)
    if _NEW in paths:
        arns[write(scope, use, None)] = True
    elif not arns and (_LOOKED_UP in paths or use.required):
        arns[write(scope, use, None)] = is_creation(operation) and _LOOKED_UP not in paths
    return list(arns.items())


def _context(
    scope: Scope, table: Table, found: Action, use: Use | None, arn: str, *, new: bool, tags: Mapping[str, str | None]
) -> Context:
    context = context_of(scope, found, use, arn, tags=tags)
    if table.keys is not None:
        context.update(table.keys(scope, found, use, arn, new))
    return context


def context_of(scope: Scope, found: Action, use: Use | None, arn: str, *, tags: Mapping[str, str | None]) -> Context:
    """Give the tags of the request and of the resource, as far as the action knows such keys."""
    keys = found.keys | (use.keys if use else frozenset())
    context: Context = tag_context(tags) if "aws:TagKeys" in keys else {}
    if not any(key.startswith(_REQUEST_TAG) for key in keys):
        # What removes tags may name their values too; a policy cannot ask for those.
        context = {key: value for key, value in context.items() if not key.startswith(_REQUEST_TAG)}
    context.update(own_tags(scope, keys, arn))
    return context


def own_tags(scope: Scope, keys: frozenset[str], arn: str) -> Context:
    """Give the tags that an existing resource has, under each of the names that the action knows them by."""
    names = [key.partition("/")[0] for key in keys if key.endswith("ResourceTag/${TagKey}")]
    if not names or arn.endswith("*"):
        return {}
    return {f"{name}/{key}": value for key, value in scope.state.resource_tags(arn).items() for name in names}
