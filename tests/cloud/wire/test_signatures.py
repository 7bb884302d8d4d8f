"""Signatures made by hand, by AWS's steps: what has to be signed, when, how, and what is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.config import Config

from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.request import Headers, Request
from pytest_stsguard.cloud.signature import claim_of
from pytest_stsguard.cloud.verification import expected_signature, signing_key, verify

BUCKET = "of-the-wire"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def example(method: str, path: str, signature: str, signed: str, **headers: str) -> Request:
    """Build a request of "Authenticating Requests: Using the Authorization Header", signed on 24 May 2013."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        f"SignedHeaders={signed},Signature={signature}"
    )
    own = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z", "authorization": authorization}
    return Request(method, f"https://examplebucket.s3.amazonaws.com{path}", Headers({**own, **named}))


EXAMPLES = [
    example(
        "GET",
        "/test.txt",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        "host;range;x-amz-content-sha256;x-amz-date",
        range="bytes=0-9",
        x_amz_content_sha256=EMPTY,
    ),
    example(
        "GET",
        "/?lifecycle",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        "host;x-amz-content-sha256;x-amz-date",
        x_amz_content_sha256=EMPTY,
    ),
    example(
        "GET",
        "/?max-keys=2&prefix=J",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        "host;x-amz-content-sha256;x-amz-date",
        x_amz_content_sha256=EMPTY,
    ),
]


@pytest.mark.parametrize("request_", EXAMPLES, ids=["object", "lifecycle", "list"])
def test_the_examples_of_the_documentation_are_true_but_old(request_: Request) -> None:
    claim = claim_of(request_)
    assert claim is not None
    assert expected_signature(request_, claim, SECRET, EMPTY) == claim.signature
    with pytest.raises(Fault) as refused:
        verify(request_, claim, SECRET)
    assert refused.value.refusal is not None
    assert refused.value.refusal.value == "skewed"


def test_the_example_of_a_signing_key_is_true() -> None:
    # https://docs.aws.amazon.com/general/latest/gr/signature-v4-examples.html
    from pytest_stsguard.cloud.signature import Claim

    claim = Claim("header", "", "", None, "20120215T000000Z", "us-east-1", "iam")
    key = signing_key(claim, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


def test_a_signature_by_hand_passes(wire: Any) -> None:
    request, _ = wire.signer().request("GET", f"/{BUCKET}?list-type=2")
    assert wire.send(request).status == 200


def test_the_date_header_may_stand_for_the_other(wire: Any) -> None:
    signer = wire.signer(service="iam")
    now = datetime.strptime(signer.stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    query = "/?Action=ListUsers&Version=2010-05-08"
    request, _ = signer.request(
        "GET", query, sign=("date", "host"), host="iam.amazonaws.com", date=now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    )
    headers = Headers({name: text for name, text in request.headers.items() if name != "x-amz-date"})
    assert wire.send(Request("GET", request.url, headers)).status == 200


@pytest.mark.parametrize(
    ("sign", "more", "code"),
    [
        (("x-amz-content-sha256", "x-amz-date"), {}, b"SignatureDoesNotMatch"),
        (("host", "x-amz-content-sha256"), {}, b"AccessDenied"),
        (("host", "x-amz-content-sha256", "x-amz-date"), {"x_amz_acl": "public-read"}, b"AccessDenied"),
    ],
)
def test_what_has_to_be_signed_is(wire: Any, sign: tuple[str, ...], more: dict[str, str], code: bytes) -> None:
    request, _ = wire.signer().request("PUT", f"/{BUCKET}/k", sign=sign, **more)
    response = wire.send(request)
    assert (response.status, code in response.body) == (403, True), response.body


def test_an_unsigned_target_is_no_call(wire: Any) -> None:
    request, _ = wire.signer(service="dynamodb").request(
        "POST", "/", payload="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", body=b"{}",
        sign=("host", "x-amz-date"), x_amz_target="DynamoDB_20120810.ListTables",
    )  # fmt: skip
    response = wire.send(request)
    assert (response.status, b"InvalidSignatureException" in response.body) == (400, True)


def test_only_s3_may_leave_its_body_unsigned(wire: Any) -> None:
    unsigned, _ = wire.signer().request("PUT", f"/{BUCKET}/k", payload="UNSIGNED-PAYLOAD", body=b"anything")
    assert wire.send(unsigned).status == 200
    other, _ = wire.signer(service="dynamodb").request(
        "POST", "/", payload="UNSIGNED-PAYLOAD", body=b"{}", x_amz_content_sha256="UNSIGNED-PAYLOAD",
        x_amz_target="DynamoDB_20120810.ListTables",
    )  # fmt: skip
    response = wire.send(other)
    assert (response.status, b"InvalidSignatureException" in response.body) == (400, True)


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        (EMPTY, 400, b"XAmzContentSHA256Mismatch"),
        ("nonsense", 400, b"InvalidArgument"),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", 501, b"NotImplemented"),
    ],
)
def test_a_digest_that_is_not_the_bodys_is_refused(wire: Any, payload: str, status: int, code: bytes) -> None:
    request, _ = wire.signer().request("PUT", f"/{BUCKET}/k", payload=payload, body=b"other")
    response = wire.send(request)
    assert (response.status, code in response.body) == (status, True), response.body


