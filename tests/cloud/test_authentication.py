"""Who may call at all: each wrong credential gets the error of its service's protocol (FACTS.md section 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Keys
from botocore.exceptions import ClientError

from pytest_stsguard.cloud.request import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials

CALLS: dict[str, Callable[[Any], Any]] = {
    "iam": lambda client: client.list_roles(),
    "sts": lambda client: client.get_caller_identity(),
    "ec2": lambda client: client.describe_instances(),
    "s3": lambda client: client.list_buckets(),
    "dynamodb": lambda client: client.list_tables(),
}
UNKNOWN_KEY = {
    "iam": ("InvalidClientTokenId", 403),
    "sts": ("InvalidClientTokenId", 403),
    "ec2": ("AuthFailure", 401),
    "s3": ("InvalidAccessKeyId", 403),
    "dynamodb": ("UnrecognizedClientException", 400),
}
BAD_TOKEN = {**UNKNOWN_KEY, "s3": ("InvalidToken", 400)}
BAD_SECRET = {
    "iam": ("SignatureDoesNotMatch", 403),
    "sts": ("SignatureDoesNotMatch", 403),
    "ec2": ("AuthFailure", 401),
    "s3": ("SignatureDoesNotMatch", 403),
    "dynamodb": ("InvalidSignatureException", 400),
}
EXPIRED = {
    "iam": ("ExpiredToken", 403),
    "sts": ("ExpiredToken", 403),
    "ec2": ("RequestExpired", 400),
    "s3": ("ExpiredToken", 400),
    "dynamodb": ("ExpiredTokenException", 400),
}


def refusal(credentials: Credentials, service: str) -> tuple[str, int]:
    session = boto3.Session(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        region_name="us-east-1",
    )
    with pytest.raises(ClientError) as raised:
        CALLS[service](session.client(service))
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("service", CALLS)
def test_unknown_key_is_refused(sts_cloud: Cloud, service: str) -> None:
    stranger = replace(sts_cloud.admin, access_key_id="AKIAIOSFODNN7EXAMPLE")
    assert refusal(stranger, service) == UNKNOWN_KEY[service]


@pytest.mark.parametrize("service", CALLS)
def test_wrong_secret_is_refused(sts_cloud: Cloud, service: str) -> None:
    assert refusal(replace(sts_cloud.admin, secret_access_key="wrong"), service) == BAD_SECRET[service]


@pytest.mark.parametrize("service", CALLS)
def test_temporary_key_without_its_token_is_an_unknown_key(
    sts_assume_role: Callable[..., Credentials], service: str
) -> None:
    assert refusal(replace(sts_assume_role("A4L-DataRole"), session_token=None), service) == UNKNOWN_KEY[service]


@pytest.mark.parametrize("service", CALLS)
def test_wrong_token_is_refused(sts_assume_role: Callable[..., Credentials], service: str) -> None:
    mine, other = sts_assume_role("A4L-DataRole"), sts_assume_role("A4L-DataRole")
    assert refusal(replace(mine, session_token=other.session_token), service) == BAD_TOKEN[service]


@pytest.mark.parametrize("service", CALLS)
def test_long_term_key_with_a_token_is_refused(sts_cloud: Cloud, service: str) -> None:
    assert refusal(replace(sts_cloud.admin, session_token="made up"), service) == BAD_TOKEN[service]


@pytest.mark.parametrize("service", CALLS)
def test_expired_session_is_refused(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], service: str
) -> None:
    credentials = sts_assume_role("A4L-DataRole", DurationSeconds=900)
    sts_cloud.clock.advance(900)
    assert refusal(credentials, service) == EXPIRED[service]


@pytest.mark.parametrize("service", CALLS)
def test_deactivated_key_is_an_unknown_key(sts_cloud: Cloud, service: str) -> None:
    user = sts_cloud.user_credentials("a4l-developer")
    sts_cloud.client("iam").update_access_key(
        UserName="a4l-developer", AccessKeyId=user.access_key_id, Status="Inactive"
    )
    assert refusal(user, service) == UNKNOWN_KEY[service]


def test_deleted_key_is_an_unknown_key(sts_cloud: Cloud) -> None:
    user = sts_cloud.user_credentials("a4l-developer")
    sts_cloud.client("iam").delete_access_key(UserName="a4l-developer", AccessKeyId=user.access_key_id)
    assert refusal(user, "s3") == UNKNOWN_KEY["s3"]


def test_expired_session_is_refused_a_head_without_a_body(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    credentials = sts_assume_role("A4L-DataRole", DurationSeconds=900)
    sts_cloud.clock.advance(900)
    with pytest.raises(ClientError) as raised:
        credentials.session().client("s3").head_bucket(Bucket="a4l-secrets-111122223333")
    assert raised.value.response["Error"]["Code"] == "400"


def test_denied_head_is_a_bare_403(sts_cloud: Cloud) -> None:
    user = sts_cloud.user_credentials("a4l-developer").session().client("s3")
    with pytest.raises(ClientError) as raised:
        user.head_bucket(Bucket="a4l-secrets-111122223333")
    assert raised.value.response["Error"] == {"Code": "403", "Message": "Forbidden"}


def test_unsigned_call_is_anonymous_for_s3(sts_cloud: Cloud) -> None:
    from botocore import UNSIGNED

    anonymous = boto3.client("s3", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError, match="AccessDenied"):
        anonymous.get_object(Bucket="a4l-secrets-111122223333", Key="secret.txt")
    assert sts_cloud.trail.events[-1].caller is not None
    assert sts_cloud.trail.events[-1].caller.is_anonymous


def test_public_bucket_policy_admits_anonymous_readers(sts_cloud: Cloud) -> None:
    import json

    from botocore import UNSIGNED

    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::a4l-secrets-111122223333/*",
            }
        ],
    }
    bucket = "a4l-secrets-111122223333"
    sts_cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    anonymous = boto3.client("s3", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    assert anonymous.get_object(Bucket=bucket, Key="secret.txt")["Body"].read()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_url_works_and_dies_with_its_session(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any], version: str
) -> None:
    import requests

    s3 = sts_assume_role("A4L-DataRole").session().client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "a4l-secrets-111122223333", "Key": "secret.txt"}, ExpiresIn=60
    )
    assert requests.get(url, timeout=5).status_code == 200
    assert requests.get(url.replace("secret.txt", "other.txt"), timeout=5).status_code == 403
    sts_revoke("A4L-DataRole")
    answer = requests.get(url, timeout=5)
    assert answer.status_code == 403
    assert "explicit deny" in answer.text


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_url_of_an_expired_session_is_refused(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], version: str
) -> None:
    import requests

    s3 = sts_assume_role("A4L-DataRole", DurationSeconds=900).session()
    client = s3.client("s3", config=Config(signature_version=version))
    url = client.generate_presigned_url(
        "get_object", Params={"Bucket": "a4l-secrets-111122223333", "Key": "secret.txt"}
    )
    sts_cloud.clock.advance(900)
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, "ExpiredToken" in answer.text) == (400, True)


def test_virtual_host_style_signatures_are_verified(sts_cloud: Cloud) -> None:
    config = Config(s3={"addressing_style": "virtual"})
    client = sts_cloud.client("s3", config=config)
    body = client.get_object(Bucket="a4l-secrets-111122223333", Key="secret.txt")["Body"].read()
    assert body == b"the cats are planning something\n"


@pytest.mark.parametrize("key", ["a b", "a+b", "ü/ß", "a%2Fb", "x=y&z", "dots/../up", "a//b", "~tilde'()*!"])
def test_odd_keys_are_signed_as_aws_signs_them(sts_cloud: Cloud, key: str) -> None:
    s3 = sts_cloud.client("s3")
    s3.put_object(Bucket="a4l-secrets-111122223333", Key=key, Body=b"odd")
    assert s3.get_object(Bucket="a4l-secrets-111122223333", Key=key)["Body"].read() == b"odd"


def signed(cloud: Cloud, service: str, url: str, body: bytes, *, stamp: str | None = None, **headers: str) -> Request:
    """Sign a request with botocore's own signer, at another time when `stamp` is given."""
    keys = Keys(cloud.admin.access_key_id, cloud.admin.secret_access_key)
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, "us-east-1")
    request = AWSRequest(
        "POST", url, data=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    request.context["timestamp"] = stamp or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)  # noqa: SLF001 - add_auth signs with the present only
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    signer._inject_signature_to_request(request, signature)  # noqa: SLF001 - as above
    return Request("POST", url, Headers.of(request.headers.items()), body)


