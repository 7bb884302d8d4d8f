"""How each protocol says no (FACTS.md section 3), as botocore reads it and as the bytes stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_stsguard.cloud.calls.cbor import load_cbor
from pytest_stsguard.cloud.request import Headers, Request

BUCKET = "of-the-wire"
DENIALS = {
    "iam": ("list_users", {}, "AccessDenied", 403),
    "sns": ("list_topics", {}, "AuthorizationError", 403),
    "route53": ("list_hosted_zones", {}, "AccessDenied", 403),
    "ec2": ("describe_vpcs", {}, "UnauthorizedOperation", 403),
    "s3": ("list_buckets", {}, "AccessDenied", 403),
    "dynamodb": ("list_tables", {}, "AccessDeniedException", 400),
    "lambda": ("list_functions", {}, "AccessDeniedException", 403),
    "sqs": ("list_queues", {}, "AccessDenied", 403),
    "cloudwatch": ("list_metrics", {}, "AccessDenied", 403),
}


@pytest.fixture(scope="module")
def nobody(wire: Any) -> Any:
    wire.cloud.client("iam").create_user(UserName="nobody")
    return wire.cloud.user_credentials("nobody").session()


@pytest.mark.parametrize("service", DENIALS)
def test_a_denial_is_in_the_services_own_words(nobody: Any, service: str) -> None:
    operation, parameters, code, status = DENIALS[service]
    client = nobody.client(service)
    with pytest.raises(ClientError) as raised:
        getattr(client, operation)(**parameters)
    answer: Any = raised.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert "is not authorized to perform" in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("operation", ["head_bucket", "head_object"])
def test_a_denied_head_has_no_body(nobody: Any, operation: str) -> None:
    key = {"Key": "k"} if operation == "head_object" else {}
    with pytest.raises(ClientError) as raised:
        getattr(nobody.client("s3"), operation)(Bucket=BUCKET, **key)
    assert raised.value.response["Error"] == {"Code": "403", "Message": "Forbidden"}


def sent(wire: Any, service: str, path: str, *, body: bytes, kind: str, **headers: str) -> Any:
    """Sign with a wrong secret, by hand."""
    import hashlib

    signer = wire.signer(service=service)
    signer.key = b"wrong"
    request, _ = signer.request(
        "POST", path, payload=hashlib.sha256(body).hexdigest(), body=body, content_type=kind, **headers
    )
    return wire.send(request)


def test_smithy_cbor_errors_are_cbor(wire: Any) -> None:
    answer = sent(
        wire,
        "monitoring",
        "/service/GraniteServiceVersion20100801/operation/ListMetrics",
        body=b"\xa0",
        kind="application/cbor",
        smithy_protocol="rpc-v2-cbor",
    )
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert answer.headers["content-type"] == "application/cbor"
    error = load_cbor(answer.body)
    assert error["__type"].rpartition("#")[2] == "SignatureDoesNotMatch"
    assert "signature" in error["message"]


@pytest.mark.parametrize(
    ("service", "target", "query_code"),
    [
        ("sqs", "AmazonSQS.ListQueues", "SignatureDoesNotMatch"),
        ("monitoring", "GraniteServiceVersion20100801.ListMetrics", "SignatureDoesNotMatch"),
        ("dynamodb", "DynamoDB_20120810.ListTables", None),
    ],
)
def test_json_errors_and_their_query_compatible_kind(
    wire: Any, service: str, target: str, query_code: str | None
) -> None:
    answer = sent(wire, service, "/", body=b"{}", kind="application/x-amz-json-1.0", x_amz_target=target)
    expected = f"{query_code};Sender" if query_code else None
    assert answer.headers.get("x-amzn-query-error") == expected
    assert json.loads(answer.body)["__type"].endswith(query_code or "InvalidSignatureException")
    assert answer.status == (403 if query_code else 400)


def test_rest_json_errors_name_their_type_in_a_header(wire: Any) -> None:
    signer = wire.signer(service="lambda")
    signer.key = b"wrong"
    request, _ = signer.request("GET", "/2015-03-31/functions")
    answer = wire.send(request)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert set(json.loads(answer.body)) == {"message"}


@pytest.mark.parametrize(
    ("url", "headers", "body"),
    [
        ("https://dynamodb.us-east-1.amazonaws.com/", {"x-amz-target": "DynamoDB_20120810.ListTables"}, b"{"),
        ("https://iam.amazonaws.com/", {"content-type": "application/x-www-form-urlencoded"}, b"Action=Fly"),
        ("https://s3.amazonaws.com/", {}, b""),
        ("https://unknown.us-east-1.amazonaws.com/", {}, b""),
        ("http://127.0.0.1:1/service/X/operation/Y", {"smithy-protocol": "rpc-v2-cbor"}, b"\xff"),
    ],
)
def test_what_is_not_signed_or_cannot_be_read_never_reaches_a_service(
    wire: Any, url: str, headers: dict[str, str], body: bytes
) -> None:
    from urllib.parse import urlsplit

    request = Request("POST", url, Headers({"host": urlsplit(url).netloc, **headers}), body)
    assert wire.send(request).status in {400, 403, 404, 405, 501}


def test_s3_explains_a_denial_to_its_own_account_and_organisation_only(wire: Any, nobody: Any) -> None:
    # "Troubleshoot access denied (403 Forbidden) errors in Amazon S3": others are told "Access Denied", and no more.
    def message(client: Any) -> str:
        with pytest.raises(ClientError) as raised:
            client.get_object(Bucket=BUCKET, Key="k")
        return str(raised.value.response["Error"]["Message"])

    reason = "because no identity-based policy allows the s3:GetObject action"
    assert message(nobody.client("s3")).endswith(reason)
    unsigned = nobody.client("s3", config=Config(signature_version=UNSIGNED))
    stranger = wire.cloud.client("s3", wire.cloud.administrator("999988887777"))
    assert {message(unsigned), message(stranger)} == {"Access Denied"}
    organizations = wire.cloud.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(AccountName="kin", Email="kin@example.com")["CreateAccountStatus"]["AccountId"]
    kin = message(wire.cloud.client("s3", wire.cloud.administrator(made)))
    assert kin.endswith("because no resource-based policy allows the s3:GetObject action")
