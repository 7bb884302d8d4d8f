"""Whatever comes, `parse` answers with a call or with one of its two errors."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.cloud.calls import Call, UnknownOperationError, UnparsableRequestError, parse
from pytest_stsguard.cloud.request import Request

_SIGNED = st.sampled_from([None, "s3", "ec2", "iam", "sts", "dynamodb", "sqs", "lambda", "monitoring", "nonsense"])
_HOSTS = st.sampled_from(
    [
        "localhost",
        "b.localhost:80",
        "s3.amazonaws.com",
        "b.s3.us-east-1.amazonaws.com",
        "sts.amazonaws.com",
        "::",
        "",
        "[::1",
    ]
)
_METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"])
_NAMES = st.sampled_from(
    [
        "Action",
        "Version",
        "Tags",
        "member",
        "1",
        "2",
        "999999999",
        "Key",
        "Value",
        "Filter",
        "policy",
        "uploadId",
        "acl",
        "",
    ]
)
_ACTIONS = st.sampled_from(["AssumeRole", "RunInstances", "CreateUser", "DescribeInstances", "Nothing"])
_FIELDS = st.tuples(st.lists(_NAMES, max_size=5).map(".".join), st.text(max_size=8) | _ACTIONS)
_FORMS = st.lists(_FIELDS, max_size=8).map(lambda fields: "&".join(f"{name}={value}" for name, value in fields))
_KEYS = st.sampled_from(["TableName", "Key", "Item", "S", "N", "Keys", "RequestItems", "TransactItems", "x"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)
_XML = st.text(alphabet="<>/&;!?[]DOCTYPEENTITYabKey \"'='", max_size=60)
_BODIES = (
    st.binary(max_size=60)
    | _FORMS.map(str.encode)
    | _JSON.map(lambda value: json.dumps(value).encode())
    | _XML.map(str.encode)
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "content-type",
            "x-amz-target",
            "smithy-protocol",
            "content-encoding",
            "x-amz-copy-source",
            "x-amz-tagging",
            "range",
        ]
    ),
    st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-amz-json-1.0",
            "application/cbor",
            "DynamoDB_20120810.PutItem",
            "DynamoDB_20120810.TransactWriteItems",
            "rpc-v2-cbor",
            "gzip",
            "",
            "x",
        ]
    ),
    max_size=4,
)
_TARGETS = st.tuples(
    st.lists(
        st.sampled_from(["b", "k", "..", "%2F", "%ff", "", "2015-03-31", "functions", "service", "operation"]),
        max_size=5,
    ),
    _FORMS,
).map(lambda parts: f"/{'/'.join(parts[0])}?{parts[1]}")


def _survives(request: Request, signing_name: str | None) -> None:
    try:
        call = parse(request, signing_name=signing_name, region=None)
    except (UnknownOperationError, UnparsableRequestError) as error:
        told = str(error)
    else:
        assert isinstance(call, Call)
        told = call.operation
    assert told
    assert "\n" not in told


@given(_METHODS, _HOSTS, _TARGETS, _HEADERS, _BODIES, _SIGNED)
def test_any_request(  # noqa: PLR0917 - hypothesis gives them by position
    method: str, host: str, target: str, headers: dict[str, str], body: bytes, signing_name: str | None
) -> None:
    url = f"http://{host}{target}"
    _survives(Request(method, url, {**headers, "host": host}, body), signing_name)


@given(_FIELDS.map(lambda field: field[0]), st.text(max_size=10), _ACTIONS, st.sampled_from(["sts", "ec2", "iam"]))
def test_any_form(name: str, value: str, action: str, service: str) -> None:
    body = f"Action={action}&{name}={value}".encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "host": "localhost"}
    _survives(Request("POST", "http://localhost/", headers, body), service)


@given(_JSON, st.sampled_from(["PutItem", "GetItem", "TransactWriteItems", "BatchGetItem", "CreateTable", "Query"]))
def test_any_json(value: Any, operation: str) -> None:
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "host": "localhost"}
    _survives(Request("POST", "http://localhost/", headers, json.dumps(value).encode()), "dynamodb")


@given(st.binary(max_size=80))
def test_any_cbor(body: bytes) -> None:
    headers = {"smithy-protocol": "rpc-v2-cbor", "host": "localhost"}
    url = "http://localhost/service/GraniteServiceVersion20100801/operation/PutMetricData"
    _survives(Request("POST", url, headers, body), "monitoring")


@given(_XML, st.sampled_from(["policy", "acl", "delete", "cors", "lifecycle", "tagging", "notification"]))
def test_any_xml(body: str, subresource: str) -> None:
    method = "POST" if subresource == "delete" else "PUT"
    _survives(Request(method, f"http://localhost/b?{subresource}", {"host": "localhost"}, body.encode()), "s3")
