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
    from collections.abc import Mapping

    from .scope import Scope

__all__ = ["fleet_launches", "group_launches", "with_template", "with_template_keys"]

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


def group_launches(scope: Scope, _own: list[Permission]) -> list[Permission]:
    """Give the checks of the launches that a scaling group is made, or changed, to do from a template."""
    if scope.call.operation not in {"CreateAutoScalingGroup", "UpdateAutoScalingGroup"}:
        return []
    parameters = scope.call.parameters
    specs = find(parameters, "LaunchTemplate")
    specs += find(parameters, "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification")
    specs += find(parameters, "MixedInstancesPolicy.LaunchTemplate.Overrides.LaunchTemplateSpecification")
    return _launches(scope, specs, "autoscaling")


def fleet_launches(scope: Scope) -> list[Permission]:
    """Give the checks of the launches that a fleet does from templates."""
    paths = ("LaunchTemplateConfigs", "SpotFleetRequestConfig.LaunchTemplateConfigs")
    specs = [each for path in paths for each in find(scope.call.parameters, f"{path}.LaunchTemplateSpecification")]
    return _launches(scope, specs, "")


def _launches(scope: Scope, specs: list[Any], by: str) -> list[Permission]:
    from . import ec2  # noqa: PLC0415 - EC2's own rules use what is above

    via = called_via(by) if by else {}
    checks: list[Permission] = []
    for spec in specs:
        if not isinstance(spec, dict) or _find(scope, spec) is None:
            continue
        call = Call("ec2", "RunInstances", "ec2", {"LaunchTemplate": spec}, scope.call.region, "ec2")
        checks += [
            Permission(each.action, each.resource, {**each.context, **via})
            for each in ec2.permissions(replace(scope, call=call))
        ]
    return checks
