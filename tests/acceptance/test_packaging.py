"""The wheel, the editable install and the bare checkout each run the checks, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Every kind of check once: a drill over HTTP, a drill in process, a static check.
SAMPLE = "names_the_instance_role or stolen_session_is_denied or no_role_admits"
SAMPLED = 3
# The cheapest that needs the fixtures and the cloud; how a check is found is what the other installs are about.
ONE = "names_the_instance_role"


class Environment:
    """A virtual environment that holds what the wheel asks for and no more, linked from the environment of the tests.

    Nothing of the checkout, no extra, none of this environment's .pth files is in it.
    """

    def __init__(self, root: Path, wheel: Path) -> None:
        venv.create(root / "venv", with_pip=False)
        self.bin = root / "venv" / "bin"
        (self.site,) = (root / "venv" / "lib").glob("*/site-packages")
        for one in _closure(_requirements_of(wheel)):
            _link(one, self.site)

    def run(self, *command: str, cwd: Path, **variables: str) -> str:
        kept = {name: text for name, text in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        program = [str(self.bin / command[0]), *command[1:]]
        done = subprocess.run(
            program, cwd=cwd, env={**kept, **variables}, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def pytest(self, *arguments: str, cwd: Path, **variables: str) -> str:
        return self.run("python", "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments, cwd=cwd, **variables)

    def pip(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "--quiet"]
        done = subprocess.run(
            [*command, "--disable-pip-version-check", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr


def _requirements_of(wheel: Path) -> list[Requirement]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return [Requirement(line.partition(": ")[2]) for line in lines if line.startswith("Requires-Dist: ")]


def _closure(wanted: list[Requirement]) -> list[Distribution]:
    """Give what must be installed for the requirements, their own requirements, and so on."""
    seen: dict[str, set[str]] = {}
    found: dict[str, Distribution] = {}
    ahead = [(one, "") for one in wanted]
    while ahead:
        requirement, extra = ahead.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras} - seen.setdefault(name, set())
        seen[name] |= extras
        found[name] = distribution(name)
        assert requirement.specifier.contains(found[name].version, prereleases=True), requirement
        ahead += [(Requirement(text), one) for one in extras for text in found[name].requires or ()]
    return list(found.values())


def _link(installed: Distribution, site: Path) -> None:
    for name in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
        source = Path(str(installed.locate_file(name)))
        if source.exists() and source.suffix != ".pth" and not (site / name).exists():
            (site / name).symlink_to(source)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", str(folder), str(checkout)]
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"), wheel)


def test_wheel_holds_checks_templates_and_types_and_no_tests(wheel: Path, checkout: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("checks", "reports"):
        files = [path for path in (checkout / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert files
        assert {f"pytest_stsguard/{path.relative_to(checkout)}" for path in files} <= names
    assert "pytest_stsguard/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("pytest_stsguard/", "pytest_stsguard-")) for name in names)


def test_wheel_metadata_is_whole(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        texts = {
            name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist() if "dist-info/" in name
        }
    metadata = texts["METADATA"]
    for line in ("Name: pytest-stsguard", "License-Expression: Apache-2.0", "Requires-Python: >=3.11"):
        assert f"\n{line}\n" in metadata
    assert "Description-Content-Type: text/markdown" in metadata
    assert "Provides-Extra: saml" in metadata
    assert "stsguard = pytest_stsguard.__main__:main" in texts["entry_points.txt"]
    assert "stsguard-templates = pytest_stsguard.__main__:templates" in texts["entry_points.txt"]
    assert "stsguard = pytest_stsguard.plugin" in texts["entry_points.txt"]


def test_wheel_runs_the_checks_with_the_source_away(environment: Environment, wheel: Path, tmp_path: Path) -> None:
    environment.pip("install", "--no-deps", "--no-index", str(wheel))
    output = environment.pytest("--pyargs", "pytest_stsguard.checks", "-k", SAMPLE, cwd=tmp_path)
    assert f"{SAMPLED} passed" in output
    shown = environment.run("stsguard", "--version", cwd=tmp_path)
    assert shown.startswith("stsguard, version ")
    environment.pip("uninstall", "--yes", "pytest-stsguard")
    assert not (environment.site / "pytest_stsguard").exists()


def test_editable_install_runs_both_forms_and_copies_nothing(
    environment: Environment, tmp_path: Path, checkout: Path
) -> None:
    environment.pip("install", "--no-deps", "--editable", str(checkout))
    assert "1 passed" in environment.pytest("-k", ONE, "--pyargs", "pytest_stsguard.checks", cwd=tmp_path)
    # That the other form runs once it is found, the test of the bare checkout shows.
    assert ONE in environment.pytest("-k", ONE, "--collect-only", str(checkout / "checks"), cwd=tmp_path)
    assert not (checkout / "pytest_stsguard" / "checks").exists()
    assert not (environment.site / "pytest_stsguard").exists()
    environment.pip("uninstall", "--yes", "pytest-stsguard")


def test_bare_checkout_runs_the_checks(environment: Environment, checkout: Path) -> None:
    arguments = ("-p", "pytest_stsguard.plugin", "-k", ONE, "checks")
    assert "1 passed" in environment.pytest(*arguments, cwd=checkout, PYTHONPATH=str(checkout))
