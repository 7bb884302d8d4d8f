"""On which resources an action is checked: the reference's ARN forms, filled from the call's parameters.

A resource is named by a parameter that the service's table gives, by a parameter that holds an ARN of its type, or by
parameters that are called like the variables of its ARN (`naming`). What an operation creates ends in ``*`` where AWS
gives the id. A listing that names nothing is checked on all resources of the type. Everything else is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.calls.catalogue import model

from .generic import is_creation
from .naming import Name, fits, is_identifier, noun, parse_name, shape, squeezed, variables
from .permission import UnmappedOperationError
from .table import INSTEAD, LOOKED_UP, NEW, SKIP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .reference import Action, Use
    from .scope import Scope
    from .table import Service

__all__ = ["Target", "any_of", "targets"]

_LISTINGS = ("List", "Describe", "Get", "Search", "BatchGet", "BatchDescribe", "Lookup")
# Parameters that look like names and name no resource: pages, tokens, the caller's own account.
_NO_RESOURCE = frozenset(
    {"token", "nexttoken", "clienttoken", "clientrequesttoken", "catalog", "account", "awsaccount", "owneraccount"}
    | {"request", "attribute", "admin", "include"}
)
_MARKS = (NEW, LOOKED_UP, SKIP, INSTEAD)
# Parameters that name a resource without saying that they hold a name.
_NAMING = frozenset({"resource", "source", "target", "principal"})
# Operations that name one resource of any of the action's types.
_ONE_OF_MANY = re.compile("[Tt]ag(s|Resource)")


@dataclass(frozen=True, slots=True)
class Target:
    """One resource to check: its type (None with ``*``), its ARN, and whether the operation creates it."""

    use: Use | None
    arn: str
    new: bool = False


def targets(scope: Scope, service: Service, action: Action) -> list[Target]:
    """Give the resources of one action in this call; `UnmappedOperationError` when it does not say which they are."""
    if not action.uses or scope.call.operation in service.anywhere:
        return [Target(None, "*")]
    uses = [_own(service, use) for use in action.uses]
    named = {use.name: _named(scope, service, action, use) for use in uses}
    found = {target.arn: target for group in named.values() for target in group or ()}
    missing = [use for use in uses if use.required and named.get(use.name) == []]
    if not found and not missing:
        missing = [use for use in uses if _created(scope, use)][:1]
        if not missing:
            return _nothing(scope, service, action)
    families = {_family(target.use) for target in found.values()}
    for use in missing:
        # A parameter may take one of several types: the other type's resource is not one of this type as well.
        if (values := _values(scope, service, action, use)) and found.keys() >= set(values):
            continue
        if _family(use) in families or (found and (_is_one_of_many(scope) or _left_out(scope, service, action, use))):
            continue
        found.update({target.arn: target for target in _fallback(scope, service, action, use)})
    return list(found.values())


def _own(service: Service, use: Use) -> Use:
    template = service.templates.get(use.name)
    return replace(use, template=template) if template else use


def _family(use: Use | None) -> str:
    """Give what variants of one type have in common: ``listener/app`` and ``listener/net`` are listeners."""
    return use.name.partition("/")[0] if use else ""


def _is_one_of_many(scope: Scope) -> bool:
    return _ONE_OF_MANY.search(scope.call.operation) is not None


def _named(scope: Scope, service: Service, action: Action, use: Use) -> list[Target] | None:
    """Give the resources of one type that the call names; None for a type that plays no part."""
    paths = _paths(scope, service, action, use)
    if paths == [SKIP]:
        return None
    written = [_written(scope, service, use, value) for value in _values(scope, service, action, use)]
    if written and not any(written) and "" in written:
        return None
    found = [Target(use, arn) for arn in written if arn]
    if not variables(use.template) and not found and use.required and _given(scope, service, action, use) is None:
        found = [Target(use, scope.arn(use.template))]
    if not found and (NEW in paths or LOOKED_UP in paths):
        found.append(Target(use, any_of(scope, service, use), new=NEW in paths))
    return found


def _values(scope: Scope, service: Service, action: Action, use: Use) -> list[str]:
    """Give the parameters' values that name resources of one type."""
    paths = _paths(scope, service, action, use)
    values = scope.texts(*(path for path in paths if path[0] not in _MARKS))
    if _given(scope, service, action, use) is None:
        values = values or _by_name(scope, service, use, variables(use.template)[-1:], stems=(squeezed(use.name),))
        values = values or _arns(scope, use)
    return values or [path.removeprefix(INSTEAD) for path in paths if path.startswith(INSTEAD)]


