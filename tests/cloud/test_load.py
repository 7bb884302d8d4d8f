"""Eight threads call while a revocation lands: `benchmarks/gate_load.py` with a count of calls in the place of a minute."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def benchmark(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("gate_load", checkout / "benchmarks" / "gate_load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up.
    monkeypatch.setitem(sys.modules, "gate_load", module)
    spec.loader.exec_module(module)
    return module


def test_a_revocation_under_load_is_exact(benchmark: Any) -> None:
    with Cloud() as cloud:
        load = benchmark.run(cloud, threads=8, calls=30)
        assert load.failures() == []
        assert load.count == 240
        assert load.tallies["stolen"].denied[1] > 0
        assert load.tallies["fresh"].allowed[1] > 0


def test_the_tally_notices_what_does_not_hold(benchmark: Any) -> None:
    with Cloud() as cloud:
        load = benchmark.Load(cloud)
        load.revoke()
        cloud.client("iam").delete_role_policy(RoleName="A4L-InstanceRole", PolicyName="AWSRevokeOlderSessions")
        load.work(9)
        failures = load.failures()
        assert "3 stolen calls were allowed after the revocation" in failures
        load.request_ids.append("of no record")
        assert "1 records were lost" in load.failures()
