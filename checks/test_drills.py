"""The game day: every shipped scenario, from theft to cleanup, in the simulated cloud or on a sandbox account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.drill import shipped

if TYPE_CHECKING:
    from pytest_stsguard.drill import Drill

pytestmark = pytest.mark.stsguard_drill


@pytest.mark.parametrize("scenario", shipped())
def test_scenario_comes_out_as_it_says(sts_drill: Drill, scenario: str) -> None:
    if why := sts_drill.refuses(scenario):
        pytest.skip(why)
    result = sts_drill.play(scenario)
    assert result.passed, "\n".join(result.failures)
