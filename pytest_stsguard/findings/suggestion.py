"""Words for messages: the user's own, on one line, and the nearest of the names that would have been right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["show", "suggest"]

_SHOWN = 80


def suggest(name: str, valid: Iterable[str]) -> str:
    """Give a hint for a name that is not valid: the nearest valid one, or all of them."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    names = list(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else f"valid: {', '.join(names)}"


def show(value: Any) -> str:
    """Give a value as the user wrote it, on one line and not too long."""
    text = str(value)
    text = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
