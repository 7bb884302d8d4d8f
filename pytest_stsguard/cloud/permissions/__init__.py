"""WHAT AN OPERATION NEEDS: from a call to the actions, resources and condition keys that IAM checks."""

from __future__ import annotations

from .permission import Permission, State, UnmappedOperationError
from .rules import required

__all__ = ["Permission", "State", "UnmappedOperationError", "required"]
