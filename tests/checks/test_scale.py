"""A generated account with planted faults: every control finds what was planted for it, and nothing else."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cli.checks import run_checks
from pytest_stsguard.findings import controls

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_stsguard.findings import Report


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    try:
        import generate_account
    finally:
        sys.path.pop(0)
    return generate_account


@pytest.fixture(scope="module")
def audited(generator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, dict[str, set[str]]]:
    folder = tmp_path_factory.mktemp("generated")
    truth = generator.generate(folder, roles=2000)
    options = [
        ("target", f"export:{folder / 'account'}"),
        ("config", str(folder / "stsguard.toml")),
        ("at", generator.AT),
    ]
    return run_checks(options).report, truth


@pytest.mark.parametrize("control", list(controls()))
def test_recall_and_precision(audited: tuple[Report, dict[str, set[str]]], control: str) -> None:
    report, truth = audited
    found = defaultdict(set)
    for finding in report.findings:
        found[finding.control].add(finding.resource)
    assert truth[control], "every control has something planted for it"
    right = len(found[control] & truth[control])
    assert right >= 0.99 * len(truth[control]), sorted(truth[control] - found[control])[:5]
    assert right >= 0.99 * len(found[control]), sorted(found[control] - truth[control])[:5]


def test_every_control_was_evaluated_without_an_error(audited: tuple[Report, dict[str, set[str]]]) -> None:
    report, _ = audited
    assert report.not_evaluated == {}
    assert report.errors == {}