DYNAMODB = ("dynamodb", "https://dynamodb.us-east-1.amazonaws.com/")
LIST_TABLES = {"X_Amz_Target": "DynamoDB_20120810.ListTables", "Content_Type": "application/x-amz-json-1.0"}


def test_signed_request_passes(sts_cloud: Cloud) -> None:
    assert sts_cloud.gate.handle(signed(sts_cloud, *DYNAMODB, b"{}", **LIST_TABLES)).status == 200


def test_altered_body_breaks_the_signature(sts_cloud: Cloud) -> None:
    altered = replace(signed(sts_cloud, *DYNAMODB, b"{}", **LIST_TABLES), body=b'{"Limit": 1}')
    response = sts_cloud.gate.handle(altered)
    assert (response.status, b"InvalidSignatureException" in response.body) == (400, True)


def test_altered_target_breaks_the_signature(sts_cloud: Cloud) -> None:
    request = signed(sts_cloud, *DYNAMODB, b"{}", **LIST_TABLES)
    headers = Headers({**request.headers, "x-amz-target": "DynamoDB_20120810.DescribeLimits"})
    response = sts_cloud.gate.handle(replace(request, headers=headers))
    assert (response.status, b"InvalidSignatureException" in response.body) == (400, True)


def test_altered_body_breaks_its_declared_digest(sts_cloud: Cloud) -> None:
    url = "https://s3.us-east-1.amazonaws.com/a4l-secrets-111122223333?delete"
    response = sts_cloud.gate.handle(replace(signed(sts_cloud, "s3", url, b"<Delete/>"), body=b"<Delete></Delete>"))
    assert (response.status, b"XAmzContentSHA256Mismatch" in response.body) == (400, True)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_signature_more_than_a_quarter_of_an_hour_off_is_refused(sts_cloud: Cloud, minutes: int) -> None:
    stamp = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y%m%dT%H%M%SZ")
    response = sts_cloud.gate.handle(signed(sts_cloud, *DYNAMODB, b"{}", stamp=stamp, **LIST_TABLES))
    assert (response.status, b"InvalidSignatureException" in response.body) == (400, True)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "AWS a:b"],
)
def test_unreadable_signature_is_refused(sts_cloud: Cloud, authorization: str) -> None:
    headers = Headers({"authorization": authorization, "host": "s3.us-east-1.amazonaws.com"})
    response = sts_cloud.gate.handle(Request("GET", "https://s3.us-east-1.amazonaws.com/", headers))
    assert 400 <= response.status < 500
