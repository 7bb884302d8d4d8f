"""The page as text: nothing of an account's own gets out of its place, nothing is loaded, everything has its label."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pytest

from pytest_stsguard.clock import isoformat
from pytest_stsguard.reporting import Run, render
from pytest_stsguard.reporting.fix import fitted
from pytest_stsguard.reporting.formats import as_html
from pytest_stsguard.reporting.model import Drill, Finding, Step, Summary
from pytest_stsguard.reporting.templates import page
from pytest_stsguard.reporting.views.findings import cards, excerpt
from pytest_stsguard.reporting.views.matrix import matrix
from pytest_stsguard.reporting.views.timeline import is_drawn, picture

REPORTS = Path(__file__).parents[2] / "reports"
VOID = {"meta", "input", "br", "line", "circle", "rect", "path"}


class Page(HTMLParser):
    """Takes a page apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.text.setdefault(tag, []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def many(example: Run, count: int) -> Run:
    findings = tuple(
        msgspec.structs.replace(
            example.findings[number % len(example.findings)],
            resource=f"arn:aws:iam::111122223333:role/role-{number:05d}",
            fingerprint=hashlib.sha256(str(number).encode()).hexdigest()[:32],
            message=f"</script><b>{number} can assume it",
        )
        for number in range(count)
    )
    counts = {"critical": count, "high": 0, "medium": 0, "low": 0}
    summary = Summary(findings=count, by_severity=counts, by_control={"STSG-101": count})
    return msgspec.structs.replace(example, findings=findings, summary=summary)


def test_hostile_names_make_no_element_and_no_attribute(hostile: Run, example: Run, radius: Any) -> None:
    whole = msgspec.structs.replace(example, blast=(radius({"a": "b", "b": "a"}),))
    expected = {tag for tag, _ in Page(render(whole, "html")).elements} | {"p", "dl", "details"}
    found = Page(render(hostile, "html"))
    assert {tag for tag, _ in found.elements} <= expected
    for _, attributes in found.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in {"style", "src", "srcdoc", "action"}
        ]
        assert not attributes.get("href", "#").lower().startswith(("javascript:", "data:"))
    assert len(found.all("script")) == 2
    assert "alert(1)" not in "".join(found.text["script"][-1:])


