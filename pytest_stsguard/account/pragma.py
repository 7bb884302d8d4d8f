"""A note in the input itself that somebody has looked at a finding there and answers for it: ``stsguard:ignore``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from re import compile as regex
from typing import Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

__all__ = ["Pragma", "read_pragmas"]

_CONTROLS = regex(r"[A-Za-z][\w-]*(,[A-Za-z][\w-]*)*")
_UNTIL: Final = "until="
_HINT: Final = "write it as `stsguard:ignore STSG-105 why it is so until=2027-01-31`"


@dataclass(frozen=True, slots=True)
class Pragma:
    """One control that is not to be told of for one resource of a template.

    Attributes:
        control: the control's id.
        until: the last day on which it holds, UTC; None: it does not end.
        file: the file that it stands in.
        line: where in it.
        lines: the first and the last line of the resource, where those are its own; else 0 and 0.
        resources: the ARNs of what the resource makes.
    """

    control: str
    reason: str
    until: date | None
    file: str
    line: int
    lines: tuple[int, int] = (0, 0)
    resources: tuple[str, ...] = ()


def read_pragmas(text: str, *, file: str, line: int) -> list[Pragma]:
    """Read what follows ``stsguard:ignore``: controls with commas between them, a reason, and ``until=`` a date.

    Raises:
        InputError: no control, no reason, or a date that is none.
    """
    controls, _, rest = text.strip().partition(" ")
    where = f"{file}:{line}"
    if _CONTROLS.fullmatch(controls) is None:
        raise InputError(f"`{short(controls)}` is no control", location=where, hint=_HINT)
    dates = [word.removeprefix(_UNTIL) for word in rest.split() if word.startswith(_UNTIL)]
    reason = " ".join(word for word in rest.split() if not word.startswith(_UNTIL))
    if not reason:
        raise InputError("a finding is ignored without a reason", location=where, hint=_HINT)
    if len(dates) > 1:
        raise InputError("`until=` comes twice", location=where, hint=_HINT)
    until = _date(dates[0], where) if dates else None
    return [Pragma(control.upper(), reason, until, file, line) for control in controls.split(",")]


def _date(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"`{short(text)}` is no date", location=where, hint=_HINT) from None
