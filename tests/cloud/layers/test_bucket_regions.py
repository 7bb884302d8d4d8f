"""A bucket of another region: what clients are told, and that they find their way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.config import Config

if TYPE_CHECKING:
    Accounts = Any  # the class of conftest.py

AWAY = "eu-west-1"


def client(accounts: Accounts, region: str, style: str = "virtual") -> Any:
    # The global endpoint, which boto3 takes in us-east-1 unless it is told otherwise.
    config = Config(signature_version="s3v4", s3={"addressing_style": style, "us_east_1_regional_endpoint": "legacy"})
    return accounts.cloud.administrator(accounts.home).session().client("s3", region_name=region, config=config)


@pytest.fixture(scope="module")
def bucket(accounts: Accounts) -> str:
    s3 = client(accounts, AWAY)
    s3.create_bucket(Bucket="in-europe", CreateBucketConfiguration={"LocationConstraint": AWAY})
    s3.put_object(Bucket="in-europe", Key="k", Body=b"x")
    return "in-europe"


def url(accounts: Accounts, region: str, style: str, bucket: str) -> str:
    parameters = {"Bucket": bucket, "Key": "k"}
    return str(client(accounts, region, style).generate_presigned_url("get_object", Params=parameters))


def test_the_name_before_the_global_endpoint_leads_there_with_the_wrong_signature(
    accounts: Accounts, bucket: str
) -> None:
    answer = requests.get(url(accounts, "us-east-1", "virtual", bucket), timeout=10)
    assert answer.status_code == 400
    assert answer.headers["x-amz-bucket-region"] == AWAY
    assert "<Code>AuthorizationHeaderMalformed</Code>" in answer.text
    assert "the region 'us-east-1' is wrong; expecting 'eu-west-1'" in answer.text
    assert f"<Region>{AWAY}</Region>" in answer.text


@pytest.mark.parametrize(
    ("region", "style"), [("us-east-1", "path"), ("ap-south-1", "path"), ("ap-south-1", "virtual")]
)
def test_every_other_endpoint_sends_on(accounts: Accounts, bucket: str, region: str, style: str) -> None:
    answer = requests.get(url(accounts, region, style, bucket), timeout=10, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["x-amz-bucket-region"] == AWAY
    assert "<Code>PermanentRedirect</Code>" in answer.text
    assert f"<Endpoint>{bucket}.s3.{AWAY}.amazonaws.com</Endpoint>" in answer.text


def test_its_own_region_answers(accounts: Accounts, bucket: str) -> None:
    for style in ("path", "virtual"):
        assert requests.get(url(accounts, AWAY, style, bucket), timeout=10).content == b"x"


@pytest.mark.parametrize("region", ["us-east-1", "ap-south-1"])
def test_boto3_finds_its_way(accounts: Accounts, bucket: str, region: str) -> None:
    for style in ("path", "virtual"):
        s3 = client(accounts, region, style)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
        assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1
        assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == AWAY


def test_a_region_that_is_denied_is_denied_for_its_buckets(accounts: Accounts, bucket: str) -> None:
    """The key is the region of the endpoint that answers; without a redirect it was the one that was asked first."""
    outside = {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": outside}
    user = accounts.user("stays", {"Effect": "Allow", "Action": "*", "Resource": "*"}, deny, account=accounts.home)
    s3 = accounts.client("s3", user)
    s3.list_buckets()
    assert accounts.code_of(s3.get_object, Bucket=bucket, Key="k") == "AccessDenied"


def test_the_server_tells_the_region_too(accounts: Accounts, bucket: str) -> None:
    server = accounts.cloud.serve()
    session = accounts.cloud.administrator(accounts.home).session()
    s3 = session.client("s3", region_name="us-east-1", endpoint_url=server.url)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
