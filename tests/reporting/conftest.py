"""What the tests of reports share: an example run, a hostile one, and a check of JSON schemas."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from base64 import b64encode
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.reporting import Run, read
from pytest_stsguard.reporting.builder import completed
from pytest_stsguard.reporting.model import (
    Answers,
    Blast,
    Containment,
    Control,
    Drill,
    Edge,
    Finding,
    Gap,
    Location,
    Node,
    Policy,
    Remediation,
    Step,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--virtual-time-budget=30000", "--enable-logging=stderr"),
)
FRAME = """<!doctype html><body>{frames}<pre id="seen"></pre>
<script>const seen = {{}}; addEventListener("message", (event) => {{ Object.assign(seen, event.data);
  document.getElementById("seen").textContent = JSON.stringify(seen); }});</script>"""
DRIVER = """(async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const all = (name) => [...document.querySelectorAll(name)];
  const shown = () => all(".finding").filter((one) => one.checkVisibility()).length;
  const search = async (text) => { const box = document.getElementById("query"); box.value = text;
    box.dispatchEvent(new Event("input", {bubbles: true})); await wait(400); };
  const open = () => all("details").forEach((one) => { one.open = true; });
  await wait(50);
  const seen = {};
  %s
  parent.postMessage({"%s": seen}, "*");
})();"""
HOSTILE = (
    "<script>alert(1)</script>",
    "]]></script><!--<img src=x onerror=alert(1)>",
    "line\r\nbreak\u2028and\u2029more",
    "abc\u202etxt.exe\u2066\u200f",
    '=HYPERLINK("http://evil.example","click")',
    "@everyone [x](javascript:alert(1)) `code` | cell |\n# heading",
    "x" * 10_240,
    "nul\0and\x1b[31mred\x07",
    "half \ud800 pair",
    "{{ 7 * 7 }} {% raw %} ${x} {0}",
)  # fmt: skip


@pytest.fixture(scope="session")
def example() -> Run:
    """Give the run of run.json, which make_run.py makes."""
    return read(HERE / "run.json")


@pytest.fixture(scope="session")
def radius() -> Callable[..., Blast]:
    """Give a maker of blast radii."""
    return _radius


def _radius(
    edges: Mapping[str, Iterable[str]], *, survivors: Collection[str] = (), proven: Collection[str] = ()
) -> Blast:
    """Make a blast radius of roles: each leads to those that are listed for it; the first is stolen."""
    names = dict.fromkeys((*edges, *(to for ends in edges.values() for to in ends)))
    return Blast(
        start=next(iter(names)),
        nodes=tuple(
            Node(
                id=name,
                kind="role",
                arn=f"arn:aws:iam::111122223333:role/{name}",
                survives_revocation=name in survivors,
            )
            for name in names
        ),
        edges=tuple(
            Edge(
                source=source, to=to, kind="assume", statement="policy Statement[0]", demonstrated=to in proven or None
            )
            for source, ends in edges.items()
            for to in ends
        ),
        revocation_set=tuple(f"arn:aws:iam::111122223333:role/{name}" for name in survivors),
    )


@pytest.fixture(scope="session")
def hostile() -> Run:
    """Give a run in which every text that an account, a project or a test could choose is hostile."""
    findings = tuple(
        Finding(
            control="STSG-101" if index % 2 else text[:40],
            severity=("critical", "high", "medium", "low")[index % 4],
            resource=f"arn:aws:iam::111122223333:role/{text}",
            message=text,
            evidence={
                text: text,
                "context": {text: [text]},
                "cycle": [text],
                "safe_date": text + "2026-01-01T00:00:00Z",
                "demonstrated": index % 2 == 0,
            },
            fingerprint=f"{index:032x}",
            place=text,
            muted=index == 3,
            mute_reason=text if index == 3 else None,
            location=Location(text, index),
            policy=index,
            lines=(2, 2),
        )
        for index, text in enumerate(HOSTILE)
    )
    run = Run(
        schema=1,
        target=f"export:{HOSTILE[0]}",
        account=HOSTILE[1],
        at="2026-11-20T12:00:00Z",
        verdict="fail",
        findings=findings,
        summary=Summary(findings=9, by_severity={"critical": 3}, by_control=dict.fromkeys(HOSTILE, 1)),
        warnings=HOSTILE,
        evaluated=HOSTILE,
        not_evaluated=tuple(Gap(text, text) for text in HOSTILE),
        errors=tuple(Gap(text, text) for text in HOSTILE[:2]),
        controls=tuple(
            Control(
                id=text[:40],
                title=text,
                severity="high",
                risk=text,
                remediation=Remediation(text, text, text, text),
                references=(f"https://{text}", f"javascript:{text}"),
                compliance={text: (text,)},
            )
            for text in HOSTILE
        ),
        policies=tuple(Policy(text, f"{{\n{text}\n}}") for text in HOSTILE),
        drills=tuple(
            Drill(text, text, tuple(Step("2026-11-20T12:00:00Z", "stolen", f"{text}, key ****ABCD") for _ in range(2)))
            for text in HOSTILE
        ),
        containment=Containment(
            outcomes={text: text for text in HOSTILE},
            subjects={text: text for text in HOSTILE[:4]},
            sessions={text: text for text in HOSTILE},
            methods={text: text for text in HOSTILE[:3]},
            cells=tuple(
                Answers(method, session, dict.fromkeys(HOSTILE[:4], session), note=session)
                for method in HOSTILE[:3]
                for session in HOSTILE
            ),
        ),
        blast=(
            Blast(
                start=HOSTILE[0],
                nodes=tuple(
                    Node(id=text, kind=text, arn=text, survives_revocation=len(text) % 2 > 0) for text in HOSTILE
                ),
                edges=tuple(
                    Edge(
                        source=one,
                        to=other,
                        kind=other,
                        statement={one: other},
                        calls=(other, {"service": one, "operation": other, "parameters": {one: [other]}}),
                        demonstrated=True,
                    )
                    for one, other in pairwise((*HOSTILE, HOSTILE[0]))
                ),
                revocation_set=HOSTILE,
            ),
        ),
    )
    return completed(run)


@pytest.fixture(scope="session")
def snapshot() -> Callable[[str, str], None]:
    """Compare a text with a committed file; STSGUARD_SNAPSHOTS=write writes the files."""

    def compare(name: str, text: str) -> None:
        file = HERE / "snapshots" / name
        if os.environ.get("STSGUARD_SNAPSHOTS") == "write":
            file.write_bytes(text.encode())
        assert text == file.read_bytes().decode(), f"{name} differs; STSGUARD_SNAPSHOTS=write makes it anew"

    return compare


@pytest.fixture(scope="session")
def faults() -> Callable[[dict[str, Any], Any], list[str]]:
    """Check a value by a JSON schema (drafts 4 to 2020-12, as far as ours use them): gives what is wrong, with the place."""

    def check(schema: dict[str, Any], value: Any) -> list[str]:
        return list(_faults(schema, value, "$", schema))

    return check


@pytest.fixture(scope="session")
def chromium() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Start the browser with a profile in a folder, and arguments; its console is on its standard error."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    return _chromium


def _chromium(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="session")
def play(chromium: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., tuple[dict[str, Any], list[str]]]:
    """Play scenes (`run`, `script`, `width`, `anchor`) on pages, in one start of the browser.

    Gives what the scenes put into `seen`, and the lines on the console.
    """

    def play(
        folder: Path, scenes: dict[str, Any], pages: dict[str, str], *flags: str
    ) -> tuple[dict[str, Any], list[str]]:
        frames = []
        for name, scene in scenes.items():
            file = f"{name.replace(' ', '-')}.html"
            (folder / file).write_text(_driven(pages[scene.run], name, scene.script))
            anchor = f"#{scene.anchor}" if scene.anchor else ""
            frames.append(f'<iframe src="{file}{anchor}" width="{scene.width}" height="900"></iframe>')
        (folder / "frame.html").write_text(FRAME.format(frames="".join(frames)))
        done = chromium(folder, *flags, "--window-size=1300,1000", "--dump-dom", f"file://{folder}/frame.html")
        (found,) = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
        lines = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return json.loads(html.unescape(found) or "{}"), lines

    return play


def _driven(page: str, name: str, script: str) -> str:
    """Put a driver into a page, and its hash into the page's policy."""
    body = DRIVER % (script, name)
    digest = b64encode(sha256(body.encode()).digest()).decode()
    allowed = page.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    return allowed.replace("</body>", f"<script>{body}</script></body>")


