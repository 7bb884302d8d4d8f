"""The parameters of STS calls, refused as AWS refuses them.

Lengths and patterns are those of the AWS Security Token Service API Reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["duration", "invalid", "text"]

_LEAST_SECONDS = 900


def invalid(message: str) -> Fault:
    """Make STS's answer to a parameter that it cannot use."""
    return Fault(None, message, code="ValidationError", status=400)


def text(
    parameters: Mapping[str, Any], name: str, *, shortest: int, longest: int, pattern: str, required: bool = False
) -> str | None:
    """Read a string parameter; None when it is absent and not required."""
    value = parameters.get(name)
    shown = f"{name[0].lower()}{name[1:]}"
    if value is None:
        if required:
            raise _constraint("null", shown, "Member must not be null")
        return None
    if len(value) < shortest:
        raise _constraint(value, shown, f"Member must have length greater than or equal to {shortest}")
    if len(value) > longest:
        raise _constraint(value, shown, f"Member must have length less than or equal to {longest}")
    if not re.fullmatch(pattern, value, re.ASCII):
        raise _constraint(value, shown, f"Member must satisfy regular expression pattern: {pattern}")
    return str(value)


def duration(parameters: Mapping[str, Any], *, default: int, longest: int) -> int:
    """Read DurationSeconds within what the API itself takes."""
    value = parameters.get("DurationSeconds", default)
    if value < _LEAST_SECONDS:
        raise _constraint(value, "durationSeconds", f"Member must have value greater than or equal to {_LEAST_SECONDS}")
    if value > longest:
        raise _constraint(value, "durationSeconds", f"Member must have value less than or equal to {longest}")
    return int(value)


def _constraint(value: object, name: str, constraint: str) -> Fault:
    shown = "null" if value == "null" else f"'{value}'"
    verb = f"Value {shown} at '{name}' failed to satisfy constraint: {constraint}"
    return invalid(f"1 validation error detected: {verb}")