SKEWED = {
    "s3": ("GET", "/", "s3.us-east-1.amazonaws.com", {}, 403, b"RequestTimeTooSkewed"),
    "ec2": ("GET", "/?Action=DescribeVpcs&Version=2016-11-15", None, {}, 400, b"RequestExpired"),
    "iam": ("GET", "/?Action=ListUsers&Version=2010-05-08", "iam.amazonaws.com", {}, 403, b"SignatureDoesNotMatch"),
    "dynamodb": ("GET", "/", None, {"x_amz_target": "DynamoDB_20120810.ListTables"}, 400, b"InvalidSignatureException"),
}


@pytest.mark.parametrize("service", SKEWED)
@pytest.mark.parametrize(("minutes", "words"), [(-15.5, b"expired"), (15.5, b"not yet current")])
def test_a_clock_that_is_off_is_told_in_the_services_words(
    wire: Any, service: str, minutes: float, words: bytes
) -> None:
    method, path, host, headers, status, code = SKEWED[service]
    stamp = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y%m%dT%H%M%SZ")
    request, _ = wire.signer(service=service, stamp=stamp).request(method, path, host=host, **headers)
    response = wire.send(request)
    assert (response.status, code in response.body) == (status, True), response.body
    assert service in {"s3", "ec2"} or words in response.body
    near = (datetime.now(UTC) + timedelta(minutes=minutes * 0.95)).strftime("%Y%m%dT%H%M%SZ")
    request, _ = wire.signer(service=service, stamp=near).request(method, path, host=host, **headers)
    assert code not in wire.send(request).body


def test_sigv4a_is_refused_by_name(wire: Any) -> None:
    signed = {
        "authorization": "AWS4-ECDSA-P256-SHA256 Credential=AKIA/20260101/s3/aws4_request, SignedHeaders=host, Signature=0",
        "host": "s3.amazonaws.com",
    }
    header = Request("GET", "https://s3.amazonaws.com/", Headers(signed))
    query = urlencode({"X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256", "X-Amz-Credential": "a"})
    presigned = Request("GET", f"https://s3.amazonaws.com/b/k?{query}", Headers({"host": "s3.amazonaws.com"}))
    for request in (header, presigned):
        response = wire.send(request)
        assert response.status == 501
        assert b"SigV4a" in response.body


