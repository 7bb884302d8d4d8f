"""Timelines of tests: what was asserted outside a drill stands on them too, with the expiry of each session."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from pytest_stsguard.reporting import read
from pytest_stsguard.reporting.model import Drill, Step
from pytest_stsguard.reporting.views.timeline import MOST_LANES, MOST_STEPS, picture

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


def test_long_drill_is_measured_and_drawn_whole() -> None:
    calls = [(f"12:{n // 60:02}:{n % 60:02}Z", "allowed", "s3.list_buckets with key ****AAAA") for n in range(900)]
    late = [
        ("12:30:00Z", "revoked", "App, sessions issued before x"),
        ("12:30:01Z", "denied", "s3.list_buckets with key ****AAAA"),
        ("12:30:02Z", "allowed", "s3.list_buckets with key ****AAAA"),
    ]
    drawing = drawn(("12:00:00Z", "stolen", "arn:x, key ****AAAA"), *calls, *late)
    metrics = dict(drawing.metrics)
    assert (metrics["calls allowed"], metrics["calls denied"]) == ("901", "1")
    assert metrics["stolen calls allowed afterwards"] == "1"
    assert len(drawing.revocations) == 1
    assert len(drawing.steps) == MOST_STEPS
    assert drawing.left_out == 904 - MOST_STEPS
    assert [step.action for step in drawing.steps if step.action != "allowed"] == ["stolen", "revoked", "denied"]
    (lane,) = drawing.lanes
    assert len(lane.marks) < 250
    places = [x for x, kind, _ in lane.marks if kind == "allowed"]
    assert min(b - a for a, b in pairwise(places)) >= 5
    more = [int(match[1]) for _, _, label in lane.marks if (match := re.search(r"and (\d+) more like it", label))]
    assert len(lane.marks) + sum(more) == 903


def test_of_many_sessions_the_stolen_ones_are_drawn_first() -> None:
    steps = []
    for n in range(100):
        party = "thief" if n == 70 else "workload"
        steps.append((f"12:00:{n // 2:02}Z", "session", f"s{n} of the {party}: arn:x:assumed-role/a/s{n}, ****AAAA"))
        steps.append((f"12:01:{n // 2:02}Z", "allowed", f"s3.list_buckets to s{n}"))
    drawing = drawn(*steps, ("12:03:00Z", "revoked", "App"), ("12:04:00Z", "denied", "s3.list_buckets to s99"))
    assert len(drawing.lanes) == MOST_LANES
    assert drawing.undrawn == 100 - MOST_LANES
    assert [lane.name for lane in drawing.lanes if lane.stolen] == ["s70"]
    assert len({lane.y for lane in drawing.lanes}) == MOST_LANES
    assert dict(drawing.metrics)["other sessions hit"] == "1"  # s99, which is not drawn


def test_labels_stand_beside_the_line_of_the_revocation() -> None:
    near = [
        ("12:00:00.000Z", "stolen", "arn:x, key ****AAAA"),
        ("12:30:00.000Z", "allowed", "s3.list_buckets with key ****AAAA"),
        ("12:30:00.001Z", "revoked", "App"),
        ("12:30:00.002Z", "denied", "s3.list_buckets with key ****AAAA"),
        *((f"12:{n}:00.000Z", "denied", "s3.list_buckets with key ****AAAA") for n in range(31, 59)),
    ]
    drawing = drawn(*near)
    ((line, _),) = drawing.revocations
    left, right = drawing.lanes[0].labels
    assert left[0] + 7 < line < right[0] - 7
