"""The page in a real browser: drawn, filtered, dark, on a phone, printed, and not one error on its console.

All scenes are played in one start of the browser, each in a frame of its own. A driver script is put beside the page's own,
with its hash in the page's policy; what it sees it posts to the frame around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_stsguard.reporting import Run, render
from pytest_stsguard.reporting.fix import fitted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STILL = "--force-prefers-reduced-motion"
DARK = "--blink-settings=preferredColorScheme=0"
# Of each text that is shown: its colour, what lies behind it, and the ratio of WCAG 2 between the two.
CONTRAST = """
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const read = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
  const behind = (one) => {
    for (let here = one; here; here = here.parentElement) {
      const style = getComputedStyle(here);
      const drawn = here instanceof SVGElement ? here.parentElement.querySelector(":scope > rect") : null;
      const colour = read(drawn && drawn !== here ? getComputedStyle(drawn).fill : style.backgroundColor);
      if (colour[3] > 200) return colour;
    }
    return read(getComputedStyle(document.documentElement).backgroundColor || "white");
  };
  open();
  for (const theme of ["light", "dark"]) {
    document.documentElement.dataset.theme = theme;
    await wait(300);
    const texts = all("body *").filter((one) => one.checkVisibility() && !["SCRIPT", "STYLE", "TITLE"].includes(one.tagName)
      && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    seen[theme] = texts.length;
    seen[theme + " poor"] = [...new Set(texts.map((one) => { const style = getComputedStyle(one);
      const colour = read(one instanceof SVGElement ? style.fill : style.color);
      const found = ratio(colour, behind(one));
      return found < 4.5 ? one.tagName + "." + one.getAttribute("class") + " " + found.toFixed(2) + " " + colour : ""; }))].filter(Boolean);
  }"""
WIDTHS = """open(); await wait(50); seen.page = document.documentElement.scrollWidth; seen.window = innerWidth;
  seen.wide = all("main *").filter((one) => one.checkVisibility() && !one.closest(".scroll, pre, svg")
    && one.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((one) => one.outerHTML.slice(0, 120));"""
COLOURS = """const colour = () => getComputedStyle(document.body).backgroundColor;
  seen.first = colour(); document.getElementById("theme").click(); await wait(50); seen.second = colour();
  seen.moves = getComputedStyle(document.querySelector(".finding summary"), "::after").transitionDuration;"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A script on the page of a run."""

    run: str
    script: str
    width: int = 1200
    anchor: str = ""


SCENES = {
    "search": Scene(
        "whole",
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
    ),
    "data": Scene(
        "many",
        """while (document.getElementById("left").checkVisibility()) await wait(50);
        seen.said = document.getElementById("shown").textContent; seen.listed = all("#extra-list .finding").length;
        document.getElementById("extra-more").click(); seen.more = all("#extra-list .finding").length;
        const one = document.querySelector("#extra-list details"); one.open = true; await wait(100);
        seen.again = one.querySelector(".copy").textContent; seen.link = one.querySelector(".again a").hash;
        seen.anchor = one.parentElement.id;
        seen.facts = one.querySelectorAll("dt").length; seen.code = one.querySelectorAll("figure pre").length;
        seen.fixes = [...one.querySelectorAll(".fix")].map((fix) => [fix.open, fix.querySelector("summary").textContent,
          fix.querySelector("pre").textContent]);
        seen.name = one.querySelector(".name").textContent; seen.control = one.querySelector(".id").textContent;
        seen.notice = document.getElementById("left").checkVisibility();
        location.hash = "f-LAST"; await wait(100);
        seen.target = document.querySelector(location.hash + " details").open;""",
    ),
    "torn": Scene(
        "torn",
        """while (!document.getElementById("left").textContent.includes("cannot")) await wait(50);
        seen.notice = document.getElementById("left").textContent; seen.shown = shown();
        await search("github-docs"); seen.searched = shown();""",
    ),
    "permalink": Scene(
        "whole",
        'seen.open = all(".finding > details").filter((one) => one.open).map((one) => one.parentElement.id);',
        anchor="fourth",
    ),
    "phone": Scene("whole", WIDTHS, width=390),
    "hostile phone": Scene("hostile", WIDTHS, width=390),
    "hostile wide": Scene("hostile", WIDTHS),
    "colours": Scene("whole", COLOURS),
    "contrast": Scene("whole", CONTRAST),
    "poor contrast": Scene("whole", f'document.documentElement.style.setProperty("--soft", "#8a94a0");{CONTRAST}'),
    "hostile": Scene(
        "hostile",
        """await search("alert"); seen.scripts = all("script").length; seen.images = all("img").length;
        seen.drawn = shown();""",
    ),
    "keyboard": Scene(
        "whole",
        """open(); await wait(50);
        const can = (one) => { one.focus(); return document.activeElement === one; };
        const meant = all("a[href], button, input, select, summary, [tabindex]").filter((one) => one.checkVisibility());
        seen.meant = meant.length; seen.deaf = meant.filter((one) => !can(one)).map((one) => one.outerHTML.slice(0, 80));
        seen.blind = meant.filter((one) => { one.focus({focusVisible: true}); return getComputedStyle(one).outlineStyle === "none"; })
          .map((one) => one.outerHTML.slice(0, 80));
        seen.jumpers = meant.filter((one) => one.tabIndex > 0).length;
        seen.unlabelled = all("input, select").filter((one) => !one.labels.length).length;
        const skip = document.querySelector(".skip"); skip.focus(); seen.skip = skip.getBoundingClientRect().left >= 0;
        const clipped = (one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "auto" && one.tabIndex < 0;
        seen.stuck = all("main .scroll, main pre").filter(clipped).length;""",
        width=500,
    ),
    "pictures": Scene(
        "whole",
        """seen.drawings = all("svg.blast, svg.timeline, svg.grid-picture").map((one) => {
          const box = one.getBoundingClientRect(); const names = [...one.querySelectorAll("text")];
          const out = names.filter((text) => { const own = text.getBoundingClientRect();
            return own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1 || own.bottom > box.bottom + 1; });
          return [one.classList[0], names.length > 3, out.map((text) => text.textContent)]; });
        seen.over = all("svg.blast .box").filter((one) => { const side = one.querySelector("rect").getBoundingClientRect().right;
          return [...one.querySelectorAll("text")].some((text) => text.getBoundingClientRect().right > side); }).length;""",
    ),
    "copy": Scene(
        "whole",
        """open(); await wait(50); const texts = all("pre.code, code.copy");
        seen.without = texts.filter((one) => one.previousElementSibling.className !== "take").length;
        seen.twice = all(".take + .take").length; seen.texts = texts.length;
        const covered = (one) => { const a = one.getBoundingClientRect(), b = one.parentElement.firstElementChild.getBoundingClientRect();
          return one.parentElement.matches(".fix") && a.left < b.right && a.bottom > b.top && a.top < b.bottom; };
        seen.covered = all(".take").filter(covered).length;
        const one = document.querySelector(".finding .fix .take"); one.click(); await wait(100);
        seen.taken = one.textContent === "Copied" ? one.nextElementSibling.textContent : getSelection().toString();
        seen.text = one.nextElementSibling.textContent;""",
        width=390,
    ),
    "roles": Scene(
        "whole",
        """const set = async (id, value) => { const one = document.getElementById(id); one.value = value;
          one.dispatchEvent(new Event(one.tagName === "INPUT" ? "input" : "change", {bubbles: true})); await wait(400); };
        const rows = () => all(".matrix tbody tr").map((row) => row.cells[0].textContent);
        seen.all = rows(); seen.holders = all(".roles tbody tr").length;
        await set("role-query", "github-deploy"); seen.found = rows(); seen.said = document.getElementById("roles-shown").textContent;
        seen.open = all(".matrix details[open]").length; seen.listed = all(".roles tbody tr").map((row) => row.cells[0].textContent);
        await set("role-query", ""); seen.shut = all(".matrix details[open]").length;
        await set("role-rank", "critical"); seen.critical = all(".matrix tbody tr").filter((row) => row.querySelector("td.critical")).length;
        seen.least = rows().length; await set("role-rank", "");
        await set("role-sort", "name"); seen.sorted = rows(); await set("role-sort", ""); seen.again = rows();""",
    ),
    "error": Scene("whole", "setTimeout(() => { throw new Error('seen'); }, 0); await wait(50);"),
}


@pytest.fixture(scope="module")
def whole(example: Run, radius: Any) -> Run:
    """Give a run with everything that a page can show."""
    roles = {"deploy": ["ops", "audit"], "ops": ["admin-of-everything-and-of-much-more", "deploy"], "audit": ["audit"]}
    proven = {**example.findings[0].evidence, "demonstrated": True}
    first = msgspec.structs.replace(example.findings[0], evidence=proven)
    return msgspec.structs.replace(
        example,
        findings=(first, *example.findings[1:]),
        warnings=("a mute is out of date",),
        blast=(radius(roles, survivors=["ops"], proven=["ops"]),),
    )


@pytest.fixture(scope="module")
def pages(whole: Run, hostile: Run) -> dict[str, str]:
    many = msgspec.structs.replace(whole, findings=whole.findings * 12)
    made = {name: render(run, "html") for name, run in {"whole": whole, "hostile": hostile, "many": many}.items()}
    return {**made, "torn": re.sub(r'"packed":"[^"]+"', '"packed":"eJwAAAA="', made["many"])}


@pytest.fixture(scope="module")
def played(
    play: Any, pages: dict[str, str], whole: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, list[str]]:
    anchor = f"f-{whole.findings[3].fingerprint[:16]}"
    last = f"f-{whole.findings[-1].fingerprint[:16]}-12"
    scenes = {**SCENES, "permalink": Scene("whole", SCENES["permalink"].script, anchor=anchor)}
    scenes["data"] = Scene("many", SCENES["data"].script.replace("f-LAST", last))
    return play(tmp_path_factory.mktemp("browser"), scenes, pages)


@pytest.fixture
def seen(played: tuple[Any, list[str]]) -> Callable[[str], Any]:
    """Give what a scene saw; a line on its console is a failure."""

    def seen(name: str) -> Any:
        found, console = played
        assert [line for line in console if "/error.html" not in line] == []
        assert name in found, "the page's script did not come to its end"
        return found[name]

    return seen


def test_findings_are_shown_searched_and_filtered(whole: Run, seen: Any) -> None:
    found = seen("search")
    active = [finding for finding in whole.findings if finding.active]
    assert found["all"] == len(active)
    assert found["searched"] == sum("github-docs" in finding.resource for finding in active) > 0
    assert found["said"] == f"{found['searched']} of {len(whole.findings)}"
    assert found["none"] == found["groups"] == 0
    assert found["graver"] == sum(finding.severity != "low" for finding in active)
    assert found["muted"] == 1
    assert found["sorted"] == sorted(found["sorted"])
    assert len(found["sorted"]) == 12


def test_findings_that_are_data_alone_are_listed_and_opened(whole: Run, seen: Any) -> None:
    found, active = seen("data"), sum(finding.active for finding in whole.findings) * 12
    assert found["said"] == f"{active} of {len(whole.findings) * 12}"
    assert (found["listed"], found["more"]) == (100, 200)
    assert found["facts"] >= 2
    assert found["code"] == 1
    finding = next(one for one in (whole.findings * 12)[400:] if one.active)
    own = fitted(whole.control(finding.control).remediation, finding)
    assert (found["control"], found["name"]) == (finding.control, finding.name.rpartition("/")[2])
    assert found["fixes"][0] == [True, "Fix this one: AWS CLI", own.cli]
    assert {text for _, _, text in found["fixes"]} <= {own.cli, own.terraform, own.cloudformation}
    assert found["again"].startswith("stsguard audit export:examples/account.json --at 2026-11-20T12:00:00Z --role ")
    assert found["link"] == f"#{found['anchor']}"
    assert found["target"] is True
    assert found["notice"] is False


def test_page_whose_data_cannot_be_unpacked_says_so_and_works(seen: Any) -> None:
    found = seen("torn")
    assert re.fullmatch(
        r"This browser cannot unpack the other \d+ findings; the JSON report holds them\.", found["notice"]
    )
    assert found["shown"] > found["searched"] > 0


def test_roles_are_searched_and_sorted(whole: Run, seen: Any) -> None:
    found = seen("roles")
    held = {finding.name for finding in whole.findings if finding.active}
    assert found["holders"] == len(held)
    assert len(found["found"]) == 1
    assert "ci/github-deploy-shop" in found["found"][0]
    assert found["open"] == 1
    assert found["shut"] == 0
    assert sorted(found["listed"]) == sorted(name for name in held if "github-deploy" in name)
    assert found["said"] == f"1 of {len(found['all'])} rows"
    assert 0 < found["critical"] == found["least"] < len(found["all"])
    assert sorted(found["sorted"]) == sorted(found["all"]) == sorted(found["again"])
    first = [row.split(",")[0].strip() for row in found["sorted"]]
    assert first == sorted(first, key=str.lower)
    assert found["again"] == found["all"]


def test_permalink_opens_its_finding(whole: Run, seen: Any) -> None:
    assert seen("permalink")["open"] == [f"f-{whole.findings[3].fingerprint[:16]}"]


@pytest.mark.parametrize(("name", "width"), [("phone", 390), ("hostile phone", 390), ("hostile wide", 1200)])
def test_nothing_is_wider_than_the_window(name: str, width: int, seen: Any) -> None:
    found = seen(name)
    assert found["wide"] == []
    assert found["page"] <= found["window"] == width


def test_every_text_has_the_contrast_of_wcag_aa(seen: Any) -> None:
    found = seen("contrast")
    assert found["light"] == found["dark"] > 1_000
    assert found["light poor"] == []
    assert found["dark poor"] == []


def test_text_of_poor_contrast_would_be_seen(seen: Any) -> None:
    found = seen("poor contrast")
    assert any(entry.startswith(("SPAN.message 2.9", "SPAN.message 3.0")) for entry in found["light poor"])
    assert any(entry.startswith("text.") for entry in found["light poor"])


def test_keyboard_reaches_everything_and_shows_where_it_is(seen: Any) -> None:
    found = seen("keyboard")
    assert found["meant"] > 100
    assert found["deaf"] == found["blind"] == []
    assert found["jumpers"] == found["unlabelled"] == found["stuck"] == 0
    assert found["skip"] is True


def test_what_is_to_be_copied_has_a_button(seen: Any) -> None:
    found = seen("copy")
    assert found["texts"] > 100
    assert found["without"] == found["twice"] == found["covered"] == 0
    assert found["text"].startswith("aws iam ")
    assert found["taken"].strip() == found["text"].strip()


def test_words_of_the_pictures_stay_inside_them(whole: Run, seen: Any) -> None:
    found = seen("pictures")
    assert [name for name, *_ in found["drawings"]] == ["blast", *["timeline"] * len(whole.drills), "grid-picture"]
    assert all(has_words and not out for _, has_words, out in found["drawings"])
    assert found["over"] == 0


def test_colours_and_motion_follow_the_system(play: Any, pages: Any, seen: Any, tmp_path: Path) -> None:
    dark, console = play(tmp_path, {"colours": SCENES["colours"]}, pages, DARK, STILL)
    assert console == []
    light = seen("colours")
    assert light == {"first": "rgb(246, 247, 249)", "second": "rgb(14, 19, 25)", "moves": "0.12s"}
    assert dark["colours"] == {"first": light["second"], "second": light["first"], "moves": "0s"}


def test_hostile_names_run_nothing(seen: Any) -> None:
    found = seen("hostile")
    assert (found["scripts"], found["images"]) == (3, 0)  # the third is the driver
    assert found["drawn"] >= 2


def test_an_error_on_the_console_would_be_seen(played: tuple[Any, list[str]]) -> None:
    (line,) = (line for line in played[1] if "/error.html" in line)
    assert "Error: seen" in line


def test_page_works_without_javascript(chromium: Any, pages: dict[str, str], whole: Run, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(re.sub(r"<script>.*?</script>", "", pages["whole"], flags=re.DOTALL))
    done = chromium(tmp_path, "--dump-dom", f"file://{tmp_path}/page.html")
    assert re.search('id="bar" role="search" [^>]*hidden', done.stdout)
    assert done.stdout.count('class="finding ') == len(whole.findings)
    assert "CONSOLE" not in done.stderr


def test_page_prints(chromium: Any, pages: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(pages["whole"])
    chromium(tmp_path, f"--print-to-pdf={tmp_path}/page.pdf", f"file://{tmp_path}/page.html")
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 40
