"""The package's public names."""

from __future__ import annotations

from importlib.metadata import version

import pytest

import pytest_stsguard


@pytest.mark.parametrize("name", pytest_stsguard.__all__)
def test_public_name_is_there(name: str) -> None:
    assert getattr(pytest_stsguard, name) is not None


def test_version_is_the_distributions() -> None:
    assert pytest_stsguard.__version__ == version("pytest-stsguard")


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="moon"):
        _ = pytest_stsguard.moon
