"""What drills on an account are tested with: the cloud over HTTP, as if it were AWS, with and without trouble."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud


@pytest.fixture
def faults(sts_cloud: Cloud, checkout: Path) -> Iterator[Callable[..., Any]]:
    """Give a front before the cloud that throttles, drops and delays; see tests/faults.py."""
    spec = importlib.util.spec_from_file_location("stsguard_faults", checkout / "tests" / "faults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: list[Any] = []

    def make(**options: Any) -> Any:
        made.append(module.Faults(sts_cloud, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
