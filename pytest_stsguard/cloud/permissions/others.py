"""Services without rules of their own: the reference, with what the service's table adds to it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from .generic import context_of, known_action
from .naming import noun, shape, squeezed
from .passing import passed_roles
from .permission import Context, Permission, UnmappedOperationError
from .reference import actions
from .resources import any_of, targets
from .services import table
from .tags import request_tags, tag_context

if TYPE_CHECKING:
    from .reference import Action
    from .resources import Target
    from .scope import Scope
    from .table import Service

__all__ = ["permissions", "prefix_of"]

_READING = frozenset({"Read", "List"})
# A log group's ARN ends so in every check but those of its tags.
_STREAMS = ":log-stream:"
_CREATING = re.compile("Create|Register|Put|Run|Start|Request|Import|Copy|Restore|Submit|Allocate|Upload")


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one call to a service that has no rules of its own."""
    call = scope.call
    service = table(call.service)
    prefix = service.prefix or prefix_of(call.service, call.signing_name)
    if not prefix:
        raise UnmappedOperationError(
            call.service, call.operation, hint=f"the reference lacks the service `{call.service}`"
        )
    if call.operation in service.refused:
        raise UnmappedOperationError(call.service, call.operation, hint=service.refused[call.operation])
    found: list[Permission] = []
    own = None
    for name in service.actions.get(call.operation, call.operation).split():
        own = known_action(scope, prefix, name)
        found += _checks(scope, service, prefix, own)
    also = service.besides(scope, found) if service.besides is not None else []
    found += _tags_at_creation(scope, service, prefix, found) + also
    if own is not None and own.access_level not in _READING:
        found += passed_roles(scope, service, prefix)
    return found


@cache
def prefix_of(service: str, signing_name: str) -> str:
    """Give IAM's prefix of a service: what it signs with or is called; nothing when the reference has neither."""
    return next((name for name in (signing_name, service) if actions(name)), "")


def _checks(scope: Scope, service: Service, prefix: str, action: Action) -> list[Permission]:
    found = targets(scope, service, action)
    for target in found:
        _refuse_elsewhere(scope, target.arn)
    return [_permission(scope, service, prefix, action, target) for target in found]


def _refuse_elsewhere(scope: Scope, arn: str) -> None:
    """Refuse an ARN of another region: the backend would look for its name in the region that is called."""
    region = arn.split(":", 4)[3] if arn.startswith("arn:") else ""
    if region not in ("", "*", scope.call.region):
        hint = f"`{arn}` is not in the region that is called"
        raise UnmappedOperationError(scope.call.service, scope.call.operation, hint=hint)


def _permission(scope: Scope, service: Service, prefix: str, action: Action, target: Target) -> Permission:
    context = context_of(scope, action, target.use, target.arn, tags=request_tags(scope.call.parameters))
    for key, paths in service.keys.items():
        if key in action.all_keys and (values := scope.texts(*paths.split())):
            context[key] = values if len(values) > 1 else values[0]
    if service.context is not None:
        context.update(service.context(scope, action, target.arn))
    return Permission(f"{prefix}:{action.name}", target.arn, context)


def _tags_at_creation(scope: Scope, service: Service, prefix: str, found: list[Permission]) -> list[Permission]:
    """Give the checks for tagging what is created with tags, on the resources that can be tagged."""
    if not service.tagging or not _CREATING.match(scope.call.operation) or "Tag" in scope.call.operation:
        return []
    tags = tag_context(request_tags(scope.call.parameters))
    if not tags:
        return []
    action = known_action(scope, prefix, service.tagging)
    forms = [shape(service.templates.get(use.name, use.template)) for use in action.uses]
    created = service.created.get(scope.call.operation, noun(scope.call.operation))
    fitting = [any_of(scope, service, use) for use in action.uses if squeezed(use.name) == squeezed(created)]
    named = [each.resource.removesuffix(_STREAMS) for each in found]
    named = [arn for arn in named if any(form.fullmatch(arn) for form in forms)]
    if named and scope.call.operation not in service.created:
        fitting = named
    context: Context = dict(tags)
    key = f"{prefix}:CreateAction"
    if key in action.all_keys:
        context[key] = scope.call.operation
    return [Permission(f"{prefix}:{action.name}", arn, context) for arn in fitting or ["*"]]
