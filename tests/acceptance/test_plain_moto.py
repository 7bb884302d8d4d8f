"""The flagship regressions: what the gate shows, and what plain moto, with and without its own IAM, cannot show.

Each test states a fact of AWS against the simulated cloud, and then states that plain moto gets it wrong: if moto ever
learns one of them, the test says so.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from pytest_stsguard.revocation import older_sessions_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Cloud, Credentials

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/app"


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def plain_moto(trust: dict[str, Any] | None = None) -> Iterator[Any]:
    """Moto by itself, with a role `app` that may do everything, and a user's key with which to assume it."""
    with mock_aws():
        iam = boto3.client("iam", region_name=REGION)
        statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", **(trust or {})}
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=document(statement))
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName="app", PolicyName="all", PolicyDocument=document(allow))
        iam.create_user(UserName="someone")
        iam.put_user_policy(UserName="someone", PolicyName="all", PolicyDocument=document(allow))
        key = iam.create_access_key(UserName="someone")["AccessKey"]
        yield boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)


def assume(session: Any, **parameters: Any) -> boto3.Session:
    answer = session.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="session", **parameters)["Credentials"]
    return boto3.Session(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], region_name=REGION)


def outcome(call: Callable[[], Any]) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


def enforced(call: Callable[[], str]) -> str:
    """Make a call with moto's own IAM enforcement on."""
    return str(set_initial_no_auth_action_count(0)(call)())


def revoke_in_moto(session: Any) -> None:
    session.client("iam").put_role_policy(
        RoleName="app",
        PolicyName="AWSRevokeOlderSessions",
        PolicyDocument=json.dumps(older_sessions_document(datetime.now(UTC) - timedelta(minutes=1))),
    )


def test_stolen_session_is_denied_while_a_fresh_one_is_allowed(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen = sts_assume_role("A4L-DataRole", session_name="stolen")
    sts_revoke("A4L-DataRole")
    fresh = sts_assume_role("A4L-DataRole", session_name="fresh")
    assert outcome(stolen.session().client("s3").list_buckets) == "AccessDenied"
    assert outcome(fresh.session().client("s3").list_buckets) == "allowed"


def test_plain_moto_allows_a_revoked_session() -> None:
    with plain_moto() as someone:
        stolen = assume(someone)
        revoke_in_moto(someone)
        assert outcome(stolen.client("s3").list_buckets) == "allowed"


def test_plain_moto_with_its_own_iam_denies_the_fresh_session_too() -> None:
    with plain_moto() as someone:
        revoke_in_moto(someone)
        # The cutoff is a minute ago: a session made now is fresh.
        assert enforced(lambda: outcome(assume(someone).client("s3").list_buckets)) == "AccessDenied"


def test_expired_session_is_refused(sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]) -> None:
    session = sts_assume_role("A4L-DataRole", DurationSeconds=900).session()
    sts_cloud.clock.advance(901)
    assert outcome(session.client("s3").list_buckets) == "ExpiredToken"
    assert outcome(session.client("dynamodb").list_tables) == "ExpiredTokenException"


def test_plain_moto_takes_an_expired_session() -> None:
    from moto.sts.models import sts_backends

    with plain_moto() as someone:
        session = assume(someone)
        (role,) = sts_backends["123456789012"]["aws"].assumed_roles
        role.expiration = datetime(2000, 1, 1)  # noqa: DTZ001 - as moto keeps it
        assert enforced(lambda: outcome(session.client("s3").list_buckets)) == "allowed"


@pytest.fixture
def guarded(sts_cloud: Cloud) -> Callable[[dict[str, Any]], str]:
    """Make a role that asks for an ExternalId by `condition`, and give its name."""

    def make(condition: dict[str, Any]) -> str:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{sts_cloud.account}:user/stsguard-administrator"},
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }
        sts_cloud.client("iam").create_role(RoleName="guarded", AssumeRolePolicyDocument=document(statement))
        return "guarded"

    return make


EQUALS = {"StringEquals": {"sts:ExternalId": "Unique-42"}}
LIKE = {"StringLike": {"sts:ExternalId": "Unique-*"}}


@pytest.mark.parametrize(
    ("condition", "given", "expected"),
    [
        (EQUALS, {}, "AccessDenied"),
        (EQUALS, {"ExternalId": "wrong"}, "AccessDenied"),
        (EQUALS, {"ExternalId": "unique-42"}, "AccessDenied"),
        (EQUALS, {"ExternalId": "Unique-42"}, "allowed"),
        (LIKE, {}, "AccessDenied"),
        (LIKE, {"ExternalId": "Unique-"}, "allowed"),
        (LIKE, {"ExternalId": "Unique-7"}, "allowed"),
        (LIKE, {"ExternalId": "7-Unique-7"}, "AccessDenied"),
    ],
)
def test_external_id_is_enforced(
    sts_assume_role: Callable[..., Credentials],
    guarded: Callable[[dict[str, Any]], str],
    condition: dict[str, Any],
    given: dict[str, str],
    expected: str,
) -> None:
    role = guarded(condition)
    assert outcome(lambda: sts_assume_role(role, **given)) == expected


@pytest.mark.parametrize("condition", [EQUALS, LIKE])
def test_plain_moto_assumes_a_role_without_its_external_id(condition: dict[str, Any]) -> None:
    with plain_moto(trust={"Condition": condition}) as someone:
        assert enforced(lambda: outcome(lambda: assume(someone))) == "allowed"


def test_json_service_denies_with_its_own_error(sts_cloud: Cloud) -> None:
    developer = sts_cloud.user_credentials("a4l-developer").session()
    assert outcome(developer.client("dynamodb").list_tables) == "AccessDeniedException"


def test_ec2_denies_with_its_own_error(sts_cloud: Cloud) -> None:
    developer = sts_cloud.user_credentials("a4l-developer").session()
    assert outcome(developer.client("ec2").describe_instances) == "UnauthorizedOperation"


def test_plain_moto_answers_a_json_service_with_xml() -> None:
    with plain_moto() as someone:
        iam = someone.client("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        nobody = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
        assert enforced(lambda: outcome(nobody.client("dynamodb").list_tables)) != "AccessDeniedException"
