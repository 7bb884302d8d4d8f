"""WHAT ELSE BEARS ON A CALL besides the caller's own policies: organisation, resource policies, grants, public access."""

from __future__ import annotations

from .organization import Organization

__all__ = ["Organization"]
