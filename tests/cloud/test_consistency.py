"""With `consistency` a change is seen late: not at first, then now and then, at last for good; the seed decides when."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.consistency import Consistency, Propagation
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DELAY = 1000.0
DENY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'


class Standing(SimulatedClock):
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._start = super().now()

    def now(self) -> Any:
        return self._start + self._offset


def looks(seed: int, *, every: float = 10.0) -> list[str]:
    clock = Standing()
    propagation = Propagation(Consistency(DELAY, seed), clock)
    propagation.note({"fact": "old"}, {"fact": "new"})
    seen = []
    for _ in range(int(DELAY / every) + 1):
        seen.append(propagation.seen("fact", "new"))
        clock.advance(every)
    return seen


@pytest.mark.parametrize("seed", range(6))
def test_change_is_late_then_flaps_then_settles(seed: int) -> None:
    seen = looks(seed)
    first, last = seen.index("new"), len(seen) - seen[::-1].index("old")
    assert first * 10 >= DELAY * 0.05
    assert last * 10 <= DELAY
    assert set(seen[first:last]) == {"old", "new"}
    assert set(seen[last:]) == {"new"}


def test_seed_decides() -> None:
    assert looks(3) == looks(3)
    assert looks(3) != looks(4)


def test_facts_that_did_not_change_and_changes_that_settled_cost_nothing() -> None:
    clock = Standing()
    propagation = Propagation(Consistency(DELAY), clock)
    propagation.note({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    assert [propagation.seen(key, "now") for key in "abc"] == ["now", 2, None]
    propagation.note({"b": 3}, {"b": 5})
    assert propagation.seen("b", 5) == 2
    clock.advance(DELAY)
    assert [propagation.seen(key, "now") for key in "abc"] == ["now", "now", "now"]
    assert not propagation._changes  # noqa: SLF001 - that it forgets is the point


@pytest.mark.parametrize("value", ["", "soon", "-1", "1:x", -1, float("nan"), float("inf"), True, [1]])
def test_delay_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError):
        Consistency.of(value)


def test_ways_to_write_a_delay() -> None:
    assert Consistency.of("30:7") == Consistency(30, 7)
    assert Consistency.of("2.5") == Consistency.of(2.5) == Consistency(2.5)
    assert Consistency.of(0) is Consistency.of(None) is None
    assert Consistency.of(Consistency(1, 2)) == Consistency(1, 2)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(consistency=f"{DELAY}:1") as cloud:
        yield cloud


def outcome(call: Callable[..., Any], **parameters: Any) -> str:
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


def test_stolen_session_lives_on_until_the_revocation_has_spread(cloud: Cloud) -> None:
    sts = cloud.client("sts")
    stolen = cloud.credentials_of(
        sts.assume_role(RoleArn=cloud.role_arn("A4L-DataRole"), RoleSessionName="stolen")["Credentials"]
    )
    s3 = stolen.session().client("s3")
    cloud.client("iam").put_role_policy(RoleName="A4L-DataRole", PolicyName="deny", PolicyDocument=DENY)
    assert cloud.client("iam").get_role_policy(RoleName="A4L-DataRole", PolicyName="deny")["PolicyName"] == "deny"
    seen = []
    for _ in range(40):
        seen.append(outcome(s3.list_buckets))
        cloud.clock.advance(DELAY / 40)
    assert seen[0] == "allowed"
    assert seen[-1] == "AccessDenied"
    turns = sum(one != other for one, other in pairwise(seen))
    assert turns > 1


def test_new_user_and_key_are_unknown_at_first(cloud: Cloud) -> None:
    from pytest_stsguard.cloud import Credentials

    iam = cloud.client("iam")
    iam.create_user(UserName="late")
    key = iam.create_access_key(UserName="late")["AccessKey"]
    sts = cloud.client("sts", Credentials(key["AccessKeyId"], key["SecretAccessKey"], origin=cloud))
    assert outcome(sts.get_caller_identity) == "InvalidClientTokenId"
    cloud.clock.advance(DELAY)
    assert outcome(sts.get_caller_identity) == "allowed"
    iam.update_access_key(UserName="late", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert outcome(sts.get_caller_identity) == "allowed"
    cloud.clock.advance(DELAY)
    assert outcome(sts.get_caller_identity) == "InvalidClientTokenId"


def test_role_that_is_deleted_goes_on_for_a_while(cloud: Cloud) -> None:
    iam, role = cloud.client("iam"), cloud.role_arn("A4L-DataRole")
    sts = cloud.client("sts")
    iam.delete_role_policy(RoleName="A4L-DataRole", PolicyName="A4L-DataRoleAccess")
    iam.delete_role(RoleName="A4L-DataRole")
    assert outcome(sts.assume_role, RoleArn=role, RoleSessionName="late") == "allowed"
    cloud.clock.advance(DELAY)
    assert outcome(sts.assume_role, RoleArn=role, RoleSessionName="late") == "AccessDenied"


def test_bucket_policy_and_organisation_are_late_too(cloud: Cloud) -> None:
    import json

    bucket, s3 = f"a4l-secrets-{cloud.account}", cloud.client("s3")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": deny}))
    assert outcome(s3.get_object, Bucket=bucket, Key="secret.txt") == "allowed"
    member = cloud.client("s3", cloud.administrator("222233334444"))
    organizations = cloud.client("organizations")
    organizations.create_organization()
    made = organizations.create_policy(Name="no", Type="SERVICE_CONTROL_POLICY", Description="d", Content=DENY)
    cloud.clock.advance(DELAY)
    organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId="222233334444")
    assert outcome(member.list_buckets) == "allowed"
    cloud.clock.advance(DELAY)
    assert outcome(s3.get_object, Bucket=bucket, Key="secret.txt") == "AccessDenied"
    assert outcome(member.list_buckets) == "AccessDenied"


@pytest.mark.stsguard_cloud(consistency=DELAY)
def test_marker(sts_cloud: Cloud) -> None:
    role = sts_cloud.role_arn("A4L-DataRole")
    before = sts_cloud.clock.now()
    sts_cloud.client("iam").put_role_policy(RoleName="A4L-DataRole", PolicyName="deny", PolicyDocument=DENY)
    answer = sts_cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="fresh")
    s3 = sts_cloud.credentials_of(answer["Credentials"]).session().client("s3")
    assert outcome(s3.list_buckets) == "allowed"
    assert sts_cloud.clock.now() - before < timedelta(seconds=DELAY)


def test_server_refuses_a_delay_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    from pytest_stsguard.cli import main

    kept = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("sys.argv", ["stsguard", "serve", "--port", "0", "--imds-port", "0", "--consistency", "soon"])
    with pytest.raises(SystemExit) as stopped:
        main()
    signal.signal(signal.SIGTERM, kept)
    assert stopped.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "`soon` is no delay for changes" in shown.err
