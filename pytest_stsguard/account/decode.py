"""From a JSON text to typed pages: one page, a list of pages, pages one after the other, JSON Lines."""

from __future__ import annotations

import json
from re import Match
from re import compile as regex
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from pytest_stsguard.account.location import JsonText, Location
from pytest_stsguard.account.wire import Page
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from pytest_stsguard.account.location import Path

__all__ = ["DAMAGED", "Hints", "LocatedPage", "decode_pages", "decode_value"]

DAMAGED = "\\ufffd"
"""What a lone surrogate's escape is replaced with (the same length), so that the rest of the file can be read."""

_T = TypeVar("_T")
_PAGE = msgspec.json.Decoder(Page)
_PAGES = msgspec.json.Decoder(list[Page])
_STEP = regex(r"\.(?P<key>\w+)|\[(?P<index>\d+)\]")
_MALFORMED = regex(r"JSON is malformed: (?P<what>.*) \(byte (?P<byte>\d+)\)")
_BRACKET = regex(r'"(?:[^"\\]|\\.)*"|(?P<open>[\[{])|[\]}]')
_ESCAPE = regex(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|[^u]|u)"
)
_DEEP = 200


class Hints(NamedTuple):
    """What to do about an input that cannot be used: a file that is cut off, one of the wrong shape, one that is no JSON."""

    again: str
    shape: str
    form: str


_EXPORT = Hints(
    again="fetch the export again",
    shape="an export of GetAccountAuthorizationDetails is a JSON object",
    form="expected the output of `aws iam get-account-authorization-details`",
)
_TWICE = "write the pages one after the other instead"
_LISTS = ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies")


class LocatedPage(NamedTuple):
    """A page, the place of its JSON value, and whether lone surrogates in its file were replaced by `DAMAGED`."""

    page: Page
    location: Location
    damaged: bool


def decode_pages(text: str, file: str | None) -> list[LocatedPage]:
    """Decode every page of a text.

    Args:
        text: the JSON.
        file: its name in errors and locations; None for the answers of a live account.

    Raises:
        InputError: not JSON, cut off, nested too deeply, or a value of the wrong type; with file, line and path.
    """
    readable = _ESCAPE.sub(_mend, text) if "\\u" in text else text
    source = JsonText(file or "answer", text)
    values = [(0, readable)]
    try:
        pages = [(0, path, page) for path, page in _decode(readable)]
    except msgspec.DecodeError as error:
        if "trailing characters" not in str(error):
            raise _explain(error, source, 0) from error
        values = _split(source, readable)
        pages = [(start, path, page) for start, value in values for path, page in _decode_at(source, start, value)]
    except RecursionError as error:
        raise _too_deep(source) from error
    kept = source if file is not None else None
    found = [
        LocatedPage(page, Location(file, path, text=kept, start=start), readable != text) for start, path, page in pages
    ]
    if any(text.count(f'"{name}"') > len(found) for name in _LISTS):
        _refuse_repeated(source, [(start, path) for start, path, _ in pages])
    return found


def decode_value(text: str, file: str, decoder: msgspec.json.Decoder[_T], *, hints: Hints) -> tuple[_T, JsonText]:
    """Decode a text that holds one JSON value.

    Args:
        text: the JSON.
        file: its name in errors and locations.
        decoder: the value's type.
        hints: what errors advise.

    Raises:
        InputError: as for `decode_pages`, or half a surrogate pair.
    """
    source = JsonText(file, text)
    for match in _ESCAPE.finditer(text) if "\\u" in text else ():
        if match["lone"]:
            where = f"{file}:{source.line_at(match.start())}"
            raise InputError(f"a text holds half a surrogate pair, `{match[0]}`", location=where, hint=hints.again)
    try:
        return decoder.decode(text), source
    except msgspec.DecodeError as error:
        raise _explain(error, source, 0, hints=hints) from error
    except RecursionError as error:
        raise _too_deep(source) from error