_ANNOTATIONS = {"title", "description", "default", "$schema", "id", "$defs", "definitions", "format", "properties"}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def _faults(schema: dict[str, Any], value: Any, at: str, root: dict[str, Any]) -> Iterator[str]:
    for word, wanted in schema.items():
        if word == "$ref":
            target: Any = root
            for step in wanted.removeprefix("#/").split("/"):
                target = target[step]
            yield from _faults(target, value, at, root)
        elif word not in _ANNOTATIONS:
            yield from _RULES[word](wanted, value, at, root, schema)  # an unknown word is an error of the check
    if isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from _faults(inner, value[name], f"{at}.{name}", root)


def _type(wanted: Any, value: Any, at: str, *_: Any) -> Iterator[str]:
    names = wanted if isinstance(wanted, list) else [wanted]
    if not any(_TYPES[name](value) for name in names):
        yield f"{at}: is no {wanted}"


def _items(wanted: Any, value: Any, at: str, root: Any, schema: Any) -> Iterator[str]:
    if isinstance(value, list):
        rest = value[len(schema.get("prefixItems", ())) :]
        if wanted is False and rest:
            yield f"{at}: has too many items"
        for index, inner in enumerate(rest if wanted is not False else ()):
            yield from _faults(wanted, inner, f"{at}[{index}]", root)


