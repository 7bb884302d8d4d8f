"""What a template asks to be ignored: comments in YAML, ``Metadata: {stsguard: {ignore: [...]}}`` in either form.

Each holds for the resource that it stands in or right above.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from re import compile as regex
from re import escape
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.pragma import Pragma, read_pragmas
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account.model import Account
    from pytest_stsguard.account.stack.node import Node

__all__ = ["pragmas_of"]

MARK: Final = "stsguard:ignore"
_COMMENT = regex(rf"(?:^|(?<=\s))#\s*{MARK}\b(?P<text>.*)$")
_NEEDED: Final = frozenset({"control", "reason"})


def pragmas_of(template: Node, text: str, file: str, account: Account) -> tuple[Pragma, ...]:
    """Read what is to be ignored.

    Args:
        template: the template.
        text: what it was read from.
        file: its name as the user gave it.
        account: what it makes.

    Raises:
        InputError: something to be ignored is not written as it must be; with file and line.
    """
    resources = template.get("Resources")
    if resources is None or not isinstance(resources.value, dict):
        return ()
    blocks = _blocks(resources.value, text)
    found = list(_in_metadata(resources.value, blocks, file))
    if MARK in text and not text.lstrip().startswith("{"):
        found += _in_comments(text, blocks, file)
    if not found:
        return ()
    made = _made(account)
    return tuple(replace(pragma, resources=made.get(block, ())) for block, pragma in found)


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of a resource, from that of its name; `own`: nothing else stands on them."""

    name: str
    first: int
    last: int
    indent: int
    own: bool = True

    @property
    def lines(self) -> tuple[int, int]:
        return (self.first, self.last) if self.own else (0, 0)


def _blocks(resources: dict[str, Node], text: str) -> list[_Block]:
    lines = text.splitlines()
    starts = sorted((_first(name, node.location.line or 1, lines), name) for name, node in resources.items())
    blocks = []
    for number, (first, name) in enumerate(starts):
        following = starts[number + 1][0] if number + 1 < len(starts) else len(lines) + 1
        indent = _indent(lines[first - 1])
        last = next(
            (at for at in range(first, following - 1) if _ends(lines[at], indent)),
            following - 1,
        )
        others = [other for other, _ in starts].count(first) > 1
        blocks.append(_Block(name, first, max(last, first), indent, own=not others))
    return blocks


def _first(name: str, line: int, lines: list[str]) -> int:
    """Find the line of a resource's name, at or above the one on which its value starts."""
    wanted = regex(rf"[\s{{,]*[\"']?{escape(name)}[\"']?\s*:")
    return next((at for at in range(min(line, len(lines)), 0, -1) if wanted.match(lines[at - 1])), line)


def _ends(line: str, indent: int) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#") and _indent(line) <= indent


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _in_comments(text: str, blocks: list[_Block], file: str) -> Iterator[tuple[str, Pragma]]:
    lines = text.splitlines()
    inside = _scalars(text)
    for number, line in enumerate(lines, 1):
        match = _COMMENT.search(line)
        if match is None or any(start <= (number, match.start()) < end for start, end in inside):
            continue
        block = _block_of(number, lines, blocks, alone=line.lstrip().startswith("#"))
        for pragma in read_pragmas(match["text"], file=file, line=number):
            yield (block.name, replace(pragma, lines=block.lines)) if block else ("", pragma)


def _block_of(number: int, lines: list[str], blocks: list[_Block], *, alone: bool) -> _Block | None:
    """Find the resource of a comment: that of the next line that says something, unless the comment stands deeper."""
    follows = number
    if alone:
        follows = next(
            (at for at, line in enumerate(lines[number:], number + 1) if line.strip() and line.lstrip()[0] != "#"),
            number,
        )
    for before, block in zip([None, *blocks], blocks, strict=False):
        if follows == block.first and alone and _indent(lines[number - 1]) > block.indent:
            return before
        if block.first <= follows <= block.last:
            return block
    return next((block for block in blocks if block.first <= number <= block.last), None)


def _scalars(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """List where texts start and end that could hold what looks like a comment: quoted ones and blocks."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - PyYAML, only when a template asks for something

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [
        ((event.start_mark.line + 1, event.start_mark.column), (event.end_mark.line + 1, event.end_mark.column))
        for event in yaml.parse(text, Loader=loader)
        if isinstance(event, yaml.ScalarEvent) and event.style
    ]


def _in_metadata(resources: dict[str, Node], blocks: list[_Block], file: str) -> Iterator[tuple[str, Pragma]]:
    lines = {block.name: block.lines for block in blocks}
    for name, node in resources.items():
        asked = node.get("Metadata", "stsguard")
        if asked is None:
            continue
        ignored = asked.get("ignore")
        if ignored is None or not isinstance(asked.value, dict) or len(asked.value) > 1:
            raise InputError("`stsguard` holds `ignore` and nothing else", location=str(asked.location))
        for entry in ignored.items:
            for pragma in read_pragmas(_text(entry), file=file, line=entry.location.line or 1):
                yield name, replace(pragma, lines=lines[name])


def _text(entry: Node) -> str:
    """Give an entry of `ignore` as a comment would have it."""
    if entry.text is not None:
        return entry.text
    value = entry.plain()
    known = isinstance(value, dict) and _NEEDED <= value.keys() <= _NEEDED | {"until"}
    if not known or not all(isinstance(text, str) for text in value.values()):
        hint = 'a text as in a comment, or an object of the texts "control", "reason" and "until"'
        raise InputError("nothing that can be ignored", location=str(entry.location), hint=hint)
    until = f" until={value['until']}" if "until" in value else ""
    return f"{value['control']} {value['reason']}{until}"


def _made(account: Account) -> dict[str, tuple[str, ...]]:
    """Give the ARNs that each resource of the template makes."""
    found: dict[str, tuple[str, ...]] = {}
    entities: Iterator[Any] = chain(
        account.roles, account.users, account.groups, account.policies, account.instances, account.identity_providers
    )
    for entity in entities:
        if entity.location is not None and len(entity.location.path) > 1:
            name = str(entity.location.path[1])
            found[name] = (*found.get(name, ()), entity.arn)
    return found
