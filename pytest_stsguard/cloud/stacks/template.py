"""A template's text: read without running anything of it, and looked through before anything is made.

moto reads templates with PyYAML's full loader, by which a tag in a template makes any object there is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault

from .halt import NotSimulatedError
from .kinds import KINDS
from .references import strange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["check_capabilities", "load_template", "loader", "unsimulated"]

_FORMAT = "Template format error"
# "Acknowledging IAM resources in CloudFormation templates": AWS CloudFormation User Guide.
_POWERFUL = frozenset(
    f"AWS::IAM::{name}" for name in ("AccessKey", "Group", "InstanceProfile", "ManagedPolicy", "Policy", "Role", "User")
) | {"AWS::IAM::UserToGroupAddition"}
_NAMED = frozenset({"GroupName", "InstanceProfileName", "ManagedPolicyName", "RoleName", "UserName"})


def load_template(text: str) -> dict[str, Any]:
    """Read a template in JSON or YAML.

    Raises:
        Fault: ``ValidationError``, as CloudFormation says it.
    """
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - PyYAML ships no types; it comes with moto's CloudFormation

    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, loader())  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        kind = "JSON" if text.lstrip().startswith("{") else "YAML"
        raise Fault(None, f"{_FORMAT}: {kind} not well-formed.", code="ValidationError") from error
    if not isinstance(found, dict):
        raise Fault(None, f"{_FORMAT}: unsupported structure.", code="ValidationError")
    resources = found.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise Fault(None, f"{_FORMAT}: At least one Resources member must be defined.", code="ValidationError")
    for logical, each in resources.items():
        if not isinstance(each, dict) or not isinstance(each.get("Type"), str):
            raise Fault(
                None, f"{_FORMAT}: [/Resources/{logical}] Every Resources object must contain a Type member.",
                code="ValidationError",
            )  # fmt: skip
    return found


def check_capabilities(template: dict[str, Any], given: Collection[str]) -> None:
    """Refuse a template that makes identities for who has not said that it may.

    Raises:
        Fault: ``InsufficientCapabilitiesException``.
    """
    powerful = [each for each in template["Resources"].values() if each["Type"] in _POWERFUL]
    named = any(KINDS[each["Type"]].name in _NAMED & set(each.get("Properties") or {}) for each in powerful)
    wanted = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    if powerful and not {wanted, "CAPABILITY_NAMED_IAM"} & set(given):
        told = f"Requires capabilities : [{wanted}]"
        raise Fault(None, told, code="InsufficientCapabilitiesException")


def unsimulated(template: dict[str, Any]) -> None:
    """Refuse by name a template of which not all is simulated.

    Raises:
        NotSimulatedError: for the first thing found.
    """
    for what in _unsimulated(template):
        raise NotSimulatedError(what)


def _unsimulated(template: dict[str, Any]) -> Iterator[str]:
    if "Transform" in template:
        yield f"the macro `{template['Transform']}`"
    for each in template["Resources"].values():
        if each["Type"] not in KINDS:
            yield f"`{each['Type']}` in a stack"
        unknown = sorted(set(each.get("Properties") or {}) - KINDS[each["Type"]].known)
        if unknown and not unknown[0].startswith("Fn::"):
            yield f"`{unknown[0]}` of `{each['Type']}`"
        for name in ("CreationPolicy", "UpdatePolicy"):
            if name in each:
                yield f"`{name}` of a resource"
    yield from strange(template)


def loader() -> Any:
    """Give PyYAML's safe loader with CloudFormation's short forms (``!Ref``), and without dates: a policy's version is text."""
    import yaml  # noqa: PLC0415 - as above

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # as above
        """Reads short forms as the long ones."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_multi_constructor("!", _long)
    return Loader


def _long(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - as above

    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}
