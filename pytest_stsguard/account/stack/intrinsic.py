"""The intrinsic functions of CloudFormation: from a template's node to the value that a deployment would use.

What cannot be resolved stays unknown, by its name, and so does everything that is made from it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
from base64 import b64encode
from re import Match
from re import compile as regex
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.stack.node import ABSENT, Node, Unknown
from pytest_stsguard.account.stack.references import KINDS
from pytest_stsguard.account.stack.resolution import (
    Budget,
    UnresolvedError,
    arguments_of,
    call_of,
    known_value,
    text_value,
    unknown_call,
)
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.account.standins import Standins

__all__ = ["Evaluator"]

_VARIABLE = regex(r"\$\{(?P<literal>!)?(?P<name>[^}]*)\}")
_DYNAMIC: Final = "{{resolve:"
_STEP_TEXT: Final = 64


class Evaluator:
    """Resolves the values of one template.

    Args:
        template: the whole template.
        standins: what the deployment would know.
        budget: what it may cost.
        assumed: the condition that holds here: that of the resource whose properties are resolved.
    """

    def __init__(
        self, template: Node, standins: Standins, *, budget: Budget | None = None, assumed: str | None = None
    ) -> None:
        self.template = template
        self.standins = standins
        self.budget = budget or Budget()
        self.assumed = assumed
        self._conditions: dict[str, bool | UnresolvedError] = {}
        self._open: set[str] = set()
        self._functions: Mapping[str, Callable[..., Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": self._base64,
        }
        if self.extended:
            self._functions = {**self._functions, "Fn::ToJsonString": self._to_json, "Fn::Length": self._length}

    @property
    def extended(self) -> bool:
        """Whether the template asks for the language's extensions."""
        transforms = self.template.get("Transform")
        return any(one.text == "AWS::LanguageExtensions" for one in (transforms.items if transforms else ()))

    def assuming(self, condition: str | None) -> Evaluator:
        """Give an evaluator for which a condition holds."""
        if condition is None:
            return self
        return Evaluator(self.template, self.standins, budget=self.budget, assumed=condition)

    def resolve(self, node: Node, *, strict: bool = False) -> Node:
        """Resolve a value with all that is in it.

        Args:
            node: as the template has it.
            strict: a decision hangs on the value, so that a stand-in is no answer.

        Raises:
            InputError: the template costs more than it may.
        """
        self.budget.enter(node)
        try:
            value = self._value(node, strict=strict)
            return value if isinstance(value, Node) else Node(value, node.location)
        except UnresolvedError as error:
            return Node(Unknown(str(error)), node.location)
        finally:
            self.budget.depth -= 1

    def texts(self, node: Node, *, strict: bool = False) -> list[str]:
        """Resolve a list of texts.

        Raises:
            UnresolvedError: it, or one of them, is unknown.
        """
        found = self.resolve(node, strict=strict)
        if not isinstance(found.value, list):
            known_value(found)
            raise UnresolvedError("a value that is no list")
        return [text_value(item) for item in found.value]

    def text(self, node: Node, *, strict: bool = False) -> str:
        """Resolve a text.

        Raises:
            UnresolvedError: it is unknown, or no text.
        """
        return text_value(self.resolve(node, strict=strict))

    def holds(self, condition: str) -> bool:
        """Decide a condition of the template.

        Raises:
            UnresolvedError: it cannot be decided.
        """
        if condition == self.assumed:
            return True
        known = self._conditions.get(condition)
        if known is None:
            try:
                known = self._hold(condition)
            except UnresolvedError as error:
                known = error
            self._conditions[condition] = known
        if isinstance(known, UnresolvedError):
            raise UnresolvedError(str(known))
        return known

    def _hold(self, condition: str) -> bool:
        node = self.template.get("Conditions", condition)
        if node is None:
            raise UnresolvedError(f"condition `{short(condition)}` is not in the template")
        mark = f"condition {condition}"
        if mark in self._open:
            raise UnresolvedError(f"condition `{short(condition)}`, which depends on itself")
        self._open.add(mark)
        try:
            return self._decide(node)
        except UnresolvedError as error:
            raise UnresolvedError(f"condition `{short(condition)}` hangs on {error}") from None
        finally:
            self._open.discard(mark)

    def _decide(self, node: Node) -> bool:
        self.budget.enter(node)
        try:
            name, argument = call_of(node)
            if name == "Condition" and argument is not None and argument.text is not None:
                return self.holds(argument.text)
            if name == "Fn::Equals" and argument is not None and len(argument.items) == 2:  # noqa: PLR2004 - of two
                left, right = (self.text(item, strict=True) for item in argument.items)
                return left == right
            if name == "Fn::Not" and argument is not None and len(argument.items) == 1:
                return not self._decide(argument.items[0])
            if name in ("Fn::And", "Fn::Or") and argument is not None:
                return self._decide_all(argument.items, decisive=name == "Fn::Or")
            raise UnresolvedError("a form that is not known here")
        finally:
            self.budget.depth -= 1

    def _decide_all(self, nodes: list[Node], *, decisive: bool) -> bool:
        """Decide And or Or: one answer suffices, whatever is unknown beside it."""
        unknown: UnresolvedError | None = None
        for node in nodes:
            try:
                if self._decide(node) is decisive:
                    return decisive
            except UnresolvedError as error:
                unknown = unknown or error
        if unknown is not None:
            raise unknown
        return not decisive

    def _value(self, node: Node, *, strict: bool) -> Any:
        value = node.value
        if isinstance(value, dict):
            name, argument = call_of(node)
            function = self._functions.get(name)
            if function is not None and argument is not None:
                return self._spend(function(argument, strict=strict), node)
            if name.startswith("Fn::"):
                raise UnresolvedError(unknown_call(name, argument))
            if any(one.startswith("Fn::") for one in value):  # a macro or a loop, which may make any of its neighbours
                raise UnresolvedError(unknown_call(next(one for one in value if one.startswith("Fn::")), None))
            inner = {name: self.resolve(item, strict=strict) for name, item in value.items()}
            return {name: item for name, item in inner.items() if item.value is not ABSENT}
        if isinstance(value, list):
            found = [self.resolve(item, strict=strict) for item in value]
            return [item for item in found if item.value is not ABSENT]
        if isinstance(value, str) and _DYNAMIC in value:
            raise UnresolvedError(f"the dynamic reference `{short(value)}`")
        return value

    def _spend(self, value: Any, node: Node) -> Any:
        """Pay for what a function made: texts can grow."""
        if isinstance(value, str):
            self.budget.spend(len(value) // _STEP_TEXT, node)
        elif isinstance(value, list):
            self.budget.spend(len(value), node)
        return value

    def _ref(self, argument: Node, *, strict: bool) -> Any:
        name = argument.text
        if name is None:
            raise UnresolvedError("a malformed `Ref`")
        if name == "AWS::NoValue":
            return ABSENT
        if name.startswith("AWS::"):
            value = self.standins.pseudo(name, strict=strict)
            if value is None:
                raise UnresolvedError(f"pseudo parameter `{short(name)}`")
            return value
        parameter = self.template.get("Parameters", name)
        if parameter is not None:
            return self._parameter(name, parameter, argument)
        return self._reference(name, None, strict=strict)

    def _parameter(self, name: str, parameter: Node, place: Node) -> Any:
        kind = parameter.get("Type")
        default = parameter.get("Default")
        if name in self.standins.parameters:
            value: Any = self.standins.parameters[name]
        elif kind is not None and (kind.text or "").startswith("AWS::SSM::Parameter"):
            raise UnresolvedError(f"parameter `{short(name)}`, which is read from the Parameter Store")
        elif default is None or isinstance(default.value, (dict, list)):
            raise UnresolvedError(f"parameter `{short(name)}`, which has no default")
        else:
            value = text_value(default)
        if kind is not None and (kind.text == "CommaDelimitedList" or (kind.text or "").startswith("List<")):
            return [Node(part.strip(), place.location) for part in value.split(",")]
        return value

    def _get_att(self, argument: Node, *, strict: bool) -> Any:
        parts = [item.text for item in argument.items]
        if argument.text is not None:
            parts = list(argument.text.split(".", 1))
        if len(parts) != 2 or parts[0] is None or parts[1] is None:  # noqa: PLR2004 - a resource and its attribute
            raise UnresolvedError("a malformed `Fn::GetAtt`")
        return self._reference(parts[0], parts[1], strict=strict)

    def _reference(self, logical_id: str, attribute: str | None, *, strict: bool) -> str:
        """Give what a resource is referred to by: a stand-in, since the name is AWS's to make or bound to the account."""
        shown = f"`{short(logical_id)}`" if attribute is None else f"`{short(logical_id)}.{short(attribute)}`"
        resource = self.template.get("Resources", logical_id)
        kind_node = resource.get("Type") if resource is not None else None
        if resource is None or kind_node is None:
            raise UnresolvedError(f"{shown}, which is neither parameter nor resource")
        kind = KINDS.get(kind_node.text or "")
        form = None if kind is None else kind.ref if attribute is None else kind.attributes.get(attribute)
        if kind is None or form is None:
            raise UnresolvedError(f"{shown} of type {short(kind_node.value)}")
        if strict:
            raise UnresolvedError(f"{shown}, which AWS makes")
        if logical_id in self._open:
            raise UnresolvedError(f"the name of `{short(logical_id)}`, which depends on itself")
        self._open.add(logical_id)
        try:
            return form.format_map(self._parts(logical_id, resource, kind.name))
        finally:
            self._open.discard(logical_id)

    def _parts(self, logical_id: str, resource: Node, property_name: str) -> dict[str, str]:
        named, path = resource.get("Properties", property_name), resource.get("Properties", "Path")
        name = self.standins.generated(logical_id) if named is None else self.text(named)
        return {
            "name": name.removeprefix("https://"),
            "path": "/" if path is None else self.text(path),
            "account": self.standins.id,
            "partition": self.standins.partition,
            "region": self.standins.pseudo("AWS::Region", strict=False) or "",
        }

    def _sub(self, argument: Node, *, strict: bool) -> str:
        template, variables = argument, Node({}, argument.location)
        if isinstance(argument.value, list) and len(argument.value) == 2:  # noqa: PLR2004 - the text and its variables
            template, variables = argument.value
        if template.text is None or not isinstance(variables.value, dict):
            raise UnresolvedError("a malformed `Fn::Sub`")
        if _DYNAMIC in template.text:
            raise UnresolvedError(f"the dynamic reference `{short(template.text)}`")

        def fill(match: Match[str]) -> str:
            name = match["name"].strip()
            if match["literal"]:
                return f"${{{match['name']}}}"
            own = variables.get(name)
            node = own
            if node is None:
                resource, dot, attribute = name.partition(".")
                call, inner = ("Fn::GetAtt", f"{resource}.{attribute}") if dot else ("Ref", name)
                node = Node({call: Node(inner, template.location)}, template.location)
            return self.text(node, strict=strict)

        return _VARIABLE.sub(fill, template.text)

    def _join(self, argument: Node, *, strict: bool) -> str:
        delimiter, items = arguments_of(argument, "Fn::Join", 2)
        if delimiter.text is None:
            raise UnresolvedError("a malformed `Fn::Join`")
        return delimiter.text.join(self.texts(items, strict=strict))

    def _split(self, argument: Node, *, strict: bool) -> list[Node]:
        delimiter, source = arguments_of(argument, "Fn::Split", 2)
        if not delimiter.text:
            raise UnresolvedError("a malformed `Fn::Split`")
        return [Node(part, source.location) for part in self.text(source, strict=strict).split(delimiter.text)]

    def _select(self, argument: Node, *, strict: bool) -> Any:
        index, items = arguments_of(argument, "Fn::Select", 2)
        number, found = self.text(index, strict=True), self.resolve(items, strict=strict)
        if not isinstance(known_value(found), list):
            raise UnresolvedError("`Fn::Select` of no list")
        if not number.isdecimal() or not number.isascii() or int(number[:9]) >= len(found.value):
            raise UnresolvedError(f"`Fn::Select` of index `{short(number)}` in {len(found.value)} values")
        return known_value(found.value[int(number)])

    def _if(self, argument: Node, *, strict: bool) -> Any:
        condition, *branches = arguments_of(argument, "Fn::If", 3)
        if condition.text is None:
            raise UnresolvedError("a malformed `Fn::If`")
        try:
            holds = self.holds(condition.text)
        except UnresolvedError:
            one, other = (self.resolve(branch, strict=strict) for branch in branches)
            if ABSENT not in (one.value, other.value) and one.unknown() is None and one.plain() == other.plain():
                return one
            raise
        return self.resolve(branches[0 if holds else 1], strict=strict)

    def _find_in_map(self, argument: Node, *, strict: bool) -> Any:
        keys = argument.items[:3]
        if len(keys) != 3:  # noqa: PLR2004 - the map, the key, the second key
            raise UnresolvedError("a malformed `Fn::FindInMap`")
        path = [self.text(key, strict=True) for key in keys]
        found = self.template.get("Mappings", *path)
        default = argument.items[3].get("DefaultValue") if len(argument.items) > 3 else None  # noqa: PLR2004 - as above
        if found is None and default is None:
            raise UnresolvedError(f"mapping `{'.'.join(map(short, path))}`, which the template lacks")
        return known_value(self.resolve(found or default, strict=strict))  # type: ignore[arg-type]  # one of them is there

    def _base64(self, argument: Node, *, strict: bool) -> str:
        return b64encode(self.text(argument, strict=strict).encode()).decode()

    def _to_json(self, argument: Node, *, strict: bool) -> str:
        found = self.resolve(argument, strict=strict)
        unknown = found.unknown()
        if unknown is not None or found.value is ABSENT:
            raise UnresolvedError(unknown.name if unknown else "`Fn::ToJsonString` of nothing")
        return json.dumps(found.plain())

    def _length(self, argument: Node, *, strict: bool) -> str:
        found = known_value(self.resolve(argument, strict=strict))
        if not isinstance(found, list):
            raise UnresolvedError("`Fn::Length` of no list")
        return str(len(found))
