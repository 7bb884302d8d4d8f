"""The templates of the folder ``reports/``: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_stsguard.errors import StsGuardError
from pytest_stsguard.reporting.text import visible

__all__ = ["macros", "page", "source"]

_PACKAGE = __name__.partition(".")[0]
_FOLDER = "reports"


@lru_cache(maxsize=1)
def _environment() -> Any:
    """Everything is escaped, and a name that a template misspells is an error, not an empty text."""
    import jinja2  # noqa: PLC0415 - only a report pays for it

    folders = [
        str(Path(place) / _FOLDER) for place in import_module(_PACKAGE).__path__ if (Path(place) / _FOLDER).is_dir()
    ]
    if not folders:
        raise StsGuardError("the templates are missing", hint="reinstall pytest-stsguard")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["block"] = _block
    environment.filters["ticks"] = _ticks
    environment.filters["number"] = "{:,}".format
    return environment


class _Block(str):
    """A text of several lines whose hidden characters have been made visible already."""

    __slots__ = ()


def _shown(value: Any) -> Any:
    """Make hidden characters visible in every text that a template puts out; escaping comes after."""
    return visible(value) if type(value) is str else value


def _ticks(text: str) -> Any:
    """Write what stands between backticks as code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with jinja2

    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    written = (f"<code>{escape(part)}</code>" if index % 2 else str(escape(part)) for index, part in enumerate(parts))
    return Markup("".join(written))  # noqa: S704 - every part is escaped above


def _block(text: str) -> _Block:
    return _Block("\n".join(visible(line) for line in text.split("\n")))


@lru_cache(maxsize=8)
def macros(template: str) -> Any:
    """Give the macros of a template as a module."""
    return _environment().get_template(template).module


def page(template: str, **values: Any) -> str:
    """Render a template."""
    return str(_environment().get_template(template).render(**values))


@lru_cache(maxsize=8)
def source(name: str) -> str:
    """Give a style sheet or a script as it stands in the folder."""
    environment = _environment()
    return str(environment.loader.get_source(environment, name)[0])
