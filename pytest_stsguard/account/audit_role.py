"""Who reads the accounts of an organisation."""

from __future__ import annotations

from typing import Final

__all__ = ["AUDIT_ROLE"]

AUDIT_ROLE: Final = "stsguard-audit"
"""The role that is assumed in every account of an organisation, unless another is named."""
