"""Which parameter of a call names what a variable of an ARN stands for: `FunctionName` is ``${FunctionName}``, and so on.

Names are compared by their words. The last one tells what kind of name it is (a name, an id, an ARN); the rest says of
what. A name never fills the place of an id, nor an id that of a name: where an API takes the one and the ARN holds the
other, either a table says how they relate or the operation is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

__all__ = ["Name", "fits", "is_identifier", "noun", "parse_name", "shape", "squeezed", "variables"]

_WORDS = re.compile(r"[A-Z]+s(?![a-z])|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")
_KINDS = {
    "name": "name",
    "names": "name",
    "id": "id",
    "ids": "id",
    "identifier": "any",
    "identifiers": "any",
    "arn": "arn",
    "arns": "arn",
}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SURROUNDINGS = frozenset({"Partition", "Region", "Account"})


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: `stem` says of what, in lower case and the singular; `kind` is name, id, arn, any or "" for none."""

    stem: str
    kind: str


@cache
def parse_name(text: str) -> Name:
    """Take a parameter's or a variable's name apart."""
    words = [word.lower() for word in _WORDS.findall(text)]
    if not words:
        return Name("", "")
    kind = _KINDS.get(words[-1], "")
    if kind:
        words = words[:-1]
    return Name(singular("".join(words)), kind)


def is_identifier(text: str) -> bool:
    """Tell whether a parameter of this name is likely to name a resource."""
    return bool(parse_name(text).kind)


@cache
def noun(operation: str) -> str:
    """Give what an operation is about: ``BatchGetBuilds`` is about a ``build``."""
    words = _WORDS.findall(operation)
    words = words[2:] if words[0] == "Batch" else words[1:]
    return singular("".join(words).lower())


def squeezed(text: str) -> str:
    """Write a resource type's name as a stem."""
    return singular(re.sub(r"[^a-z0-9]", "", text.lower()))


def singular(word: str) -> str:
    """Take the plural off a word in lower case."""
    if word.endswith("ies") and word != "series":
        return f"{word[:-3]}y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is", "as", "series")) else word


def fits(variable: Name, parameter: Name, stems: tuple[str, ...]) -> bool:
    """Tell whether a parameter can fill a variable; `stems` are the ways to say of what, ``""`` for nothing said."""
    if parameter.stem not in stems:
        return False
    if parameter.stem == "" and not parameter.kind:
        return False
    return not variable.kind or parameter.kind in (variable.kind, "any", "arn", "") or variable.kind == "any"


@cache
def variables(template: str) -> tuple[str, ...]:
    """Give the variables of an ARN's template that are a resource's own, in their order."""
    return tuple(name for name in _VARIABLE.findall(template) if name not in _SURROUNDINGS)


@cache
def shape(template: str) -> re.Pattern[str]:
    """Give the form that ARNs of a template have; only the last variable may hold colons."""
    parts = [re.escape(part).replace(r"\*", ".*") for part in _VARIABLE.split(template)[::2]]
    if len(parts) == 1:
        return re.compile(parts[0])
    return re.compile("[^:]*".join(parts[:-1]) + ".*" + parts[-1], re.DOTALL)
