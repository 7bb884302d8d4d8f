"""A drill on an account, which is the simulated cloud, reached by clients of this process."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.drill import Scenario, parse_scenario, play, shipped
from pytest_stsguard.drill.access import Access, check_account, check_role
from pytest_stsguard.drill.kill_switch import KillSwitch, WatchedClock
from pytest_stsguard.drill.live import LiveAccount
from pytest_stsguard.drill.rollback import roll_back
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError, InputError
from pytest_stsguard.revocation import Journal, runner_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill import Result

# Everything that a drill can make on an account, and little probing.
SCENARIO: dict[str, Any] = {
    "probes": ["s3.list_buckets"],
    "denials": 1,
    "warm_up": [
        {"act": "role", "name": "data"},
        {"act": "role", "name": "other", "trust": ["data"]},
        {"act": "trust", "role": "data", "principals": ["other"]},
        {"act": "user", "name": "developer", "allow": ["s3:ListAllMyBuckets", "sts:GetFederationToken"]},
    ],
    "theft": [
        {"act": "assume", "role": "data", "session": "stolen"},
        {"act": "key", "user": "developer", "session": "key", "side": "thief"},
        {"act": "federate", "by": "key", "session": "federated"},
    ],
    "containment": [
        {"act": "revoke", "target": "developer", "method": "deactivate-key"},
        {"act": "revoke", "target": "developer", "method": "user-sessions"},
        {"act": "expect", "session": "federated", "outcome": "denied"},
        {"act": "revoke", "target": "data"},
        {"act": "expect", "session": "stolen", "outcome": "denied"},
    ],
    "recovery": [
        {"act": "assume", "role": "data", "session": "fresh"},
        {"act": "expect", "session": "fresh", "outcome": "allowed"},
    ],
    "cleanup": [{"act": "clean-up"}],
}
WRITES = ("Create", "Put", "Update", "Delete")


class Killed(BaseException):
    """Stands for the end of the process: nothing in between catches it, and no call follows."""


def scenario(**changes: Any) -> Scenario:
    return parse_scenario(SCENARIO | changes, name="small")


def world_of(cloud: Cloud) -> str:
    kinds = ["Role", "User", "LocalManagedPolicy"]
    details = cloud.client("iam").get_account_authorization_details(Filter=kinds)
    details.pop("ResponseMetadata")
    return json.dumps(details, default=str, sort_keys=True)


def access_of(cloud: Cloud, credentials: Credentials | None = None, listener: Any = None) -> Access:
    found = Access.open((credentials or cloud.admin).session())
    return Access(found.session, found.account, found.arn, found.region, listener=listener)


def play_on(cloud: Cloud, access: Access, chosen: Scenario, *, journal: Journal | None = None, **more: Any) -> Result:
    switch = more.pop("switch", KillSwitch())
    ground = LiveAccount(access, chosen, clock=cloud.clock, switch=switch, journal=journal, propagation=0.0)
    return play(chosen, ground, **more)


def test_killed_at_any_write_nothing_is_left_after_the_rollback(sts_cloud: Cloud, tmp_path: Path) -> None:
    """Die before each call that changes something, and after it."""
    before, seen, kill = world_of(sts_cloud), 0, 10**9

    def listen(whose: str, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        nonlocal seen
        # The call after the nth write, or the next write itself: in turns, so that both sides are met.
        if seen >= kill and (kill % 2 or operation.startswith(WRITES)):
            raise Killed
        seen += operation.startswith(WRITES)

    access = access_of(sts_cloud, listener=listen)
    assert play_on(sts_cloud, access, scenario()).passed
    writes = seen
    assert writes > 20
    assert world_of(sts_cloud) == before
    for number in range(1, writes + 1):
        seen, kill, path = 0, number, tmp_path / str(number)
        with Journal.create(path) as journal, suppress(Killed):
            assert play_on(sts_cloud, access, scenario(), journal=journal).passed
            assert number == writes  # only the last one has nothing after it
        kill = 10**9
        for _ in range(1 + (number % 5 == 0)):
            with Journal.open(path) as journal:
                assert roll_back(journal, access) == ()
            assert world_of(sts_cloud) == before, number


def test_rollback_deletes_nothing_that_is_not_the_drills(sts_cloud: Cloud, tmp_path: Path) -> None:
    iam = sts_cloud.client("iam")
    with Journal.create(tmp_path / "j") as journal:
        ground = LiveAccount(
            access_of(sts_cloud), scenario(), clock=sts_cloud.clock, switch=KillSwitch(), journal=journal, propagation=0
        )
        ground.making("role", "A4L-DataRole")
        (left,) = roll_back(journal, access_of(sts_cloud))
    assert "is not this drill's" in left
    assert iam.get_role(RoleName="A4L-DataRole")
    with Journal.create(tmp_path / "other") as journal, pytest.raises(InputError, match="no journal of a drill"):
        roll_back(journal, access_of(sts_cloud))


def test_kill_switch_file_stops_before_the_next_step_and_all_is_put_back(sts_cloud: Cloud, tmp_path: Path) -> None:
    before, file = world_of(sts_cloud), tmp_path / "stop"

    def stop(step: Any) -> None:
        if step.action == "revoked":
            file.touch()

    switch = KillSwitch(file)
    result = play_on(sts_cloud, access_of(sts_cloud), scenario(), switch=switch, listener=stop)
    assert not result.passed
    assert "stopped by the kill switch: the file" in result.failures[0]
    assert [step.action for step in result.timeline].count("revoked") == 1
    assert world_of(sts_cloud) == before


def test_drill_whose_time_is_over_puts_everything_back(sts_cloud: Cloud) -> None:
    before, switch = world_of(sts_cloud), KillSwitch(limit=1e-9)
    result = play_on(sts_cloud, access_of(sts_cloud), scenario(), switch=switch)
    assert not result.passed
    assert "stopped by the kill switch: its time of 1e-09 s is over" in result.failures[0]
    assert world_of(sts_cloud) == before


@pytest.mark.parametrize(("offset", "failures"), [(120, 0), (0, 1)])
def test_drill_goes_by_the_time_of_aws(sts_cloud: Cloud, offset: int, failures: int) -> None:
    """A machine that is two minutes behind; without knowing it, it would revoke what was stolen before."""
    sts_cloud.clock.advance(120)
    switch, chosen = (
        KillSwitch(),
        scenario(warm_up=SCENARIO["warm_up"][:1], theft=SCENARIO["theft"][:1], containment=SCENARIO["containment"][3:]),
    )
    clock = WatchedClock(switch, timedelta(seconds=offset))
    ground = LiveAccount(access_of(sts_cloud), chosen, clock=clock, switch=switch, journal=None, propagation=0.0)
    result = play(chosen, ground)
    assert (len(result.failures) > 0) == failures
    assert all("to `stolen` was allowed, and denied was expected" in one for one in result.failures)


def test_account_must_be_named_and_must_not_manage_others(sts_cloud: Cloud) -> None:
    access = access_of(sts_cloud)
    for allowed in ((), ("999988887777",), (sts_cloud.account[:-1],)):
        with pytest.raises(ConfigurationError, match="is not to be changed by a drill"):
            check_account(access, allowed)
    check_account(access, (sts_cloud.account,))
    with pytest.raises(ConfigurationError, match="root user"):
        check_account(access_of(sts_cloud, sts_cloud.root()), (sts_cloud.account,))
    sts_cloud.client("organizations").create_organization(FeatureSet="ALL")
    with pytest.raises(ConfigurationError, match="is the management account"):
        check_account(access, (sts_cloud.account,))
    nobody = sts_cloud.user_credentials("a4l-developer")
    with pytest.raises(AwsUnavailableError, match="cannot be known"):
        check_account(access_of(sts_cloud, nobody), (sts_cloud.account,))


def test_role_that_exists_must_have_opted_in_and_be_untouched(sts_cloud: Cloud, sts_revoke: Callable[..., Any]) -> None:
    access, iam, now = access_of(sts_cloud), sts_cloud.client("iam"), sts_cloud.clock.now()
    with pytest.raises(InputError, match="there is no role `nobody`"):
        check_role(access, "nobody", now=now)
    with pytest.raises(InputError, match="did not opt in"):
        check_role(access, "A4L-DataRole", now=now)
    iam.tag_role(RoleName="A4L-DataRole", Tags=[{"Key": "stsguard-drill", "Value": "allowed"}])
    check_role(access, "A4L-DataRole", now=now)
    before = world_of(sts_cloud)
    chosen = parse_scenario(SCENARIO | {"warm_up": [{"act": "role", "name": "data"}], "theft": SCENARIO["theft"][:1],
                            "containment": SCENARIO["containment"][3:]}, name="named")  # fmt: skip
    result = play_on(sts_cloud, access, chosen, given={"data": "A4L-DataRole"})
    assert result.passed, result.failures
    assert world_of(sts_cloud) == before
    sts_revoke("A4L-DataRole")
    with pytest.raises(InputError, match="carries a revoke policy already"):
        check_role(access, "A4L-DataRole", now=now)


def test_what_a_drill_makes_is_marked_bounded_and_may_do_little(sts_cloud: Cloud) -> None:
    iam, seen = sts_cloud.client("iam"), []

    def look(step: Any) -> None:
        if step.action == "state" and step.detail == "warmed up":
            roles = iam.list_roles(PathPrefix="/stsguard-drill/")["Roles"]
            seen.extend(iam.get_role(RoleName=role["RoleName"])["Role"] for role in roles)
            seen.extend(iam.list_policies(Scope="Local", PathPrefix="/stsguard-drill/")["Policies"])

    powerful = [*SCENARIO["warm_up"][:1], {"act": "role", "name": "powerful", "allow": ["iam:*", "sts:*", "*"]}]
    attempt = {"act": "attempt", "session": "powerful", "call": "iam.create_user", "parameters": {"UserName": "x"}}
    chosen = scenario(
        warm_up=powerful,
        theft=[
            {"act": "assume", "role": "powerful", "session": "powerful"},
            {**attempt, "outcome": "denied"},
        ],
        containment=[],
        recovery=[],
    )
    result = play_on(sts_cloud, access_of(sts_cloud), chosen, listener=look)
    assert result.passed, result.failures
    *roles, policy = seen
    assert len(roles) == 2
    for role in roles:
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy["Arn"]
        assert [tag["Key"] for tag in role["Tags"]] == ["stsguard-drill"]
        assert role["RoleName"].endswith(role["Tags"][0]["Value"])


def test_shipped_scenarios_that_need_the_simulated_cloud_say_so(sts_cloud: Cloud) -> None:
    from pytest_stsguard.drill import load_scenario

    there = [name for name in shipped() if not load_scenario(name).simulated_only]
    assert len(there) >= 8
    with pytest.raises(ConfigurationError, match="in the simulated cloud only"):
        play_on(sts_cloud, access_of(sts_cloud), load_scenario("instance-credentials"))


def test_drill_runs_under_exactly_its_policy(sts_cloud: Cloud) -> None:
    iam = sts_cloud.client("iam")
    iam.create_user(UserName="runner")
    runner = sts_cloud.user_credentials("runner")
    statements = runner_policy("drill", account=sts_cloud.account)["Statement"]

    def passes(kept: list[Any]) -> bool:
        text = json.dumps({"Version": "2012-10-17", "Statement": kept})
        iam.put_user_policy(UserName="runner", PolicyName="least", PolicyDocument=text)
        try:
            access = access_of(sts_cloud, runner)
            check_account(access, (sts_cloud.account,))
        except AwsUnavailableError:
            return False
        result = play_on(sts_cloud, access, scenario())
        assert result.passed or "denied" in " ".join(result.failures) or "AccessDenied" in " ".join(result.failures)
        return result.passed

    assert passes(statements)
    for dropped in statements:
        assert not passes([one for one in statements if one is not dropped]), dropped["Sid"]
        for action in dropped["Action"][1:]:
            if len(dropped["Action"]) > 1 and action not in _FOR_TROUBLE:
                less = {**dropped, "Action": [one for one in dropped["Action"] if one != action]}
                assert not passes([less if one is dropped else one for one in statements]), action


_FOR_TROUBLE = {"iam:GetUser"}