def _prefix(wanted: Any, value: Any, at: str, root: Any, _schema: Any) -> Iterator[str]:
    if isinstance(value, list):
        for index, (part, inner) in enumerate(zip(wanted, value, strict=False)):
            yield from _faults(part, inner, f"{at}[{index}]", root)


def _additional(wanted: Any, value: Any, at: str, root: Any, schema: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            if wanted is False:
                yield f"{at}: has `{name}`"
            elif isinstance(wanted, dict):
                yield from _faults(wanted, value[name], f"{at}.{name}", root)


def _any_of(wanted: Any, value: Any, at: str, root: Any, _schema: Any, *, most: int = 99) -> Iterator[str]:
    fitting = sum(not list(_faults(one, value, at, root)) for one in wanted)
    if not 1 <= fitting <= most:
        yield f"{at}: fits {fitting} of {len(wanted)}"


def _plain(fits: Callable[[Any, Any], bool], kind: type, wanted: Any, value: Any, at: str, *_: Any) -> Iterator[str]:
    if isinstance(value, kind) and not fits(wanted, value):
        yield f"{at}: `{str(value)[:60]}` does not fit {str(wanted)[:80]}"


def _unique(wanted: Any, value: list[Any]) -> bool:
    return not wanted or all(one not in value[:index] for index, one in enumerate(value))


_RULES: dict[str, Callable[..., Iterator[str]]] = {
    "type": _type,
    "items": _items,
    "prefixItems": _prefix,
    "additionalProperties": _additional,
    "anyOf": _any_of,
    "oneOf": partial(_any_of, most=1),
    "enum": partial(_plain, lambda wanted, value: value in wanted, object),
    "required": partial(_plain, lambda wanted, value: value.keys() >= set(wanted), dict),
    "pattern": partial(_plain, lambda wanted, value: re.search(wanted, value) is not None, str),
    "minimum": partial(_plain, lambda wanted, value: value >= wanted, int),
    "maximum": partial(_plain, lambda wanted, value: value <= wanted, int),
    "minItems": partial(_plain, lambda wanted, value: len(value) >= wanted, list),
    "maxItems": partial(_plain, lambda wanted, value: len(value) <= wanted, list),
    "uniqueItems": partial(_plain, _unique, list),
}
