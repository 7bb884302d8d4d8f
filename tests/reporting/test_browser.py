"""The page in a real browser: drawn, filtered, dark, on a phone, printed, and not one error on its console.

A driver script is put beside the page's own, with its hash in the page's policy; what it sees it posts to the frame around it.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.reporting import Run, render

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--virtual-time-budget=4000", "--enable-logging=stderr"),
)
FRAME = """<!doctype html><body><iframe src="page.html{anchor}" width="{width}" height="900"></iframe><pre id="seen"></pre>
<script>addEventListener("message", (event) => {{ document.getElementById("seen").textContent = event.data; }});</script>"""
DRIVER = """<script>(async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const all = (name) => [...document.querySelectorAll(name)];
  const shown = () => all(".finding").filter((one) => one.checkVisibility()).length;
  const search = async (text) => { const box = document.getElementById("query"); box.value = text;
    box.dispatchEvent(new Event("input", {bubbles: true})); await wait(400); };
  await wait(50);
  const seen = {};
  %s
  parent.postMessage(JSON.stringify(seen), "*");
})();</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")


def chromium(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def drive(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Open a page, run a script on it, give what it saw; a line on the console is a failure."""

    def drive(page: str, script: str, *flags: str, width: int = 1200, anchor: str = "") -> dict[str, Any]:
        driver = DRIVER % script
        body = driver.removeprefix("<script>").removesuffix("</script>")
        digest = b64encode(sha256(body.encode()).digest()).decode()
        changed = page.replace("script-src ", f"script-src 'sha256-{digest}' ", 1).replace(
            "</body>", f"{driver}</body>"
        )
        (tmp_path / "page.html").write_text(changed)
        (tmp_path / "frame.html").write_text(FRAME.format(width=width, anchor=anchor))
        done = chromium(tmp_path, *flags, "--window-size=1300,1000", "--dump-dom", f"file://{tmp_path}/frame.html")
        assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
        (seen,) = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
        assert seen, "the page's script did not come to its end"
        found: dict[str, Any] = json.loads(html.unescape(seen))
        return found

    return drive


def test_findings_are_shown_searched_and_filtered(example: Run, drive: Any) -> None:
    seen = drive(
        render(example, "html"),
        """seen.all = shown();
        await search("github-docs"); seen.searched = shown(); seen.said = document.getElementById("shown").textContent;
        await search("no such thing"); seen.none = shown();
        seen.groups = all(".control").filter((one) => one.checkVisibility()).length;
        await search("");
        const low = document.querySelector("[name=severity][value=low]"); low.click(); await wait(50); seen.graver = shown();
        low.click(); const status = document.getElementById("status"); status.value = "muted";
        status.dispatchEvent(new Event("change", {bubbles: true})); seen.muted = shown();
        status.value = ""; status.dispatchEvent(new Event("change", {bubbles: true}));
        const sort = document.getElementById("sort"); sort.value = "name";
        sort.dispatchEvent(new Event("change", {bubbles: true}));
        seen.sorted = all('[data-control="STSG-102"] .name').map((one) => one.textContent);""",
    )
    active = [finding for finding in example.findings if finding.active]
    assert seen["all"] == len(active)
    assert seen["searched"] == sum("github-docs" in finding.resource for finding in active) > 0
    assert seen["said"] == f"{seen['searched']} of {len(example.findings)}"
    assert seen["none"] == seen["groups"] == 0
    assert seen["graver"] == sum(finding.severity != "low" for finding in active)
    assert seen["muted"] == 1
    assert seen["sorted"] == sorted(seen["sorted"])
    assert len(seen["sorted"]) == 12


def test_findings_that_are_data_alone_are_listed_and_opened(example: Run, drive: Any) -> None:
    findings = example.findings * 12
    run = type(example)(**{name: getattr(example, name) for name in example.__struct_fields__} | {"findings": findings})
    seen = drive(
        render(run, "html"),
        """seen.said = document.getElementById("shown").textContent; seen.listed = all("#extra-list .finding").length;
        document.getElementById("extra-more").click(); seen.more = all("#extra-list .finding").length;
        const one = document.querySelector("#extra-list details"); one.open = true; await wait(100);
        seen.facts = one.querySelectorAll("dt").length; seen.code = one.querySelectorAll("pre").length;
        seen.notice = document.getElementById("left").checkVisibility();
        location.hash = JSON.parse(document.getElementById("data").textContent).rows.at(-1)[4]; await wait(100);
        seen.target = document.querySelector(location.hash + " details").open;""",
    )
    active = sum(finding.active for finding in findings)
    assert seen["said"] == f"{active} of {len(findings)}"
    assert (seen["listed"], seen["more"]) == (100, 200)
    assert seen["facts"] >= 2
    assert seen["code"] == 1
    assert seen["target"] is True
    assert seen["notice"] is False


def test_permalink_opens_its_finding(example: Run, drive: Any) -> None:
    anchor = f"f-{example.findings[3].fingerprint[:16]}"
    seen = drive(
        render(example, "html"),
        'seen.open = all(".finding > details").filter((one) => one.open).map((one) => one.parentElement.id);',
        anchor=f"#{anchor}",
    )
    assert seen["open"] == [anchor]


@pytest.mark.parametrize(("width", "name"), [(390, "example"), (390, "hostile"), (1200, "hostile")])
def test_nothing_is_wider_than_the_window(width: int, name: str, request: pytest.FixtureRequest, drive: Any) -> None:
    run: Run = request.getfixturevalue(name)
    seen = drive(
        render(run, "html"),
        """all("details").forEach((one) => { one.open = true; });
        await wait(50); seen.page = document.documentElement.scrollWidth; seen.window = innerWidth;
        seen.wide = all("main *").filter((one) => one.checkVisibility() && !one.closest(".scroll, pre, svg")
          && one.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)
          .map((one) => one.outerHTML.slice(0, 120));""",
        width=width,
    )
    assert seen["wide"] == []
    assert seen["page"] <= seen["window"] == width


def test_dark_and_light_follow_the_system_and_the_button(example: Run, drive: Any) -> None:
    script = """const colour = () => getComputedStyle(document.body).backgroundColor;
      seen.first = colour(); document.getElementById("theme").click(); await wait(50); seen.second = colour();"""
    light = drive(render(example, "html"), script)
    dark = drive(render(example, "html"), script, "--blink-settings=preferredColorScheme=0")
    assert light == {"first": "rgb(246, 247, 249)", "second": "rgb(14, 19, 25)"}
    assert dark == {"first": light["second"], "second": light["first"]}


def test_hostile_names_run_nothing(hostile: Run, drive: Any) -> None:
    seen = drive(
        render(hostile, "html"),
        """await search("alert"); seen.scripts = all("script").length; seen.images = all("img").length;
        seen.drawn = shown();""",
    )
    assert (seen["scripts"], seen["images"]) == (3, 0)  # the third is the driver
    assert seen["drawn"] >= 2


def test_page_works_without_javascript(example: Run, tmp_path: Path) -> None:
    page = render(example, "html")
    (tmp_path / "page.html").write_text(re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))
    done = chromium(tmp_path, "--dump-dom", f"file://{tmp_path}/page.html")
    assert 'id="bar" role="search" hidden' in done.stdout
    assert done.stdout.count('class="finding ') == len(example.findings)
    assert "CONSOLE" not in done.stderr


def test_page_prints(example: Run, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render(example, "html"))
    chromium(tmp_path, f"--print-to-pdf={tmp_path}/page.pdf", f"file://{tmp_path}/page.html")
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 30


def test_an_error_on_the_console_would_be_seen(example: Run, drive: Any) -> None:
    with pytest.raises(AssertionError, match="Error: seen"):
        drive(render(example, "html"), "setTimeout(() => { throw new Error('seen'); }, 0); await wait(50);")
