"""The resource types that a stack of a caller may hold."""

from __future__ import annotations

from . import compute, identity, messaging, network, storage
from .kind import Kind, Part, Sweep

__all__ = ["KINDS", "Kind", "Part", "Sweep"]

KINDS: dict[str, Kind] = {
    **identity.KINDS,
    **storage.KINDS,
    **compute.KINDS,
    **network.KINDS,
    **messaging.KINDS,
}
"""By type, such as ``AWS::IAM::Role``. A type that is not here is refused by name."""
