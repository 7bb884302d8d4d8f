"""The pages that are made from the code hold everything that the code has, and a build leaves unchanged pages alone."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import click
import pytest

from pytest_stsguard import errors, plugin
from pytest_stsguard.cli import cli

SOURCE = Path(__file__).parents[2] / "docs" / "reference_pages.py"


@pytest.fixture(scope="module")
def pages() -> Any:
    spec = importlib.util.spec_from_file_location("reference_pages", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(pages: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    pages.write(folder)
    return folder


def test_every_fixture_command_and_error_has_its_place(written: Path) -> None:
    fixtures = (written / "fixtures.md").read_text()
    assert [name for name in plugin.__all__ if f"## {name}\n" not in fixtures] == []
    commands = (written / "commands.md").read_text()
    names = cli.list_commands(click.Context(cli))
    assert [name for name in names if f"## stsguard {name}\n" not in commands] == []
    told = (written / "errors.md").read_text()
    assert [name for name in errors.__all__ if f"| `{name}` |" not in told] == []


def test_every_option_and_marker_has_its_place(written: Path, pytestconfig: pytest.Config) -> None:
    text = (written / "options.md").read_text()
    for name in (
        "target",
        "config",
        "fail_on",
        "baseline",
        "write_baseline",
        "role",
        "report",
        "jobs",
        "at",
        "live_drill",
    ):
        assert f"| `--stsguard-{name.replace('_', '-')}" in text
        assert f"| `stsguard_{name}` |" in text
    markers = [line for line in pytestconfig.getini("markers") if line.startswith("stsguard")]
    assert len(markers) >= 3
    assert [line for line in markers if f"| `{line.partition(': ')[0]}` |" not in text] == []


def test_unchanged_pages_are_left_alone(pages: Any, written: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in written.iterdir()}
    (written / "errors.md").write_text("old")
    pages.write(written)
    after = {path: path.stat().st_mtime_ns for path in written.iterdir()}
    assert {path.name for path in after if after[path] != before[path]} == {"errors.md"}
    assert (written / "errors.md").read_text() != "old"


def test_readme_names_every_fixture_and_command() -> None:
    text = (SOURCE.parents[1] / "README.md").read_text()
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    assert set(plugin.__all__) - words == set()
    assert set(cli.list_commands(click.Context(cli))) - words == set()
