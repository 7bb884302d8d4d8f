"""One cloud a process, nothing left behind, and a suite that uses mock_aws goes on working beside it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.core.models import botocore_stubber

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.errors import CloudError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Credentials


def test_second_cloud_is_refused_while_one_is_open() -> None:
    with Cloud(), pytest.raises(CloudError, match="already open in this process"), Cloud(account="444455556666"):
        pass


def test_next_cloud_knows_nothing_of_the_last() -> None:
    with Cloud() as first:
        first.client("s3").create_bucket(Bucket="only-in-the-first")
        credentials = first.credentials_of(
            first.client("sts").assume_role(RoleArn=first.role_arn("A4L-DataRole"), RoleSessionName="one")[
                "Credentials"
            ]
        )
    with Cloud() as second:
        assert [bucket["Name"] for bucket in second.client("s3").list_buckets()["Buckets"]] == [
            "a4l-secrets-111122223333"
        ]
        stale = boto3.Session(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token, region_name="us-east-1"
        )
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            stale.client("s3").list_buckets()


def test_closing_leaves_nothing_behind() -> None:
    handlers, environment, threads = list(BUILTIN_HANDLERS), dict(os.environ), set(threading.enumerate())
    with Cloud() as cloud:
        cloud.serve()
        assert cloud.instance("A").metadata_url
        assert list(BUILTIN_HANDLERS) != handlers
    assert list(BUILTIN_HANDLERS) == handlers
    assert dict(os.environ) == environment
    assert set(threading.enumerate()) <= threads
    assert not botocore_stubber.enabled
    assert "process_request" not in vars(botocore_stubber)
    assert not BackendDict._instances  # noqa: SLF001 - moto offers no other way to ask


def test_client_that_outlives_its_cloud_reaches_nothing() -> None:
    with Cloud() as cloud:
        own, plain = (
            cloud.client("s3"),
            boto3.client(
                "s3",
                region_name="us-east-1",
                aws_access_key_id=cloud.admin.access_key_id,
                aws_secret_access_key=cloud.admin.secret_access_key,
            ),
        )
    for client in (own, plain):
        with pytest.raises(CloudError, match="is closed"):
            client.list_buckets()


def test_closed_cloud_makes_no_clients() -> None:
    cloud = Cloud()
    with pytest.raises(CloudError, match="not open"):
        cloud.client("s3")


def test_cloud_beside_the_tests_own_mock_aws() -> None:
    with mock_aws():
        mine = boto3.client("s3", region_name="us-east-1")
        mine.create_bucket(Bucket="of-the-suite")
        with Cloud() as cloud:
            assert [bucket["Name"] for bucket in mine.list_buckets()["Buckets"]] == ["of-the-suite"]
            names = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
            assert names == ["a4l-secrets-111122223333"]
        assert [bucket["Name"] for bucket in mine.list_buckets()["Buckets"]] == ["of-the-suite"]


def test_mock_aws_inside_an_open_cloud() -> None:
    with Cloud() as cloud:
        with mock_aws():
            mine = boto3.client("s3", region_name="us-east-1")
            mine.create_bucket(Bucket="of-the-suite")
            assert [bucket["Name"] for bucket in mine.list_buckets()["Buckets"]] == ["of-the-suite"]
        assert cloud.client("s3").list_buckets()["Buckets"]


def test_motos_dummy_key_is_unknown_where_the_test_has_no_mock_aws(sts_cloud: Cloud) -> None:
    assert sts_cloud.admin
    plain = boto3.client("s3", region_name="us-east-1", aws_access_key_id="FOOBARKEY", aws_secret_access_key="x")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        plain.list_buckets()


def test_any_other_key_is_unknown_beside_mock_aws() -> None:
    with mock_aws(), Cloud():
        other = boto3.client("s3", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="x")
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            other.list_buckets()


def test_client_older_than_the_cloud_meets_the_gate() -> None:
    old = boto3.client("s3", region_name="us-east-1", aws_access_key_id="AKIAOLD", aws_secret_access_key="x")
    with Cloud(), pytest.raises(ClientError, match="InvalidAccessKeyId"):
        old.list_buckets()


def test_account_that_moto_already_holds_is_refused() -> None:
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="of-the-suite")
        with (
            pytest.raises(CloudError, match="already holds state of account `123456789012`"),
            Cloud(account="123456789012"),
        ):
            pass
        with Cloud() as cloud:
            assert cloud.client("sts").get_caller_identity()["Account"] == "111122223333"


def test_moto_account_id_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "222233334444")
    with pytest.raises(CloudError, match="MOTO_ACCOUNT_ID"), Cloud():
        pass
    monkeypatch.delenv("MOTO_ACCOUNT_ID")
    with Cloud():
        pass


@pytest.mark.parametrize(
    ("settings", "words"), [({"world": "moon"}, "unknown world `moon`"), ({"account": "12"}, "no AWS account id")]
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Cloud(**settings)


def test_threads_share_one_cloud(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen = sts_assume_role("A4L-DataRole", session_name="stolen")
    sts_revoke("A4L-DataRole")
    fresh = sts_assume_role("A4L-DataRole", session_name="fresh")

    def call(number: int) -> str:
        credentials = stolen if number % 2 else fresh
        try:
            credentials.session().client("s3").list_buckets()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "allowed"

    before = len(sts_cloud.trail)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(call, range(80)))
    assert outcomes == ["allowed", "AccessDenied"] * 40
    assert len(sts_cloud.trail) == before + 80
