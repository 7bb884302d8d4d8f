"""Signatures that cannot be read: refused in the words of the service that was asked, be its name all that can be read.

"Common error types" of each service's reference (IncompleteSignature) and "List of error codes" of Amazon S3's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.request import Headers, Request

if TYPE_CHECKING:
    from pytest_stsguard.cloud.request import Response

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON_10, JSON_11 = "application/x-amz-json-1.0", "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Asked:
    """A service over loopback, where nothing but the request itself tells which one is meant."""

    service: str
    headers: dict[str, str]
    body: bytes = b""
    path: str = "/"
    method: str = "POST"

    def send(self, wire: Any, authorization: str, **more: str) -> Response:
        named = {name.replace("_", "-"): text for name, text in more.items()}
        headers = Headers({"host": "127.0.0.1:4599", **self.headers, **named, "authorization": authorization})
        answer: Response = wire.send(
            Request(self.method, f"http://127.0.0.1:4599{self.path}", headers, self.body, secure=False)
        )
        return answer


STS = Asked("sts", FORM, b"Action=GetCallerIdentity&Version=2011-06-15")
EC2 = Asked("ec2", FORM, b"Action=DescribeVpcs&Version=2016-11-15")
KMS = Asked("kms", {"content-type": JSON_11, "x-amz-target": "TrentService.ListKeys"}, b"{}")
DYNAMODB = Asked("dynamodb", {"content-type": JSON_10, "x-amz-target": "DynamoDB_20120810.ListTables"}, b"{}")
SQS = Asked("sqs", {"content-type": JSON_10, "x-amz-target": "AmazonSQS.ListQueues"}, b"{}")
LAMBDA = Asked("lambda", {}, path="/2015-03-31/functions", method="GET")
S3 = Asked("s3", {}, path="/of-the-wire/key", method="GET")

NO_SIGNATURE = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260102/us-east-1/{}/aws4_request, SignedHeaders=host"
NO_DATE = f"{NO_SIGNATURE}, Signature=00"
SHORT = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260102/us-east-1, SignedHeaders=host, Signature=00"


@pytest.mark.parametrize(
    ("asked", "code", "status"),
    [
        (STS, "IncompleteSignature", 400),
        (EC2, "IncompleteSignature", 400),
        (KMS, "IncompleteSignatureException", 400),
        (DYNAMODB, "IncompleteSignatureException", 400),
        (SQS, "IncompleteSignature", 400),
        (LAMBDA, "IncompleteSignatureException", 403),
    ],
    ids=lambda asked: getattr(asked, "service", None),
)
def test_an_incomplete_signature_says_what_it_lacks(wire: Any, asked: Asked, code: str, status: int) -> None:
    answer = asked.send(wire, NO_SIGNATURE.format(asked.service))
    told = answer.headers.get("x-amzn-errortype") or answer.body.decode().partition("<Code>")[2].partition("<")[0]
    assert (answer.status, told) == (status, code)
    assert b"Authorization header requires 'Signature' parameter." in answer.body
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("authorization", "code", "status", "text"),
    [
        (NO_SIGNATURE.format("s3"), "AuthorizationHeaderMalformed", 400, "requires three components: Credential"),
        ("Bearer of.good.tidings", "InvalidArgument", 400, "Unsupported Authorization Type"),
        ("AWS AKIAIOSFODNN7EXAMPLE:c2ln", "InvalidRequest", 400, "Please use AWS4-HMAC-SHA256."),
        (SHORT, "AuthorizationHeaderMalformed", 400, "the Credential is mal-formed; expecting"),
        (NO_DATE.format("s3"), "AccessDenied", 403, "requires a valid Date or x-amz-date header"),
    ],
)
def test_s3_has_words_of_its_own(wire: Any, authorization: str, code: str, status: int, text: str) -> None:
    answer = S3.send(wire, authorization)
    assert answer.status == status
    assert f"<Error><Code>{code}</Code>" in answer.body.decode()
    assert text in answer.body.decode()
    assert answer.headers["content-type"] == "application/xml"
    assert f"<HostId>{answer.headers['x-amz-id-2']}</HostId>" in answer.body.decode()
    assert f"<RequestId>{answer.headers['x-amz-request-id']}</RequestId>" in answer.body.decode()


def test_a_scope_of_another_day_is_told_with_both_days(wire: Any) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    answer = KMS.send(wire, NO_DATE.format("kms"), x_amz_date=stamp)
    error = json.loads(answer.body)
    assert error["__type"].endswith("#InvalidSignatureException")
    assert f"'20260102' != '{stamp[:8]}', from '{stamp}'" in error["message"]
    s3 = S3.send(wire, NO_DATE.format("s3"), x_amz_date=stamp)
    assert b"<Code>AuthorizationHeaderMalformed</Code>" in s3.body
    assert b'Invalid credential date "20260102"' in s3.body


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("X-Amz-SignedHeaders=host&", ""), "requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature"),
        (("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), "X-Amz-Algorithm only supports"),
        (("aws4_request", "aws5_request"), "Error parsing the X-Amz-Credential parameter"),
        (("X-Amz-Date=2026", "X-Amz-Date=yesterday"), "X-Amz-Date must be in the ISO8601 Long Format"),
    ],
)
def test_a_presigned_url_that_cannot_be_read(wire: Any, change: tuple[str, str], text: str) -> None:
    url = (
        "http://127.0.0.1:4599/of-the-wire/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host&X-Amz-Expires=60"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260102%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20260102T000000Z&X-Amz-Signature=00"
    )
    answer = wire.send(Request("GET", url.replace(*change), Headers({"host": "127.0.0.1:4599"}), secure=False))
    assert answer.status == 400
    assert b"<Error><Code>AuthorizationQueryParametersError</Code>" in answer.body
    assert text in answer.body.decode()


@pytest.mark.parametrize(("expires", "text"), [("", "Query-string authentication requires"), ("soon", "Invalid date")])
def test_a_version_2_url_that_says_no_end(wire: Any, expires: str, text: str) -> None:
    url = f"http://127.0.0.1:4599/of-the-wire/key?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=c2ln&Expires={expires}"
    answer = wire.send(Request("GET", url, Headers({"host": "127.0.0.1:4599"}), secure=False))
    assert (answer.status, b"<Error><Code>AccessDenied</Code>" in answer.body) == (403, True)
    assert text in answer.body.decode()


def test_a_form_that_cannot_be_read_is_s3s_to_refuse(wire: Any) -> None:
    headers = Headers({"host": "127.0.0.1:4599", "content-type": "multipart/form-data; boundary=x"})
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello\r\n--x--\r\n'
    answer = wire.send(Request("POST", "http://127.0.0.1:4599/of-the-wire", headers, body, secure=False))
    assert answer.body.partition(b"?>")[2].strip().startswith(b"<Error><Code>InvalidArgument</Code>")
    assert answer.headers["x-amz-request-id"]


@pytest.mark.parametrize("asked", [KMS, DYNAMODB], ids=["1.1", "1.0"])
def test_errors_have_the_version_of_json_that_the_client_speaks(wire: Any, asked: Asked) -> None:
    answer = asked.send(wire, SHORT)
    assert answer.headers["content-type"] == asked.headers["content-type"]


def test_a_clock_that_is_off_is_told_with_the_servers(wire: Any) -> None:
    request, _ = wire.signer(stamp="20260102T000000Z").request("GET", "/of-the-wire/key", host="127.0.0.1:4599")
    answer = wire.send(request)
    assert b"<Code>RequestTimeTooSkewed</Code>" in answer.body
    assert b"<RequestTime>20260102T000000Z</RequestTime><ServerTime>2" in answer.body
    assert b"<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>" in answer.body


def test_the_trail_knows_what_an_unreadable_signature_asked_for(wire: Any) -> None:
    answer = KMS.send(wire, SHORT)
    record = wire.cloud.trail.records()[-1]
    assert record["requestID"] == answer.headers["x-amzn-requestid"]
    assert (record["eventSource"], record["eventName"]) == ("kms.amazonaws.com", "ListKeys")
    assert record["errorCode"] == "IncompleteSignatureException"
