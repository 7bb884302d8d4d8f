"""Mutes: findings that somebody has looked at and answers for, until a date.

::

    [[mute]]
    control  = "STSG-103"
    resource = "arn:aws:iam::*:role/vendor-*"
    owner    = "cloud-team@example.com"
    reason   = "the vendor adds an external id with its next release"
    expiry   = 2027-03-31
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from re import Pattern, escape
from re import compile as regex
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings.suggestion import show, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.findings.finding import Finding

__all__ = ["Mute"]

_KEYS = ("control", "resource", "owner", "reason", "expiry")


@dataclass(frozen=True, slots=True)
class Mute:
    """One mute.

    Attributes:
        control: a control's id, or a glob over ids.
        resource: a glob over ARNs, case-sensitive; ``*`` spans everything.
        expiry: the last day on which it holds, UTC; None: it does not end.
        place: where it stands, for messages: ``stsguard.toml: mute[0]``.
        also: ARNs that are covered too, as they stand.
        lines: file, first and last line; a finding located there is covered too, whatever its resource.
    """

    control: str
    resource: str
    owner: str
    reason: str
    expiry: date | None
    place: str
    also: tuple[str, ...] = ()
    lines: tuple[str, int, int] | None = None

    @classmethod
    def parse(cls, data: Any, *, place: str) -> Mute:
        """Read one ``[[mute]]`` table.

        Raises:
            ConfigurationError: an unknown key, a missing one, a wrong type, a date that is none.
        """
        if not isinstance(data, dict):
            raise ConfigurationError("expected a table", location=place, hint="write it as [[mute]]")
        for key in data:
            if key not in _KEYS:
                raise ConfigurationError(f"unknown key `{show(key)}`", location=place, hint=suggest(key, _KEYS))
        texts = {key: _text(data, key, place) for key in ("control", "resource", "owner", "reason")}
        expiry = _expiry(data.get("expiry"), place)
        return cls(texts["control"], texts["resource"], texts["owner"], texts["reason"], expiry, place)

    def expired(self, at: datetime) -> bool:
        """Whether it no longer holds at a moment (aware)."""
        return self.expiry is not None and at.astimezone(UTC).date() > self.expiry

    def covers(self, finding: Finding) -> bool:
        """Whether it is meant for a finding, expired or not."""
        if not _glob(self.control).match(finding.control):
            return False
        named = finding.resource in self.also or _glob(self.resource).match(finding.resource) is not None
        return named or self._holds(finding.location)

    def _holds(self, location: tuple[str, int] | None) -> bool:
        if self.lines is None or location is None:
            return False
        file, first, last = self.lines
        return location[0] == file and first <= location[1] <= last


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Pattern[str]:
    """Compile a glob of ``*`` and ``?``; brackets mean themselves, unlike in fnmatch."""
    parts = ("[\\s\\S]*" if char == "*" else "[\\s\\S]" if char == "?" else escape(char) for char in pattern)
    return regex("".join(parts) + r"\Z")


def _text(data: Mapping[str, Any], key: str, place: str) -> str:
    value = data.get(key)
    if value is None:
        raise ConfigurationError(f"a mute needs `{key}`", location=place)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"`{key}` is not a text: `{show(value)}`", location=place)
    return value


def _expiry(value: Any, place: str) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"`expiry` is no date: `{show(value)}`", location=place, hint="as 2027-03-31"
        ) from None
