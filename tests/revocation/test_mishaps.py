"""What goes wrong around a revocation: clocks that differ, full disks, quotas, names used anew, two runners, lost permissions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.asserts import assert_allowed, assert_denied
from pytest_stsguard.errors import InputError
from pytest_stsguard.revocation import Campaign, Journal, cutoff_of, revoke
from pytest_stsguard.revocation.document import rounded
from pytest_stsguard.revocation.lock import locked
from pytest_stsguard.revocation.service_time import ServiceClock, measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud

STSGUARD = str(Path(sys.executable).with_name("stsguard"))
ROLE, NAME = "A4L-DataRole", "AWSRevokeOlderSessions"
TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def run(cloud: Cloud, url: str, folder: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **cloud.admin.environ, "AWS_ENDPOINT_URL": url}
    command = ["bash", "-c", f'{before} exec "$0" "$@"', STSGUARD, *arguments]
    return subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def held(cloud: Cloud) -> Any:
    iam = cloud.client("iam")
    names = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    return iam.get_role_policy(RoleName=ROLE, PolicyName=NAME)["PolicyDocument"] if NAME in names else None


def test_cutoff_goes_by_the_time_of_aws(
    sts_cloud: Cloud, faults: Callable[..., Any], sts_assume_role: Callable[..., Any], tmp_path: Path
) -> None:
    front = faults()
    front.ahead = 120.0
    sts_cloud.clock.advance(120)  # our machine is behind
    stolen = sts_assume_role(ROLE)
    assert_allowed(stolen, "s3.list_buckets")
    done = run(sts_cloud, front.url, tmp_path, "revoke", ROLE, "--apply", "--account", sts_cloud.account)
    assert done.returncode == 0, done.stderr
    assert "clock is 12" in done.stderr
    assert "behind AWS: its time is used" in done.stderr
    assert_denied(stolen, "s3.list_buckets")
    sts_cloud.clock.advance(5)
    assert_allowed(sts_assume_role(ROLE), "s3.list_buckets")


def test_difference_that_whole_seconds_and_the_way_explain_is_none() -> None:
    def answer_of(seconds: float) -> Callable[[], Any]:
        date = datetime.now(UTC) + timedelta(seconds=seconds)
        headers = {"date": f"{date:%a, %d %b %Y %H:%M:%S GMT}"}
        return lambda: {"ResponseMetadata": {"HTTPHeaders": headers}}

    assert measured(answer_of(0))[1] == timedelta()
    assert measured(dict)[1] == timedelta()
    assert measured(lambda: {"ResponseMetadata": {"HTTPHeaders": {"date": "soon"}}})[1] == timedelta()
    for seconds in (-90, 90):
        _, offset = measured(answer_of(seconds))
        # At the latest that it can be: a second more, for the answer has whole ones.
        assert timedelta(seconds=seconds) < offset + timedelta(seconds=0.001) <= timedelta(seconds=seconds + 1.1)
        assert abs(ServiceClock(offset).now() - datetime.now(UTC) - offset) < timedelta(seconds=1)
    assert "90 s ahead of AWS" in ServiceClock(timedelta(seconds=-90)).told
    assert ServiceClock().told == ""


@pytest.mark.parametrize("microsecond", [0, 1, 700, 999, 1000, 999_001, 999_999])
def test_cutoff_is_never_before_the_moment_that_is_meant(microsecond: int) -> None:
    moment = datetime(2026, 11, 20, 12, 0, 0, microsecond, tzinfo=UTC)
    kept = rounded(moment)
    assert timedelta() <= kept - moment < timedelta(milliseconds=1)
    assert kept.microsecond % 1000 == 0
    assert rounded(datetime.max.replace(tzinfo=UTC)) <= datetime.max.replace(tzinfo=UTC)


def test_session_of_the_second_in_which_it_is_revoked_is_denied(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Any]
) -> None:
    """Issue times have whole seconds: a session may be a second older by its issue time than it is."""
    stolen = sts_assume_role(ROLE)
    issued = sts_cloud.clock.now().replace(microsecond=0)
    just_after = issued + timedelta(microseconds=400)  # as if it were revoked at once
    revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock, cutoff=max(just_after, rounded(just_after)))
    assert_denied(stolen, "s3.list_buckets")


def test_journal_on_a_full_disk_stops_before_the_change_and_is_whole(
    sts_cloud: Cloud, faults: Callable[..., Any], tmp_path: Path
) -> None:
    front = faults()
    front.on_write = lambda number, when: written.append(number)
    written: list[int] = []
    names = [f"role-{number}" for number in range(8)]
    for name in names:
        sts_cloud.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        )
    options = ("--apply", "--account", sts_cloud.account, "--journal", "j", "--rate", "1000", "--jobs", "1")
    done = run(sts_cloud, front.url, tmp_path, "revoke", *names, *options, before="ulimit -f 4;")
    assert done.returncode == 2
    assert "`j` cannot be written: file too large" in done.stdout
    assert "Traceback" not in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]
    intents = [one["target"] for one in lines if one["entry"] == "intent"]
    assert 0 < len(intents) < len(names)
    assert len(written) / 2 == len(intents)  # heard before and after each
    done = run(sts_cloud, front.url, tmp_path, "revoke", "--resume", "--journal", "j")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("revoked") == len(names)


def test_quota_is_told_with_other_ways(sts_cloud: Cloud, faults: Callable[..., Any], tmp_path: Path) -> None:
    front = faults()
    said = "Maximum policy size of 10240 bytes exceeded for role A4L-DataRole"
    front.refuse = {b"Action=PutRolePolicy": ("LimitExceeded", said)}
    done = run(sts_cloud, front.url, tmp_path, "revoke", ROLE, "--apply", "--account", sts_cloud.account)
    assert done.returncode == 2
    assert f"there is no room for `role-policy {ROLE} {NAME}`: {said}" in done.stdout
    assert "take method `boundary` or `scp`" in done.stdout
    assert held(sts_cloud) is None
    assert front.calls < 10  # a quota does not pass: it is not tried again


def test_role_that_was_made_anew_is_left_alone(sts_cloud: Cloud, tmp_path: Path) -> None:
    iam, trust = sts_cloud.client("iam"), json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})

    def make() -> None:
        iam.create_role(RoleName="same", AssumeRolePolicyDocument=trust)
        iam.put_role_policy(
            RoleName="same",
            PolicyName="Access",
            PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
            ),
        )

    make()
    with Journal.create(tmp_path / "j") as journal:
        campaign = Campaign(journal, sts_cloud.client, clock=sts_cloud.clock)
        (outcome,) = campaign.begin(["same"], method="remove-permissions", account=sts_cloud.account)
        assert outcome.error is None
        iam.delete_role(RoleName="same")
        (gone,) = campaign.roll_back(account=sts_cloud.account)
        assert "NoSuchEntity" in str(gone.error)
        make()
        iam.delete_role_policy(RoleName="same", PolicyName="Access")
        (refused,) = campaign.roll_back(account=sts_cloud.account)
        assert "was deleted and made anew since" in str(refused.error)
        assert not campaign.settled
    assert iam.list_role_policies(RoleName="same")["PolicyNames"] == []
    revocation = revoke(iam, "same", clock=sts_cloud.clock)
    iam.delete_role_policy(RoleName="same", PolicyName=NAME)
    iam.delete_role(RoleName="same")
    make()
    with pytest.raises(InputError, match="made anew"):
        revocation.remove()


def test_two_runners_never_leave_the_earlier_cutoff(
    sts_cloud: Cloud, faults: Callable[..., Any], tmp_path: Path
) -> None:
    """The second is started while the first, which began earlier, is about to write; it waits, and the later one counts."""
    front, second = faults(), list[subprocess.Popen[str]]()
    options = ("--apply", "--account", sts_cloud.account)
    environ = {**os.environ, **sts_cloud.admin.environ, "AWS_ENDPOINT_URL": sts_cloud.serve().url}
    asked = len(sts_cloud.trail.records())

    def begin(number: int, when: str) -> None:
        if when == "before" and not second:
            second.append(
                subprocess.Popen(
                    [STSGUARD, "revoke", ROLE, *options], env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True
                )
            )
            while len(sts_cloud.trail.records()) < asked + 4 and second[0].poll() is None:
                pass  # until it has reached AWS; then it stands before the lock

    front.on_write = begin
    first = run(sts_cloud, front.url, tmp_path, "revoke", ROLE, *options)
    output, _ = second[0].communicate(timeout=60)
    assert (first.returncode, second[0].returncode) == (0, 0)
    told = [text.partition("issued before ")[2].partition(";")[0] for text in (first.stdout, output)]
    cutoff = cutoff_of(held(sts_cloud))
    assert cutoff == max(datetime.fromisoformat(one) for one in told)


def test_lock_is_let_go_with_its_holder_and_refused_to_others(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from pytest_stsguard.revocation.lock import locked\n"
        "with locked('1/role', folder=Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with locked("1/other", folder=tmp_path, seconds=0):
        pass
    with (
        pytest.raises(InputError, match="`1/role` is being changed by another run"),
        locked("1/role", folder=tmp_path, seconds=0),
    ):
        pass
    holder.kill()
    holder.communicate()
    with locked("1/role", folder=tmp_path, seconds=10):
        pass
    with pytest.raises(InputError, match="cannot be written"), locked("1/role", folder=tmp_path / "nowhere"):
        pass


def test_permission_that_is_lost_midway_is_told_and_can_be_gone_on_with(sts_cloud: Cloud, tmp_path: Path) -> None:
    iam = sts_cloud.client("iam")
    iam.create_user(UserName="runner")

    def may(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="runner", PolicyName="p", PolicyDocument=text)

    session = sts_cloud.user_credentials("runner").session()
    with Journal.create(tmp_path / "j") as journal:
        campaign = Campaign(journal, session.client, clock=sts_cloud.clock)
        may("iam:Get*")
        (outcome,) = campaign.begin([ROLE], method="older-sessions", account=sts_cloud.account)
        assert outcome.error is not None
        assert outcome.error.exit_code == 3
        assert "AccessDenied" in str(outcome.error)
        assert not campaign.settled
        assert held(sts_cloud) is None
        may("iam:Get*", "iam:PutRolePolicy")
        (outcome,) = campaign.resume(account=sts_cloud.account)
        assert outcome.error is None
        assert held(sts_cloud) is not None
        (outcome,) = campaign.roll_back(account=sts_cloud.account)
        assert "DeleteRolePolicy" in str(outcome.error)
        assert held(sts_cloud) is not None


def test_grant_of_a_resource_to_the_session_itself_does_not_survive_the_deny(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Any]
) -> None:
    stolen = sts_assume_role(ROLE, session_name="thief")
    s3 = sts_cloud.client("s3")
    s3.create_bucket(Bucket="granting")
    arn = f"arn:aws:sts::{sts_cloud.account}:assumed-role/{ROLE}/thief"
    grant = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:*", "Resource": "arn:aws:s3:::granting"}
    s3.put_bucket_policy(Bucket="granting", Policy=json.dumps({"Version": "2012-10-17", "Statement": [grant]}))
    sts_cloud.client("iam").delete_role_policy(RoleName=ROLE, PolicyName=f"{ROLE}Access")
    probe = "s3.list_objects_v2 Bucket=granting"
    assert_allowed(stolen, probe)  # it needs nothing of its role
    revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock)
    assert_denied(stolen, probe)


@pytest.mark.parametrize(
    "change",
    [
        {"Action": None, "NotAction": ["s3:*"]},
        {"Resource": None, "NotResource": ["arn:aws:s3:::spared/*"]},
        {"Condition": {"Null": {"aws:TokenIssueTime": "false"}}},
        {"Condition": {"DateLessThanIfExists": {"aws:TokenIssueTime": "2100-01-01T00:00:00Z"}}},
        {
            "Condition": {
                "DateLessThan": {"aws:TokenIssueTime": "2100-01-01T00:00:00Z"},
                "Bool": {"aws:SecureTransport": "false"},
            }
        },
    ],
)
def test_deny_that_only_looks_like_a_later_cutoff_is_not_taken_for_one(
    sts_cloud: Cloud, change: dict[str, Any]
) -> None:
    condition = {"DateLessThan": {"aws:TokenIssueTime": "2100-01-01T00:00:00Z"}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition} | change
    document = {"Version": "2012-10-17", "Statement": [{key: value for key, value in statement.items() if value}]}
    sts_cloud.client("iam").put_role_policy(RoleName=ROLE, PolicyName=NAME, PolicyDocument=json.dumps(document))
    with pytest.raises(InputError, match="does something else than revoke older sessions"):
        revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock)
    assert held(sts_cloud) == document
