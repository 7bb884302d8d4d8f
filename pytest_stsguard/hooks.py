"""Hooks by which a project extends the plugin, in its own conftest.py or plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_stsguard.findings import Control
    from pytest_stsguard.reporting import Run

__all__ = ["pytest_stsguard_controls", "pytest_stsguard_reports"]


@pytest.hookspec
def pytest_stsguard_controls(config: pytest.Config) -> Iterable[Control]:  # type: ignore[empty-body] # a specification
    """Give controls of the project's own, under a prefix of its own: they join the catalogue.

    A check names its control with the marker ``stsguard("ACME-001")``; severity and text then come from here.
    """


@pytest.hookspec
def pytest_stsguard_reports(config: pytest.Config) -> Mapping[str, Callable[[Run], str]]:  # type: ignore[empty-body] # as above
    """Give report formats of the project's own, by the name that ``--stsguard-report NAME:PATH`` then takes.

    A format is a function from the report model (`pytest_stsguard.reporting.Run`, frozen, JSON-able) to the text of the file.
    It should depend on the run alone, so that the same input gives the same bytes. With pytest-xdist it is called in the
    controlling process only. An account's own names are hostile input: escape them as your format asks.
    """
