"""Scenarios: every shipped one comes out as it says, a wrong one fails, and none takes another error for containment."""

from __future__ import annotations

import copy
import json
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.drill import load_scenario, parse_scenario, play, shipped
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud

EXPECTED_COLLATERAL = {"assumed-role": ("worker",), "instance-credentials": ("workload-b",)}
RECOVERING = {
    "assumed-role",
    "ci-credentials",
    "container-credentials",
    "instance-credentials",
    "late-revocation",
    "one-session",
    "thief-assumes-again",
}


def data_of(name: str) -> dict[str, Any]:
    text = resources.files("pytest_stsguard.drill").joinpath("scenarios", f"{name}.toml").read_text()
    return tomllib.loads(text)


def world_of(cloud: Cloud) -> str:
    details = cloud.client("iam").get_account_authorization_details(Filter=["Role", "User", "LocalManagedPolicy"])
    details.pop("ResponseMetadata")
    return json.dumps(details, default=str, sort_keys=True)


def test_every_shipped_scenario_passes_measures_and_leaves_nothing_behind(sts_cloud: Cloud) -> None:
    before = world_of(sts_cloud)
    for name in shipped():
        if name == "ci-credentials":
            continue  # its provider stays; it is played alone below
        result = play(name, sts_cloud)
        assert result.passed, (name, result.failures)
        assert world_of(sts_cloud) == before, name
        metrics = result.metrics
        assert metrics.exposure is not None
        assert metrics.exposure > 0
        assert metrics.time_to_revoke is not None
        assert metrics.cleanup_due is not None
        assert {key.split()[1] for key in metrics.first_denied} == {"us-east-1"}
        assert len(metrics.first_denied) >= 2
        assert metrics.collateral == EXPECTED_COLLATERAL.get(name, ()), name
        assert (metrics.recovery is not None) == (name in RECOVERING), name
        states = [step.detail for step in result.timeline if step.action == "state"]
        assert states == ["warmed up", "running", "contained", "recovered", "cleaned"]


def test_job_of_a_pipeline_is_robbed_contained_and_works_again(sts_cloud: Cloud) -> None:
    assert play("ci-credentials", sts_cloud).passed


def test_late_revocation_is_told_from_an_early_denial(sts_cloud: Cloud) -> None:
    result = play("late-revocation", sts_cloud)
    assert result.passed
    assert sts_cloud.consistency is None
    assert result.metrics.time_to_revoke is not None
    assert result.metrics.time_to_revoke > 3
    at = [step.action for step in result.timeline].index("revoked")
    seen = [step.action for step in result.timeline[at:] if step.detail.startswith("s3.list_buckets to stolen")]
    last = len(seen) - seen[::-1].index("allowed")
    assert "denied" in seen[:last]  # and yet the thief went on
    assert len(seen[last:]) >= 3


def test_what_ends_no_session_is_not_told_as_a_revocation(sts_cloud: Cloud) -> None:
    timeline = play("wrong-ways", sts_cloud).timeline
    assert [step.detail.rpartition(" by ")[2] for step in timeline if step.action == "changed"] == [
        "trust-edit", "replace-profile", "restart-instance",
    ]  # fmt: skip
    (revoked,) = (step.detail for step in play("one-session", sts_cloud).timeline if step.action == "revoked")
    assert "by one-session, sessions issued before" in revoked


def test_verdict_that_waits_for_nothing_fails_on_a_late_revocation(sts_cloud: Cloud) -> None:
    data = data_of("late-revocation") | {"within": 0}
    data["warm_up"].insert(1, {"act": "advance", "seconds": 60})
    result = play(parse_scenario(data, name="hasty"), sts_cloud)
    assert "s3.list_buckets to `stolen` was allowed, and denied was expected" in result.failures


