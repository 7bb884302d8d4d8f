"""How deep a template may be."""

from __future__ import annotations

from typing import Final

from pytest_stsguard.errors import InputError

__all__ = ["DEEP", "too_deep"]

DEEP: Final = 64
"""The most objects and lists inside one another; a policy in a template is about ten deep."""


def too_deep(location: object) -> InputError:
    """Make the error for a value that is nested too deeply."""
    return InputError(f"more than {DEEP} lists and objects inside one another", location=str(location))
