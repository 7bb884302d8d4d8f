from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.findings import Baseline, Finding, Mute, Report, Severity, Triage

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/vendor-one"
MUTE = {
    "control": "STSG-103",
    "resource": "arn:aws:iam::*:role/vendor-*",
    "owner": "cloud-team",
    "reason": "the vendor adds one in spring",
    "expiry": date(2026, 11, 20),
}


def finding(control: str = "STSG-103", resource: str = ROLE, **fields: Any) -> Finding:
    return Finding(control, Severity.HIGH, resource, "no ExternalId", **fields)


def mute(**changes: Any) -> Mute:
    data = {key: value for key, value in (MUTE | changes).items() if value is not None}
    return Mute.parse(data, place="stsguard.toml: mute[0]")


def test_a_mute_covers_its_control_and_its_resources() -> None:
    assert mute().covers(finding())
    assert not mute().covers(finding("STSG-104"))
    assert not mute().covers(finding(resource="arn:aws:iam::111122223333:role/Vendor-one"))
    assert mute(control="STSG-1*").covers(finding("STSG-104"))


def test_brackets_in_a_glob_mean_themselves() -> None:
    assert mute(resource="role/[a]?").covers(finding(resource="role/[a]b"))
    assert not mute(resource="role/[a]?").covers(finding(resource="role/ab"))


@given(st.text(), st.text())
def test_a_star_spans_everything_between_two_texts(head: str, tail: str) -> None:
    literal = f"{head}{tail}".replace("*", "").replace("?", "")
    assert mute(resource=f"x{literal}*y").covers(finding(resource=f"x{literal}\n:/y"))
    assert not mute(resource=f"x{literal}y").covers(finding(resource=f"x{literal}yz"))


def test_a_mute_holds_through_its_last_day() -> None:
    assert not mute().expired(NOW)
    assert mute().expired(datetime(2026, 11, 21, tzinfo=UTC))
    assert not mute(expiry=None).expired(datetime(2999, 1, 1, tzinfo=UTC))
    assert mute(expiry="2026-11-19").expired(NOW)
    assert mute(expiry=datetime(2026, 11, 19, 5, tzinfo=UTC)).expired(NOW)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"owner": None}, "a mute needs `owner`"),
        ({"reason": " "}, "`reason` is not a text"),
        ({"control": 103}, "`control` is not a text: `103`"),
        ({"expiry": "soon"}, r"`expiry` is no date: `soon` \(as 2027-03-31\)"),
        ({"expiry": 3}, "`expiry` is no date: `3`"),
        ({"expires": "2026-01-01"}, r"unknown key `expires` \(did you mean `expiry`\?\)"),
    ],
)
def test_a_wrong_mute_is_refused_with_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"mute\\[0\\]: {message}"):
        mute(**changes)


def test_a_mute_that_is_no_table_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="expected a table"):
        Mute.parse("STSG-101", place="f")


def test_triage_marks_and_drops_nothing() -> None:
    known = finding("STSG-104")
    baseline = Baseline(frozenset({known.fingerprint}))
    muted, baselined, plain = Triage([mute()], baseline=baseline, at=NOW).apply([finding(), known, finding("STSG-101")])
    assert (muted.muted, muted.active) == ("the vendor adds one in spring (cloud-team)", False)
    assert (baselined.baselined, baselined.active) == (True, False)
    assert plain.active
    assert plain.fails(Severity.HIGH)
    assert not plain.fails(Severity.CRITICAL)
    assert not muted.fails(Severity.LOW)


def test_an_expired_mute_gives_the_finding_back_and_says_so() -> None:
    triage = Triage([mute(expiry="2026-11-19")], at=NOW)
    found = triage.apply([finding()])
    assert found[0].active
    assert triage.warnings(found) == [
        "stsguard.toml: mute[0]: the mute of `STSG-103` on `arn:aws:iam::*:role/vendor-*` expired on 2026-11-19"
    ]


def test_a_mute_that_covers_nothing_is_a_warning() -> None:
    assert "covers no finding" in Triage([mute()], at=NOW).warnings([finding("STSG-101")])[0]
    assert Triage([mute()], at=NOW).warnings([finding()]) == []


def test_a_baseline_is_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    findings = [finding("STSG-104"), finding(place="Statement[0]"), finding("STSG-104")]
    Baseline.write(path, findings)
    baseline = Baseline.read(path)
    assert all(one in baseline for one in findings)
    assert finding(place="Statement[1]") not in baseline
    entries = json.loads(path.read_text())["findings"]
    assert [entry["control"] for entry in entries] == ["STSG-103", "STSG-104"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the baseline is not JSON"),
        ("[" * 100_000, "the baseline is not JSON"),
        ("[]", "is no baseline of schema 1"),
        ('{"schema": 2, "findings": []}', "is no baseline of schema 1"),
        ('{"schema": 1, "findings": {}}', "is no baseline of schema 1"),
        ('{"schema": 1, "findings": [null]}', r"findings\[0\]: an entry of the baseline has no fingerprint"),
    ],
)
def test_a_broken_baseline_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        Baseline.read(path)
    assert str(path) in str(caught.value)


def test_a_baseline_that_cannot_be_read_or_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the baseline cannot be read: no such file or directory"):
        Baseline.read(tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="the baseline cannot be written: no such file or directory"):
        Baseline.write(tmp_path / "none" / "b.json", [])


def test_a_report_counts_what_counts() -> None:
    found = Triage([mute()], baseline=Baseline(frozenset({finding("STSG-104").fingerprint})), at=NOW).apply(
        [finding("STSG-112", resource="z"), finding("STSG-104"), finding(), finding("STSG-112", resource="a")]
    )
    report = Report("export:x", "111122223333", NOW, findings=tuple(found), not_evaluated={"STSG-401": "no instances"})
    data = report.as_json()
    assert (data["schema"], data["target"], data["account"]) == (1, "export:x", "111122223333")
    assert data["at"] == "2026-11-20T12:00:00Z"
    assert data["summary"] == {
        "findings": 2,
        "by_severity": {"critical": 0, "high": 2, "medium": 0, "low": 0},
        "by_control": {"STSG-112": 2},
        "muted": 1,
        "baselined": 1,
        "not_evaluated": 1,
        "errors": 0,
    }
    assert [(one["control"], one["resource"]) for one in data["findings"]] == [
        ("STSG-103", ROLE),
        ("STSG-104", ROLE),
        ("STSG-112", "a"),
        ("STSG-112", "z"),
    ]
    assert report.fails(Severity.HIGH)
    assert not report.fails(Severity.CRITICAL)


def test_a_control_without_a_verdict_fails_a_report_that_found_nothing() -> None:
    report = Report("t", "111122223333", NOW, errors={"STSG-101": "cannot be read"}, warnings=("a mute",))
    assert report.fails(Severity.CRITICAL)
    assert report.as_json()["errors"] == [{"control": "STSG-101", "reason": "cannot be read"}]
    assert report.as_json()["warnings"] == ["a mute"]
