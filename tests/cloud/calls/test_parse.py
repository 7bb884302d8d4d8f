"""Requests without a signature's help, requests that contradict their signature, and requests that make no sense."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cloud.calls import UnknownOperationError, UnparsableRequestError, parse
from pytest_stsguard.cloud.request import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Callable

_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_STS = "https://sts.amazonaws.com/"
_WEB = (
    "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&WebIdentityToken=t"
)


@pytest.mark.parametrize("url", [_STS, "http://127.0.0.1:4599/", "http://localhost:4599/"])
def test_unsigned_sts_calls_are_known_by_action_and_version(url: str, request_of: Callable[..., Request]) -> None:
    call = parse(request_of("POST", url, _WEB, content_type=_FORM), signing_name=None, region=None)
    assert (call.service, call.operation, call.signing_name, call.region) == (
        "sts",
        "AssumeRoleWithWebIdentity",
        "sts",
        "us-east-1",
    )
    assert call.parameters == {"RoleArn": "arn:aws:iam::1:role/r", "WebIdentityToken": "t"}


def test_a_query_call_may_stand_in_the_url(request_of: Callable[..., Request]) -> None:
    url = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature=abc"
    call = parse(request_of("GET", url), signing_name="sts", region="eu-west-1")
    assert (call.operation, call.parameters, call.region) == ("GetCallerIdentity", {}, "eu-west-1")


def test_an_unsigned_json_call_is_known_by_its_target(request_of: Callable[..., Request]) -> None:
    request = request_of(
        "POST",
        "http://localhost/",
        json.dumps({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "c"}),
        x_amz_target="AWSCognitoIdentityProviderService.InitiateAuth",
        content_type="application/x-amz-json-1.1",
    )
    call = parse(request, signing_name=None, region=None)
    assert (call.service, call.operation) == ("cognito-idp", "InitiateAuth")


def test_the_old_s3_query_signature_has_no_scope(request_of: Callable[..., Request]) -> None:
    query = "AWSAccessKeyId=AKIA&Signature=abc&Expires=1700000000"
    for url in (f"https://s3.amazonaws.com/b/k?{query}", f"http://127.0.0.1:4599/b/k?{query}"):
        call = parse(request_of("GET", url), signing_name=None, region=None)
        assert (call.service, call.operation, call.parameters) == ("s3", "GetObject", {"Bucket": "b", "Key": "k"})


def test_the_hosts_region_stands_in_for_the_scope_s(request_of: Callable[..., Request]) -> None:
    request = request_of("GET", "https://s3.eu-west-3.amazonaws.com/b")
    assert parse(request, signing_name=None, region=None).region == "eu-west-3"
    assert parse(request, signing_name="s3", region="us-east-2").region == "us-east-2"


def test_services_that_share_a_signing_name_are_told_apart_by_version(request_of: Callable[..., Request]) -> None:
    def read(version: str) -> str:
        body = f"Action=DescribeLoadBalancers&Version={version}"
        request = request_of("POST", "http://localhost/", body, content_type=_FORM)
        return parse(request, signing_name="elasticloadbalancing", region=None).service

    assert (read("2012-06-01"), read("2015-12-01")) == ("elb", "elbv2")


def test_clones_of_rds_are_read_as_rds(request_of: Callable[..., Request]) -> None:
    body = "Action=DescribeDBClusters&Version=2014-10-31"
    request = request_of("POST", "https://rds.us-east-1.amazonaws.com/", body, content_type=_FORM)
    assert parse(request, signing_name="rds", region=None).service == "rds"


def test_a_signature_for_another_service_than_the_hosts_is_refused(request_of: Callable[..., Request]) -> None:
    request = request_of("POST", "https://ec2.us-east-1.amazonaws.com/", "Action=DescribeInstances", content_type=_FORM)
    with pytest.raises(UnparsableRequestError, match="`sts`, the host is that of `ec2`"):
        parse(request, signing_name="sts", region=None)


@pytest.mark.parametrize("name", ["nosuchservice", "", "S3"])
def test_an_unknown_signing_name(name: str, request_of: Callable[..., Request]) -> None:
    with pytest.raises(UnknownOperationError):
        parse(request_of("GET", "http://localhost/"), signing_name=name, region=None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("Action=NoSuchThing&Version=2011-06-15", _FORM),
        ("Version=2011-06-15", _FORM),
        ("", _FORM),
        ("Action=GetCallerIdentity", "application/json"),
        ("Action=GetCallerIdentity", "multipart/form-data"),
    ],
)
def test_no_action_no_operation(body: str, kind: str, request_of: Callable[..., Request]) -> None:
    with pytest.raises(UnknownOperationError) as caught:
        parse(request_of("POST", _STS, body, content_type=kind), signing_name="sts", region=None)
    assert caught.value.service == "sts"


@pytest.mark.parametrize(
    ("target", "body", "kind", "error", "match"),
    [
        ("DynamoDB_20120810.NoSuchThing", "{}", "application/x-amz-json-1.0", UnknownOperationError, "no target"),
        ("Elsewhere_1.GetItem", "{}", "application/x-amz-json-1.0", UnknownOperationError, "no target"),
        ("GetItem", "{}", "application/x-amz-json-1.0", UnknownOperationError, "no target"),
        ("DynamoDB_20120810.GetItem", "{}", "text/xml", UnparsableRequestError, "content type"),
        ("DynamoDB_20120810.GetItem", "{", "application/x-amz-json-1.0", UnparsableRequestError, "not valid JSON"),
        ("DynamoDB_20120810.GetItem", "[]", "application/x-amz-json-1.0", UnparsableRequestError, "no object"),
        (
            "DynamoDB_20120810.GetItem",
            '{"TableName": 5}',
            "application/x-amz-json-1.0",
            UnparsableRequestError,
            "TableName",
        ),
        ("DynamoDB_20120810.Query", '{"Limit": 1.5}', "", UnparsableRequestError, "`Limit` is no integer"),
        ("DynamoDB_20120810.Query", '{"Limit": true}', "", UnparsableRequestError, "`Limit` is no integer"),
        ("DynamoDB_20120810.Query", '{"ConsistentRead": "true"}', "", UnparsableRequestError, "no boolean"),
        ("DynamoDB_20120810.Query", '{"AttributesToGet": "a"}', "", UnparsableRequestError, "no list"),
        ("DynamoDB_20120810.GetItem", '{"Key": []}', "", UnparsableRequestError, "`Key` is no map"),
        ("DynamoDB_20120810.ListBackups", '{"TimeRangeLowerBound": []}', "", UnparsableRequestError, "no moment"),
        ("DynamoDB_20120810.GetItem", '{"a": NaN}', "application/x-amz-json-1.0", UnparsableRequestError, "NaN"),
        ("DynamoDB_20120810.GetItem", "[" * 100_000, "application/x-amz-json-1.0", UnparsableRequestError, "JSON"),
    ],
)
def test_json_calls_that_cannot_be_read(  # noqa: PLR0917 - a table's columns
    target: str, body: str, kind: str, error: type[Exception], match: str, request_of: Callable[..., Request]
) -> None:
    request = request_of(
        "POST", "https://dynamodb.us-east-1.amazonaws.com/", body, x_amz_target=target, content_type=kind
    )
    with pytest.raises(error, match=match):
        parse(request, signing_name="dynamodb", region=None)


def test_the_place_of_a_wrong_value_is_named(request_of: Callable[..., Request]) -> None:
    request = request_of(
        "POST",
        "https://dynamodb.us-east-1.amazonaws.com/",
        '{"TableName": "t", "Key": {"id": {"S": 5}}}',
        x_amz_target="DynamoDB_20120810.GetItem",
    )
    with pytest.raises(UnparsableRequestError, match=r"`GetItem` cannot be read: `Key\.S` is no string"):
        parse(request, signing_name="dynamodb", region=None)


@pytest.mark.parametrize("url", ["http://[::1/", "http://[not-an-address]/"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(UnparsableRequestError, match="address"):
        parse(Request("GET", url, {}), signing_name="s3", region=None)


def test_a_host_within_a_host_leaves_the_signature_to_decide(request_of: Callable[..., Request]) -> None:
    request = request_of(
        "POST", "https://a.ec2.us-east-1.amazonaws.com/", "Action=GetCallerIdentity", content_type=_FORM
    )
    assert parse(request, signing_name="sts", region=None).service == "sts"


@pytest.mark.parametrize(
    ("path", "kind", "error"),
    [
        ("/service/GraniteServiceVersion20100801/operation/NoSuchThing", "", UnknownOperationError),
        ("/service/Elsewhere/operation/ListMetrics", "", UnknownOperationError),
        ("/", "", UnknownOperationError),
        ("/service/DynamoDB_20120810/operation/ListTables", "", UnknownOperationError),
        ("/service/GraniteServiceVersion20100801/operation/ListMetrics", "application/json", UnparsableRequestError),
    ],
)
def test_cbor_calls_that_cannot_be_read(
    path: str, kind: str, error: type[Exception], request_of: Callable[..., Request]
) -> None:
    request = request_of("POST", f"http://localhost{path}", b"\xa0", smithy_protocol="rpc-v2-cbor", content_type=kind)
    with pytest.raises(error):
        parse(request, signing_name=None, region=None)


def test_numbers_and_what_stands_for_them(request_of: Callable[..., Request]) -> None:
    def read(value: str) -> object:
        body = f'{{"MetricData": [{{"Value": {value}}}]}}'
        request = request_of(
            "POST", "http://localhost/", body, x_amz_target="GraniteServiceVersion20100801.PutMetricData"
        )
        return parse(request, signing_name="monitoring", region=None).parameters["MetricData"][0]["Value"]

    assert (read("2"), read("2.5"), read('"NaN"')) == (2, 2.5, "NaN")
    for wrong in ('"two"', "true", "[]"):
        with pytest.raises(UnparsableRequestError, match=r"`MetricData\.Value` is no number"):
            read(wrong)


def test_an_empty_json_body_is_an_empty_input(request_of: Callable[..., Request]) -> None:
    request = request_of("POST", "http://localhost/", x_amz_target="DynamoDB_20120810.ListTables")
    assert parse(request, signing_name="dynamodb", region=None).parameters == {}


def test_integral_floats_are_integers(request_of: Callable[..., Request]) -> None:
    request = request_of("POST", "http://localhost/", '{"Limit": 5.0}', x_amz_target="DynamoDB_20120810.Query")
    assert parse(request, signing_name="dynamodb", region=None).parameters == {"Limit": 5}


def test_form_numbers(request_of: Callable[..., Request]) -> None:
    def read(value: str) -> object:
        body = f"Action=PutMetricData&Version=2010-08-01&MetricData.member.1.Value={value}"
        request = request_of("POST", "http://localhost/", body, content_type=_FORM)
        return parse(request, signing_name="monitoring", region=None).parameters["MetricData"][0]["Value"]

    assert (read("1.5e3"), read("NaN"), read("-2")) == (1500.0, "NaN", -2.0)
    with pytest.raises(UnparsableRequestError, match="no number"):
        read("1_0")


def test_headers_that_are_lists_or_json(request_of: Callable[..., Request]) -> None:
    url = "https://s3.us-east-1.amazonaws.com/b/k?attributes"
    request = request_of("GET", url, x_amz_object_attributes='ETag, "a,b" ,ObjectSize')
    assert parse(request, signing_name="s3", region=None).parameters["ObjectAttributes"] == [
        "ETag",
        "a,b",
        "ObjectSize",
    ]
    url = "https://runtime.lex.us-east-1.amazonaws.com/bot/b/alias/a/user/u/content"
    request = request_of("POST", url, x_amz_lex_session_attributes="not base64", content_type="text/plain")
    with pytest.raises(UnparsableRequestError, match="`sessionAttributes` is no JSON in Base64"):
        parse(request, signing_name="lex", region=None)


@pytest.mark.parametrize(
    ("text", "good"), [("c2VjcmV0", True), ("c2Vj\ncmV0", True), ("c2V!", False), ("secret", False)]
)
def test_a_blob_in_json_is_base64(request_of: Callable[..., Request], text: str, *, good: bool) -> None:
    # Else moto fails on it, and the call would seem to be one that is not simulated.
    body = json.dumps({"KeyId": "alias/key", "Plaintext": text}).encode()
    request = request_of("POST", "https://kms.us-east-1.amazonaws.com/", body, x_amz_target="TrentService.Encrypt")
    if good:
        assert parse(request, signing_name="kms", region=None).parameters["Plaintext"] == text
        return
    with pytest.raises(UnparsableRequestError, match="`Plaintext` is no Base64"):
        parse(request, signing_name="kms", region=None)


def test_a_text_body_must_be_utf8(request_of: Callable[..., Request]) -> None:
    with pytest.raises(UnparsableRequestError, match="UTF-8"):
        parse(request_of("PUT", "https://s3.us-east-1.amazonaws.com/b?policy", b"\xff"), signing_name="s3", region=None)


def test_invalid_utf8_in_the_address(request_of: Callable[..., Request]) -> None:
    for url in ("http://localhost/b/%ff", "http://localhost/b?prefix=%ff"):
        with pytest.raises(UnparsableRequestError, match="UTF-8"):
            parse(request_of("GET", url), signing_name="s3", region=None)


def test_bodies_that_are_not_what_they_say() -> None:
    headers = Headers.of([("host", "logs.us-east-1.amazonaws.com"), ("content-encoding", "gzip")])
    headers["x-amz-target"] = "Logs_20140328.PutLogEvents"
    for body in (b"not gzip", b"\x1f\x8b\x08\x00"):
        with pytest.raises(UnparsableRequestError, match=r"gzip|cut short"):
            parse(
                Request("POST", "https://logs.us-east-1.amazonaws.com/", headers, body),
                signing_name="logs",
                region=None,
            )


def test_what_a_client_sends_stays_on_one_line(request_of: Callable[..., Request]) -> None:
    body = "Action=AssumeRole&a%0Ab=1&a%0Ab=2"
    with pytest.raises(UnparsableRequestError, match=r"the field `a\?b` comes twice"):
        parse(request_of("POST", _STS, body, content_type=_FORM), signing_name="sts", region=None)
