"""Reports asked for on the command line: refused before the run or written after it, alike with and without pytest-xdist."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from click.testing import CliRunner

from pytest_stsguard.cli.audit import audit
from pytest_stsguard.cli.diff import diff
from pytest_stsguard.cli.report import report
from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.findings import Finding, Severity
from pytest_stsguard.reporting import FORMATS, Run, parse_request, read, render, write
from pytest_stsguard.reporting.junit import MOST, properties
from pytest_stsguard.reporting.terminal import markup, summary_lines
from pytest_stsguard.reporting.views.findings import command

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "reporting" / "run.json"
CHECK = """
import pytest

@pytest.mark.stsguard("STSG-101")
def test_check(sts_account, sts_findings):
    for role in sts_account.roles:
        sts_findings.add(role.arn, "open", place="trust policy Statement[0]", location=role.trust.location)

@pytest.mark.stsguard("STSG-202")
def test_other(sts_findings):
    sts_findings.add("arn:aws:iam::111122223333:role/x", "tainted")

@pytest.mark.stsguard("STSG-301")
def test_blind(sts_findings):
    sts_findings.not_evaluated("no such thing here")

def test_plain():
    pass
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Any:
    pytester.makepyfile(CHECK)

    def run(*options: str) -> pytest.RunResult:
        target = f"--stsguard-target=export:{ROOT}/examples/account.json"
        at = "--stsguard-at=2026-11-20T12:00:00Z"
        return pytester.runpytest("-p", "no:cacheprovider", target, at, *options)

    return run


def test_reports_are_the_same_with_and_without_xdist(run: Any, pytester: pytest.Pytester) -> None:
    for folder, workers in (("alone", ()), ("two", ("-n", "2"))):
        pytester.mkdir(folder)
        asked = [f"--stsguard-report={name}:{folder}/r.{name}" for name in FORMATS]
        run(*asked, *workers, "--junitxml", f"{folder}/junit.xml").assert_outcomes(failed=1, passed=2, skipped=1)
    for name in FORMATS:
        one, other = (pytester.path / folder / f"r.{name}" for folder in ("alone", "two"))
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_size > 100
    found = read(pytester.path / "two" / "r.json")
    assert found.checks == {"failed": 1, "passed": 1, "skipped": 1}
    assert found.evaluated == ("STSG-101", "STSG-202")
    assert [gap.control for gap in found.not_evaluated] == ["STSG-301"]
    assert found.findings[0].lines is not None
    cases = ET.parse(pytester.path / "two" / "junit.xml").iter("testcase")
    properties = {case.get("name"): [(p.get("name"), p.get("value")) for p in case.iter("property")] for case in cases}
    (tainted,) = (one for one in found.findings if one.control == "STSG-202")
    assert properties["test_other"] == [
        ("stsguard_control", "STSG-202"),
        ("stsguard_severity", "low"),
        ("stsguard_findings", "1"),
        ("stsguard_finding", f"low STSG-202 {tainted.fingerprint} arn:aws:iam::111122223333:role/x"),
    ]
    told = [value for name, value in properties["test_check"] if name == "stsguard_finding"]
    assert len(told) == len(found.findings) - 1
    assert properties["test_plain"] == []


def test_ini_key_asks_for_reports_too(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nstsguard_report = csv:a.csv markdown:b.md\n")
    run().stdout.fnmatch_lines(["*generated csv report: *a.csv*", "*generated markdown report: *b.md*"])
    assert (pytester.path / "a.csv").exists()
    assert (pytester.path / "b.md").read_text().startswith("## ❌ stsguard")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("pdf:x.pdf", "unknown report format `pdf`"),
        ("htm:x", "did you mean `html`?"),
        ("html", "`html` names no file for the report (write it as html:PATH)"),
        ("html:", "`html:` names no file for the report"),
        ("html:no/such/x.html", "no/such/x.html: the report cannot be written: no such directory"),
        ("html:.", "the report cannot be written: is a directory"),
        ("json:a\0b", "the report cannot be written: a NUL in its name"),
        ("json:" + "x" * 5_000, "the report cannot be written: file name too long"),
        ("\x1b[31m:x", "unknown report format `\\u001b[31m`"),
    ],
)
def test_report_that_cannot_be_is_refused(asked: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_request(asked, folder=tmp_path)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_report_is_refused_before_the_run(run: Any) -> None:
    result = run("--stsguard-report=html:no/such/x.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no/such/x.html: the report cannot be written: no such directory*"])
    result.stdout.no_fnmatch_line("*test_check*")


