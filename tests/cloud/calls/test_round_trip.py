"""Every operation that boto3 can serialise is read back as itself: service, operation, parameters, region."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.serialize import create_serializer

from pytest_stsguard.cloud.calls import parse
from pytest_stsguard.cloud.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable

# The services of the simulated world, whole, then thirty others over all protocols.
_OTHERS = (
    "accessanalyzer",
    "acm",
    "apigateway",
    "apigatewayv2",
    "athena",
    "cloudformation",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "cognito-idp",
    "compute-optimizer",
    "config",
    "dynamodbstreams",
    "ecr",
    "ecs",
    "eks",
    "elbv2",
    "guardduty",
    "kms",
    "lex-runtime",
    "lambda",
    "logs",
    "organizations",
    "route53",
    "s3control",
    "sdb",
    "secretsmanager",
    "ses",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
)


@pytest.mark.parametrize("service", ["s3", "ec2", "iam", "sts", "dynamodb"])
def test_every_operation_comes_back(service: str, round_trip: Callable[..., list[str]]) -> None:
    assert round_trip(service) == []


def test_every_s3_operation_comes_back_from_a_virtual_host(round_trip: Callable[..., list[str]]) -> None:
    assert round_trip("s3", style="virtual") == []


@pytest.mark.parametrize("service", ["s3", "sts", "dynamodb"])
def test_every_operation_comes_back_from_a_loopback_endpoint(
    service: str, round_trip: Callable[..., list[str]]
) -> None:
    assert round_trip(service, endpoint="http://127.0.0.1:4599") == []


@pytest.mark.parametrize("service", _OTHERS)
def test_every_operation_of_other_services_comes_back(service: str, round_trip: Callable[..., list[str]]) -> None:
    assert round_trip(service) == []


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "protocol"),
    [
        ("sts", "GetCallerIdentity", {}, "query"),
        ("ec2", "DescribeInstances", {}, "ec2"),
        ("s3", "ListBuckets", {}, "rest-xml"),
        ("dynamodb", "ListTables", {}, "json"),
        ("lambda", "ListFunctions", {}, "rest-json"),
        ("sqs", "ListQueues", {}, "query-json"),
    ],
)
def test_the_protocol_is_the_one_that_the_request_is_written_in(
    service: str, operation: str, parameters: dict[str, Any], protocol: str, wire: Any
) -> None:
    request = wire.request(service, operation, parameters)
    call = parse(request, signing_name=service, region="us-west-2")
    assert (call.service, call.operation, call.protocol) == (service, operation, protocol)


def test_a_service_of_several_protocols_is_read_in_each_of_them(request_of: Callable[..., Request]) -> None:
    url = "https://monitoring.us-east-1.amazonaws.com/"
    form = request_of(
        "POST",
        url,
        "Action=ListMetrics&Version=2010-08-01&Namespace=AWS%2FEC2&Dimensions.member.1.Name=InstanceId",
        content_type="application/x-www-form-urlencoded",
    )
    document = request_of(
        "POST",
        url,
        json.dumps({"Namespace": "AWS/EC2", "Dimensions": [{"Name": "InstanceId"}]}),
        content_type="application/x-amz-json-1.0",
        x_amz_target="GraniteServiceVersion20100801.ListMetrics",
    )
    calls = [parse(each, signing_name="monitoring", region="us-east-1") for each in (form, document)]
    assert [call.protocol for call in calls] == ["query", "query-json"]
    assert (
        calls[0].parameters == calls[1].parameters == {"Namespace": "AWS/EC2", "Dimensions": [{"Name": "InstanceId"}]}
    )


@pytest.mark.parametrize("service", ["cloudwatch", "compute-optimizer", "gamelift"])
def test_cbor_comes_back_from_botocores_own_serializer(service: str, examples: Any, differences: Any) -> None:
    model = examples.model(service)
    serializer = create_serializer("smithy-rpc-v2-cbor", include_validation=False)
    for operation in model.operation_names:
        example = examples.make(service, operation, full=True)
        raw = serializer.serialize_to_request(example.given, model.operation_model(operation))
        headers = {name.lower(): value for name, value in raw["headers"].items()}
        body = raw["body"] if isinstance(raw["body"], bytes) else b""
        request = Request("POST", f"https://localhost{raw['url_path']}", {**headers, "host": "localhost"}, body)
        call = parse(request, signing_name=model.signing_name, region=None)
        assert (call.service, call.operation, call.protocol) == (service, operation, "smithy-rpc-v2-cbor")
        assert differences(model.operation_model(operation).input_shape, call, example) == {}


def test_a_compressed_body_is_inflated(wire: Any) -> None:
    data = [{"MetricName": f"name-{number}", "Value": 1.0} for number in range(2000)]
    request = wire.request("cloudwatch", "PutMetricData", {"Namespace": "n", "MetricData": data})
    assert request.headers["content-encoding"] == "gzip"
    assert gzip.decompress(request.body)
    assert parse(request, signing_name="monitoring", region=None).parameters["MetricData"] == data


def test_streams_and_blob_payloads_are_left_out(wire: Any) -> None:
    request = wire.request("s3", "PutObject", {"Bucket": "bucket", "Key": "key", "Body": b"secret"})
    assert "Body" not in parse(request, signing_name="s3", region=None).parameters
    request = wire.request("lambda", "Invoke", {"FunctionName": "f", "Payload": b"{}"})
    assert parse(request, signing_name="lambda", region=None).parameters == {"FunctionName": "f"}


def test_a_policy_that_is_the_whole_body_is_kept(wire: Any) -> None:
    request = wire.request("s3", "PutBucketPolicy", {"Bucket": "bucket", "Policy": '{"Version": "2012-10-17"}'})
    assert parse(request, signing_name="s3", region=None).parameters["Policy"] == '{"Version": "2012-10-17"}'
