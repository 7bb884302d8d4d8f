"""The fragments of the changelog become the section of a release, and the releases before stay."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BEFORE = """# Changelog

## Unreleased

### Added
- An old entry.

## 0.0.1 - 2026-01-01

### Added
- The beginning.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "README.md").write_text("how to")
    (tmp_path / "CHANGELOG.md").write_text(BEFORE)
    return tmp_path


def release(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci" / "changelog.py"), "0.1.0", "--root", str(project), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_fragments_join_what_is_unreleased_and_go(project: Path) -> None:
    (project / "changelog.d" / "b.added.md").write_text("A new one,\nof two lines.\n")
    (project / "changelog.d" / "a.fixed.md").write_text("A fault.\n")
    assert release(project).returncode == 0
    assert (project / "CHANGELOG.md").read_text() == BEFORE
    assert release(project, "--write").returncode == 0
    text = re.sub(r"0\.1\.0 - \d{4}-\d\d-\d\d", "0.1.0 - DAY", (project / "CHANGELOG.md").read_text())
    assert text == BEFORE.replace(
        "## Unreleased\n\n### Added\n- An old entry.\n",
        "## Unreleased\n\n## 0.1.0 - DAY\n\n### Added\n- An old entry.\n- A new one,\n  of two lines.\n\n### Fixed\n- A fault.\n",
    )
    assert [path.name for path in (project / "changelog.d").iterdir()] == ["README.md"]


@pytest.mark.parametrize("name", ["entry.md", "entry.thing.md", ".added.md"])
def test_fragment_of_no_kind_is_refused(project: Path, name: str) -> None:
    (project / "changelog.d" / name).write_text("An entry.")
    done = release(project, "--write")
    assert done.returncode == 1
    assert "expected NAME.KIND.md" in done.stderr


def test_own_fragments_are_well_formed() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "changelog.py"), "0.1.0"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("## 0.1.0 - ")