def expectations(data: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [act for phase in ("containment", "recovery", "cleanup") for act in data.get(phase, [])]
    return [act for act in parts if act["act"] == "expect"]


@pytest.mark.parametrize(("name", "indices"), [("assumed-role", (0, 2, 4)), ("chained-role", (1,))])
def test_scenario_that_expects_the_contrary_fails(sts_cloud: Cloud, name: str, indices: tuple[int, ...]) -> None:
    for index in indices:
        data = copy.deepcopy(data_of(name))
        act = expectations(data)[index]
        act["outcome"] = "denied" if act["outcome"] == "allowed" else "allowed"
        result = play(parse_scenario(data, name=name), sts_cloud)
        assert not result.passed
        assert result.failures
        assert act["session"] in " ".join(result.failures)


def test_expired_session_is_not_taken_for_contained(sts_cloud: Cloud) -> None:
    data = data_of("assumed-role")
    data["containment"].insert(1, {"act": "advance", "seconds": 4000})
    result = play(parse_scenario(data, name="expired"), sts_cloud)
    assert (result.passed, result.state) == (False, "running")
    assert "no authorization decision: ExpiredToken" in result.failures[-1]


def test_denial_of_what_was_never_allowed_proves_nothing(sts_cloud: Cloud) -> None:
    data = data_of("assumed-role")
    data["warm_up"][0]["allow"] = []
    result = play(parse_scenario(data, name="powerless"), sts_cloud)
    assert "would prove nothing" in result.failures[-1]
    data = data_of("assumed-role")
    data["containment"] = [{"act": "expect", "session": "stolen", "outcome": "denied", "probes": ["sqs.list_queues"]}]
    result = play(parse_scenario(data, name="elsewhere"), sts_cloud)
    assert "its denial proves nothing" in result.failures[-1]


def test_everything_is_put_back_when_a_scenario_breaks_off(sts_cloud: Cloud) -> None:
    before = world_of(sts_cloud)
    data = data_of("instance-credentials")
    data["containment"] = [data["containment"][0], {"act": "assume", "role": "nobody", "session": "x"}]
    data["containment"][1]["role"] = "arn:aws:iam::111122223333:role/nobody"
    result = play(parse_scenario(data, name="broken"), sts_cloud)
    assert not result.passed
    assert world_of(sts_cloud) == before


def test_denials_in_a_row_are_counted(sts_cloud: Cloud) -> None:
    data = data_of("early-removal") | {"denials": 5, "probes": ["s3.list_buckets"]}
    result = play(parse_scenario(data, name="five"), sts_cloud)
    assert result.passed
    assert [step.action for step in result.timeline].count("denied") == 10


def test_timeline_and_json_hold_no_secret(sts_cloud: Cloud) -> None:
    result = play("thief-assumes-again", sts_cloud)
    text = json.dumps(result.as_json())
    keys = [record["responseElements"] for record in sts_cloud.trail.records() if record.get("responseElements")]
    assert keys
    assert sts_cloud.admin.secret_access_key not in text
    assert "ASIA" not in text
    assert "AKIA" not in text
    assert json.loads(text)["passed"] is True


OWN = """
title = "Mine"
probes = ["s3.list_buckets"]
[[warm_up]]
act = "role"
name = "mine"
[[theft]]
act = "assume"
role = "mine"
session = "stolen"
[[containment]]
act = "revoke"
target = "mine"
[[containment]]
act = "expect"
session = "stolen"
outcome = "denied"
"""


def test_own_scenario_is_read_from_a_file(sts_cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    result = play(str(path), sts_cloud)
    assert result.passed
    assert result.scenario.title == "Mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "unknown key `x`"),
        ("[[theft]]\nact = 'fly'", r"theft\[0\]: unknown act `fly`"),
        ("[[theft]]\nname = 'fly'", "says no `act`"),
        ("[[theft]]\nact = 'instance'\nsession = 's'", "needs `instance`"),
        ("[[theft]]\nact = 'key'\nsession = 's'\nuser = 'u'\ncolour = 'red'", "takes no `colour`"),
        ("theft = 3", "is a list of tables"),
        ("title = 'x'", "nothing is stolen"),
        ("denials = 0\n", "from 1 to 100"),
        ("probes = ['sts.get_caller_identity']", "AWS answers it whatever"),
        ("probes = []", "list of calls"),
        ("[[", "is no TOML"),
    ],
)
def test_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        load_scenario(str(path))


def test_unknown_name_or_file_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no scenario `nothing`"):
        load_scenario("nothing")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_scenario("nothing.toml")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ({"act": "expect", "session": "nobody", "outcome": "denied"}, "no session `nobody`"),
        ({"act": "expect", "session": "stolen", "outcome": "gone"}, "`gone` is no outcome"),
        ({"act": "revoke", "target": "drill-data", "method": "hope"}, "unknown revocation method"),
        ({"act": "attempt", "session": "stolen", "call": "s3.fly"}, "is no call"),
        ({"act": "advance", "seconds": "many"}, "wrong kind"),
    ],
)
def test_act_that_makes_no_sense_is_refused_with_its_place(sts_cloud: Cloud, act: dict[str, Any], words: str) -> None:
    data = data_of("assumed-role")
    data["containment"] = [act]
    with pytest.raises(ConfigurationError, match=words) as raised:
        play(parse_scenario(data, name="odd"), sts_cloud)
    assert raised.value.location == "odd: containment[0]"