def data_of(text: str) -> tuple[str, dict[str, Any]]:
    """Give the data block of a page, and what is packed into it."""
    (block,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    packed: dict[str, Any] = json.loads(zlib.decompress(b64decode(json.loads(block)["packed"])))
    return block, packed


def test_hostile_names_stay_inside_the_data_block(example: Run) -> None:
    hostile = "</script><b>&"
    run = msgspec.structs.replace(many(example, 450), target=hostile, options={"role": (hostile,)})
    found = Page(text := render(run, "html"))
    assert len(found.all("script")) == 2
    block, data = data_of(text)
    assert json.loads(block)["count"] == len(data["rows"]) == 50
    assert json.loads(block)["roles"] == f" --role '{hostile}'"
    assert data["rows"][0][3] == "</script><b>400 can assume it"
    assert not set("<>&") & set(block)


def test_every_finding_that_is_data_alone_has_its_own_fix(example: Run) -> None:
    run = many(example, 450)
    _, data = data_of(render(run, "html"))
    assert len(data["shapes"]) <= len(run.controls) * 2
    for row, finding in zip(data["rows"], run.findings[400:], strict=True):
        general = run.control(finding.control).remediation
        own = fitted(general, finding)
        shape = [] if row[8] is None else data["shapes"][row[8]]
        places = dict(enumerate(row[9] or (), start=0xE000))
        texts = [text.translate(places) for _, text in shape]
        forms = ("cli", "terraform", "cloudformation")
        assert texts == [getattr(own, form) for form in forms if getattr(own, form) != getattr(general, form)]
        assert texts or finding.control == "STSG-305"  # which is about users
        assert row[10] is not None


def test_data_that_is_too_much_loses_evidence_before_fixes(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run = many(example, 2_000)
    whole = len(data_of(render(run, "html"))[0])
    monkeypatch.setattr(as_html, "MOST_DATA", whole - 2_000)
    block, data = data_of(render(run, "html"))
    assert len(block) < whole - 1_800
    kept = [row[10] is not None for row in data["rows"]]
    assert kept == sorted(kept, reverse=True)
    assert 100 < sum(kept) < len(kept) == 1_600
    assert all(row[8] is not None for row in data["rows"] if row[0] != "STSG-305")


def test_policy_of_the_page_allows_its_own_style_and_script_alone(example: Run) -> None:
    text = render(example, "html")
    (policy,) = [entry["content"] for entry in Page(text).all("meta") if entry.get("http-equiv")]
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_page_loads_nothing(example: Run) -> None:
    found = Page(render(example, "html"))
    for tag, attributes in found.elements:
        assert "src" not in attributes
        if tag != "a":
            assert "href" not in attributes
    assert "url(" not in (REPORTS / "report.css").read_text()
    assert "@import" not in (REPORTS / "report.css").read_text()


def test_everything_a_screen_reader_needs_is_there(example: Run, hostile: Run) -> None:
    for run in (example, hostile):
        found = Page(render(run, "html"))
        names = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
        assert len(names) == len(set(names))
        for _, attributes in found.elements:
            for reference in attributes.get("aria-labelledby", "").split():
                assert reference in names
            if attributes.get("href", "").startswith("#"):
                assert attributes["href"][1:] in names
        assert all("scope" in cell for cell in found.all("th"))
        assert all("role" in picture or "aria-hidden" in picture for picture in found.all("svg"))
        headings = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
        assert headings[0] == 1
        assert headings.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(headings))
        assert found.all("html")[0]["lang"] == "en"
        assert {"main", "nav", "header", "footer"} <= {tag for tag, _ in found.elements}
        regions = [one for one in found.elements if "scroll" in one[1].get("class", "")]
        assert all(one["tabindex"] == "0" for _, one in regions)
        for _, one in found.elements:
            if one.get("tabindex") == "0":  # can be scrolled by keyboard, so it has a role and a name; no landmark
                assert one["role"] == "group"
                assert one.get("aria-label") or one.get("aria-labelledby")
        landmarks = [one["aria-labelledby"] for tag, one in found.elements if tag == "section"]
        assert len(landmarks) == len(set(landmarks))


def colours(index: int) -> dict[str, tuple[int, ...]]:
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (REPORTS / "report.css").read_text())
    return {name: tuple(bytes.fromhex(pair[index][1:])) for name, *pair in pairs}


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Compute the contrast ratio of WCAG 2."""
    lights = []
    for colour in (one, other):
        parts = [value / 255 for value in colour]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: int) -> None:
    known = colours(scheme)
    assert len(known) > 15
    for ground in ("page", "card", "sunk", "low-bg", "medium-bg"):
        assert contrast(known["ink"], known[ground]) >= 4.5
    for ground in ("page", "card", "sunk"):
        assert contrast(known["soft"], known[ground]) >= 4.5
        assert contrast(known["accent"], known[ground]) >= 4.5
    for name in ("critical", "high", "medium", "low", "ok"):
        assert contrast(known[name], known[f"{name}-bg"]) >= 4.5
        assert contrast(known[name], known["card"]) >= 4.5


def test_page_without_findings_says_what_was_looked_at(example: Run) -> None:
    counts = dict.fromkeys(("critical", "high", "medium", "low"), 0)
    summary = Summary(findings=0, by_severity=counts, by_control={})
    text = render(
        msgspec.structs.replace(example, findings=(), drills=(), summary=summary, verdict="pass", changes=None), "html"
    )
    assert '<h1 id="verdict">Nothing found</h1>' in text
    assert "Looked at, nothing found" in text
    assert 'id="matrix"' not in text


def test_deciding_statement_and_witness_are_shown(example: Run) -> None:
    found = Page(render(example, "html"))
    assert any('"Effect": "Allow"' in text for text in found.text["mark"])
    text = " ".join(found.text["main"])
    assert "any repository on GitHub can assume this role" in text
    assert "stsguard audit export:examples/account.json --at 2026-11-20T12:00:00Z --role github-docs" in text
    assert "aws iam update-assume-role-policy" in text
    assert "NIST 800-53 r5" in text


def test_ten_thousand_roles_fit_into_five_megabytes(example: Run) -> None:
    text = render(many(example, 10_000), "html")
    assert len(text.encode()) < 3_000_000
    assert text.count('class="finding ') == as_html.MOST_CARDS
    assert all(row[10] is not None for row in data_of(text)[1]["rows"])


def test_matrix_of_a_thousand_roles_has_a_row_for_each_pattern(example: Run) -> None:
    made = matrix(cards(many(example, 1_000)))
    assert made.roles == len([one for one in many(example, 1_000).findings if one.active])
    assert len(made.rows) <= len(made.controls) + 2
    assert sum(len(row.names) for row in made.rows) == made.roles
    assert "critical" in made.rows[0].cells


def test_long_policy_is_cut_to_what_surrounds_the_statement(example: Run) -> None:
    text = "\n".join(f"line {number}" for number in range(1, 101))
    run = msgspec.structs.replace(example, policies=(type(example.policies[0])("p", text),))
    finding: Finding = msgspec.structs.replace(example.findings[0], policy=0, lines=(50, 52))
    _, before, marked, after = excerpt(run, finding)
    assert marked == "line 50\nline 51\nline 52\n"
    assert before.splitlines()[0].strip() == "…"
    assert (before + after).count("line") == 12
    wide = msgspec.structs.replace(finding, lines=(2, 99))
    assert len(excerpt(run, wide)[2].splitlines()) == 41
    alone = msgspec.structs.replace(finding, lines=None)
    assert excerpt(run, alone)[1:3] == ("", "")


def test_a_name_that_a_template_misspells_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        page("report.html.j2")


STEPS = (
    ("12:00:00.000", "stolen", "arn:aws:sts::1:assumed-role/App/i-1, key ****AAAA"),
    ("12:00:01.000", "issued", "arn:aws:sts::1:assumed-role/App/i-2, key ****BBBB"),
    ("12:00:02.000", "allowed", "s3.list_buckets with key ****AAAA"),
    ("12:01:00.000", "revoked", "App, sessions issued before x"),
    ("12:01:02.000", "denied", "s3.list_buckets with key ****AAAA"),
    ("12:01:03.000", "denied", "s3.list_buckets with key ****BBBB"),
    ("12:01:04.000", "inconclusive", "ec2.describe_instances with key ****BBBB"),
    ("12:02:00.000", "allowed", "s3.list_buckets with key ****CCCC"),
)


def drawn(*steps: tuple[str, str, str]) -> dict[str, str]:
    drill = Drill("t", "passed", tuple(Step(f"2026-11-20T{at}Z", action, detail) for at, action, detail in steps))
    return dict(picture(drill).metrics)


def test_drill_is_measured() -> None:
    assert drawn(*STEPS) == {
        "calls allowed": "2",
        "calls denied": "2",
        "calls inconclusive": "1",
        "theft to revocation": "1 min",
        "revocation to first denial": "2 s",
        "stolen calls allowed afterwards": "0",
        "other sessions hit": "1",
    }
    late = ("12:03:00.000", "allowed", "s3.list_buckets with key ****AAAA")
    assert drawn(*STEPS, late)["stolen calls allowed afterwards"] == "1"
    assert drawn(*STEPS[:1]) == {}


def test_drill_is_drawn_in_the_order_of_time() -> None:
    drill = Drill("t", "passed", tuple(Step(f"2026-11-20T{at}Z", action, detail) for at, action, detail in STEPS))
    drawing = picture(drill)
    assert [lane.name for lane in drawing.lanes] == ["****AAAA", "****BBBB", "****CCCC"]
    places = [x for lane in drawing.lanes for x, _, _ in lane.marks] + [x for x, _ in drawing.revocations]
    assert all(0 < x < drawing.width for x in places)
    stolen, revoked = drawing.lanes[0], drawing.revocations[0][0]
    assert [x < revoked for x, _, _ in stolen.marks] == [True, True, False]
    told = {key: cells for key, _, cells in drawing.containment}
    assert told["****AAAA"][0] == ("denied", "good")
    assert told["****BBBB"] == (("denied", "harm"), ("inconclusive", "harm"))
    assert told["****CCCC"] == (("allowed", "good"), ("", ""))


def test_sessions_with_names_are_drawn_by_name() -> None:
    steps = (
        ("12:00:00.000", "made", "role drill-data"),
        ("12:00:01.000", "session", "worker of the workload: arn:aws:sts::1:assumed-role/data/worker, ****AAAA"),
        ("12:00:02.000", "session", "loot of the thief: arn:aws:sts::1:assumed-role/data/loot, ****BBBB"),
        ("12:00:03.000", "allowed", "s3.list_buckets to loot"),
        ("12:00:04.000", "revoked", "data by older-sessions, sessions issued before x"),
        ("12:00:05.000", "denied", "s3.list_buckets to loot (AccessDenied)"),
        ("12:00:06.000", "denied", "s3.list_buckets to worker (AccessDenied)"),
        ("12:00:07.000", "denied", "loot assuming drill-second"),
        ("12:00:08.000", "state", "contained"),
        ("18:00:08.000", "restored", "data by older-sessions"),
    )
    drill = Drill("t", "passed", tuple(Step(f"2026-11-20T{at}Z", action, detail) for at, action, detail in steps))
    drawing = picture(drill)
    assert [(lane.name, lane.who, lane.stolen) for lane in drawing.lanes] == [
        ("worker", "data/worker", False),
        ("loot", "data/loot", True),
    ]
    assert [[kind for _, kind, _ in lane.marks] for lane in drawing.lanes] == [
        ["issued", "denied"],
        ["stolen", "allowed", "denied"],
    ]
    assert [words for _, words, _ in drawing.notes] == ["contained", "restored"]
    assert dict(drawing.metrics)["other sessions hit"] == "1"
    assert dict(drawing.metrics)["theft to revocation"] == "2 s"
    assert dict(drawing.metrics)["revocation to cleanup"] == "6 h"
    assert is_drawn(drill)
    assert not is_drawn(Drill("t", "passed", drill.steps[:3]))


def test_drills_without_calls_are_named(example: Run) -> None:
    short = Drill("test_short", "passed", example.drills[0].steps[:1])
    text = render(msgspec.structs.replace(example, drills=(short,)), "html")
    assert "1 drills without a drawing" in text
    assert '<svg class="timeline"' not in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0391, "39 ms"),
        (5.17, "5.17 s"),
        (90, "1 min 30 s"),
        (43_199, "12 h"),
        (3_600, "1 h"),
        (5_400, "1 h 30 min"),
        (86_400 + 7_200, "1 d 2 h"),
    ],
)
def test_lengths_of_time_are_written_in_two_units(seconds: float, words: str) -> None:
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    steps = [("stolen", 0.0), ("revoked", seconds), ("denied", seconds)]
    drill = Drill(
        "t",
        "passed",
        tuple(
            Step(isoformat(start + timedelta(seconds=at), milliseconds=True), did, "x ****AAAA") for did, at in steps
        ),
    )
    assert dict(picture(drill).metrics)["theft to revocation"] == words
