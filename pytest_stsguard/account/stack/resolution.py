"""What resolving a template's values needs: the error for what is unknown, the budget, and the shapes of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.stack.node import Unknown
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from pytest_stsguard.account.stack.node import Node

__all__ = ["Budget", "UnresolvedError", "arguments_of", "call_of", "known_value", "text_value", "unknown_call"]

STEPS: Final = 400_000
"""The most values that are resolved for one template: several times those of the largest, and a bound for the worst."""

FARTHEST: Final = 80
"""How deep values may refer to one another."""


class UnresolvedError(Exception):
    """A value is unknown: the message names it. It never leaves this room."""


class Budget:
    """What resolving one template may cost; shared by all evaluators of it."""

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = self.left = steps
        self.depth = 0

    def enter(self, node: Node) -> None:
        """Begin a value inside another one; `depth` counts them, and whoever ends it takes one off."""
        self.spend(1, node)
        if self.depth >= FARTHEST:
            raise InputError(f"values refer to one another more than {FARTHEST} deep", location=str(node.location))
        self.depth += 1

    def spend(self, steps: int, node: Node) -> None:
        """Take some steps.

        Raises:
            InputError: there are none left.
        """
        self.left -= steps
        if self.left < 0:
            raise InputError(f"resolving takes more than {self.steps:,} steps", location=str(node.location))


def call_of(node: Node) -> tuple[str, Node | None]:
    """Give the name and argument of an object that may be a call: one with a single name."""
    if not isinstance(node.value, dict) or len(node.value) != 1:
        return "", None
    return next(iter(node.value.items()))


def arguments_of(argument: Node, name: str, count: int) -> list[Node]:
    """Give the arguments of a call that takes a list of them.

    Raises:
        UnresolvedError: there are more or fewer.
    """
    if not isinstance(argument.value, list) or len(argument.value) != count:
        raise UnresolvedError(f"a malformed `{name}`")
    return argument.value


def unknown_call(name: str, argument: Node | None) -> str:
    """Name the result of a function that cannot be evaluated here."""
    if name == "Fn::ImportValue":
        text = argument.text if argument is not None else None
        return "an import from another stack" if text is None else f"import `{short(text)}` of another stack"
    return f"`{short(name)}`, which is not evaluated here"


def known_value(node: Node) -> Any:
    """Give the value of a resolved node, or raise what is unknown of it as a whole."""
    if isinstance(node.value, Unknown):
        raise UnresolvedError(node.value.name)
    return node.value


def text_value(node: Node) -> str:
    """Give the text of a resolved node.

    Raises:
        UnresolvedError: it is unknown, or no text.
    """
    value = known_value(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise UnresolvedError("a value that is no text")
    return value
