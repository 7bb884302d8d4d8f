"""Every code block of the documentation is run, or at least read by what it is written for.

A comment before a block says more about it: ``<!-- file: NAME -->``, the block is a file of this name for what follows;
``<!-- not run: REASON -->``, it needs what no test has. On the pages of `RUN` each command of a console block is run and what it
prints is compared, where the page shows it (``...`` stands for anything). Elsewhere a command of ours is run when it can be:
when it reads what is there, a file or the demo, and changes nothing; of the others the options are checked.
"""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import pytest
import yaml
from sybil import Example, Region, Sybil

from pytest_stsguard.cli import cli, main
from pytest_stsguard.drill import load_scenario
from pytest_stsguard.findings import Configuration
from pytest_stsguard.plugin import pytest_addoption
from pytest_stsguard.trust import Zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sybil import Document

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RUN = ("docs/tutorial/", "docs/how-to/")
FENCE = re.compile(
    r"^(?P<remark><!-- (?:file: (?P<file>\S+)|not run: [^>]+?) -->\n)?(?P<indent> *)```(?P<language>[\w-]+)\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
BIN = Path(sys.executable).parent
CHECKER, LENIENT = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
READING = {"audit", "blast", "controls", "diff", "drill", "explain", "policy", "prove", "report", "simulate"}
OUTPUTS = {"--output", "-o", "--report"}
FILE = re.compile(r"\.(json|jsonl|toml|ya?ml)$|^(export|cfn|tfplan):")
HOSTS = {
    "aws.amazon.com", "docs.aws.amazon.com", "docs.getmoto.org", "docs.github.com", "docs.localstack.cloud",
    "docs.prowler.com", "github.com", "h11.readthedocs.io", "keepachangelog.com", "pypi.org",
    "pytest-xdist.readthedocs.io", "semver.org", "www.checkov.io",
}  # fmt: skip
"""Whose pages are linked to; a test reaches no network, so that a person has to look whether they are there."""
SETTINGS = {"fail_on", "baseline", "zones", "mute", "severity", "sessions", "limits", "live", "drill"}


def blocks(document: Document) -> Iterator[Region]:
    for match in FENCE.finditer(document.text):
        if match["remark"] and not match["file"]:
            continue
        yield Region(match.start(), match.end(), match.groupdict(), evaluate)


def evaluate(example: Example) -> str | None:
    """Give a block to what reads its language; an error, or a text, is a failure at its line."""
    block = example.parsed
    text = textwrap.dedent(block["text"])
    if block["file"]:
        path = Path(block["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    reader = READERS.get(block["language"])
    return reader(text, example) if reader else None


def read_python(text: str, example: Example) -> str | None:
    if "def test_" not in text:
        exec(compile(text, f"{example.path}:{example.line}", "exec"), example.namespace)
        return None
    compile(text, example.path, "exec")
    return None  # `test_tests_on_pages_pass` runs it with all the others


def read_toml(text: str, example: Example) -> None:
    data = tomllib.loads(text)
    name = "pyproject.toml" if "tool" in data else "stsguard.toml"
    if data.keys() & {"theft", "containment"}:
        Path("scenario.toml").write_text(text)
        load_scenario("scenario.toml")
    elif name == "pyproject.toml" or data.keys() <= SETTINGS:
        path = Path(f"line-{example.line}", name)
        path.parent.mkdir()
        path.write_text(text)
        zones = Configuration.load(path, path.parent).zones
        Zones.parse({"account": "111122223333", **zones})


def read_json(text: str, _: Example) -> None:
    for part in text.split("\n\n") if text.lstrip().startswith("{") and "\n{" in text else [text]:
        json.loads(part)


class Template(yaml.SafeLoader):
    """Knows the short forms of CloudFormation's functions as what they stand for."""


Template.add_multi_constructor("!", lambda _loader, suffix, _node: suffix)


def read_yaml(text: str, _: Example) -> None:
    yaml.load(text, Template)  # a SafeLoader that passes CloudFormation's tags over


def read_console(text: str, example: Example) -> str | None:
    for command, expected in commands(text):
        shown = Path(example.path).relative_to(ROOT).as_posix()
        told = shown.startswith(RUN)
        problem = run(command, expected if told else "", example) if told or can_run(command) else look_at(command)
        if problem:
            return f"{command}: {problem}"
    return None


def read_shell(text: str, example: Example) -> str | None:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    joined = text.replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    found = (run(line, "", example) if can_run(line) else look_at(line) for line in lines)
    return done.stderr or next((problem for problem in found if problem), None)


READERS: dict[str, Callable[[str, Example], str | None]] = {
    "python": read_python, "toml": read_toml, "json": read_json, "yaml": read_yaml,
    "console": read_console, "bash": read_shell, "sh": read_shell,
}  # fmt: skip


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Take a console block apart: each command with what it prints."""
    parts = re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with a command"
    for part in parts[1:]:
        command, _, printed = part.partition("\n")
        yield command.strip(), printed.strip("\n")


def can_run(command: str) -> bool:
    """Whether a command is ours, reads files that are there, and neither serves, nor asks AWS, nor writes over anything."""
    plain = command.split(" #", maxsplit=1)[0]
    words = plain.split()
    if words[:1] != ["stsguard"] or words[1:2] == [] or words[1] not in READING or set(plain) & set("|<>&;$[`"):
        return False
    targets = [
        word
        for word in words[2:]
        if re.match(r"(aws|org)\b|--apply|--live|--send|--rollback|--journal|--matrix|--replay", word)
    ]
    files = [
        word.rpartition(":")[2]
        for word in words[2:]
        if FILE.search(word) and words[words.index(word) - 1] not in OUTPUTS
    ]
    return not targets and all(Path(file).exists() for file in files)


def run(command: str, expected: str, example: Example) -> str | None:
    if command == "echo $?":
        code = str(example.namespace["code"])
        return None if code == expected else f"the command before ended with {code}"
    words = shlex.split(command, comments=True)
    plain = words[0] == "stsguard" and not set(command) & set("|<>&;$")
    code, printed = call(words) if plain else shell(command)
    example.namespace["code"] = code
    if code not in {0, 1}:
        return f"exit code {code}: {printed}"
    if expected and not CHECKER.check_output(f"{expected}\n", f"{plain_text(printed)}\n", LENIENT):
        return f"it printed\n{plain_text(printed)}"
    return None


def plain_text(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def call(words: list[str]) -> tuple[object, str]:
    printed = io.StringIO()
    before, sys.argv = sys.argv, words
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            main()
    except SystemExit as ended:
        return ended.code, printed.getvalue()
    finally:
        sys.argv = before
    raise AssertionError(words)


def shell(command: str) -> tuple[int, str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120", "PY_COLORS": "0"}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, text=True, check=False, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def look_at(command: str) -> str | None:
    """Check that a command of ours exists and has the options that it is given."""
    for part in re.split(r"&&|\|\||[|;&]", re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", command.split(" #", maxsplit=1)[0])):
        words = part.split()
        if words[:1] == ["stsguard"] and len(words) > 1 and not words[1].startswith("-"):
            context = click.Context(cli)
            found = cli.get_command(context, words[1])
            if found is None:
                return f"there is no command `{words[1]}`"
            known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
            given = {word.split("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
            if unknown := given - known - {"--help", "-h"}:
                return f"`stsguard {words[1]}` has no {', '.join(sorted(unknown))}"
        unknown = {word.split("=")[0] for word in words if word.startswith("--stsguard-")} - OPTIONS
        if unknown:
            return f"pytest has no {', '.join(sorted(unknown))}"
    return None


class Options:
    """Takes what the plugin adds, as pytest's own parser would."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def getgroup(self, *_: object) -> Options:
        return self

    def addoption(self, name: str, **_: object) -> None:
        self.names.add(name)

    def addini(self, *_: object, **__: object) -> None:
        """Take an ini key; nobody asks for it here."""


def _options() -> set[str]:
    taken = Options()
    pytest_addoption(taken)  # type: ignore[arg-type] # it calls these three methods alone
    return taken.names


OPTIONS = _options()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder that a reader is in: the examples, in their folder and beside what he writes."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for name in ("account.json", "stack.yaml", "plan.json"):
        shutil.copy(ROOT / "examples" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
@pytest.mark.usefixtures("folder")
def test_page(page: Path) -> None:
    for example in Sybil(parsers=[blocks], encoding="utf-8").parse(page).examples():
        example.evaluate()


def test_tests_on_pages_pass(folder: Path, pytester: pytest.Pytester) -> None:
    written: set[str] = set()
    for page in PAGES:
        name = re.sub(r"\W", "_", page.relative_to(ROOT).with_suffix("").as_posix())
        for match in FENCE.finditer(page.read_text()):
            not_run = match["remark"] and not match["file"]
            if match["language"] == "python" and "def test_" in match["text"] and not not_run:
                if match["text"] in written:
                    continue  # the README's first test is the tutorial's as well
                line = page.read_text().count("\n", 0, match.start())
                (folder / f"test_{name}_{line}.py").write_text(textwrap.dedent(match["text"]))
                written.add(match["text"])
    pytester.makeini("[pytest]\n")
    arguments = ("-p", "no:cacheprovider", "-q", "--stsguard-fail-on", "critical")
    result = pytester.runpytest(*arguments, *folder.glob("test_*.py"))
    assert len(written) >= 5
    outcomes = result.parseoutcomes()
    assert outcomes.get("passed", 0) >= len(written), result.stdout.str()
    assert set(outcomes) <= {"passed", "warnings"}, result.stdout.str()


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
    def test_links_within_the_repository_lead_somewhere(self, page: Path) -> None:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith(("http://", "https://", "mailto:")):
                continue
            name, _, anchor = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            assert path.exists(), f"{target}: there is no such file"
            if anchor and path.suffix == ".md":
                assert anchor in anchors(path), f"{target}: {path.name} has no such heading"

    @pytest.mark.parametrize("page", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
    def test_links_to_elsewhere_are_to_hosts_that_somebody_has_looked_at(self, page: Path) -> None:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(((?:https?:|//)[^)]*)\)", text):
            address = urlsplit(target)
            assert (address.scheme, address.username, address.port) == ("https", None, None), target
            assert address.hostname in HOSTS, f"{target}: look at the page, then add its host to HOSTS"
            assert re.fullmatch(r"[!-~]+", target), target

    def test_the_check_sees_a_broken_link(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("[nowhere](absent.md)")
        with pytest.raises(AssertionError, match="no such file"):
            self.test_links_within_the_repository_lead_somewhere(page)


def anchors(path: Path) -> set[str]:
    """Give the anchors that GitHub and MyST make of the headings."""
    found = re.findall(r"^#+ +(.+?) *$", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}