@pytest.mark.parametrize(
    ("change", "query"),
    [
        (lambda text: text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"), ""),
        (lambda text: text.replace("Signature=", "Signature=;"), ""),
        (lambda text: text.replace("SignedHeaders", "Headers"), ""),
        (lambda text: f"{text}, More=x", ""),
        (lambda text: text.replace("/us-east-1", ""), ""),
        (lambda _: "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", ""),
        (lambda text: text, "?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
        (lambda _: "AWS4-HMAC-SHA256 Credential=é/é/é/é/aws4_request, SignedHeaders=host, Signature=é", ""),
    ],
)
def test_a_signature_that_cannot_be_read_is_refused(wire: Any, change: Any, query: str) -> None:
    request, _ = wire.signer().request("GET", f"/{BUCKET}")
    headers = Headers({**request.headers, "authorization": change(request.headers["authorization"])})
    assert wire.send(Request("GET", request.url + query, headers)).status in {400, 403}


def test_the_parts_of_a_signature_may_stand_in_any_order(wire: Any) -> None:
    request, signature = wire.signer().request("GET", f"/{BUCKET}")
    key, headers, _ = request.headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    turned = Headers({**request.headers, "authorization": f"AWS4-HMAC-SHA256 Signature={signature},{headers},{key}"})
    assert wire.send(Request("GET", request.url, turned)).status == 200


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_presigned_uploads_work_in_both_forms_and_styles(wire: Any, version: str, style: str) -> None:
    import requests

    config = Config(signature_version=version, s3={"addressing_style": style})
    s3 = wire.cloud.client("s3", config=config)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": f"{version}-{style}"}, ExpiresIn=60)
    assert requests.put(url, data=b"put", timeout=5).status_code == 200
    assert wire.stored(f"{version}-{style}") == b"put"
    assert requests.put(url.replace(style, "other"), data=b"put", timeout=5).status_code >= 400
    assert requests.get(url, timeout=5).status_code == 403


@pytest.mark.parametrize(
    ("expires", "text"),
    [
        ("0", b"X-Amz-Expires must be non-negative"),
        ("604801", b"X-Amz-Expires must be less than a week (in seconds)"),
        ("-1", b"X-Amz-Expires must be non-negative"),
        ("9" * 40, b"X-Amz-Expires should be a number"),
        ("soon", b"X-Amz-Expires should be a number"),
    ],
)
def test_a_presigned_url_lives_from_a_second_to_a_week(wire: Any, expires: str, text: bytes) -> None:
    s3 = wire.cloud.client("s3", config=Config(signature_version="s3v4"))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "k"}, ExpiresIn=60)
    host = url.split("/")[2]
    changed = Request("GET", url.replace("Expires=60", f"Expires={expires}"), Headers({"host": host}))
    response = wire.send(changed)
    assert response.status == 400
    assert b"<Error><Code>AuthorizationQueryParametersError</Code><Message>" + text in response.body


def test_a_presigned_identity_is_proof_and_cannot_be_changed(wire: Any) -> None:
    # How a cluster of EKS, or Vault, learns who somebody is: a presigned GetCallerIdentity with a header of its own in it.
    import requests
    from botocore.model import ServiceId
    from botocore.signers import RequestSigner

    session = wire.cloud.admin.session()._session  # noqa: SLF001 - the signer takes botocore's own session
    signer = RequestSigner(
        ServiceId("STS"), "us-east-1", "sts", "v4", session.get_credentials(), session.get_component("event_emitter")
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": "my-cluster"},
            "context": {},
        },
        region_name="us-east-1",
        expires_in=60,
        operation_name="",
    )
    proof = requests.get(url, headers={"x-k8s-aws-id": "my-cluster"}, timeout=5)
    assert (proof.status_code, "user/stsguard-administrator" in proof.text) == (200, True)
    for headers in ({"x-k8s-aws-id": "other"}, {}):
        refused = requests.get(url, headers=headers, timeout=5)
        assert (refused.status_code, "SignatureDoesNotMatch" in refused.text) == (403, True)
    other = requests.get(
        url.replace("GetCallerIdentity", "GetSessionToken"), headers={"x-k8s-aws-id": "my-cluster"}, timeout=5
    )
    assert other.status_code == 403
