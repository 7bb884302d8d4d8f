"""The state of a cloud as plain data: saved to a file, restored from one."""

from __future__ import annotations

from pytest_stsguard.cloud.snapshot.state import Stores, is_state, restore, save, text_of

__all__ = ["Stores", "is_state", "restore", "save", "text_of"]
