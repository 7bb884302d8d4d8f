"""A template's text: read without running anything of it, and looked through before anything is made.

moto reads templates with PyYAML's full loader, by which a tag in a template makes any object there is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault

from .halt import NotSimulatedError
from .kinds import KINDS
from .references import circle, references, strange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["check_capabilities", "check_references", "load_template", "long_forms", "read_yaml", "unsimulated"]

_FORMAT = "Template format error"
_SECTIONS = ("Conditions", "Mappings", "Outputs", "Parameters", "Resources")
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
        found = json.loads(text) if text.lstrip().startswith("{") else read_yaml(text, aliases=False)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        kind = "JSON" if text.lstrip().startswith("{") else "YAML"
        raise _malformed(f"{kind} not well-formed.") from error
    if not isinstance(found, dict):
        raise _malformed("unsupported structure.")
    long_forms(found)
    for name in _SECTIONS:
        section = found.get(name)
        if section is not None and not (isinstance(section, dict) and all(isinstance(key, str) for key in section)):
            raise _malformed(f"[/{name}] must be an object")
    _check_members(found)
    if not found.get("Resources"):
        raise _malformed("At least one Resources member must be defined.")
    for logical, each in found["Resources"].items():
        if not isinstance(each, dict) or not isinstance(each.get("Type"), str):
            raise _malformed(f"[/Resources/{logical}] Every Resources object must contain a Type member.")
        properties = each.get("Properties")
        if properties is None:
            continue
        if not isinstance(properties, dict) or not all(isinstance(key, str) for key in properties):
            raise _malformed(f"[/Resources/{logical}/Properties] must be an object")
    return found


def long_forms(value: Any) -> None:
    """Write ``Fn::GetAtt: A.B`` as the list that moto knows, wherever it stands."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "Fn::GetAtt" and isinstance(inner, str):
            value[key] = inner.split(".", 1)
        long_forms(inner)


def check_references(template: dict[str, Any]) -> None:
    """Refuse a template that refers to what it does not have, or in a circle.

    Raises:
        Fault: ``ValidationError``, as CloudFormation says it.
    """
    resources = template["Resources"]
    known = {*resources, *(template.get("Parameters") or {}), *(template.get("Mappings") or {})}
    for section in ("Resources", "Outputs"):
        missing = [name for name in references(template.get(section)) if name not in known and "::" not in name]
        if missing:
            named = ", ".join(dict.fromkeys(missing))
            raise _malformed(f"Unresolved resource dependencies [{named}] in the {section} block of the template")
    conditions = template.get("Conditions") or {}
    for logical, each in resources.items():
        named = each.get("Condition", "")
        if named and (not isinstance(named, str) or named not in conditions):
            raise _malformed(f"Template error: the condition of `{logical}` is not defined")
    around = circle({logical: set(references(each)) for logical, each in resources.items()})
    if around:
        told = f"Circular dependency between resources: [{', '.join(around)}]"
        raise Fault(None, told, code="ValidationError")


def _check_members(template: Mapping[str, Any]) -> None:
    """Refuse parameters without a type, outputs without a value, and conditions that are none."""
    for name, member in (("Parameters", "Type"), ("Outputs", "Value")):
        for each in (template.get(name) or {}).values():
            if not isinstance(each, dict) or member not in each:
                raise _malformed(f"Every {name} object must contain a {member} member.")
    if not all(isinstance(each["Type"], str) for each in (template.get("Parameters") or {}).values()):
        raise _malformed("Every Parameters object must contain a Type member.")
    for each in (template.get("Conditions") or {}).values():
        if not isinstance(each, bool) and not (
            isinstance(each, dict) and isinstance(next(iter(each.values()), None), list)
        ):
            raise _malformed("Conditions can only be boolean operations on parameters and other conditions")


def _malformed(text: str) -> Fault:
    return Fault(None, f"{_FORMAT}: {text}", code="ValidationError")


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


def read_yaml(text: str, *, aliases: bool = True) -> Any:
    """Read YAML with CloudFormation's short forms (``!Ref``) as the long ones, and without dates: a policy's version is text.

    Aliases, by which a short text stands for any amount of data, CloudFormation refuses.
    """
    import yaml  # noqa: PLC0415 - as above

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # as above
        """PyYAML's own but for that."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if not aliases and self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not allowed")
            return super().compose_node(parent, index)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_multi_constructor("!", _long)
    return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader


def _long(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - as above

    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}
