"""Every format: as committed, valid by its schema, harmless whatever the names are, the same bytes each time."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import msgspec
import pytest
from botocore.validate import ParamValidator
from markdown_it import MarkdownIt

from pytest_stsguard.reporting import FORMATS, Run, read, render, write
from pytest_stsguard.reporting.formats import as_csv, as_markdown, as_sarif
from pytest_stsguard.reporting.markup import ticked
from pytest_stsguard.reporting.model import schema
from pytest_stsguard.reporting.text import indented, listed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

HERE = Path(__file__).parent
HIDDEN = set(map(chr, [*range(32), 0x7F, 0x200F, 0x2028, 0x2029, 0x202E, 0x2066])) - {"\n", "\r"}
FILES = {
    "markdown": "report.md",
    "sarif": "report.sarif.json",
    "json": "../run.json",
    "asff": "report.asff.json",
    "ocsf": "report.ocsf.json",
}


@pytest.fixture(scope="module")
def sarif_schema() -> dict[str, Any]:
    # As published by SchemaStore; from the npm package @microsoft/jest-sarif 1.0.0-beta.0 (MIT).
    found: dict[str, Any] = json.loads((HERE / "schemas" / "sarif-2.1.0-rtm.5.json").read_bytes())
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_format_is_as_committed(name: str, example: Run, snapshot: Callable[[str, str], None]) -> None:
    snapshot(FILES.get(name, f"report.{name}"), render(example, name))


@pytest.mark.parametrize("name", FORMATS)
def test_report_that_was_read_again_renders_the_same_bytes(
    name: str, example: Run, hostile: Run, tmp_path: Path
) -> None:
    for run in (example, hostile):
        write(run, "json", tmp_path / "run.json")
        again = read(tmp_path / "run.json")
        if run is example:
            assert again == run
        assert render(again, name) == render(run, name)


@pytest.mark.parametrize("name", FORMATS)
def test_no_hidden_character_is_left(name: str, hostile: Run) -> None:
    text = render(hostile, name)
    assert not HIDDEN & set(text)
    text.encode()


def calls_of(run: Run, name: str, *, of: str | None = None) -> int:
    """Count the calls, of Python and of C, that a rendering makes; with `of` those of one function of ours."""
    count = 0

    def note(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"} if of is None else event == "call" and frame.f_code.co_name == of

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        render(run, name)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", FORMATS)
def test_work_grows_with_the_findings_and_no_faster(name: str, example: Run) -> None:
    def many(count: int) -> Run:
        findings = tuple(
            msgspec.structs.replace(
                example.findings[n % 50], resource=f"arn:aws:iam::111122223333:role/r{n}", fingerprint=f"{n:032x}"
            )
            for n in range(count)
        )
        return msgspec.structs.replace(example, findings=findings, drills=example.drills * (count // 50))

    render(example, name)  # imports and templates are paid for once
    small, large = calls_of(many(600), name), calls_of(many(1_200), name)
    assert large < 2.1 * small


@pytest.mark.parametrize("value", [[], {}, [{}], [1, "é", {"a": [None, {"b": 1.5}]}], ["\ud800", []]])
def test_lists_are_written_as_json_writes_them(value: Any) -> None:
    assert indented(value) == json.dumps(value, indent=2) + "\n"
    assert (
        listed(iter(value if isinstance(value, list) else [value]))
        == json.dumps(value if isinstance(value, list) else [value], indent=2) + "\n"
    )


def test_published_schema_is_that_of_the_model() -> None:
    file = HERE.parents[1] / "reports" / "report.schema.json"
    if os.environ.get("STSGUARD_SNAPSHOTS") == "write":
        file.write_text(json.dumps(schema(), indent=2) + "\n")
    assert json.loads(file.read_bytes()) == schema()


def test_json_validates_by_the_published_schema(example: Run, hostile: Run, faults: Any) -> None:
    for run in (example, hostile):
        data = json.loads(render(run, "json"))
        assert faults(schema(), data) == []
        assert render(run, "json").isascii()
    data["findings"][0]["severity"] = "grave"
    assert faults(schema(), data) != []


def test_json_is_a_superset_of_what_the_audit_prints(example: Run) -> None:
    data = json.loads(render(example, "json"))
    assert {"schema", "target", "account", "at", "findings", "not_evaluated", "errors", "warnings", "summary"} <= set(
        data
    )
    assert {
        *("control", "severity", "resource", "message", "evidence", "fingerprint", "muted", "location", "place"),
        *("mute_reason", "baselined"),
    } <= set(data["findings"][0])


def test_sarif_validates_by_the_published_schema(example: Run, hostile: Run, sarif_schema: Any, faults: Any) -> None:
    for run in (example, hostile):
        text = render(run, "sarif")
        assert faults(sarif_schema, json.loads(text)) == []
        assert text.isascii()
    broken = json.loads(text)
    broken["runs"][0]["results"][0]["level"] = "grave"
    del broken["runs"][0]["tool"]["driver"]["name"]
    assert len(faults(sarif_schema, broken)) == 2


def test_sarif_says_what_code_scanning_reads(example: Run) -> None:
    (run,) = json.loads(render(example, "sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["help"]["markdown"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["properties"]["tags"]) <= 10
    first = run["results"][0]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "STSG-101"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "examples/account.json", "uriBaseId": "%SRCROOT%"}
    line = (HERE.parents[1] / "examples" / "account.json").read_text().splitlines()[place["region"]["startLine"] - 1]
    assert line.strip() == "{"  # where the deciding statement begins
    muted = [result for result in run["results"] if "suppressions" in result]
    assert [result["suppressions"][0]["justification"] for result in muted] == [
        "a role for emergencies is meant to lie unused (cloud-team@example.com)"
    ]
    assert {result["baselineState"] for result in run["results"]} == {"new", "unchanged"}
    assert [note["level"] for note in run["invocations"][0]["toolExecutionNotifications"]] == ["note"] * 3


def told(log: str) -> list[str]:
    (run,) = json.loads(log)["runs"]
    return [
        note["message"]["text"]
        for note in run["invocations"][0]["toolExecutionNotifications"]
        if note["level"] == "warning"
    ]


def test_sarif_keeps_to_the_most_results_that_github_takes(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (as_sarif.MOST_RESULTS, as_sarif.MOST_SHOWN, as_sarif.MOST_BYTES) == (25_000, 5_000, 10_000_000)
    monkeypatch.setattr(as_sarif, "MOST_RESULTS", 250)
    monkeypatch.setattr(as_sarif, "MOST_SHOWN", 50)
    many = msgspec.structs.replace(example, findings=example.findings * 5)
    (run,) = json.loads(text := render(many, "sarif"))["runs"]
    assert len(run["results"]) == 250
    left, shown = told(text)
    assert left.startswith(f"{len(many.findings) - 250} findings of lesser severity are left out")
    assert shown == "GitHub shows the 50 gravest of these 250 results"
    levels = [float(result["properties"]["security-severity"]) for result in run["results"]]
    assert levels == sorted(levels, reverse=True)
    assert told(render(example, "sarif"))[0].startswith("GitHub shows the 50 gravest")


def test_sarif_keeps_to_the_size_that_github_takes(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(1)
    findings = tuple(msgspec.structs.replace(one, message=noise.randbytes(400).hex()) for one in example.findings * 8)
    monkeypatch.setattr(as_sarif, "MOST_BYTES", 100_000)
    text = render(msgspec.structs.replace(example, findings=findings), "sarif")
    assert len(zlib.compress(text.encode())) <= 100_000
    (run,) = json.loads(text)["runs"]
    assert 50 < len(run["results"]) < len(findings)
    assert told(text)[0].startswith(f"{len(findings) - len(run['results'])} findings of lesser severity are left out")


@pytest.mark.parametrize(("dull", "most"), [(0, 30_000), (400, 30_000), (200, 100_000)])
def test_sarif_that_is_too_large_is_cut_once(
    dull: int, most: int, example: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = random.Random(1)
    monkeypatch.setattr(as_sarif, "MOST_BYTES", most)

    def many(count: int) -> Run:
        # what compresses well comes first, so that the first findings say nothing about the size of the rest
        texts = ["dull" * 100] * dull + [noise.randbytes(400).hex() for _ in range(count - dull)]
        first = example.findings[0]
        return msgspec.structs.replace(
            example, findings=tuple(msgspec.structs.replace(first, message=text) for text in texts)
        )

    small, large = many(450), many(900)
    assert 0 < len(json.loads(render(small, "sarif"))["runs"][0]["results"]) < 450
    assert calls_of(large, "sarif") < 2.1 * calls_of(small, "sarif")
    for run in (small, large):
        assert calls_of(run, "sarif", of="_shortened") == 1
        assert len(zlib.compress(render(run, "sarif").encode(), 1)) <= most


def test_demonstrated_is_said_in_every_format(example: Run) -> None:
    finding = msgspec.structs.replace(example.findings[0], evidence={"demonstrated": True})
    other = msgspec.structs.replace(example.findings[1], evidence={"demonstrated": False})
    third = msgspec.structs.replace(example.findings[2], evidence={})
    run = msgspec.structs.replace(example, findings=(finding, other, third))
    data = {name: json.loads(render(run, name)) for name in ("json", "sarif", "asff", "ocsf")}
    assert [one["evidence"].get("demonstrated") for one in data["json"]["findings"][:3]] == [True, False, None]
    results = data["sarif"]["runs"][0]["results"]
    assert [one["properties"].get("demonstrated") for one in results[:3]] == [True, False, None]
    fields = [one["ProductFields"].get("stsguard/Demonstrated") for one in data["asff"][:3]]
    assert fields == ["true", "false", None]
    assert [one["unmapped"].get("demonstrated") for one in data["ocsf"][:3]] == [True, False, None]
    rows = list(csv.DictReader(io.StringIO(render(run, "csv"), newline="")))
    assert [row["demonstrated"] for row in rows[:3]] == ["yes", "no", ""]
    assert render(run, "markdown").count("**demonstrated**") == 1
    assert render(run, "html").count('<span class="badge proof"') == 1


@pytest.mark.parametrize("name", FORMATS)
def test_control_that_no_catalogue_describes_is_shown_by_its_id(name: str, example: Run) -> None:
    finding = msgspec.structs.replace(example.findings[0], control="ACME-7")
    assert "ACME-7" in render(msgspec.structs.replace(example, controls=(), findings=(finding,)), name).replace(
        "\\-", "-"
    )


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("./a b/ä#?.json", "a%20b/%C3%A4%23%3F.json"),
        ("/srv/x.json", "file:///srv/x.json"),
        ("C:\\x\\y.json", "file:///C:/x/y.json"),
        ("../x.json", "../x.json"),
    ],
)
def test_sarif_writes_files_as_addresses(file: str, uri: str, example: Run) -> None:
    place = msgspec.structs.replace(example.findings[0], location=msgspec.convert({"file": file, "line": 3}, type=Any))
    finding = msgspec.convert(msgspec.to_builtins(place), type(example.findings[0]))
    (run,) = json.loads(render(msgspec.structs.replace(example, findings=(finding,)), "sarif"))["runs"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == uri
    assert location["region"] == {"startLine": 3}


def test_csv_holds_no_formula(hostile: Run) -> None:
    rows = list(csv.reader(io.StringIO(render(hostile, "csv"), newline="")))
    assert len(rows) == len(hostile.findings) + 1
    for cell in (cell for row in rows for cell in row):
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
    assert "'=HYPERLINK" in render(hostile, "csv")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\n=1"])
def test_csv_disarms_every_beginning_of_a_formula(text: str, example: Run) -> None:
    finding = msgspec.structs.replace(example.findings[0], message=text)
    (_, row) = csv.reader(io.StringIO(as_csv.render(msgspec.structs.replace(example, findings=(finding,))), newline=""))
    assert row[5].startswith(("'", "\\"))


def test_csv_disarms_a_formula_behind_a_semicolon(example: Run) -> None:
    finding = msgspec.structs.replace(example.findings[0], message='a; =cmd|"/c calc"!A1;-1; b')
    (_, row) = csv.reader(io.StringIO(as_csv.render(msgspec.structs.replace(example, findings=(finding,))), newline=""))
    assert row[5] == "a; '=cmd|\"/c calc\"!A1;'-1; b"


def test_sarif_rules_hold_addresses_and_no_markup_of_others(hostile: Run) -> None:
    (run,) = json.loads(render(hostile, "sarif"))["runs"]
    address = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")
    for rule in run["tool"]["driver"]["rules"]:
        assert address.fullmatch(rule.get("helpUri", "https://x"))
        seen = Tags()
        seen.feed(MarkdownIt("commonmark").render(rule["help"]["markdown"]))
        assert seen.tags <= {"p", "strong", "pre", "code", "ul", "li", "a"}
        assert all(link.startswith("https://") for link in seen.links)


@pytest.fixture(scope="module")
def security_hub() -> Any:
    session = botocore.session.get_session()
    model = session.get_service_model("securityhub").operation_model("BatchImportFindings").input_shape
    return lambda findings: ParamValidator().validate({"Findings": findings}, model).generate_report()


def test_asff_passes_the_validation_of_botocore(example: Run, hostile: Run, security_hub: Any) -> None:
    for run in (example, hostile):
        findings = json.loads(render(run, "asff"))
        assert len(findings) == len(run.findings)
        assert security_hub(findings) == ""
        assert len({finding["Id"] for finding in findings}) == len(findings)
        for finding in findings:
            assert re.fullmatch(r"\d{12}", finding["AwsAccountId"])
            assert len(finding["Title"]) <= 256
            assert len(finding["Description"]) <= 1024
            assert len(finding["Id"]) <= 512
            assert len(finding["Resources"][0]["Id"]) <= 512
            assert len(finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "")) <= 512
            assert all(len(one) <= 64 for one in finding["Compliance"].get("RelatedRequirements", ()))
            assert all(text.strip() for text in finding["ProductFields"].values())
            assert len(json.dumps(finding)) < 60_000  # a hundred of them: 6 MB; each: 240 kB
    broken = [{**findings[0], "Resources": [{"Type": "Other"}]}]
    assert 'Missing required parameter in Findings[0].Resources[0]: "Id"' in security_hub(broken)


def test_asff_says_what_security_hub_reads(example: Run) -> None:
    findings = json.loads(render(example, "asff"))
    first = findings[0]
    assert first["Severity"]["Label"] == "CRITICAL"
    assert first["Resources"][0]["Type"] == "AwsIamRole"
    assert first["ProductArn"] == "arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default"
    assert sum(finding["Workflow"]["Status"] == "SUPPRESSED" for finding in findings) == 3
    assert {finding["Resources"][0]["Type"] for finding in findings} == {"AwsIamRole", "AwsIamUser"}


@pytest.fixture(scope="module")
def ocsf(faults: Any) -> Callable[[dict[str, Any]], list[str]]:
    """Check an event by its class; see schemas/NOTICE.md for where the schema comes from."""
    schema = json.loads((HERE / "schemas" / "ocsf-1.9.0-findings.json").read_bytes())
    classes = {one["properties"]["class_uid"]["enum"][0]: one for one in schema["oneOf"]}
    return lambda event: faults({**classes[event["class_uid"]], "$defs": schema["$defs"]}, event)


def test_ocsf_validates_by_the_published_definitions(example: Run, hostile: Run, ocsf: Any) -> None:
    failed = msgspec.structs.replace(example.drills[0], outcome="failed")
    for run in (example, hostile, msgspec.structs.replace(example, drills=(failed,))):
        events = json.loads(render(run, "ocsf"))
        for event in events:
            assert ocsf(event) == []
            assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
            assert event["metadata"]["version"] == "1.9.0"
    assert [event["class_uid"] for event in events] == [2003] * len(example.findings) + [2004]
    assert events[0]["time"] == 1_795_176_000_000
    assert events[0]["finding_info"]["attacks"][0]["technique"]["uid"].startswith("T")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("time", "now", "$.time: is no integer"),
        ("severity_id", 7, "$.severity_id: `7` does not fit"),
        ("type_uid", 200_304, "$.type_uid"),
        ("extra", 1, "$: has `extra`"),
        ("finding_info", {"title": "x"}, "$.finding_info"),
        ("compliance", {"status_detail": "deprecated"}, "$.compliance: has `status_detail`"),
        ("comment", "deprecated by 1.9.0", "$: has `comment`"),
        ("notes", [{"title": "of 1.9.0, and needs a comment"}], "$.notes[0]"),
        ("status_id", 9, "$.status_id: `9` does not fit"),
        ("class_name", "Vulnerability Finding", "$.class_name"),
        ("cloud", None, "$.cloud: is no object"),
    ],
)
def test_event_that_is_no_ocsf_is_a_fault(place: str, value: Any, said: str, example: Run, ocsf: Any) -> None:
    (event, *_) = json.loads(render(example, "ocsf"))
    assert [fault for fault in ocsf({**event, place: value}) if said in fault]


class Tags(HTMLParser):
    """Collects the tags, the links and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.code = self.code or tag == "code"
        self.links += [str(value) for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag: str) -> None:
        self.code = self.code and tag != "code"

    def handle_data(self, data: str) -> None:
        if not self.code:
            self.words.append(data)


