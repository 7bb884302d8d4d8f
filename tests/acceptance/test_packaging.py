"""The wheel, the editable install and the bare checkout each run the checks, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Every kind of check once: a drill over HTTP, a drill in process, a static check.
SAMPLE = "names_the_instance_role or stolen_session_is_denied or no_role_admits"
SAMPLED = 3


class Environment:
    """A virtual environment that holds what the wheel asks for, and nothing of this checkout."""

    def __init__(self, root: Path) -> None:
        venv.create(root, with_pip=True)
        self.bin = root / "bin"

    def run(self, *command: str, cwd: Path, **variables: str) -> str:
        kept = {name: text for name, text in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        program = [str(self.bin / command[0]), *command[1:]]
        done = subprocess.run(
            program, cwd=cwd, env={**kept, **variables}, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def pip(self, *arguments: str, cwd: Path) -> None:
        self.run("python", "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", str(folder), str(checkout)]
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Path, checkout: Path) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("environment"))
    environment.pip("install", "--constraint", str(checkout / "constraints.txt"), str(wheel), cwd=checkout)
    return environment


def test_wheel_holds_checks_templates_and_types_and_no_tests(wheel: Path, checkout: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("checks", "reports"):
        files = [path for path in (checkout / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert files
        assert {f"pytest_stsguard/{path.relative_to(checkout)}" for path in files} <= names
    assert "pytest_stsguard/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("pytest_stsguard/", "pytest_stsguard-")) for name in names)


def test_wheel_runs_the_checks_with_the_source_away(environment: Environment, tmp_path: Path) -> None:
    output = environment.run("pytest", "--pyargs", "pytest_stsguard.checks", "-q", "-k", SAMPLE, cwd=tmp_path)
    assert f"{SAMPLED} passed" in output
    shown = environment.run("stsguard", "--version", cwd=tmp_path)
    assert shown.startswith("stsguard, version ")


def test_editable_install_runs_both_forms_and_copies_nothing(
    environment: Environment, tmp_path: Path, checkout: Path
) -> None:
    environment.pip("uninstall", "--yes", "pytest-stsguard", cwd=tmp_path)
    environment.pip("install", "--no-deps", "--editable", str(checkout), cwd=tmp_path)
    for command in (("--pyargs", "pytest_stsguard.checks"), (str(checkout / "checks"),)):
        output = environment.run("pytest", "-p", "no:cacheprovider", "-q", "-k", SAMPLE, *command, cwd=tmp_path)
        assert f"{SAMPLED} passed" in output
    assert not (checkout / "pytest_stsguard" / "checks").exists()
    (site,) = (environment.bin.parent / "lib").glob("*/site-packages")
    assert not (site / "pytest_stsguard").exists()


def test_bare_checkout_runs_the_checks(environment: Environment, tmp_path: Path, checkout: Path) -> None:
    environment.pip("uninstall", "--yes", "pytest-stsguard", cwd=tmp_path)
    output = environment.run(
        "pytest",
        "-p",
        "pytest_stsguard.plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        "-k",
        SAMPLE,
        "checks",
        cwd=checkout,
        PYTHONPATH=str(checkout),
    )
    assert f"{SAMPLED} passed" in output
