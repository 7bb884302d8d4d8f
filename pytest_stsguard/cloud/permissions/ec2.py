"""EC2's operations.

Almost all of them are the generic rule over the tables of `ec2_table`. Here are ids of any type (tags), tags given at
creation (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html) and roles that are
handed to instances (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from .ec2_keys import new_keys, own_keys, volume_keys
from .ec2_table import ID_PREFIXES, OPERATIONS, PATHS
from .generic import Table, generic, known_action, own_tags
from .launching import fleet_templates, launches, with_template, with_template_keys
from .passing import pass_role
from .permission import Context, Permission, UnmappedOperationError
from .scope import find
from .tags import request_tags, specified_tags, tag_context

if TYPE_CHECKING:
    from .reference import Action, Use
    from .scope import Scope

__all__ = ["TABLE", "permissions"]

_VARIABLE = re.compile(r"\$\{(\w+)\}$")
_TAGGING = ("CreateTags", "DeleteTags")
# Operations with parameters that take resources of several types.
_ANY_TYPE = {"CreateFlowLogs": "ResourceIds", "CreateNetworkInsightsPath": "Source Destination"}
_FLEETS = ("CreateFleet", "RequestSpotFleet")
_PROFILES = (
    "IamInstanceProfile",
    "LaunchSpecification.IamInstanceProfile",
    "SpotFleetRequestConfig.LaunchSpecifications.IamInstanceProfile",
)
# Roles handed over by ARN or name: the parameter and the service that gets it.
_PASSED = {
    "CreateFlowLogs": ("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    "ExportImage": ("RoleName", "vmie.amazonaws.com"),
    "ImportImage": ("RoleName", "vmie.amazonaws.com"),
    "ImportSnapshot": ("RoleName", "vmie.amazonaws.com"),
    "RequestSpotFleet": ("SpotFleetRequestConfig.IamFleetRole", "spotfleet.amazonaws.com"),
}


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one EC2 call."""
    operation = scope.call.operation
    if operation in _TAGGING:
        return _tagging(scope)
    given = scope
    if operation == "RunInstances":
        scope = with_template(scope)
    found = generic(scope, TABLE) + _by_id(scope)
    if operation == "RunInstances":
        found = [each for one in found for each in _volumes(scope, one)]
        found = with_template_keys(scope, given, found)
    found += _tags_at_creation(scope, found)
    found += _passed(scope)
    return found + (launches(scope, fleet_templates(scope), permissions) if operation in _FLEETS else [])


def _tagging(scope: Scope) -> list[Permission]:
    found = _identified(scope, "Resources", tag_context(request_tags(scope.call.parameters)))
    if not found:
        raise UnmappedOperationError("ec2", scope.call.operation, hint="the call names no resource")
    return found


def _by_id(scope: Scope) -> list[Permission]:
    paths = _ANY_TYPE.get(scope.call.operation)
    return _identified(scope, paths, {}) if paths else []


def _identified(scope: Scope, paths: str, tags: Context) -> list[Permission]:
    """Give the checks on resources whose type only their ids tell."""
    operation = scope.call.operation
    action = known_action(scope, "ec2", operation)
    uses = {use.name: use for use in action.uses}
    found = []
    for identifier in scope.texts(*paths.split()):
        use = uses.get(_kind(identifier))
        if use is None:
            raise UnmappedOperationError(
                "ec2", operation, hint=f"`{identifier}` is of no type that can be told by its id"
            )
        arn = scope.arn(use.template, identifier)
        own = own_tags(scope, use.keys | action.keys, arn)
        context: Context = {**tags, **own, **own_keys(use, arn), "ec2:Region": scope.call.region}
        found.append(Permission(f"ec2:{operation}", arn, context))
    return found


def _kind(identifier: str) -> str:
    if identifier.startswith("arn:"):
        return identifier.rpartition("/")[0].rpartition(":")[2]
    return ID_PREFIXES.get(identifier.rpartition("-")[0], "")


def _volumes(scope: Scope, permission: Permission) -> list[Permission]:
    """Check every volume of a launch with its own size, type and encryption."""
    if ":volume/" not in permission.resource:
        return [permission]
    mappings = find(scope.call.parameters, "BlockDeviceMappings.Ebs")
    common = {key: value for key, value in permission.context.items() if key != "ec2:Encrypted"}
    variants = [{**common, **volume_keys(scope, mapping)} for mapping in mappings]
    return [Permission(permission.action, permission.resource, context) for context in variants] or [permission]


def _tags_at_creation(scope: Scope, created: list[Permission]) -> list[Permission]:
    """Give ec2:CreateTags for what the call tags while it creates it."""
    specified = specified_tags(scope.call.parameters)
    action = known_action(scope, "ec2", "CreateTags")
    templates = {use.name: use.template for use in action.uses}
    found = []
    for kind, tags in specified.items():
        if kind in templates:
            arn = scope.arn(templates[kind])
        else:
            arn = next((each.resource for each in created if each.resource.endswith("/*")), "*")
        context: Context = {
            **tag_context(tags),
            "ec2:CreateAction": scope.call.operation,
            "ec2:Region": scope.call.region,
        }
        found.append(Permission("ec2:CreateTags", arn, context))
    return found


def _passed(scope: Scope) -> list[Permission]:
    found = []
    instances = scope.texts("InstanceId") or ["*"]
    associated = f"arn:{scope.partition}:ec2:{scope.call.region}:{scope.account}:instance/{instances[0]}"
    profiles = scope.texts(*(f"{path}.{name}" for path in _PROFILES for name in ("Arn", "Name")))
    for profile in profiles:
        role = scope.state.instance_profile_role(profile)
        if role is not None:
            found += pass_role(scope, role, "ec2.amazonaws.com", associated=associated)
    path, service = _PASSED.get(scope.call.operation, ("", ""))
    if path and (role := scope.text(path)) is not None:
        found += pass_role(scope, role, service)
    return list({each.resource + str(each.context): each for each in found}.values())


class _Table(Table):
    """EC2's table: a parameter that is named like the variable at the end of the ARN names the resource."""

    def of(self, operation: str, use: Use) -> tuple[str, ...]:
        """Give the paths for one resource type of an operation."""
        if use.name in OPERATIONS.get(operation, {}):
            return super().of(operation, use)
        return (*_implied(use.template), *super().of(operation, use))


@cache
def _implied(template: str) -> tuple[str, ...]:
    found = _VARIABLE.search(template)
    return (found[1], f"{found[1]}s") if found else ()


def _keys(scope: Scope, _action: Action, use: Use | None, arn: str, new: bool) -> Context:  # noqa: FBT001 - a callback
    context: Context = {"ec2:Region": scope.call.region}
    if use is not None:
        context.update(own_keys(use, arn))
        context.update(new_keys(scope, use, new=new))
    return context


TABLE = _Table("ec2", PATHS, OPERATIONS, keys=_keys)
