"""Theft of an assumed role: the permitted user assumes it, and its three values read the secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.asserts import assert_allowed
from pytest_stsguard.cloud import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials

pytestmark = pytest.mark.stsguard_drill


def test_permitted_user_assumes_the_role_and_reads_the_secret(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    credentials = sts_assume_role(DEMO.data_role, by=sts_cloud.user_credentials(DEMO.user))
    s3 = credentials.session().client("s3")
    bucket = DEMO.bucket_of(sts_cloud.account)
    assert [entry["Name"] for entry in s3.list_buckets()["Buckets"]] == [bucket]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [DEMO.secret_key]
    assert s3.get_object(Bucket=bucket, Key=DEMO.secret_key)["Body"].read().decode() == DEMO.secret


def test_principal_that_the_trust_policy_does_not_name_is_refused(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    sts_cloud.client("iam").create_user(UserName="stranger")
    with pytest.raises(ClientError, match="AccessDenied"):
        sts_assume_role(DEMO.data_role, by=sts_cloud.user_credentials("stranger"))


def test_instance_role_cannot_be_assumed_by_a_user(sts_assume_role: Callable[..., Credentials]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        sts_assume_role(DEMO.instance_role)


def test_user_without_the_role_cannot_read_the_secret(sts_cloud: Cloud) -> None:
    user = sts_cloud.user_credentials(DEMO.user).session().client("s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        user.get_object(Bucket=DEMO.bucket_of(sts_cloud.account), Key=DEMO.secret_key)


def test_temporary_credentials_work_until_they_expire(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    credentials = sts_assume_role(DEMO.data_role, DurationSeconds=900)
    sts_cloud.clock.advance(890)
    assert_allowed(credentials, "s3.list_buckets")
    sts_cloud.clock.advance(20)
    with pytest.raises(ClientError, match="ExpiredToken"):
        credentials.session().client("s3").list_buckets()