def test_page_of_pytest_html_leads_to_the_report(run: Any, pytester: pytest.Pytester) -> None:
    pytester.mkdir("out put")
    run("--html=out put/tests.html", "--self-contained-html", "--stsguard-report=html:out put/a b.html")
    page = (pytester.path / "out put" / "tests.html").read_text()
    assert '<a href="a%20b.html">stsguard report' in page
    assert (pytester.path / "out put" / "a b.html").exists()


def test_lines_of_the_terminal_carry_the_colour_of_their_severity() -> None:
    assert markup("critical STSG-101  x") == {"red": True, "bold": True}
    assert markup("low      STSG-202  1 below high") == {"cyan": True}
    assert markup("findings: 1 low") == {}


def test_summary_of_the_terminal_is_short_and_grouped() -> None:
    def finding(control: str, severity: Severity, **more: Any) -> Finding:
        return Finding(control, severity, "arn:aws:iam::1:role/x", "open", **more)

    findings = [
        *[finding("STSG-202", Severity.LOW)] * 2,
        *[finding("STSG-101", Severity.CRITICAL, evidence={"demonstrated": True})] * 3,
        finding("STSG-202", Severity.LOW, muted="known"),
    ]
    gaps = {"STSG-401": "no instances", "STSG-301": "no roles", "STSG-402": "no instances"}
    settings: Any = {"fail_on": Severity.HIGH, "not_evaluated": gaps, "titles": {"STSG-101": "Anyone"}}
    shown = summary_lines(findings, verbose=False, **settings)
    assert shown == [
        "findings: 3 critical, 2 low, 1 muted; 3 demonstrated",
        "critical STSG-101  3  Anyone",
        "low      STSG-202  2 below high",
        "not evaluated: STSG-301: no roles",
        "not evaluated: STSG-401, STSG-402: no instances",
    ]
    detailed = summary_lines(findings, verbose=True, **settings)
    assert detailed == [*shown[:3], *["         arn:aws:iam::1:role/x: open"] * 2, *shown[3:]]


def test_counts_of_the_terminal_stand_in_a_column() -> None:
    findings = [
        *[Finding("STSG-101", Severity.CRITICAL, "arn:aws:iam::1:role/x", "open")] * 12,
        Finding("STSG-202", Severity.LOW, "arn:aws:iam::1:role/x", "open"),
    ]
    settings: Any = {"fail_on": Severity.HIGH, "not_evaluated": {}, "titles": {"STSG-101": "Anyone"}}
    assert summary_lines(findings, verbose=False, **settings)[1:] == [
        "critical STSG-101  12  Anyone",
        "low      STSG-202   1 below high",
    ]


def test_summary_of_the_terminal_moves_no_cursor() -> None:
    hostile = "::error::a\n\x1b[31mb\u202e ##vso[task.complete]"
    lines = summary_lines(
        [Finding(hostile, Severity.LOW, hostile * 1_000, hostile)],
        fail_on=Severity.HIGH,
        not_evaluated={hostile: hostile},
        verbose=True,
    )
    assert len(lines) == 4
    assert all(line.isprintable() and len(line) < 1_000 for line in lines)
    # what GitHub's runner and Azure's agent read as commands: at the beginning, and anywhere
    assert not any(line.lstrip().startswith("::") or re.search(r"##\w*\[", line) for line in lines)


def test_run_that_collected_nothing_leaves_no_report(run: Any, pytester: pytest.Pytester) -> None:
    assert run("--stsguard-report=json:r.json", "no_such_file.py").ret == pytest.ExitCode.USAGE_ERROR
    assert not (pytester.path / "r.json").exists()


