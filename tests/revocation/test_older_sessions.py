"""Revoking older sessions: exactly the console's policy, never weaker than what is there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.revocation import POLICY_NAME, cutoff_of, older_sessions_document, revoke

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Cloud

ROLE = "A4L-DataRole"


def held(cloud: Cloud, name: str = POLICY_NAME) -> dict[str, Any]:
    document = cloud.client("iam").get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
    assert isinstance(document, dict)
    return document


def put(cloud: Cloud, document: dict[str, Any]) -> None:
    cloud.client("iam").put_role_policy(RoleName=ROLE, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(document))


def test_document_is_the_consoles(sts_cloud: Cloud) -> None:
    cutoff = datetime(2022, 2, 16, 1, 36, 0, 138_999, tzinfo=UTC)
    revocation = revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock, cutoff=cutoff)
    assert held(sts_cloud) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": ["*"],
                "Resource": ["*"],
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2022-02-16T01:36:00.139Z"}},
            }
        ],
    }
    assert revocation.cutoff == cutoff.replace(microsecond=139_000)
    assert revocation.safe_removal == revocation.cutoff + timedelta(hours=12)


def test_cutoff_defaults_to_now_and_the_clock_moves_past_it(sts_cloud: Cloud) -> None:
    before = sts_cloud.clock.now()
    revocation = revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock)
    after = sts_cloud.clock.now()
    assert before - timedelta(milliseconds=1) <= revocation.cutoff <= after
    assert after.replace(microsecond=0) >= revocation.cutoff


def test_given_cutoff_in_the_future_does_not_wait_for_it(sts_cloud: Cloud) -> None:
    cutoff = sts_cloud.clock.now() + timedelta(seconds=30)
    revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock, cutoff=cutoff)
    assert sts_cloud.clock.now() < cutoff


def test_later_cutoff_that_is_there_stays(sts_cloud: Cloud) -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    put(sts_cloud, older_sessions_document(later))
    revocation = revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock, cutoff=later - timedelta(days=1))
    assert revocation.cutoff == later
    assert cutoff_of(held(sts_cloud)) == later
    assert revocation.previous == older_sessions_document(later)


def test_earlier_cutoff_that_is_there_is_moved_forward(sts_cloud: Cloud) -> None:
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    put(sts_cloud, older_sessions_document(earlier))
    revocation = revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock, cutoff=earlier + timedelta(days=1))
    assert cutoff_of(held(sts_cloud)) == revocation.cutoff == earlier + timedelta(days=1)


def test_another_policy_under_the_name_is_not_overwritten(sts_cloud: Cloud) -> None:
    other = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    put(sts_cloud, other)
    with pytest.raises(InputError, match="does something else"):
        revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock)
    assert held(sts_cloud) == other


def test_removal_leaves_the_role_as_it_was(sts_cloud: Cloud) -> None:
    iam = sts_cloud.client("iam")
    before = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    revoke(iam, ROLE, clock=sts_cloud.clock).remove()
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == before


def test_role_may_be_named_by_its_arn(sts_cloud: Cloud) -> None:
    assert revoke(sts_cloud.client("iam"), sts_cloud.role_arn(ROLE), clock=sts_cloud.clock).role == ROLE


@pytest.mark.parametrize(
    ("role", "words"),
    [("nobody", "no role `nobody`"), ("AWSReservedSSO_Admin_1", "IAM Identity Center"), ("linked", "service-linked")],
)
def test_role_that_cannot_be_revoked_is_refused_with_the_reason(sts_cloud: Cloud, role: str, words: str) -> None:
    iam = sts_cloud.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    if role != "nobody":
        path = "/aws-service-role/support.amazonaws.com/" if role == "linked" else "/"
        iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=json.dumps(trust))
    with pytest.raises(InputError, match=words):
        revoke(iam, role, clock=sts_cloud.clock)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "wishful-thinking"}, "unknown revocation method `wishful-thinking`"),
        ({"moment": 1}, "takes no `moment`"),
        ({"cutoff": datetime(2026, 1, 1)}, "has no time zone"),  # noqa: DTZ001 - the fault in question
    ],
)
def test_wrong_use_is_refused(sts_cloud: Cloud, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        revoke(sts_cloud.client("iam"), ROLE, clock=sts_cloud.clock, **settings)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them naive
def test_cutoff_is_read_back_to_the_millisecond(cutoff: datetime) -> None:
    read = cutoff_of(older_sessions_document(cutoff))
    assert read == cutoff.replace(microsecond=cutoff.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    "document",
    [
        "no JSON",
        {},
        {"Version": "2012-10-17", "Statement": []},
        {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}},
    ],
)
def test_other_documents_have_no_cutoff(document: Any) -> None:
    assert cutoff_of(document) is None


@pytest.mark.parametrize(
    "moment", ["1644975360", "2022-02-16T01:36Z", "2022-02-16T01:36:00+00:00", "2022-02-16T01:36:00"]
)
def test_cutoff_is_read_in_every_form(moment: str) -> None:
    condition = {"DateLessThan": {"AWS:tokenissuetime": moment}}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": statement}
    assert cutoff_of(document) == datetime(2022, 2, 16, 1, 36, tzinfo=UTC)
