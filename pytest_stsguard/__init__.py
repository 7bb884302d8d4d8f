"""Prove that a stolen AWS session dies when it is revoked, and that the workload lives on."""

from __future__ import annotations

from pathlib import Path

__all__ = ["__version__"]

# In a checkout `checks/` and `reports/` stand beside the package; in a wheel they are inside it.
if not (Path(__file__).parent / "checks").is_dir():
    __path__.append(str(Path(__file__).parent.parent))


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - a run that never asks does not pay

        return version("pytest-stsguard")
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
