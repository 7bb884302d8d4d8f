"""The source ``cfn:``: what a CloudFormation template would make, as an account.

Every role is looked at, also one whose condition is not met by the defaults: the next deployment may meet it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_stsguard.account.blueprint import Blueprint
from pytest_stsguard.account.stack.entity import ENTITIES, StackEntities
from pytest_stsguard.account.stack.ignored import pragmas_of
from pytest_stsguard.account.stack.intrinsic import Evaluator
from pytest_stsguard.account.stack.loops import LOOP, rounds
from pytest_stsguard.account.stack.machine import MACHINES, add_machine
from pytest_stsguard.account.stack.node import Node, Unknown
from pytest_stsguard.account.stack.resolution import UnresolvedError, unknown_call
from pytest_stsguard.account.stack.resource import Resource
from pytest_stsguard.account.stack.template import LIMIT, read_template
from pytest_stsguard.account.standins import Standins
from pytest_stsguard.account.text import read_text
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account.model import Account

__all__ = ["read_stack"]

_HIDDEN: Final = {
    "AWS::CloudFormation::Stack": ("roles of nested stacks", "a nested stack's template is a file of its own"),
    "AWS::CloudFormation::StackSet": ("roles of stack sets", "a stack set's template is a file of its own"),
    "AWS::Serverless::Function": (
        "roles that SAM makes",
        "a function without `Role` gets one that the template does not show",
    ),
    "AWS::Serverless::StateMachine": (
        "roles that SAM makes",
        "a state machine without `Role` gets one that the template does not show",
    ),
    "AWS::Serverless::Application": (
        "roles of nested applications",
        "a nested application's template is a file of its own",
    ),
}
_MADE: Final = {
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "PermissionsBoundary", "MaxSessionDuration"),
    "AWS::IAM::User": ("Policies", "ManagedPolicyArns", "PermissionsBoundary", "Groups"),
    "AWS::IAM::Group": ("Policies", "ManagedPolicyArns"),
}  # fmt: skip
"""What a macro among the properties of a resource may make."""

_KNOWN_TRANSFORMS: Final = frozenset({"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"})
_GAPS: Final = {
    "RoleLastUsed": "a template has no history",
    "instances outside the template": "a template shows what it makes itself",
    "identity providers outside the template": "a template shows what it makes itself",
    "organization": "a template does not name its organisation",
}


def read_stack(path: str, *, source: str | None = None, standins: Standins | None = None) -> Account:
    """Read a template as the account that it would make.

    Args:
        path: JSON or YAML; plain or gzip, at most 1 MiB.
        source: what to call it; default ``cfn:PATH``.
        standins: the account, region and parameters of the deployment, as far as they are known.

    Raises:
        InputError: with file, line, and what is wrong.
    """
    text = read_text(path, limit=LIMIT)
    template = read_template(text, path)
    settings = standins or Standins()
    blueprint = Blueprint(source or f"cfn:{path}", settings.id, settings.partition)
    resources = list(_resources(template, Evaluator(template, settings), blueprint))
    entities = StackEntities(blueprint, settings)
    for resource in resources:
        if resource.type in ENTITIES:
            entities.collect(resource)
    entities.attach()
    for resource in resources:
        if resource.type in MACHINES:
            add_machine(blueprint, resource, settings)
    blueprint.gaps.update(_GAPS)
    account = blueprint.build()
    return replace(account, pragmas=pragmas_of(template, text, path, account))


def _resources(template: Node, evaluator: Evaluator, blueprint: Blueprint) -> Iterator[Resource]:
    """Go through the resources that matter here, resolved; what hides further roles becomes a gap."""
    resources = template.get("Resources")
    if resources is None or not isinstance(resources.value, dict):
        hint = "a CloudFormation template has an object `Resources`"
        raise InputError("not a template: it has no `Resources`", location=str(template.location), hint=hint)
    _note_macros(template, blueprint)
    found = list(_written_out(resources, evaluator, blueprint))
    resources.value.update(found)  # what a loop makes can be referred to like everything else
    for logical_id, node in found:
        kind = node.get("Type")
        if kind is None and node.get("Fn::Transform") is not None:
            blueprint.gaps["roles that macros make"] = f"`{short(logical_id)}` is what a macro makes of it"
            continue
        if kind is None or kind.text is None:
            raise InputError(f"the resource `{short(logical_id)}` has no `Type`", location=str(node.location))
        written = node.get("Properties") or Node({}, node.location)
        if not isinstance(written.value, dict):
            raise InputError("`Properties` is no object", location=str(written.location))
        if any(name.startswith("Fn::") for name in written.value):
            blueprint.gaps["roles that macros make"] = f"`{short(logical_id)}` takes properties from a macro"
        if kind.text in _HIDDEN and "Role" not in written.value:
            gap, reason = _HIDDEN[kind.text]
            blueprint.gaps[gap] = reason
        if kind.text in ENTITIES or kind.text in MACHINES:
            yield _resolve(logical_id, kind.text, node, written, evaluator)


def _written_out(resources: Node, evaluator: Evaluator, blueprint: Blueprint) -> Iterator[tuple[str, Node]]:
    """Go through the resources, loops written out; what cannot be becomes a gap."""
    waiting = list(resources.value.items())[::-1]
    while waiting:
        logical_id, node = waiting.pop()
        if not logical_id.startswith("Fn::"):
            yield logical_id, node
            continue
        reason = "loops and macros are not expanded here"
        if logical_id.startswith(LOOP) and evaluator.extended:
            try:
                waiting += list(rounds(node, evaluator))[::-1]
            except UnresolvedError as error:
                reason = f"its collection is not known: {error}"
            else:
                continue
        blueprint.gaps[f"roles of {short(logical_id)}"] = reason


def _resolve(logical_id: str, kind: str, node: Node, written: Node, evaluator: Evaluator) -> Resource:
    condition, doubt = node.get("Condition"), None
    name = condition.text if condition is not None else None
    if condition is not None and name is None:
        raise InputError("`Condition` is no name of a condition", location=str(condition.location))
    if name is not None:
        try:
            doubt = None if evaluator.holds(name) else f"condition `{short(name)}` is not met"
        except UnresolvedError as error:
            doubt = str(error)
    own = evaluator.assuming(name)
    members = {key: own.resolve(value) for key, value in written.value.items() if not key.startswith("Fn::")}
    macro = next((key for key in written.value if key.startswith("Fn::")), None)
    if macro is not None:  # it may make any property that is not written
        unknown = Node(Unknown(unknown_call(macro, None)), written.location)
        members = {**dict.fromkeys(_MADE.get(kind, ()), unknown), **members}
    return Resource(logical_id, kind, Node(members, written.location), written, node.location, doubt)


def _note_macros(template: Node, blueprint: Blueprint) -> None:
    transforms = template.get("Transform")
    for transform in transforms.items if transforms is not None else ():
        if transform.text not in _KNOWN_TRANSFORMS:
            blueprint.gaps["roles that macros make"] = f"the macro `{short(transform.text)}` is not run here"
