"""The page under axe-core, the accessibility checker of Deque: WCAG 2.2 at levels A and AA, and its best practices.

npm installs it, of the version in axe/package-lock.json, once for each state of that file, into the user's cache; where there
is no npm, no registry or no Chromium, this is skipped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_stsguard.reporting import Run, render

HERE = Path(__file__).parent / "axe"
# The pictures' texts lie on shapes, whose colours axe does not see: test_browser.py measures them.
AXE = """open(); document.documentElement.dataset.theme = "%s"; await wait(300);
  %s
  const found = await axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]});
  seen.passed = found.passes.map((rule) => rule.id);
  seen.violated = found.violations.map((rule) => [rule.id, rule.nodes.slice(0, 3).map((node) => node.target.join(" "))]);"""
SPOILED = """document.documentElement.lang = ""; document.querySelector("h1").remove();
  all("main section:not(#summary, #findings)").forEach((one) => one.remove()); document.documentElement.style.setProperty("--soft", "#8a94a0");"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A script on the page of a run."""

    run: str
    script: str
    width: int = 1200
    anchor: str = ""


SCENES = {
    "light": Scene("whole", AXE % ("light", "")),
    "dark phone": Scene("whole", AXE % ("dark", ""), width=390),
    "spoiled": Scene("whole", AXE % ("light", SPOILED), width=390),
}


@pytest.fixture(scope="module")
def axe() -> str:
    """Give the checker's source."""
    if not shutil.which("npm"):
        pytest.skip("needs npm")
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "pytest-stsguard" / "axe" / digest
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"npm cannot install axe-core: {done.stderr.strip().splitlines()[:1]}")
    return script.read_text()


@pytest.fixture(scope="module")
def checked(
    play: Any, axe: str, example: Run, radius: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Give what axe finds in each scene; a few findings of each kind are enough for it."""
    roles = {"deploy": ["ops", "audit"], "ops": ["admin", "deploy"], "audit": ["audit"]}
    alike = tuple(
        msgspec.structs.replace(example.findings[0], resource=f"arn:aws:iam::111122223333:role/{'same-' * 9}{number}")
        for number in range(10)
    )
    run = msgspec.structs.replace(
        example,
        findings=(*example.findings[::9], *alike),
        drills=example.drills[:1],
        warnings=("a warning",),
        blast=(radius(roles, survivors=["ops"]),),
    )
    scenes = {name: Scene(scene.run, f"{axe};\n{scene.script}", width=scene.width) for name, scene in SCENES.items()}
    found, console = play(tmp_path_factory.mktemp("axe"), scenes, {"whole": render(run, "html")})
    assert console == []
    return dict(found)


@pytest.mark.parametrize("name", ["light", "dark phone"])
def test_page_violates_no_rule(name: str, checked: dict[str, dict[str, Any]]) -> None:
    assert checked[name]["violated"] == []
    assert {"color-contrast", "html-has-lang", "label", "bypass", "svg-img-alt"} <= set(checked[name]["passed"])
    assert len(checked[name]["passed"]) > 45


def test_violations_would_be_seen(checked: dict[str, dict[str, Any]]) -> None:
    assert {name for name, _ in checked["spoiled"]["violated"]} >= {
        "html-has-lang",
        "color-contrast",
        "page-has-heading-one",
    }
