"""WHAT CLOUDTRAIL WOULD HAVE WRITTEN: a call as a record in the published format, without secrets."""

from __future__ import annotations

from .event import Event
from .files import write_files
from .record import record_of

__all__ = ["Event", "record_of", "write_files"]
