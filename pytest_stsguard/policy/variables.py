"""Policy variables: ``${aws:username}``, ``${aws:PrincipalTag/team, 'none'}`` and the literal ``${*}``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.policy.globs import tokenize

if TYPE_CHECKING:
    from pytest_stsguard.policy.globs import Token
    from pytest_stsguard.policy.request import Request

__all__ = ["LANGUAGE", "Part", "Variable", "has_variables", "plain_text", "read_template", "resolve", "variable_keys"]

LANGUAGE: Final = "2012-10-17"
"""The only policy version in which `${...}` is a variable; in every other it is literal text."""

_BRACED: Final = re.compile(r"\$\{([^{}]*)\}")


class Variable(NamedTuple):
    """A variable: the context key as written, the same in lower case, and the default or None."""

    key: str
    folded: str
    default: str | None


class Literal(NamedTuple):
    """Text in which a wildcard is only a character."""

    text: str


Part = str | Variable | Literal
"""Text as written (wildcards count where the operator knows them), a variable, or text to be taken literally."""


def has_variables(text: str, version: str | None) -> bool:
    """Tell whether a text holds a variable (or an escape) under a policy version."""
    return version == LANGUAGE and "${" in text and any(not isinstance(part, str) for part in read_template(text))


def read_template(text: str) -> tuple[Part, ...]:
    """Cut a text into what is written, variables and escapes; an unfinished or odd `${` is what is written."""
    parts: list[Part] = []
    place = 0
    for found in _BRACED.finditer(text):
        part = _read_variable(found[1])
        if part is None:
            continue
        if found.start() > place:
            parts.append(text[place : found.start()])
        parts.append(part)
        place = found.end()
    if place < len(text):
        parts.append(text[place:])
    return tuple(parts)


def _read_variable(inside: str) -> Variable | Literal | None:
    """Read what stands in the braces: an escaped character, or a key and, after a comma, a default in single quotes."""
    if inside in {"*", "?", "$"}:
        return Literal(inside)
    key, comma, rest = inside.partition(",")
    key, rest = key.strip(), rest.strip()
    quoted = len(rest) > 1 and rest[0] == rest[-1] == "'"
    if not key or (comma and not quoted):
        return None
    return Variable(key, key.lower(), rest[1:-1] if comma else None)


def variable_keys(text: str, version: str | None) -> tuple[str, ...]:
    """List the context keys that a text's variables name."""
    if not has_variables(text, version):
        return ()
    return tuple(part.key for part in read_template(text) if isinstance(part, Variable))


def resolve(parts: tuple[Part, ...], request: Request, *, longest: int) -> tuple[Part, ...] | None:
    """Put the request's values in place of the variables; None when one has no value and no default.

    A multi-valued key gives no value. A default counts only where the key has no value. Values of more than `longest`
    characters in all give None as well: what they are held against is shorter, and they are not copied together first.
    """
    resolved: list[Part] = []
    room = longest
    for part in parts:
        if not isinstance(part, Variable):
            resolved.append(part)
            continue
        value = request.value(part.folded)
        if value is None:
            value = part.default
        if not isinstance(value, str):
            return None
        room -= len(value)
        if room < 0:
            return None
        resolved.append(Literal(value))
    return tuple(resolved)


def plain_text(parts: tuple[Part, ...]) -> str:
    """Join resolved parts for an operator that knows no wildcards."""
    return "".join(part.text if isinstance(part, Literal) else str(part) for part in parts)


def pattern_tokens(parts: tuple[Part, ...]) -> list[Token]:
    """Turn resolved parts into tokens of a pattern: only wildcards as written are wildcards."""
    tokens: list[Token] = []
    for part in parts:
        if isinstance(part, Literal):
            tokens.append(part.text)
        else:
            tokens.extend(tokenize(str(part)))
    return tokens
