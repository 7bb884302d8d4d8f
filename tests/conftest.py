"""What every test may use: hypothesis without deadlines, and an environment without anybody's AWS settings."""

from __future__ import annotations

import gc
import importlib.util
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Cloud

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Clouds and clients make so many objects that by Python's own threshold half of their time is the collector's, in vain: what
# they leave is freed by counting. A collection still comes, later.
gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own credentials, regions and endpoints out of every test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(scope="session", autouse=True)
def _first_property() -> None:
    """Let hypothesis make its generator of random numbers while the heap still shows who holds it; frozen, it would doubt that."""
    given(none())(lambda _: None)()


@pytest.fixture(scope="module", autouse=True)
def _settled_heap(_first_property: None) -> None:
    """Keep what earlier modules have loaded (service models, moto) out of the collections that every inner pytest run makes."""
    gc.freeze()


@pytest.fixture(scope="session")
def _lasting_modules() -> None:
    """Load what an inner pytest run would load first and then drop: loaded twice, its classes are no longer themselves.

    cryptography, for one, knows its ciphers by their classes, and moto its backends.
    """
    names = ("cryptography.hazmat.primitives.ciphers.modes", "joserfc.jwe", "lxml.etree", "pytest_stsguard.cloud.cloud")
    for name in names:
        import_module(name)
    for service in ("dynamodb", "ec2", "iam", "kms", "organizations", "s3", "secretsmanager", "sns", "sqs", "sts"):
        import_module(f"moto.{service}.models")
        import_module(f"moto.{service}.responses")


@pytest.fixture
def pytester(_lasting_modules: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Give pytest's own fixture, which runs in this process unless it is told otherwise."""
    return pytester


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Give the root of the checkout."""
    return Path(__file__).parent.parent


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
