"""The parameters of STS calls, refused as AWS refuses them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.sts.limits import TEXTS, Range, Text
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_text", "duration", "refuse_parameters", "required", "text", "token_size"]

_LARGEST_TOKEN = 4096


def text(parameters: Mapping[str, Any], name: str) -> str | None:
    """Read a text parameter within the limits of its name; None when it is absent."""
    value = parameters.get(name)
    if value is None:
        return None
    check_text(str(value), _shown(name), TEXTS[name])
    return str(value)


def required(parameters: Mapping[str, Any], name: str) -> str:
    """Read a text parameter that must be there."""
    value = text(parameters, name)
    if value is None:
        raise refuse("constraint", value="null", name=_shown(name), rule="Member must not be null")
    return value


def check_text(value: str, shown: str, limit: Text) -> None:
    """Refuse a text outside of `limit`, in the words of AWS's own validation; `shown` is the place that it names."""
    if len(value) < limit.shortest:
        rule = f"Member must have length greater than or equal to {limit.shortest}"
    elif limit.longest is not None and len(value) > limit.longest:
        rule = f"Member must have length less than or equal to {limit.longest}"
    elif not re.fullmatch(limit.pattern, value, re.ASCII):
        rule = f"Member must satisfy regular expression pattern: {limit.pattern}"
    else:
        return
    raise refuse("constraint", value=f"'{value[:200]}'", name=shown, rule=rule)


def duration(parameters: Mapping[str, Any], limit: Range) -> int:
    """Read DurationSeconds within what the operation itself takes."""
    value = parameters.get("DurationSeconds", limit.default)
    if value < limit.least:
        rule = f"Member must have value greater than or equal to {limit.least}"
    elif value > limit.most:
        rule = f"Member must have value less than or equal to {limit.most}"
    else:
        return int(value)
    raise refuse("constraint", value=f"'{value}'", name="durationSeconds", rule=rule)


def token_size(parameters: Mapping[str, Any]) -> int:
    """Read MinimumSessionTokenSize, in bytes."""
    value = int(parameters.get("MinimumSessionTokenSize") or 0)
    if not 0 <= value <= _LARGEST_TOKEN:
        side = f"less than or equal to {_LARGEST_TOKEN}" if value > 0 else "greater than or equal to 0"
        rule = f"Member must have value {side}"
        raise refuse("constraint", value=f"'{value}'", name="minimumSessionTokenSize", rule=rule)
    return value


def refuse_parameters(parameters: Mapping[str, Any], operation: str, *names: str) -> None:
    """Refuse, by name, parameters of which nothing is known here."""
    for name in names:
        if parameters.get(name):
            raise Fault(Refusal.NOT_SIMULATED, f"stsguard does not simulate `{name}` of `sts:{operation}`")


def _shown(name: str) -> str:
    return f"{name[0].lower()}{name[1:]}"
