"""Hooks by which a project extends the plugin, in its own conftest.py or plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.findings import Control

__all__ = ["pytest_stsguard_controls"]


@pytest.hookspec
def pytest_stsguard_controls(config: pytest.Config) -> Iterable[Control]:  # type: ignore[empty-body] # a specification
    """Give controls of the project's own, under a prefix of its own: they join the catalogue.

    A check names its control with the marker ``stsguard("ACME-001")``; severity and text then come from here.
    """
