"""The machines of a Terraform plan that hold roles: instances, and what instances are launched from.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance#metadata-options
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.resource import Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.account.blueprint import Blueprint
    from pytest_stsguard.account.plan.resource import Planned, Resources
    from pytest_stsguard.account.standins import Standins

__all__ = ["add_machines"]

_NOUNS: Final = {
    "aws_instance": "instance",
    "aws_launch_template": "launch-template",
    "aws_launch_configuration": "launch-configuration",
}
_PROFILE: Final = "aws_iam_instance_profile"


def add_machines(blueprint: Blueprint, resources: Resources, standins: Standins) -> None:
    """Add instances, and launch templates as the instances that will come of them."""
    region = standins.pseudo("AWS::Region", strict=False) or ""
    profiles = {profile.location: profile.arn for profile in blueprint.profiles}
    for planned in resources.of_type(*_NOUNS):
        options = _first(planned.values.get("metadata_options"))
        hops = options.get("http_put_response_hop_limit")
        identifier = planned.text("id") or planned.address
        prefix = f"arn:{blueprint.partition}:ec2:{region}:{blueprint.account}:{_NOUNS[planned.type]}/"
        blueprint.instances.append(
            Instance(
                id=identifier,
                arn=planned.text("arn") or prefix + identifier,
                region=region,
                state=planned.text("instance_state") or "",
                profile=_profile(planned, resources, blueprint, profiles),
                http_endpoint=_text(options.get("http_endpoint")),
                http_tokens=_text(options.get("http_tokens")),
                hop_limit=hops if isinstance(hops, int) else None,
                location=planned.location.child("values", "metadata_options") if options else planned.location,
            )
        )


def _profile(planned: Planned, resources: Resources, blueprint: Blueprint, profiles: Mapping[Any, str]) -> str | None:
    """Give the ARN of the instance profile: by its name, its ARN, or the profile that the expression refers to."""
    value = planned.values.get("iam_instance_profile")
    block = _first(value)
    name = _text(block.get("arn")) or _text(block.get("name")) or _text(value)
    if name is None:
        made = resources.referred(planned, planned.expressions.get("iam_instance_profile"), _PROFILE)
        return profiles.get(made.location) if made is not None else None
    if name.startswith("arn:"):
        return name
    known = next((profile.arn for profile in blueprint.profiles if profile.name == name), None)
    return known or blueprint.arn("instance-profile", name)


def _first(blocks: Any) -> Mapping[str, Any]:
    """Give the one block of a list of at most one."""
    block = blocks[0] if isinstance(blocks, list) and blocks else None
    return block if isinstance(block, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
