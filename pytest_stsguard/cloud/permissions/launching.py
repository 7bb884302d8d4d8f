"""Launch templates: what one holds counts as if the call itself had said it, the instance profile above all.

A launch from a template needs the permissions for everything that the template names:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/use-launch-templates-to-control-launching-instances.html. So does a scaling
group with one: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.calls import Call

from .behalf import called_via
from .permission import Permission
from .scope import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .scope import Scope

__all__ = ["fleet_templates", "group_templates", "launches", "with_template", "with_template_keys"]

_LATEST, _DEFAULT = "$Latest", "$Default"


def with_template(scope: Scope) -> Scope:
    """Give a launch with what its template says, where the call does not say otherwise; the template by its id."""
    spec = scope.call.parameters.get("LaunchTemplate")
    found = _find(scope, spec) if isinstance(spec, dict) else None
    if found is None:
        return scope
    identifier, data = found
    parameters = {**data, **scope.call.parameters, "LaunchTemplate": {**(spec or {}), "LaunchTemplateId": identifier}}
    return replace(scope, call=replace(scope.call, parameters=parameters))


def _find(scope: Scope, spec: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    named = spec.get("LaunchTemplateId") or spec.get("LaunchTemplateName")
    if not named:
        return None
    return scope.state.launch_template(str(named), str(spec.get("Version") or _DEFAULT), scope.call.region)


def with_template_keys(scope: Scope, given: Scope, found: list[Permission]) -> list[Permission]:
    """Add what tells a launch from a template, and for each resource whether the template or the call names it."""
    identifier = scope.text("LaunchTemplate.LaunchTemplateId")
    if identifier is None:
        return found
    template = f"arn:{scope.partition}:ec2:{scope.call.region}:{scope.account}:launch-template/{identifier}"
    said = {text for text in _texts(given.call.parameters) if text}
    return [
        replace(
            each,
            context={
                **each.context,
                "ec2:LaunchTemplate": template,
                "ec2:IsLaunchTemplateResource": str(each.resource.rpartition("/")[2] not in said).lower(),
            },
        )
        if each.action == "ec2:RunInstances"
        else each
        for each in found
    ]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [str(value)]


def fleet_templates(scope: Scope) -> list[Any]:
    """Give the templates that a fleet launches from."""
    paths = ("LaunchTemplateConfigs", "SpotFleetRequestConfig.LaunchTemplateConfigs")
    return [each for path in paths for each in find(scope.call.parameters, f"{path}.LaunchTemplateSpecification")]


def group_templates(scope: Scope) -> list[Any]:
    """Give the templates that a scaling group is made, or changed, to launch from."""
    if scope.call.operation not in {"CreateAutoScalingGroup", "UpdateAutoScalingGroup"}:
        return []
    parameters = scope.call.parameters
    return [
        *find(parameters, "LaunchTemplate"),
        *find(parameters, "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification"),
        *find(parameters, "MixedInstancesPolicy.LaunchTemplate.Overrides.LaunchTemplateSpecification"),
    ]


def launches(
    scope: Scope, templates: list[Any], permissions: Callable[[Scope], list[Permission]], *, by: str = ""
) -> list[Permission]:
    """Give the checks of launches from templates.

    Args:
        scope: the call that leads to them.
        templates: launch template specifications.
        permissions: gives the checks of one call of EC2.
        by: the service that launches in the caller's name.
    """
    via = called_via(by) if by else {}
    checks: list[Permission] = []
    for spec in templates:
        if not isinstance(spec, dict) or _find(scope, spec) is None:
            continue
        call = Call("ec2", "RunInstances", "ec2", {"LaunchTemplate": spec}, scope.call.region, "ec2")
        checks += [
            Permission(each.action, each.resource, {**each.context, **via})
            for each in permissions(replace(scope, call=call))
        ]
    return checks
