"""Uploads from a browser's form: what boto3 makes, what AWS documents, and each way to leave the policy."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.request import Headers, Request
from pytest_stsguard.cloud.signature import Claim
from pytest_stsguard.cloud.verification import signing_key

if TYPE_CHECKING:
    from pytest_stsguard.cloud.request import Response

BUCKET = "of-the-wire"
BOUNDARY = "9431149156168"


def form(fields: dict[str, str], content: bytes = b"content", *, filename: str = "cat.txt") -> bytes:
    lines = b""
    for name, text in fields.items():
        lines += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
    lines += (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    ).encode()
    return lines + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def post(wire: Any, fields: dict[str, str], content: bytes = b"content", **more: Any) -> Response:
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    host = f"{BUCKET}.s3.amazonaws.com"
    body = form(fields, content, **more)
    headers = Headers({"host": host, "content-type": kind, "content-length": str(len(body))})
    response: Response = wire.send(Request("POST", f"https://{host}/", headers, body))
    return response


def signed(
    wire: Any, conditions: list[Any], fields: dict[str, str], *, expires: timedelta = timedelta(hours=1)
) -> dict[str, str]:
    """Sign a policy by hand: the signature goes over the Base64 text, with the day's key."""
    signer = wire.signer()
    own = {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{wire.cloud.admin.access_key_id}/{signer.scope}",
        "x-amz-date": signer.stamp,
    }
    document = {
        "expiration": (datetime.now(UTC) + expires).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": [{"bucket": BUCKET}, *conditions, *({name: text} for name, text in own.items())],
    }
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    signature = hmac.new(signer.key, policy.encode(), hashlib.sha256).hexdigest()
    return {**fields, **own, "policy": policy, "x-amz-signature": signature}


def test_the_example_of_the_documentation_is_true() -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
    policy = (
        "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2"
        "NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMt"
        "cmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29t"
        "L3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4"
        "LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0s"
        "DQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZP"
        "RE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1B"
        "Qy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
    )
    claim = Claim("post", "AKIAIOSFODNN7EXAMPLE", "", None, "20151229T000000Z", "us-east-1", "s3", policy=policy)
    key = signing_key(claim, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    made = hmac.new(key, claim.policy.encode(), hashlib.sha256).hexdigest()
    assert made == "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"


def test_boto3s_form_uploads(wire: Any) -> None:
    import requests

    made = wire.cloud.client("s3").generate_presigned_post(
        BUCKET, "posted/${filename}", Fields={"x-amz-meta-of": "a"}, Conditions=[{"x-amz-meta-of": "a"}]
    )
    answer = requests.post(made["url"], data=made["fields"], files={"file": ("cat.txt", b"meow")}, timeout=5)
    assert answer.status_code == 204, answer.text
    assert answer.headers["location"].endswith("posted/cat.txt")
    assert wire.stored("posted/cat.txt") == b"meow"
    other = requests.post(
        made["url"], data={**made["fields"], "x-amz-meta-of": "b"}, files={"file": b"meow"}, timeout=5
    )
    assert other.status_code == 403
    assert "Policy Condition failed" in other.text


def test_a_form_is_authorized_as_the_upload_that_it_is(wire: Any) -> None:
    user = wire.cloud.client("iam")
    user.create_user(UserName="poster")
    nobody = wire.cloud.user_credentials("poster")
    fields = nobody.session().client("s3").generate_presigned_post(BUCKET, "theirs")["fields"]
    answer = post(wire, fields)
    assert answer.status == 403
    assert b"s3:PutObject" in answer.body


def test_fields_become_what_the_object_is(wire: Any) -> None:
    fields = {
        "key": "dressed",
        "Content-Type": "image/png",
        "x-amz-meta-uuid": "14365",
        "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>",
        "x-ignore-this": "please",
    }
    conditions = [
        {"key": "dressed"},
        ["starts-with", "$Content-Type", "image/"],
        ["starts-with", "$x-amz-meta-uuid", ""],
        ["starts-with", "$tagging", ""],
    ]
    answer = post(wire, signed(wire, conditions, fields))
    assert answer.status == 204, answer.body
    s3 = wire.cloud.client("s3")
    head = s3.head_object(Bucket=BUCKET, Key="dressed")
    assert (head["ContentType"], head["Metadata"]) == ("image/png", {"uuid": "14365"})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="dressed")["TagSet"] == [{"Key": "a", "Value": "b c"}]


@pytest.mark.parametrize(
    ("conditions", "fields", "status", "words"),
    [
        ([{"key": "other"}], {}, 403, b"Policy Condition failed"),
        ([["starts-with", "$key", "user/"]], {}, 403, b"Policy Condition failed"),
        ([["eq", "$key", "k"]], {"acl": "public-read"}, 403, b"Extra input fields: acl"),
        ([["eq", "$key", "k"], ["content-length-range", 8, 20]], {}, 400, b"EntityTooSmall"),
        ([["eq", "$key", "k"], ["content-length-range", 0, 6]], {}, 400, b"EntityTooLarge"),
        ([["eq", "$key", "k"], ["content-length-range", 7, 7]], {}, 204, b""),
        ([["is", "$key", "k"]], {}, 400, b"InvalidPolicyDocument"),
        ([["eq", "key"]], {}, 400, b"InvalidPolicyDocument"),
        ([["eq", "$key", "k"], ["content-length-range", "few", "many"]], {}, 400, b"InvalidPolicyDocument"),
    ],
)
def test_the_policy_holds(wire: Any, conditions: list[Any], fields: dict[str, str], status: int, words: bytes) -> None:
    answer = post(wire, signed(wire, conditions, {"key": "k", **fields}))
    assert (answer.status, words in answer.body) == (status, True), answer.body


