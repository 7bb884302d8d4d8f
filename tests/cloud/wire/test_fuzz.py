"""Anything may come to the gate: it is refused or answered, never an exception, never a secret, and always on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_stsguard.cloud.request import Headers, Request

BUCKET = "of-the-wire"
few = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

hosts = st.sampled_from(
    ["s3.amazonaws.com", f"{BUCKET}.s3.us-east-1.amazonaws.com", "iam.amazonaws.com", "ec2.us-east-1.amazonaws.com",
     "dynamodb.us-east-1.amazonaws.com", "127.0.0.1:4599", "localhost", f"{BUCKET}.localhost:1", "", "[::1", "é"]
)  # fmt: skip
texts = st.text(max_size=40) | st.sampled_from(
    ["", "0", "-1", "host", "AWS4-HMAC-SHA256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
)
names = st.sampled_from(
    ["authorization", "x-amz-date", "date", "x-amz-content-sha256", "x-amz-target", "x-amz-security-token", "content-md5",
     "content-type", "content-encoding", "x-amz-decoded-content-length", "x-amz-trailer", "smithy-protocol", "range",
     "x-amz-checksum-crc32", "x-amz-copy-source", "x-amz-tagging", "expect"]
)  # fmt: skip
queries = st.dictionaries(
    st.sampled_from(
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
         "AWSAccessKeyId", "Signature", "Expires", "Action", "Version", "uploads", "uploadId", "partNumber", "policy"]
    ),
    st.text("abcAWS4-/%+0159éT Z", max_size=20),
    max_size=6,
).map(lambda pairs: "&".join(f"{name}={text}" for name, text in pairs.items()))  # fmt: skip


@few
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS", "PATCH", ""]),
    host=hosts,
    path=st.text("/abc%2F..é?", max_size=15),
    query=queries,
    headers=st.dictionaries(names, texts, max_size=6),
    body=st.binary(max_size=60) | st.sampled_from([b"Action=ListUsers", b"{}", b"<a/>", b"3\r\nabc\r\n0\r\n\r\n"]),
)
def test_any_request_is_answered(
    wire: Any, *, method: str, host: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    before = len(wire.cloud.trail)
    request = Request(method, f"http://{host}/{path}?{query}", Headers({"host": host, **headers}), body, secure=False)
    response = wire.send(request)
    assert 200 <= response.status < 500 or response.status == 501
    assert wire.cloud.admin.secret_access_key.encode() not in response.body
    assert len(wire.cloud.trail) == before + 1


@few
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255), data=st.binary(max_size=40))
def test_a_change_anywhere_in_a_signed_request_is_noticed(wire: Any, *, place: int, flip: int, data: bytes) -> None:
    request, _ = wire.signer().request(
        "PUT", f"/{BUCKET}/fuzzed?tagging=", payload="UNSIGNED-PAYLOAD", x_amz_meta_a="b"
    )
    name = sorted({"host", "x-amz-date", "x-amz-content-sha256", "authorization", "x-amz-meta-a"})[place % 5]
    text = request.headers[name]
    at = place % len(text)
    other = f"{text[:at]}{chr(ord(text[at]) ^ flip)}{text[at + 1 :]}"
    if " ".join(other.split()) == " ".join(text.split()) or other.strip(" ,") == text.strip(" ,"):
        return
    if name == "authorization" and other.replace(",", " ").split() == text.replace(",", " ").split():
        return
    changed = replace(request, headers=Headers({**request.headers, name: other}), body=data)
    assert wire.send(changed).status in {400, 403, 501}


def test_a_bucket_before_localhost_is_a_bucket(wire: Any) -> None:
    host = f"{BUCKET}.localhost:4599"
    request, _ = wire.signer().request("PUT", "/by-host", payload="UNSIGNED-PAYLOAD", body=b"here", host=host)
    assert wire.send(replace(request, secure=False)).status == 200
    assert wire.stored("by-host") == b"here"


def test_records_keep_no_signature_and_no_token(wire: Any) -> None:
    request, signature = wire.signer().request("GET", f"/{BUCKET}?list-type=2")
    assert wire.send(request).status == 200
    kept = wire.cloud.trail.events[-1].request
    assert signature not in repr(dict(kept.headers))
    assert "host" in kept.headers
