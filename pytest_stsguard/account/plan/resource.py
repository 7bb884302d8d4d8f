"""The resources of a Terraform plan: their values, which of them are known after apply only, and what they refer to."""

from __future__ import annotations

from dataclasses import dataclass, field
from re import compile as regex
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.location import Location
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_stsguard.account.location import JsonText
    from pytest_stsguard.account.plan.wire import ConfiguredModule, Module, Plan

__all__ = ["Planned", "Resources"]

_REFERENCE = regex(r"(?P<address>(?:data\.)?[\w-]+\.[\w-]+)(?P<index>\[[^\]]*\])?(?:\..*)?", 16)
_STEP = regex(r"module\.(?P<name>[\w-]+)(?:\[[^\]]*\])?")
_NO_RESOURCE: Final = frozenset({"var", "local", "module", "each", "count", "path", "terraform", "self"})
_FARTHEST: Final = 20
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Planned:
    """A resource, or a data source, as it will be.

    Attributes:
        address: as Terraform writes it: ``module.x.aws_iam_role.app["a"]``.
        module: the address of its module; empty for the root.
        block: its address without module and index: ``aws_iam_role.app``, ``data.aws_iam_policy_document.x``.
        values: what is known.
        unknown: true, or an object of the same shape with true where a value is known after apply.
        expressions: those of its block in the configuration.
    """

    address: str
    type: str
    module: str
    block: str
    index: str | int | None
    values: Mapping[str, Any]
    location: Location
    unknown: Any = None
    expressions: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Give a value that is a text and not empty."""
        value = self.values.get(name)
        return value if isinstance(value, str) and value else None

    def waits(self, name: str) -> bool:
        """Tell whether a value is set, and known after apply only: AWS fills in others that nobody set."""
        unknown = self.unknown.get(name) if isinstance(self.unknown, dict) else self.unknown
        return _any(unknown) and (name in self.expressions or not self.expressions)

    def name_of(self, name: str) -> str:
        """Name an unknown value, with what it comes from."""
        longest = [one for one in references(self.expressions.get(name)) if "." in one][:_SHOWN]
        hangs = f" (from {', '.join(f'`{short(one)}`' for one in longest)})" if longest else ""
        return f"`{short(f'{self.address}.{name}')}`, known after apply{hangs}"


class Resources:
    """All resources and data sources of a plan, and the way from an expression to what it refers to."""

    def __init__(self, plan: Plan, source: JsonText) -> None:
        self._root = plan.configuration.root_module
        self._source = source
        self._changes = {change.address: change for change in plan.resource_changes}
        self.all: dict[str, Planned] = {}
        self._blocks: dict[str, list[Planned]] = {}
        before = Location(source.file, ("prior_state", "values", "root_module"), text=source)
        for planned in self._walk(plan.prior_state.values.root_module, before, self._root):
            if planned.block.startswith("data."):
                self.all[planned.address] = planned
        after = Location(source.file, ("planned_values", "root_module"), text=source)
        for planned in self._walk(plan.planned_values.root_module, after, self._root):
            self.all[planned.address] = planned
        for planned in self.all.values():
            self._blocks.setdefault(planned.block, []).append(planned)

    def of_type(self, *types: str) -> list[Planned]:
        """List the managed resources of some types, in the plan's order."""
        return [one for one in self.all.values() if one.type in types and not one.block.startswith("data.")]

    def referred(self, resource: Planned, expression: Any, *types: str) -> Planned | None:
        """Find the one resource of some types that an expression of a resource's block refers to; None when it is unclear."""
        found = self.referred_all(resource, expression, *types)
        return found[0] if len(found) == 1 else None

    def referred_all(self, resource: Planned, expression: Any, *types: str) -> list[Planned]:
        """List the resources of some types that an expression of a resource's block refers to."""
        followed = self._follow(resource.module, expression, resource.index, 0)
        return [self.all[address] for address in dict.fromkeys(one.address for one in followed if one.type in types)]

    def _walk(self, module: Module, place: Location, configured: ConfiguredModule | None) -> Iterator[Planned]:
        blocks = {block.address: block.expressions for block in configured.resources} if configured else {}
        for index, one in enumerate(module.resources):
            block = f"{'data.' if one.mode == 'data' else ''}{one.type}.{one.name}"
            changed = self._changes.get(one.address)
            yield Planned(
                address=one.address,
                type=one.type,
                module=module.address,
                block=block,
                index=one.index,
                values=one.values,
                location=place.child("resources", index),
                unknown=changed.change.after_unknown if changed is not None else None,
                expressions=blocks.get(block, {}),
            )
        for index, child in enumerate(module.child_modules):
            steps = _STEP.findall(child.address)
            call = configured.module_calls.get(steps[-1]) if configured and steps else None
            yield from self._walk(child, place.child("child_modules", index), call.module if call else None)

    def _follow(self, module: str, expression: Any, index: str | int | None, depth: int) -> Iterator[Planned]:
        """Go through the resources that an expression refers to, through variables and outputs."""
        if depth > _FARTHEST:
            return
        for reference in references(expression):
            head, _, rest = reference.partition(".")
            name, _, output = rest.partition(".")
            if head == "var":
                parent, call = self._call_of(module)
                if call is not None:
                    yield from self._follow(parent, call.get(name), index, depth + 1)
            elif head == "module":
                yield from self._out_of(module, name.partition("[")[0], output, index, depth)
            elif head not in _NO_RESOURCE:
                yield from self._named(module, reference, index)

    def _named(self, module: str, reference: str, index: str | int | None) -> Iterator[Planned]:
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            return
        instances = [one for one in self._blocks.get(match["address"], ()) if one.module == module]
        if match["index"]:
            instances = [one for one in instances if one.address.endswith(match["index"])]
        elif len(instances) > 1:
            instances = [one for one in instances if one.index == index] or instances
        yield from instances

    def _out_of(self, module: str, name: str, output: str, index: str | int | None, depth: int) -> Iterator[Planned]:
        configured = self._module(module)
        call = configured.module_calls.get(name) if configured else None
        found = call.module.outputs.get(output.partition(".")[0].partition("[")[0]) if call else None
        if found is None:
            return
        inside = f"{module}.module.{name}".lstrip(".")
        modules = {
            one.module for one in self.all.values() if one.module == inside or one.module.startswith(f"{inside}[")
        }
        for one in sorted(modules):
            if _STEP.sub("", one).count(".") == _STEP.sub("", inside).count("."):
                yield from self._follow(one, found.expression, index, depth + 1)

    def _module(self, address: str) -> ConfiguredModule | None:
        module: ConfiguredModule | None = self._root
        for name in _STEP.findall(address):
            call = module.module_calls.get(name) if module else None
            module = call.module if call else None
        return module

    def _call_of(self, address: str) -> tuple[str, Mapping[str, Any] | None]:
        """Give the parent's address, and the arguments that it calls a module with."""
        steps = list(_STEP.finditer(address))
        if not steps:
            return "", None
        parent = address[: steps[-1].start()].rstrip(".")
        configured = self._module(parent)
        call = configured.module_calls.get(steps[-1]["name"]) if configured else None
        return parent, call.expressions if call else None


def references(expression: Any) -> list[str]:
    """List the references of an expression, with those of the blocks inside it.

    Terraform lists ``aws_iam_role.x["a"].arn`` with the shorter forms of it: the longest alone is given.
    """
    stack, found = [expression], dict[str, None]()
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            own = value.get("references")
            found.update(dict.fromkeys(one for one in own if isinstance(one, str)) if isinstance(own, list) else {})
            stack.extend(inner for name, inner in value.items() if name != "references")
        elif isinstance(value, list):
            stack.extend(value)
    return [one for one in found if not any(other.startswith((f"{one}.", f"{one}[")) for other in found)]


def _any(unknown: Any) -> bool:
    """Tell whether anything in a mask of unknown values is true."""
    stack = [unknown]
    while stack:
        value = stack.pop()
        if value is True:
            return True
        stack.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return False
