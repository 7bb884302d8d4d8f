"""The lowest versions that CI runs with are the lowest that the package allows."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from pathlib import Path


def test_lowest_constraints_are_the_lowest_that_are_allowed(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [Requirement(text) for text in (*project["dependencies"], *extras["saml"], *extras["test"])]
    lines = [
        line for line in (checkout / "constraints-lowest.txt").read_text().splitlines() if not line.startswith("#")
    ]
    pinned = {canonicalize_name(one.name): one.specifier for one in map(Requirement, lines)}
    for one in wanted:
        (lowest,) = (part.version for part in one.specifier if part.operator == ">=")
        name = canonicalize_name(one.name)
        assert name in pinned, f"{one} has no lowest version in constraints-lowest.txt"
        (pin,) = pinned[name]
        assert pin.operator == "=="
        # ">=1.43" allows 1.43.0; a release of that number may never have been, so later ones of the line count as well.
        assert Version(pin.version).release[: len(Version(lowest).release)] == Version(lowest).release, one
