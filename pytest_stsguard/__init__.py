"""Prove that a stolen AWS session dies when it is revoked, and that the workload lives on.

The names below are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_stsguard.asserts import assert_allowed, assert_contained, assert_denied
    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill import Drill
    from pytest_stsguard.errors import StsGuardError
    from pytest_stsguard.revocation import Revocation

    __version__: str

__all__ = [
    "Cloud",
    "Credentials",
    "Drill",
    "Revocation",
    "StsGuardError",
    "__version__",
    "assert_allowed",
    "assert_contained",
    "assert_denied",
]

_HOMES = {
    "Cloud": "cloud",
    "Credentials": "cloud",
    "Drill": "drill",
    "Revocation": "revocation",
    "StsGuardError": "errors",
    "assert_allowed": "asserts",
    "assert_contained": "asserts",
    "assert_denied": "asserts",
}

# In a checkout `checks/` and `reports/` stand beside the package; in a wheel they are inside it.
if not (Path(__file__).parent / "checks").is_dir():
    __path__.append(str(Path(__file__).parent.parent))


def __getattr__(name: str) -> object:
    """Load a public name from its room, and the version from the installed distribution."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - a run that never asks does not pay

        return version("pytest-stsguard")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
