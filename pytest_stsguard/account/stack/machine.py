"""The machines of a template that hold roles: instances, and what instances are launched from.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ec2-launchtemplate-metadataoptions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.account.resource import Instance

if TYPE_CHECKING:
    from pytest_stsguard.account.blueprint import Blueprint
    from pytest_stsguard.account.stack.node import Node
    from pytest_stsguard.account.stack.resource import Resource
    from pytest_stsguard.account.standins import Standins

__all__ = ["MACHINES", "add_machine"]


class Machine(NamedTuple):
    """Where a type keeps its settings, and the word in its ARN."""

    data: tuple[str, ...]
    noun: str


MACHINES: Final = {
    "AWS::EC2::Instance": Machine((), "instance"),
    "AWS::EC2::LaunchTemplate": Machine(("LaunchTemplateData",), "launch-template"),
    "AWS::AutoScaling::LaunchConfiguration": Machine((), "launch-configuration"),
}
"""The types that are read here."""


def add_machine(blueprint: Blueprint, resource: Resource, standins: Standins) -> None:
    """Add an instance, or a launch template as the instances that will come of it."""
    machine = MACHINES[resource.type]
    region = standins.pseudo("AWS::Region", strict=False) or ""
    partition, account = blueprint.partition, blueprint.account
    options = resource.get(*machine.data, "MetadataOptions")
    hops = _option(options, "HttpPutResponseHopLimit")
    blueprint.instances.append(
        Instance(
            id=resource.logical_id,
            arn=f"arn:{partition}:ec2:{region}:{account}:{machine.noun}/{resource.logical_id}",
            region=region,
            state="",
            profile=_profile(resource.get(*machine.data, "IamInstanceProfile"), blueprint),
            http_endpoint=_option(options, "HttpEndpoint"),
            http_tokens=_option(options, "HttpTokens"),
            hop_limit=int(hops[:9]) if hops is not None and hops.isascii() and hops.isdecimal() else None,
            location=options.location if options is not None else resource.location,
        )
    )


def _option(options: Node | None, name: str) -> str | None:
    node = options.get(name) if options is not None else None
    return node.text if node is not None else None


def _profile(node: Node | None, blueprint: Blueprint) -> str | None:
    """Give the ARN of an instance profile that is named by its name, its ARN, or an object with one of them."""
    if node is None:
        return None
    inner = node.get("Arn") or node.get("Name") or node
    name = inner.text
    if name is None or name.startswith("arn:"):
        return name
    known = next((profile.arn for profile in blueprint.profiles if profile.name == name), None)
    return known or blueprint.arn("instance-profile", name)