def test_an_old_policy_and_a_forged_one(wire: Any) -> None:
    expired = post(wire, signed(wire, [{"key": "k"}], {"key": "k"}, expires=timedelta(seconds=-5)))
    assert (expired.status, b"Policy expired" in expired.body) == (403, True)
    fields = signed(wire, [{"key": "k"}], {"key": "k"})
    wider = json.loads(base64.b64decode(fields["policy"]))
    wider["conditions"][1] = {"key": "other"}
    forged = {**fields, "key": "other", "policy": base64.b64encode(json.dumps(wider).encode()).decode()}
    answer = post(wire, forged)
    assert (answer.status, b"SignatureDoesNotMatch" in answer.body) == (403, True)
    for change in ({"x-amz-signature": "é"}, {"x-amz-credential": "a/b"}, {"x-amz-algorithm": "AWS4-HMAC-SHA1"}):
        assert 400 <= post(wire, {**fields, **change}).status < 404


def test_the_older_signature_of_forms(wire: Any) -> None:
    document = {"expiration": "2099-01-01T00:00:00Z", "conditions": [{"bucket": BUCKET}, {"key": "old"}]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    admin = wire.cloud.admin
    made = hmac.new(admin.secret_access_key.encode(), policy.encode(), hashlib.sha1).digest()
    fields = {"key": "old", "AWSAccessKeyId": admin.access_key_id, "policy": policy}
    assert post(wire, {**fields, "signature": base64.b64encode(made).decode()}).status == 204
    assert post(wire, {**fields, "signature": base64.b64encode(made[::-1]).decode()}).status == 403


def test_the_answer_is_the_one_that_the_form_asks_for(wire: Any) -> None:
    conditions = [{"key": "k"}, ["starts-with", "$success_action_status", ""]]
    created = post(wire, signed(wire, conditions, {"key": "k", "success_action_status": "201"}))
    assert created.status == 201
    assert b"<Key>k</Key>" in created.body
    assert post(wire, signed(wire, conditions, {"key": "k", "success_action_status": "500"})).status == 204
    conditions = [{"key": "k"}, ["starts-with", "$success_action_redirect", ""]]
    target = {"key": "k", "success_action_redirect": "https://example.com/done?a=b"}
    moved = post(wire, signed(wire, conditions, target))
    assert moved.status == 303
    assert moved.headers["location"].startswith("https://example.com/done?a=b&bucket=of-the-wire&key=k&etag=")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", b"MalformedPOSTRequest"),
        (b"no form at all", b"MalformedPOSTRequest"),
        (form({"key": "k"})[:-30], b"MalformedPOSTRequest"),
        (form({}), b"named 'key'"),
        (form({"key": "k", "policy": "e30="}), b"X-Amz-Algorithm"),
        (form({"key": "k", "padding": "x" * 30_000}), b"MaxPostPreDataLengthExceeded"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(wire: Any, body: bytes, code: bytes) -> None:
    host = f"{BUCKET}.s3.amazonaws.com"
    headers = Headers({"host": host, "content-type": f"multipart/form-data; boundary={BOUNDARY}"})
    answer = wire.send(Request("POST", f"https://{host}/", headers, body))
    assert (answer.status, code in answer.body) == (400, True), answer.body


def test_a_form_without_a_policy_is_anonymous(wire: Any) -> None:
    answer = post(wire, {"key": "k"})
    assert (answer.status, b"AccessDenied" in answer.body) == (403, True)
    assert wire.cloud.trail.events[-1].caller.is_anonymous


def test_a_path_style_form_uploads_too(wire: Any) -> None:
    fields = signed(wire, [{"key": "k"}], {"key": "k"})
    host = "127.0.0.1:4599"
    headers = Headers({"host": host, "content-type": f"multipart/form-data; boundary={BOUNDARY}"})
    request = Request("POST", f"http://{host}/{BUCKET}", headers, form(fields, b"by path"), secure=False)
    assert wire.send(request).status == 204
    assert wire.stored("k") == b"by path"
    assert wire.send(replace(request, url=f"http://{host}/{BUCKET}/deeper")).status >= 400


def test_a_large_file_goes_through_a_form_too(wire: Any) -> None:
    content = b"0123456789" * 500_000
    conditions = [{"key": "k"}, ["content-length-range", 1, len(content)]]
    fields = signed(wire, conditions, {"key": "k"})
    assert post(wire, fields, content).status == 204
    assert wire.stored("k") == content
    refused = post(wire, fields, content + b"more")
    assert (refused.status, b"EntityTooLarge" in refused.body) == (400, True)
    assert post(wire, {**fields, "key": "other"}, content).status == 403


def test_boto3s_form_uploads_over_http(wire: Any) -> None:
    import requests

    s3 = wire.cloud.client("s3", endpoint_url=wire.cloud.serve().url)
    made = s3.generate_presigned_post(BUCKET, "served/${filename}")
    for content in (b"small", b"0123456789" * 600_000):
        answer = requests.post(made["url"], data=made["fields"], files={"file": ("cat.txt", content)}, timeout=10)
        assert answer.status_code == 204, answer.text
        assert wire.stored("served/cat.txt") == content
