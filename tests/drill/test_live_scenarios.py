"""Every shipped scenario that can be played on an account: through trouble over HTTP, and killed before each of its steps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.drill import Scenario, load_scenario, play, shipped
from pytest_stsguard.drill.access import Access
from pytest_stsguard.drill.kill_switch import KillSwitch
from pytest_stsguard.drill.live import LiveAccount
from pytest_stsguard.drill.rollback import roll_back
from pytest_stsguard.revocation import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud

STSGUARD = str(Path(sys.executable).with_name("stsguard"))
SEEING = {"expect", "advance", "assume", "federate", "session-token"}
LIVE = tuple(name for name in shipped() if not load_scenario(name).simulated_only)


class Killed(BaseException):
    """Stands for the end of the process: nothing in between catches it, and no call follows."""


def world_of(cloud: Cloud) -> str:
    kinds = ["Role", "User", "LocalManagedPolicy"]
    details = cloud.client("iam").get_account_authorization_details(Filter=kinds)
    details.pop("ResponseMetadata")
    return json.dumps(details, default=str, sort_keys=True)


def test_these_are_played_on_accounts() -> None:
    assert set(LIVE) == {
        "assumed-role",
        "chained-role",
        "deleted-key",
        "early-removal",
        "one-session",
        "role-juggling",
        "thief-assumes-again",
        "thief-removes-deny",
    }


@pytest.mark.stsguard_cloud(consistency="0.5:7")
def test_each_passes_through_late_changes_throttles_and_cut_connections(
    sts_cloud: Cloud, faults: Callable[..., Any], tmp_path: Path
) -> None:
    """Four commands play them all, side by side; the account is that of a server which sees changes late and makes trouble."""
    files: list[str] = []
    for name in LIVE:
        text = resources.files("pytest_stsguard.drill").joinpath("scenarios", f"{name}.toml").read_text()
        # What a change takes to spread there; a minute of waiting for nothing otherwise.
        (tmp_path / f"{name}.toml").write_text(re.sub(r"seconds = \d+", "seconds = 1", text))
        files.append(f"{name}.toml")
    (tmp_path / "stsguard.toml").write_text(f'[live]\naccounts = ["{sts_cloud.account}"]\n')
    before, front = world_of(sts_cloud), faults(throttle=29, drop=23)
    environ = {**os.environ, **sts_cloud.admin.environ, "AWS_ENDPOINT_URL": front.url}
    options = ("--live-drill", "--within", "15", "--output", "json", "--probe", "s3.list_buckets")
    running = [
        subprocess.Popen(
            [STSGUARD, "drill", *some, "--target", "aws", *options],
            env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for some in (files[first::4] for first in range(4))
    ]  # fmt: skip
    told = [process.communicate(timeout=240) for process in running]
    assert [process.returncode for process in running] == [0] * 4, told
    results = {one["scenario"]: one for output, _ in told for one in json.loads(output)}
    assert set(results) == set(LIVE)
    assert all(one["passed"] and one["state"] == "cleaned" for one in results.values())
    assert world_of(sts_cloud) == before
    assert front.throttled >= 5
    assert front.dropped >= 5
    journals = sorted(tmp_path.glob("stsguard-drill-*.jsonl"))
    assert len(journals) == len(LIVE)
    again = Counter(
        json.loads(line)["why"] for path in journals for line in path.read_text().splitlines() if '"retry"' in line
    )
    assert "ConnectionClosedError" in again
    assert {"Throttling", "SlowDown"} & set(again)
    assert sum(again.values()) <= front.throttled + front.dropped
    for path in journals:
        entries = [json.loads(line)["entry"] for line in path.read_text().splitlines()]
        assert entries[0] == "drill"
        assert set(entries[1:-1]) <= {"making", "plan", "retry"}
        assert entries[-1] == "back"
    printed = [text for each in told for text in each]
    assert not re.search(r"A[KS]IA[A-Z0-9]{12}", "".join(printed))
    for text in (*printed, *(path.read_text() for path in journals)):
        assert "ASIA" not in text  # a journal names the long-term key that it deactivates, to put it back
        assert sts_cloud.admin.secret_access_key not in text


def test_killed_before_any_step_each_is_rolled_back(sts_cloud: Cloud, tmp_path: Path) -> None:
    before, access = world_of(sts_cloud), Access.open(sts_cloud.admin.session())
    met: set[tuple[Any, ...]] = set()
    for name in LIVE:
        scenario = replace(load_scenario(name), probes=("s3.list_buckets",), denials=1)
        for number, act in enumerate(scenario.acts, start=1):
            done = tuple((one.verb, *sorted(map(str, one.parameters.values()))) for one in scenario.acts[:number])
            if act.verb in SEEING or done in met:
                continue  # what it has done leaves nothing behind, or a scenario before began in the same way
            met.add(done)
            with Journal.create(tmp_path / f"{name}{number}") as journal, suppress(Killed):
                ground = Mortal(access, scenario, clock=sts_cloud.clock, journal=journal, steps=number)
                assert play(scenario, ground).passed
                assert number == len(scenario.acts)
            with Journal.open(tmp_path / f"{name}{number}") as journal:
                assert roll_back(journal, access) == ()
            assert world_of(sts_cloud) == before, (name, number)
    assert len(met) > 25


class Mortal(LiveAccount):
    """An account on which a drill dies after so many steps, without a chance to put anything back."""

    def __init__(self, access: Access, scenario: Scenario, *, steps: int, **more: Any) -> None:
        super().__init__(access, scenario, switch=KillSwitch(), propagation=0.0, **more)
        self._steps = steps
        self._dead = False
        self._places = {act.place for act in scenario.acts}

    def before(self, step: str) -> None:
        self._steps -= step in self._places
        self._dead = self._dead or self._steps < 0
        if self._dead:
            raise Killed

    def restoring(self) -> None:
        if self._dead:
            raise Killed
