"""The templates of the folder ``reports/``: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest_stsguard
from pytest_stsguard.errors import StsGuardError

__all__ = ["macros"]

_FOLDER = "reports"


@lru_cache(maxsize=1)
def _environment() -> Any:
    """Everything is escaped, and a name that a template misspells is an error, not an empty text."""
    import jinja2  # noqa: PLC0415 - only a report pays for it

    folders = [str(Path(place) / _FOLDER) for place in pytest_stsguard.__path__ if (Path(place) / _FOLDER).is_dir()]
    if not folders:
        raise StsGuardError("the templates are missing", hint="reinstall pytest-stsguard")
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders), autoescape=True, undefined=jinja2.StrictUndefined
    )


@lru_cache(maxsize=8)
def macros(template: str) -> Any:
    """Give the macros of a template as a module."""
    return _environment().get_template(template).module
