"""How a revocation reaches the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Clients"]

Clients = Callable[[str], Any]
"""Makes a boto3 client of a service by its name."""
