"""``Fn::ForEach`` among the resources of a template: each round is written out, as CloudFormation does before it reads on.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

from re import compile as regex
from typing import TYPE_CHECKING, Final

from pytest_stsguard.account.stack.node import Node
from pytest_stsguard.account.stack.resolution import UnresolvedError, arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account.stack.intrinsic import Evaluator

__all__ = ["LOOP", "rounds"]

LOOP: Final = "Fn::ForEach::"
_IDENTIFIER: Final = regex(r"[A-Za-z0-9]+")
_UNNAMED: Final = regex(r"[^A-Za-z0-9]")


def rounds(loop: Node, evaluator: Evaluator) -> Iterator[tuple[str, Node]]:
    """Write a loop out: every name and value that it makes; loops inside it stay to be written out.

    Args:
        loop: the argument of the function: the identifier, the collection, and the fragment.
        evaluator: resolves the collection.

    Raises:
        UnresolvedError: the collection is unknown, or the form is not CloudFormation's.
        InputError: it makes more than a template may.
    """
    identifier, collection, fragment = arguments_of(loop, "Fn::ForEach", 3)
    name = identifier.text
    if name is None or _IDENTIFIER.fullmatch(name) is None or not isinstance(fragment.value, dict):
        raise UnresolvedError("a malformed `Fn::ForEach`")
    for value in evaluator.texts(collection, strict=True):
        for key, inner in fragment.value.items():
            yield _written(key, name, value), _round(inner, name, value, evaluator)


def _round(node: Node, name: str, value: str, evaluator: Evaluator) -> Node:
    """Copy a value with the loop's variable filled in."""
    evaluator.budget.spend(1, node)
    if isinstance(node.value, dict):
        target = node.value.get("Ref")
        if len(node.value) == 1 and target is not None and target.text == name:
            return Node(value, node.location)
        members = {
            _written(key, name, value): _round(inner, name, value, evaluator) for key, inner in node.value.items()
        }
        return Node(members, node.location)
    if isinstance(node.value, list):
        return Node([_round(inner, name, value, evaluator) for inner in node.value], node.location)
    if isinstance(node.value, str):
        return Node(_written(node.value, name, value), node.location)
    return node


def _written(text: str, name: str, value: str) -> str:
    """Fill ``${Name}`` in, and ``&{Name}`` without what no logical id may hold."""
    return text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", _UNNAMED.sub("", value))
