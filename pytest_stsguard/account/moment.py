"""The dates of an export: ISO 8601 as the API and the CLI write them, or epoch seconds."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["parse_moment"]


def parse_moment(value: str | float) -> datetime:
    """Read a date; without an offset it is UTC. `ValueError` when it is none."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError) as error:
        message = f"`{value}` seconds are outside the calendar"
        raise ValueError(message) from error
