"""Text for Markdown, as GitHub and GitLab read it: nothing in it is markup, a link, or a mention of somebody."""

from __future__ import annotations

import re

from pytest_stsguard.reporting.text import visible

__all__ = ["code", "escaped", "fenced", "ticked"]

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&$]|^[-+=#]|^\d+(?=[.)]))")
_LINKS = re.compile(r"@|#(?=\d)|(?<=:)//|(?<=www)\.", re.IGNORECASE)


def escaped(text: str) -> str:
    """Write text so that nothing in it is markup, a link or a mention of somebody."""
    shown = _MARKUP.sub(lambda match: f"\\{match[0]}" if not match[0].isdigit() else f"{match[0]}\\", visible(text))
    return _LINKS.sub(lambda match: f"{match[0][0]}<!-- -->{match[0][1:]}", shown)


def ticked(text: str) -> str:
    """Write text as `escaped` does, but what stands between backticks as code; half a pair is no pair."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0 or "" in parts[1::2]:
        return escaped(text)
    return "".join(code(part) if index % 2 else escaped(part) for index, part in enumerate(parts))


def code(text: str) -> str:
    """Write text as code within a line; the fence is longer than any in it."""
    shown = visible(text)
    fence = "`" * (_longest(shown) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{space}{shown}{space}{fence}"


def fenced(text: str, language: str = "", indent: str = "") -> str:
    """Write text of several lines as a block of code, each line behind `indent`."""
    lines = [visible(line) for line in text.split("\n")]
    fence = "`" * max(_longest(text) + 1, 3)
    return "\n".join(f"{indent}{line}".rstrip() for line in (f"{fence}{language}", *lines, fence))


def _longest(text: str) -> int:
    return max((len(found) for found in re.findall("`+", text)), default=0)