def _paths(scope: Scope, service: Service, action: Action, use: Use) -> list[str]:
    given = _given(scope, service, action, use)
    return (service.paths.get(use.name, "") if given is None else given).split()


def _given(scope: Scope, service: Service, action: Action, use: Use) -> str | None:
    """Give what the table says for one type in an operation, or in one of the actions that an operation needs."""
    operation = scope.call.operation
    tables = (service.operations.get(name, {}) for name in (f"{operation}:{action.name}", operation))
    return next((each[use.name] for each in tables if use.name in each), None)


def _admits(use: Use, value: str) -> bool:
    return not value.startswith("arn:") or shape(use.template).fullmatch(value) is not None


def _arns(scope: Scope, use: Use) -> list[str]:
    """Give the values that are ARNs of the type, of parameters that name something: not of what is free text."""
    naming = (value for name, value in scope.call.parameters.items() if _names_something(name))
    return [value for value in _texts(naming) if value.startswith("arn:") and _admits(use, value)]


def _texts(values: Iterable[Any]) -> list[str]:
    """Give the text among `values`, and in lists among them."""
    found: list[str] = []
    for value in values:
        found += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
    return list(dict.fromkeys(found))


def _by_name(
    scope: Scope, service: Service, use: Use, wanted: tuple[str, ...], *, stems: tuple[str, ...] = ()
) -> list[str]:
    """Give the values of the parameter that is called like a variable of the type's ARN.

    `stems` are other ways to call the thing; they are given for the resource itself and not for what it is part of.
    """
    for variable in wanted:
        if paths := service.variables.get(variable):
            return [value for value in scope.texts(*paths.split()) if _admits(use, value) or not stems]
        for name in _matching(scope.call.operation, parse_name(variable), scope.call.parameters, stems):
            texts = _texts([scope.call.parameters[name]])
            if texts := [text for text in texts if _admits(use, text) or not stems]:
                return texts
    return []


def _matching(operation: str, variable: Name, parameters: Iterable[str], stems: tuple[str, ...]) -> list[str]:
    """Give the parameters that can fill a variable, the likeliest first."""
    # A bare `Id` or `Name` is the resource's own only where the operation is about it.
    ways = [stem for stem in (variable.stem, *stems) if stem]
    if (stems and _is_about(operation, tuple(ways))) or not (stems or variable.stem):
        ways.append("")
    return [name for way in dict.fromkeys(ways) for name in parameters if fits(variable, parse_name(name), (way,))]


def _is_about(operation: str, stems: tuple[str, ...]) -> bool:
    """Tell whether a bare `Name` or `Id` in an operation is one of these things': ``GetTrailStatus`` is about a trail."""
    about = noun(operation)
    return about.endswith(stems) or (about.startswith(stems) and not is_creation(operation))


def _written(scope: Scope, service: Service, use: Use, value: str) -> str | None:
    """Write the ARN of the resource that `value` names: None when it cannot be told, ``""`` when it is of another type."""
    if service.arn is not None and (arn := service.arn(scope, use, value)) not in (None, value):
        return arn
    if value.startswith("arn:"):
        return value if _admits(use, value) else None
    if use.name in service.existing:
        known = scope.state.existing_arn(scope.call.service, use.name, value, scope.call.region)
        if known is not None:
            return known
        if use.name not in service.templates:
            return any_of(scope, service, use)
    return _filled(scope, service, use, value)


