"""Did you mean: the nearest of the names that would have been right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["suggest"]


def suggest(name: str, valid: Iterable[str]) -> str:
    """Give a hint for a name that is not valid: the nearest valid one, or all of them."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    names = list(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else f"valid: {', '.join(names)}"