def test_audit_writes_the_report_that_the_checks_write(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "stsguard"), "audit", "export:examples/account.json"]
    asked = ["--at", "2026-11-20T12:00:00Z", "--report", f"json:{tmp_path}/r.json", "--output", "json"]
    done = subprocess.run([*command, *asked], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    printed, found = json.loads(done.stdout), read(tmp_path / "r.json")
    assert found.verdict == "fail"
    assert [one["fingerprint"] for one in printed["findings"]] == [one.fingerprint for one in found.findings]
    assert sum(one.lines is not None for one in found.findings) > 20
    refused = subprocess.run([*command, "--report", "pdf:x"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "unknown report format `pdf`" in refused.stderr


def test_command_that_a_finding_names_shows_it_again(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    finding = next(one for one in example.findings if one.resource.endswith("role/ci/github-docs"))
    program, _, *arguments = shlex.split(command(example, finding))
    assert program == "stsguard"
    shown = CliRunner().invoke(audit, [*arguments, "--output", "json"], standalone_mode=False)
    assert shown.return_value == 1
    again = json.loads(shown.stdout)["findings"]
    assert finding.fingerprint in {one["fingerprint"] for one in again}
    assert {one["resource"] for one in again if ":role/" in one["resource"]} == {finding.resource}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="permission denied"):
        parse_request(f"json:{tmp_path}/x.json")


@pytest.mark.parametrize("name", ["", "a\0b", "no/such/folder/r.json"])
def test_report_that_cannot_be_written_in_the_end_is_one_clear_line(name: str, example: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the report cannot be written: ") as caught:
        write(example, "csv", tmp_path / name)
    assert str(caught.value).isprintable()


def test_file_that_is_there_is_replaced(example: Run, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text("x" * 1_000_000)
    write(example, "json", file)
    assert read(file) == example


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r":1:1: the report is not JSON: expecting value"),
        (EXAMPLE.read_text()[:5_000], r"r\.json:\d+:\d+: the report is not JSON: unterminated string \("),
        (EXAMPLE.read_text().replace('"line": 730', '"line": NaN'), "is not JSON"),
        (EXAMPLE.read_text().replace('"severity": "critical"', '"severity": "\\ud800"'), "is no report: "),
        ("[1]", "is no report of schema 1"),
        ("{}", "is no report of schema 1"),
        ('{"schema": 2}', "is no report of schema 1"),
        ('{"schema": true}', "is no report of schema 1"),
        ('{"schema": 1}', "missing required field"),
        ('{"schema": 1, "target": null}', "expected `str`"),
        ("[" * 100_000, "is not JSON"),
        (EXAMPLE.read_text().replace("2026-11-20T12:00:00Z", "yesterday"), "`yesterday` is no moment"),
        (EXAMPLE.read_text().replace('"at": "2026-11-20T12:00:00Z"', '"at": "2026-11-20T12:00:00"'), "is no moment"),
    ],
)
def test_file_that_is_no_report_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError, match=said):
        read(tmp_path / "r.json")


def test_policy_that_is_not_there_is_refused(example: Run, tmp_path: Path) -> None:
    data = json.loads(render(example, "json"))
    data["findings"][1]["policy"] = 999
    (tmp_path / "r.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="points at no policy"):
        read(tmp_path / "r.json")


@pytest.mark.parametrize("name", FORMATS)
def test_command_renders_again(name: str, example: Run, tmp_path: Path) -> None:
    runner = CliRunner()
    shown = runner.invoke(report, ["--from", str(EXAMPLE), "--format", name], standalone_mode=False)
    assert shown.stdout_bytes == render(example, name).encode()
    path = tmp_path / "out"
    runner.invoke(report, ["--from", str(EXAMPLE), "--format", name, "-o", str(path)], standalone_mode=False)
    assert path.read_bytes() == shown.stdout_bytes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"findings": 55,',
            '"findings": 5,',
            "summary.findings: says 5, but the report holds 55: it was changed after",
        ),
        ('"critical": 6,', '"critical": 0,', "summary.by_severity.critical: says 0, but the report holds 6: it was"),
        ('"STSG-101": 4,', "", "summary.by_control.STSG-101: says 0, but the report holds 4: it was changed after"),
        ('"muted": 1,', '"muted": 2,', "summary.muted: says 2, but the report holds 1: it was changed after"),
        ('"verdict": "fail"', '"verdict": "pass"', "verdict: says `pass`, but what the report holds fails: it was"),
    ],
)
def test_report_that_contradicts_itself_is_not_rendered(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    assert text.count(old) == 1
    (tmp_path / "r.json").write_text(text.replace(old, new))
    shown = CliRunner().invoke(report, ["--from", str(tmp_path / "r.json"), "--format", "csv"], standalone_mode=False)
    assert isinstance(shown.exception, InputError)
    assert said in str(shown.exception)
    assert shown.stdout == ""


def test_report_is_read_from_standard_input_too(example: Run) -> None:
    asked = ["--from", "-", "--format", "csv"]
    shown = CliRunner().invoke(report, asked, input=EXAMPLE.read_bytes(), standalone_mode=False)
    assert shown.stdout_bytes == render(example, "csv").encode()


def test_diff_says_when_the_accounts_differ(example: Run, tmp_path: Path) -> None:
    other = msgspec.structs.replace(example, account="44445555\n6666")
    write(other, "json", tmp_path / "other.json")
    shown = CliRunner().invoke(diff, [str(EXAMPLE), str(tmp_path / "other.json")], standalone_mode=False)
    assert shown.stderr == "not of the same account: 111122223333 and 44445555\\n6666\n"
    assert shown.stdout == f"0 new, 0 fixed, {len(example.findings)} unchanged\n"


def test_diff_tells_new_fixed_and_unchanged(example: Run, tmp_path: Path) -> None:
    data = json.loads(render(example, "json"))
    changed = {**data, "findings": [*data["findings"][3:]]}
    changed["findings"][0] = {**changed["findings"][0], "fingerprint": "f" * 32, "message": "a\nnew\x1b[31m one"}
    (tmp_path / "old.json").write_text(json.dumps(data))
    (tmp_path / "new.json").write_text(json.dumps(changed))
    runner = CliRunner()
    files = [str(tmp_path / "old.json"), str(tmp_path / "new.json")]
    shown = runner.invoke(diff, files, standalone_mode=False)
    assert shown.return_value == 1
    lines = shown.stdout.splitlines()
    assert lines[-1] == f"1 new, 4 fixed, {len(data['findings']) - 4} unchanged"
    assert lines[0].startswith("+ critical STSG-101")
    assert "a\\nnew\\u001b[31m one" in lines[0]
    assert sum(line.startswith("- ") for line in lines) == 4
    told = json.loads(runner.invoke(diff, [*files, "--output", "json"], standalone_mode=False).stdout)
    assert told["counts"] == {"new": 1, "fixed": 4, "not_evaluated": 0, "unchanged": len(data["findings"]) - 4}
    same = runner.invoke(diff, [files[0], files[0]], standalone_mode=False)
    assert same.return_value == 0
    assert same.stdout.splitlines() == [f"0 new, 0 fixed, {len(data['findings'])} unchanged"]


def test_diff_calls_nothing_fixed_that_was_not_looked_at(example: Run, tmp_path: Path) -> None:
    data = json.loads(render(example, "json"))
    blind = {**data, "findings": [one for one in data["findings"] if one["control"] != "STSG-101"]}
    blind["not_evaluated"] = [*data["not_evaluated"], {"control": "STSG-101", "reason": "no roles"}]
    (tmp_path / "new.json").write_text(json.dumps(blind))
    shown = CliRunner().invoke(diff, [str(EXAMPLE), str(tmp_path / "new.json")], standalone_mode=False)
    assert (
        shown.stdout.splitlines()[-1] == f"0 new, 0 fixed, 4 not evaluated any more, {len(blind['findings'])} unchanged"
    )
    assert shown.return_value == 0


def test_properties_of_junit_are_harmless_and_bounded() -> None:
    findings = [Finding("STSG-101", Severity.LOW, f"arn:aws:iam::1:role/{number}", "x") for number in range(2_000)]
    told = properties([*findings, Finding("STSG-102", Severity.HIGH, "a\nb\0\u202e]]> AKIAIOSFODNN7EXAMPLE", "x")])
    assert len(told) == MOST + 2
    assert told[0] == ("stsguard_findings", "2001")
    assert told[1][1].startswith("high STSG-102 ")
    assert told[1][1].endswith(" a\\nb\\u0000\\u202e]]> ****MPLE")
    assert told[-1] == ("stsguard_finding", "1501 more")
