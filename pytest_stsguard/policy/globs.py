"""Patterns of ``*`` and ``?``, matched in time linear in the text whatever the pattern.

A pattern is cut at its stars. The first piece is held against the start of the text, the last against its end, and
each piece between is searched for from left to right; the leftmost hit is always good enough, so nothing is ever tried
twice. A piece with ``?`` in it is searched for with one bit per character of the piece (shift-and).
"""

from __future__ import annotations

from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["MANY", "ONE", "Token", "Wild", "glob", "match_tokens", "tokenize"]


class Wild(Enum):
    """What stands for other characters in a pattern."""

    MANY = "*"
    ONE = "?"


MANY: Final = Wild.MANY
ONE: Final = Wild.ONE

Token = str | Wild
"""A run of literal characters, or a wildcard; a ``*`` that came in through a policy variable is literal."""

Piece = tuple["str | Wild", ...]
"""What stands between two stars: literal runs and `ONE`, never `MANY`."""


def tokenize(pattern: str) -> tuple[Token, ...]:
    """Cut `pattern` into runs of literal characters and wildcards."""
    tokens: list[Token] = []
    start = 0
    for index, character in enumerate(pattern):
        if character in "*?":
            if index > start:
                tokens.append(pattern[start:index])
            tokens.append(MANY if character == "*" else ONE)
            start = index + 1
    if start < len(pattern):
        tokens.append(pattern[start:])
    return tuple(tokens)


def glob(pattern: str) -> Callable[[str], bool]:
    """Compile a pattern into a test of a whole text; the commonest shapes become single string operations."""
    return match_tokens(tokenize(pattern))


def match_tokens(tokens: Iterable[Token]) -> Callable[[str], bool]:
    """Compile tokens, as `tokenize` gives them, into a test of a whole text."""
    pieces = _pieces(tokens)
    literal = all(len(piece) == 0 or (len(piece) == 1 and isinstance(piece[0], str)) for piece in pieces)
    if literal:
        return _literal(["".join(map(str, piece)) for piece in pieces])
    return _general(pieces)


def _pieces(tokens: Iterable[Token]) -> list[Piece]:
    """Cut tokens at the stars, and join neighbouring literal runs."""
    pieces: list[Piece] = []
    piece: list[Token] = []
    for literal, run in groupby((token for token in tokens if token), key=lambda token: isinstance(token, str)):
        if literal:
            piece.append("".join(map(str, run)))
            continue
        for token in run:
            if token is MANY:
                pieces.append(tuple(piece))
                piece = []
            else:
                piece.append(token)
    pieces.append(tuple(piece))
    return pieces


def _literal(texts: list[str]) -> Callable[[str], bool]:
    """Test for texts with stars between them, none of which holds a ``?``."""
    head, tail = texts[0], texts[-1]
    if len(texts) == 1:
        return lambda text: text == head
    if any(texts[1:-1]):
        return _literal_between(head, [text for text in texts[1:-1] if text], tail)
    if not head and not tail:
        return lambda _: True
    if not tail:
        return lambda text: text.startswith(head)
    if not head:
        return lambda text: text.endswith(tail)
    least = len(head) + len(tail)
    return lambda text: len(text) >= least and text.startswith(head) and text.endswith(tail)


def _literal_between(head: str, inner: list[str], tail: str) -> Callable[[str], bool]:
    """Test for a start, texts in their order and an end, anything between them."""

    def test(text: str) -> bool:
        if not text.startswith(head) or not text.endswith(tail):
            return False
        place, end = len(head), len(text) - len(tail)
        for part in inner:
            place = text.find(part, place, end)
            if place < 0:
                return False
            place += len(part)
        return place <= end

    return test


def _general(pieces: list[Piece]) -> Callable[[str], bool]:
    """Test for pieces with stars between them, some of which hold a ``?``."""
    sizes = [_size(piece) for piece in pieces]
    head, tail = pieces[0], pieces[-1]
    inner = [(_finder(piece), size) for piece, size in zip(pieces[1:-1], sizes[1:-1], strict=True) if piece]
    least = sum(sizes)
    only = len(pieces) == 1

    def test(text: str) -> bool:
        if len(text) < least or (only and len(text) != least) or not _stands(head, text, 0):
            return False
        place, end = sizes[0], len(text) - sizes[-1]
        if not _stands(tail, text, end):
            return False
        for find, size in inner:
            place = find(text, place, end)
            if place < 0:
                return False
            place += size
        return True

    return test


def _size(piece: Piece) -> int:
    """Count the characters that a piece matches."""
    return sum(len(token) if isinstance(token, str) else 1 for token in piece)


def _stands(piece: Piece, text: str, place: int) -> bool:
    """Tell whether a piece stands in the text at a place."""
    for token in piece:
        if isinstance(token, str):
            if not text.startswith(token, place):
                return False
            place += len(token)
        else:
            place += 1
    return True


def _finder(piece: Piece) -> Callable[[str, int, int], int]:
    """Compile a search for the leftmost place of a piece within bounds; -1 where there is none."""
    if len(piece) == 1 and isinstance(piece[0], str):
        literal = piece[0]
        return lambda text, start, end: text.find(literal, start, end)
    anything, masks, bit = 0, dict[str, int](), 1
    for token in piece:
        for character in token if isinstance(token, str) else (None,):
            if character is None:
                anything |= bit
            else:
                masks[character] = masks.get(character, 0) | bit
            bit <<= 1
    size, last = _size(piece), bit >> 1
    masks = {character: mask | anything for character, mask in masks.items()}

    def find(text: str, start: int, end: int) -> int:
        state = 0
        for place in range(start, end):
            state = (state << 1 | 1) & masks.get(text[place], anything)
            if state & last:
                return place - size + 1
        return -1

    return find
