"""A set of targets, journalled: killed at any point, it is finished or taken back, and nothing is half done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.errors import InputError
from pytest_stsguard.revocation import Campaign, Journal, cutoff_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud

ROLES = ("A4L-DataRole", "A4L-InstanceRole")
NAME = "AWSRevokeOlderSessions"


class Killed(BaseException):
    """Stands for the end of the process: nothing in between catches it."""


class Mortal(Journal):
    """A journal whose process dies before or after a given write."""

    limit = 10**9
    after = False

    def write(self, entry: str, **members: Any) -> None:
        self.limit -= 1
        if self.limit < 0 and not self.after:
            raise Killed
        super().write(entry, **members)
        if self.limit < 0:
            raise Killed


def state_of(cloud: Cloud) -> list[Any]:
    """What the roles carry, to the letter."""
    iam = cloud.client("iam")
    found: list[Any] = [[one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]]]
    for role in ROLES:
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        found.append([role, iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary"), names, documents])
    return found


def shape_of(cloud: Cloud) -> list[Any]:
    """The same, without what holds a moment."""
    policies, *roles = state_of(cloud)
    return [policies, *(role[:3] for role in roles)]


def campaign(journal: Journal, cloud: Cloud, **settings: Any) -> Campaign:
    return Campaign(journal, cloud.client, clock=cloud.clock, jobs=1, **settings)


def writes_of(cloud: Cloud, path: Path, method: str, targets: tuple[str, ...] = ROLES) -> int:
    with Journal.create(path) as journal:
        campaign(journal, cloud).begin(targets, method=method, account=cloud.account)
        return sum(1 for _ in journal.entries())


@pytest.mark.parametrize(
    ("method", "way", "targets"),
    [("older-sessions", "resume", ROLES[:1]), ("boundary", "resume", ROLES[:1]), ("boundary", "roll_back", ROLES[:1])],
)
def test_killed_at_any_step_it_is_finished_or_taken_back(
    sts_cloud: Cloud, tmp_path: Path, method: str, way: str, targets: tuple[str, ...]
) -> None:
    before, shape_before = state_of(sts_cloud), shape_of(sts_cloud)
    whole = tmp_path / "whole"
    count = writes_of(sts_cloud, whole, method, targets)
    shape_done = shape_of(sts_cloud)
    with Journal.open(whole) as journal:
        assert campaign(journal, sts_cloud).settled
        campaign(journal, sts_cloud).roll_back(account=sts_cloud.account)
    assert state_of(sts_cloud) == before
    for kill in range(count):
        for after in (False, True):
            path = tmp_path / f"{kill}{after}"
            with Mortal.create(path) as journal:
                journal.limit, journal.after = kill, after
                with pytest.raises(Killed):
                    campaign(journal, sts_cloud).begin(targets, method=method, account=sts_cloud.account)
            check_continuation(sts_cloud, path, way, shape_done if way == "resume" else shape_before)
            assert state_of(sts_cloud) == before


def check_continuation(cloud: Cloud, path: Path, way: str, expected: list[Any]) -> None:
    """Go on twice, then take everything back."""
    with Journal.open(path) as journal:
        begun = campaign(journal, cloud)
        if not any(journal.entries()):
            with pytest.raises(InputError, match="nothing had begun"):
                begun.resume(account=cloud.account)
            return
        for _ in range(2):
            assert not any(one.error for one in getattr(begun, way)(account=cloud.account))
            assert shape_of(cloud) == expected
            assert begun.settled
        begun.roll_back(account=cloud.account)
        with pytest.raises(InputError, match="rollback"):
            begun.resume(account=cloud.account)


def test_line_cut_off_at_any_byte_is_dropped(sts_cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    writes_of(sts_cloud, path, "older-sessions")
    text = path.read_bytes()
    *whole, last = text.splitlines(keepends=True)
    for length in range(len(last)):
        path.write_bytes(b"".join(whole) + last[:length])
        with Journal.open(path) as journal:
            assert sum(1 for _ in journal.entries()) == len(whole)
        assert path.read_bytes() == b"".join(whole)


def test_damaged_line_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text('{"entry":"set"}\n{"entry":\n{"entry":"end"}\n')
    with pytest.raises(InputError, match="journal:2: is no entry"):
        Journal.open(path)


def test_journal_is_never_written_over_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal.create(path) as journal:
        journal.write("set")
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="exists"):
        Journal.create(path)
    with pytest.raises(InputError, match="cannot be read"):
        Journal.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match="cannot be written"):
        Journal.create(tmp_path / "nowhere" / "journal")


def test_all_targets_share_one_cutoff_and_an_error_stops_no_other(sts_cloud: Cloud, tmp_path: Path) -> None:
    with Journal.create(tmp_path / "journal") as journal:
        outcomes = campaign(journal, sts_cloud).begin(
            ["nobody", *ROLES], method="older-sessions", account=sts_cloud.account
        )
        assert [one.error is None for one in outcomes] == [False, True, True]
        assert not campaign(journal, sts_cloud).settled
    iam = sts_cloud.client("iam")
    documents = [iam.get_role_policy(RoleName=role, PolicyName=NAME)["PolicyDocument"] for role in ROLES]
    assert len({cutoff_of(document) for document in documents}) == 1


def test_what_somebody_else_changed_is_left_alone(sts_cloud: Cloud, tmp_path: Path) -> None:
    iam = sts_cloud.client("iam")
    with Journal.create(tmp_path / "journal") as journal:
        running = campaign(journal, sts_cloud)
        running.begin(ROLES, method="older-sessions", account=sts_cloud.account)
        other = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=ROLES[0], PolicyName=NAME, PolicyDocument=json.dumps(other))
        outcomes = running.roll_back(account=sts_cloud.account)
        assert [bool(one.error) for one in outcomes] == [True, False]
        assert "changed by somebody else" in str(outcomes[0].error)
        assert not running.settled
    assert iam.get_role_policy(RoleName=ROLES[0], PolicyName=NAME)["PolicyDocument"] == other


def test_journal_of_another_account_is_refused(sts_cloud: Cloud, tmp_path: Path) -> None:
    with Journal.create(tmp_path / "journal") as journal:
        campaign(journal, sts_cloud).begin(ROLES, method="older-sessions", account="999999999999")
        with pytest.raises(InputError, match="is of account `999999999999`"):
            campaign(journal, sts_cloud).resume(account=sts_cloud.account)


def test_pace_is_kept_by_the_clock(sts_cloud: Cloud, tmp_path: Path) -> None:
    before = sts_cloud.clock.now()
    with Journal.create(tmp_path / "journal") as journal:
        campaign(journal, sts_cloud, rate=0.01).begin(ROLES, method="older-sessions", account=sts_cloud.account)
    assert (sts_cloud.clock.now() - before).total_seconds() >= 100
