"""Text that is safe to show: an account's own names are hostile input, and secrets stay out."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["indented", "listed", "redact", "redact_all", "unobeyed", "visible"]

LONGEST: Final = 1_000
"""Characters of a name or message that a report shows; the JSON report holds the whole."""

_PLAIN = re.compile(r"[ -~]*")
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
# https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands
_COMMANDS = re.compile(r"##(?=\w*\[)|\A\s*::")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SECRETS = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12}(?P<tail>[A-Z0-9]{4})\b"  # key ids: the last four may be shown
    r"|\b(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=]{20,}"  # session tokens begin with these
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"  # tokens of identity providers
)
_SECRET_KEYS = frozenset(
    {"secretaccesskey", "sessiontoken", "awssecretaccesskey", "awssessiontoken", "webidentitytoken"}
)


def visible(text: str, limit: int = LONGEST) -> str:
    r"""Show control characters, direction marks and half surrogates as ``\u202e``, on one line, cut at `limit`.

    What the log of a pipeline would take for a command is broken in the same way.
    """
    if _PLAIN.fullmatch(text) is None:
        text = "".join(_shown(char) for char in text[: limit + 1])
    text = unobeyed(text)
    return text if len(text) <= limit else f"{text[:limit]}…"


def unobeyed(text: str) -> str:
    """Break what the log of a pipeline would take for a command, with an escape in its middle.

    ``##[..]`` and ``##vso[..]`` anywhere (GitHub, Azure Pipelines, TeamCity), ``::..::`` at the beginning (GitHub).
    """
    return _COMMANDS.sub(_broken, text) if "##" in text or text.lstrip()[:2] == "::" else text


def _broken(match: re.Match[str]) -> str:
    return f"{match[0][:-1]}\\u{ord(match[0][-1]):04x}"


def _shown(char: str) -> str:
    if char == "\n":
        return "\\n"
    if unicodedata.category(char) not in _HIDDEN:
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"  # noqa: PLR2004 - the last that fits


def indented(value: Any) -> str:
    """Write a JSON value in ASCII, indented by two spaces, with a newline at its end.

    Both steps are compiled code, which `json.dumps` with an indent is not: of many findings it took most of the time.
    """
    import msgspec  # noqa: PLC0415 - a message that is made visible must not pay for it

    plain = json.dumps(value)
    try:
        return msgspec.json.format(plain, indent=2) + "\n"
    except msgspec.DecodeError:  # half surrogates, which an account's names may hold
        return json.dumps(value, indent=2) + "\n"


def listed(values: Iterable[Any]) -> str:
    """Write a list as `indented` does, one value at a time: of many only their text is held."""
    texts = [indented(value).rstrip("\n").replace("\n", "\n  ") for value in values]
    return "[\n  " + ",\n  ".join(texts) + "\n]\n" if texts else "[]\n"


def redact(text: str) -> str:
    """Replace what looks like a key id, a session token or an identity provider's token."""
    return _SECRETS.sub(lambda match: f"****{match['tail'] or ''}", text)


def redact_all(value: Any) -> Any:
    """Redact every text of a JSON value, and whole the value of a name that says it is secret."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {
            str(name): "****" if _squeezed(str(name)) in _SECRET_KEYS and inner else redact_all(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_all(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float) else redact(str(value))


def _squeezed(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