def _filled(scope: Scope, service: Service, use: Use, value: str) -> str | None:
    template = use.template
    *before, last = variables(template) or ("",)
    for name in before:
        parents = _by_name(scope, service, use, (name,))
        if len(parents) != 1:
            return None
        # A parent that is given as an ARN is named by its end.
        parent = parents[0]
        parent = parent.rpartition("/")[2].rpartition(":")[2] if parent.startswith("arn:") else parent
        parent = service.values.get(parent, parent)
        template = template.replace(f"${{{name}}}", parent)
        # What names the part before is not the random id that comes after it.
        if parent == value and parse_name(last).kind != "name":
            value = "*"
    return scope.arn(template, value)


def any_of(scope: Scope, service: Service, use: Use) -> str:
    """Write the ARN of a type with ``*`` for its id, and for those of its parents that the call does not name."""
    return _filled(scope, service, use, "*") or scope.arn(use.template)


def _created(scope: Scope, use: Use) -> bool:
    """Tell whether an operation creates a resource of the type."""
    if not is_creation(scope.call.operation):
        return False
    last = variables(use.template)[-1:]
    return noun(scope.call.operation) in (squeezed(use.name), *(parse_name(name).stem for name in last))


def _left_out(scope: Scope, service: Service, action: Action, use: Use) -> bool:
    """Tell whether the operation has a parameter for a resource of the type, which this call leaves out."""
    given = _given(scope, service, action, use)
    last = variables(use.template)[-1:]
    stems = tuple(stem for stem in (squeezed(use.name), *(parse_name(name).stem for name in last)) if stem)
    if given is None and _is_about(scope.call.operation, stems):
        return False
    taken = model(scope.call.service).operation_model(scope.call.operation).input_shape
    members = [name for name in (taken.members if taken else ()) if name not in scope.call.parameters]
    paths = [path for name in last for path in service.variables.get(name, "").split()]
    paths += _paths(scope, service, action, use)
    if any(path.partition(".")[0] in members for path in paths):
        return True
    return any(_matching(scope.call.operation, parse_name(name), members, (squeezed(use.name),)) for name in last)


def _fallback(scope: Scope, service: Service, action: Action, use: Use) -> list[Target]:
    """Give a resource that no parameter names: one to be created, or all that a listing goes over."""
    if _created(scope, use):
        last = variables(use.template)[-1:]
        if last and parse_name(last[0]).kind != "name":
            arn = _filled(scope, service, use, "*")
            if arn is not None:
                return [Target(use, arn, new=True)]
    elif _is_listing(scope, action):
        return [Target(use, any_of(scope, service, use))]
    raise UnmappedOperationError(
        scope.call.service, scope.call.operation, hint=f"no parameter names its resource of type `{use.name}`"
    )


def _nothing(scope: Scope, service: Service, action: Action) -> list[Target]:
    """Give the answer for an action whose resources are all optional when none is named: a listing is on ``*``."""
    if service.typed and len(action.uses) == 1 and _is_listing(scope, action):
        use = _own(service, action.uses[0])
        return [Target(use, any_of(scope, service, use))]
    if _is_listing(scope, action) or not any(map(_names_something, scope.call.parameters)):
        return [Target(None, "*")]
    raise UnmappedOperationError(scope.call.service, scope.call.operation, hint="no parameter names its resource")


def _is_listing(scope: Scope, action: Action) -> bool:
    """Tell whether an action goes over all resources of a type: it lists, and the call names none."""
    if action.access_level != "List" and not scope.call.operation.startswith(_LISTINGS):
        return False
    return not any(map(_names_something, scope.call.parameters))


def _names_something(parameter: str) -> bool:
    name = parse_name(parameter)
    return (is_identifier(parameter) or name.stem in _NAMING) and name.stem not in _NO_RESOURCE