def test_markdown_holds_no_markup_of_others(hostile: Run, example: Run) -> None:
    allowed = {"h2", "h3", "p", "strong", "ul", "li", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "br"}
    allowed |= {"details", "summary"}
    for run in (hostile, example):
        seen = Tags()
        seen.feed(MarkdownIt("commonmark").enable("table").render(render(run, "markdown")))
        assert seen.tags <= allowed
        assert seen.links == []
        assert not [word for word in seen.words if re.search(r"@\w|://|#\d", word)]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("bind `*` to `a|b`", "bind `*` to `a|b`"),
        ("half `a pair", "half \\`a pair"),
        ("an empty `` pair", "an empty \\`\\` pair"),
        ("`@everyone` and @here", "`@everyone` and @<!-- -->here"),
        ("<b>`<i>`", "\\<b\\>`<i>`"),
    ],
)
def test_markdown_takes_what_stands_between_backticks_for_code(text: str, written: str) -> None:
    assert ticked(text) == written


def test_markdown_fits_a_comment(example: Run) -> None:
    many = msgspec.structs.replace(example, findings=example.findings * 50)
    text = render(many, "markdown")
    assert len(text) <= 65_536
    shown = text.count("\n- `arn:")
    assert shown > 100
    active = 50 * sum(finding.active for finding in example.findings)
    assert f"**{active - shown:,} more findings did not fit here" in text
    assert len(text) > as_markdown.LARGEST * 0.9
