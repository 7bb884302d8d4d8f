"""The catalogue of controls: data in the TOML files beside this module, one file for each hundred.

Checks, ``stsguard controls``, reports and docs are all made from it.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings.control import Control, Remediation
from pytest_stsguard.findings.severity import Severity
from pytest_stsguard.findings.suggestion import show, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["control", "controls"]


@cache
def controls() -> Mapping[str, Control]:
    """Give every control of this package by id, in order. Read once, when first asked for."""
    found: dict[str, Control] = {}
    for file in sorted(Path(__file__).parent.glob("*.toml")):
        with file.open("rb") as stream:
            data = tomllib.load(stream)
        found.update((name, _control(name, fields)) for name, fields in data.items())
    return dict(sorted(found.items()))


def control(name: str) -> Control:
    """Find a control by id, whatever its case.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return controls()[name.upper()]
    except KeyError:
        raise ConfigurationError(f"unknown control `{show(name)}`", hint=suggest(name.upper(), controls())) from None


def _control(name: str, fields: dict[str, Any]) -> Control:
    return Control(
        id=name,
        title=fields["title"],
        severity=Severity.parse(fields["severity"]),
        risk=" ".join(fields["risk"].split()),
        remediation=Remediation(**{key: text.strip() for key, text in fields["remediation"].items()}),
        references=tuple(fields["references"]),
        compliance={framework: tuple(ids) for framework, ids in fields["compliance"].items()},
        needs=tuple(fields.get("needs", ())),
    )