def _refuse_repeated(source: JsonText, places: list[tuple[int, Path]]) -> None:
    """Refuse an export that holds one of its lists twice: the first would be lost without a word."""
    for start, path in places:
        offset = source.offset_of(path, start=start)
        name = source.repeated(start=offset)
        if name is not None:
            place = Location(source.file, path, text=source, start=start)
            raise InputError(f"`{short(name)}` comes twice in one object", location=str(place), hint=_TWICE)


def _mend(match: Match[str]) -> str:
    return DAMAGED if match["lone"] else match[0]


def _decode(value: str) -> list[tuple[Path, Page]]:
    if value.lstrip().startswith("["):
        return [((index,), page) for index, page in enumerate(_PAGES.decode(value))]
    return [((), _PAGE.decode(value))]


def _decode_at(source: JsonText, start: int, value: str) -> list[tuple[Path, Page]]:
    try:
        return _decode(value)
    except msgspec.DecodeError as error:
        raise _explain(error, source, start) from error


def _split(source: JsonText, text: str) -> list[tuple[int, str]]:
    """Cut a text that holds several JSON values into them, each with its offset."""
    decoder, values, start = json.JSONDecoder(), list[tuple[int, str]](), 0
    while rest := text[start : start + 64].strip() or text[start:].strip():
        start = text.index(rest[0], start)
        try:
            _, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise _malformed(error.msg.lower(), error.pos, source=source) from error
        except RecursionError as error:
            raise _too_deep(source) from error
        except ValueError as error:  # Python reads integers of up to 4,300 digits
            raise _malformed("a number has too many digits", start, source=source) from error
        values.append((start, text[start:end]))
        start = end
    return values


def _explain(error: msgspec.DecodeError, source: JsonText, start: int, *, hints: Hints = _EXPORT) -> InputError:
    """Say what is wrong in a person's words, and where."""
    message = str(error)
    if isinstance(error, msgspec.ValidationError):
        what, _, where = message.partition(" - at ")
        path: Path = tuple(m["key"] or int(m["index"]) for m in _STEP.finditer(where.strip("`")))
        place = Location(source.file, path, text=source, start=start)
        what = what.replace("Object missing required field", "an object lacks")
        hint = hints.again if path else hints.shape
        return InputError(what[0].lower() + what[1:], location=str(place), hint=hint)
    if match := _MALFORMED.match(message):
        return _malformed(*_pinpoint(source, start, match), source=source, hints=hints)
    return InputError(
        "the JSON ends in the middle: the file is cut off",
        location=f"{source.file}:{source.line_at(len(source.text))}",
        hint=hints.again,
    )


def _pinpoint(source: JsonText, start: int, match: Match[str]) -> tuple[str, int]:
    """Say what is wrong and where: the standard library points at it more exactly, but takes NaN."""
    try:
        json.JSONDecoder().raw_decode(source.text, source.offset_of((), start=start))
    except json.JSONDecodeError as error:
        return error.msg.lower(), error.pos
    except (ValueError, RecursionError):
        pass
    before = source.text[start:].encode("utf-8", "surrogatepass")[: int(match["byte"])]
    return match["what"], start + len(before.decode(errors="ignore"))


def _malformed(what: str, offset: int, *, source: JsonText, hints: Hints = _EXPORT) -> InputError:
    found = source.text[offset : offset + 1]
    shown = f", found `{found}`" if found.isprintable() and found else f", found U+{ord(found):04X}" if found else ""
    where = f"{source.file}:{source.line_at(offset)}:{source.column_at(offset)}"
    return InputError(
        f"not JSON: {what}{shown}",
        location=where,
        hint=hints.form,
    )


def _too_deep(source: JsonText) -> InputError:
    depth = 0
    for match in _BRACKET.finditer(source.text):
        if match[0][0] != '"':
            depth += 1 if match["open"] else -1
        if depth > _DEEP:
            where = f"{source.file}:{source.line_at(match.start())}:{source.column_at(match.start())}"
            return InputError(f"more than {_DEEP} arrays and objects inside one another", location=where)
    return InputError("arrays and objects are nested too deeply", location=source.file)
