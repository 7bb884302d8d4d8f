"""Timelines of tests: what was asserted outside a drill stands on them too, with the expiry of each session."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_stsguard.reporting import read
from pytest_stsguard.reporting.model import Drill, Step
from pytest_stsguard.reporting.views.timeline import picture

TESTS = """
import pytest
from pytest_stsguard import assert_allowed, assert_denied

def test_without_a_drill(sts_cloud):
    sts = sts_cloud.client("sts")
    answer = sts.assume_role(RoleArn=sts_cloud.role_arn("A4L-DataRole"), RoleSessionName="plain")
    credentials = sts_cloud.credentials_of(answer["Credentials"])
    assert_allowed(credentials, "s3.list_buckets")
    with pytest.raises(AssertionError):
        assert_denied(credentials, "s3.list_buckets", in_a_row=1)

def test_with_a_drill(sts_drill):
    stolen = sts_drill.assume("A4L-DataRole", session_name="stolen")
    assert_allowed(stolen, "s3.list_buckets")
    sts_drill.revoke("A4L-DataRole")
    assert_denied(stolen, "s3.list_buckets")
    assert sts_drill.lines == [str(step) for step in sts_drill.timeline]

def test_without_a_cloud():
    pass
"""


def test_assertions_stand_on_the_timeline(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest("-p", "no:cacheprovider", "--stsguard-report=json:r.json")
    result.assert_outcomes(passed=3)
    run = read(pytester.path / "r.json")
    drills = {drill.test.rpartition("::")[2]: drill for drill in run.drills}
    assert {name: [step.action for step in drill.steps] for name, drill in drills.items()} == {
        "test_without_a_drill": ["issued", "allowed", "allowed"],
        "test_with_a_drill": ["issued", "allowed", "revoked", "denied"],
    }
    assert run.checks == {"passed": 2}
    (lane,) = picture(drills["test_without_a_drill"]).lanes
    assert lane.who == "A4L-DataRole/plain"
    assert lane.end is not None
    assert run.containment is not None


STEPS = (
    ("12:00:00Z", "stolen", "arn:aws:sts::1:assumed-role/App/i-1, key ****AAAA, expires 2026-11-20T18:00:00Z"),
    ("12:00:01Z", "issued", "arn:aws:sts::1:assumed-role/App/i-2, key ****BBBB, expires 2026-11-20T18:00:01Z"),
    ("12:00:02Z", "allowed", "s3.list_buckets with key ****AAAA"),
    ("12:00:03Z", "allowed", "s3.list_buckets with key ****AAAA"),
    ("12:01:00Z", "revoked", "App, sessions issued before x"),
    ("12:01:02Z", "denied", "s3.list_buckets with key ****AAAA"),
    ("12:01:03Z", "denied", "s3.list_buckets with key ****AAAA"),
    ("12:01:04Z", "allowed", "s3.list_buckets with key ****BBBB"),
)


def drawn(*steps: tuple[str, str, str]) -> Any:
    return picture(Drill("t", "passed", tuple(Step(f"2026-11-20T{at}", did, detail) for at, did, detail in steps)))


def test_stolen_session_shows_its_last_call_first_denial_and_expiry() -> None:
    stolen, other = drawn(*STEPS).lanes
    at = {kind: [x for x, mark, _ in stolen.marks if mark == kind] for kind in ("allowed", "denied")}
    assert stolen.labels == [(at["allowed"][-1], "end", "last allowed"), (at["denied"][0], "start", "first denied")]
    assert stolen.dead == at["denied"][0]
    assert stolen.end > max(x for x, _, _ in stolen.marks)
    assert stolen.until == "2026-11-20T18:00:00Z"
    assert other.labels == []
    assert other.dead is None
    assert other.end > stolen.end


def test_session_that_comes_back_to_life_is_not_dead() -> None:
    again = ("12:02:00Z", "allowed", "s3.list_buckets with key ****AAAA")
    assert drawn(*STEPS, again).lanes[0].dead is None


@pytest.mark.parametrize("text", ["", ", expires never", ", expires 2026-99-20T18:00:00Z", ", expires 2026-11-20"])
def test_expiry_that_is_none_is_not_drawn(text: str) -> None:
    (lane, *_) = drawn(("12:00:00Z", "stolen", f"arn:x, key ****AAAA{text}"), *STEPS[2:]).lanes
    assert lane.end is None


def test_sessions_of_scenarios_expire_too() -> None:
    told = "loot of the thief: arn:aws:sts::1:assumed-role/data/loot, ****BBBB, expires 2026-11-20T13:00:00Z"
    (lane,) = drawn(("12:00:00Z", "session", told), ("12:00:01Z", "allowed", "s3.list_buckets to loot")).lanes
    assert (lane.name, lane.stolen, lane.until) == ("loot", True, "2026-11-20T13:00:00Z")
