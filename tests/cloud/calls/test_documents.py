"""JSON, CBOR and XML bodies: what they become, and what is refused before it does harm."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.calls import UnparsableRequestError, parse
from pytest_stsguard.cloud.calls.cbor import load_cbor
from pytest_stsguard.cloud.calls.markup import load_xml
from pytest_stsguard.cloud.calls.scalars import MismatchError, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.request import Request

_LAUGHS = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><Delete>&lol2;</Delete>"""
_ABROAD = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Quiet>&x;</Quiet></Delete>'


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", {}),
        (b"\xa0", {}),
        (b"\xa1\x61a\x01", {"a": 1}),
        (b"\xa1\x61a\x20", {"a": -1}),
        (b"\xa1\x61a\x18\xff", {"a": 255}),
        (b"\xa1\x61a\x1b\x00\x00\x00\x01\x00\x00\x00\x00", {"a": 2**32}),
        (b"\xa1\x61a\x82\xf5\xf4", {"a": [True, False]}),
        (b"\xa1\x61a\xf6", {"a": None}),
        (b"\xa1\x61a\x42\x00\xff", {"a": b"\x00\xff"}),
        (b"\xa1\x61a\xfb" + struct.pack(">d", 1.5), {"a": 1.5}),
        (b"\xa1\x61a\xf9\x3e\x00", {"a": 1.5}),
        (b"\xa1\x61a\xc1\x1a\x65\x53\xf1\x00", {"a": 1700000000}),
        (b"\xbf\x61a\x9f\x01\x02\xff\xff", {"a": [1, 2]}),
        (b"\xa1\x61a\x7f\x61x\x61y\xff", {"a": "xy"}),
        (b"\xa1\x61a\x5f\x41x\x41y\xff", {"a": b"xy"}),
    ],
)
def test_cbor(body: bytes, value: Any) -> None:
    assert load_cbor(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"\xa1",
        b"\xa1\x61a",
        b"\xa0\x00",
        b"\xa1\x01\x01",
        b"\xa2\x61a\x01\x61a\x02",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x61\xff",
        b"\x81" * 100_000,
        b"\x1f",
        b"\x1c",
        b"\xc2\x41a",
        b"\xf8\x18",
        b"\xff",
        b"\x9f\x01",
        b"\x7f\x41x\xff",
        b"\x9f",
    ],
)
def test_cbor_that_is_refused(body: bytes) -> None:
    with pytest.raises(UnparsableRequestError, match="not valid CBOR"):
        load_cbor(body)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (_LAUGHS, "document type"),
        (_ABROAD, "document type"),
        ("<!DOCTYPE Delete><Delete/>", "document type"),
        (_LAUGHS.encode("utf-16"), "document type"),
        ("<a>&undefined;</a>", "XML"),
        ("<a>", "XML"),
        ("", "XML"),
        ("<a/><b/>", "XML"),
        (b"<a>\xff</a>", "XML"),
        ('<?xml version="1.0" encoding="no-such"?><a/>', "XML"),
        ("<a>" * 1000, "deep"),
    ],
)
def test_xml_that_is_refused(body: str | bytes, match: str) -> None:
    with pytest.raises(UnparsableRequestError, match=match):
        load_xml(body.encode() if isinstance(body, str) else body)


@pytest.fixture
def post(request_of: Callable[..., Request]) -> Callable[..., Mapping[str, Any]]:
    def run(query: str, body: str, method: str = "PUT") -> Mapping[str, Any]:
        request = request_of(method, f"https://s3.us-east-1.amazonaws.com/b?{query}", body)
        return parse(request, signing_name="s3", region=None).parameters

    return run


def test_xml_members(post: Callable[..., Mapping[str, Any]]) -> None:
    body = """<?xml version="1.0" encoding="UTF-8"?>
    <d:Delete xmlns:d="http://s3.amazonaws.com/doc/2006-03-01/"><d:Object><d:Key>a&amp;b</d:Key></d:Object>
    <d:Object><d:Key>c</d:Key><d:VersionId>1</d:VersionId></d:Object><d:Unknown>x</d:Unknown><d:Quiet>true</d:Quiet></d:Delete>"""
    assert post("delete", body, "POST")["Delete"] == {
        "Objects": [{"Key": "a&b"}, {"Key": "c", "VersionId": "1"}],
        "Quiet": True,
    }


def test_an_attribute_is_a_member(post: Callable[..., Mapping[str, Any]]) -> None:
    body = (
        '<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="x" xsi:type="CanonicalUser"><ID>i</ID>'
        "</Grantee></Grant></AccessControlList></AccessControlPolicy>"
    )
    assert post("acl", body)["AccessControlPolicy"] == {"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "i"}}]}


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("<Delete><Quiet>maybe</Quiet></Delete>", "`Delete.Quiet`|`Quiet` is neither"),
        ("<Delete><Quiet>true</Quiet><Quiet>false</Quiet></Delete>", "comes twice"),
        (_LAUGHS, "XML"),
        ("not xml", "XML"),
    ],
)
def test_xml_bodies_that_are_refused(body: str, match: str, post: Callable[..., Mapping[str, Any]]) -> None:
    with pytest.raises(UnparsableRequestError, match=match):
        post("delete", body, "POST")


def test_json_members_have_their_api_names(request_of: Callable[..., Request]) -> None:
    body = json.dumps(
        {"name": "x", "unknown": 1, "description": None, "endpointConfiguration": {"types": ["REGIONAL"]}}
    )
    request = request_of("POST", "https://apigateway.us-east-1.amazonaws.com/restapis", body)
    call = parse(request, signing_name="apigateway", region=None)
    assert (call.operation, call.parameters) == (
        "CreateRestApi",
        {"name": "x", "endpointConfiguration": {"types": ["REGIONAL"]}},
    )


def test_xml_maps_have_entries(request_of: Callable[..., Request]) -> None:
    def read(entry: str) -> Any:
        body = (
            "<CreateJobRequest><Operation><LambdaInvoke><UserArguments>"
            f"{entry}</UserArguments></LambdaInvoke></Operation></CreateJobRequest>"
        )
        request = request_of("POST", "http://localhost/v20180820/jobs", body, x_amz_account_id="111122223333")
        return parse(request, signing_name="s3", region=None).parameters["Operation"]["LambdaInvoke"]

    assert read("<entry><key>a</key><value>b</value></entry>") == {"UserArguments": {"a": "b"}}
    with pytest.raises(UnparsableRequestError, match="without a key and a value"):
        read("<entry><key>a</key></entry>")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-02-16T01:36:00Z", "2022-02-16T01:36:00Z"),
        ("2022-02-16T01:36:00.138Z", "2022-02-16T01:36:00.138Z"),
        ("2022-02-16T02:36:00+01:00", "2022-02-16T01:36:00Z"),
        ("2022-02-16", "2022-02-16T00:00:00Z"),
        ("1644975360", "2022-02-16T01:36:00Z"),
        ("1644975360.5", "2022-02-16T01:36:00.500Z"),
        ("Wed, 16 Feb 2022 01:36:00 GMT", "2022-02-16T01:36:00Z"),
    ],
)
def test_timestamps_become_iso_8601(text: str, moment: str) -> None:
    assert timestamp(text) == moment


@pytest.mark.parametrize("text", ["", "soon", "99999999999999999", "2022-13-01", "0001-01-01T00:00:00+23:00", "1e400"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(MismatchError):
        timestamp(text)
