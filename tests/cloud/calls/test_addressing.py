"""What host names tell: the forms that AWS documents, and the loopback names of a local server."""

from __future__ import annotations

import pytest

from pytest_stsguard.cloud.calls.addressing import place


@pytest.mark.parametrize(
    ("host", "service", "region", "bucket"),
    [
        ("s3.amazonaws.com", "s3", None, None),
        ("s3.us-east-1.amazonaws.com", "s3", "us-east-1", None),
        ("s3-us-west-2.amazonaws.com", "s3", "us-west-2", None),
        ("s3.dualstack.eu-central-1.amazonaws.com", "s3", "eu-central-1", None),
        ("s3-fips.us-gov-west-1.amazonaws.com", "s3", "us-gov-west-1", None),
        ("s3.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1", None),
        ("bucket.s3.amazonaws.com", "s3", None, "bucket"),
        ("bucket.s3.us-east-1.amazonaws.com", "s3", "us-east-1", "bucket"),
        ("a.b.c.s3.us-east-1.amazonaws.com:443", "s3", "us-east-1", "a.b.c"),
        ("bucket.s3-eu-west-1.amazonaws.com", "s3", "eu-west-1", "bucket"),
        ("bucket.s3-accelerate.amazonaws.com", "s3", None, "bucket"),
        ("bucket.s3.dualstack.us-west-2.amazonaws.com", "s3", "us-west-2", "bucket"),
        ("s3.s3.us-east-1.amazonaws.com", "s3", "us-east-1", "s3"),
        (
            "point-111122223333.s3-accesspoint.us-east-1.amazonaws.com",
            "s3",
            "us-east-1",
            "arn:aws:s3:us-east-1:111122223333:accesspoint/point",
        ),
        ("alias.s3-accesspoint.us-east-1.amazonaws.com", "s3", "us-east-1", "alias"),
        ("111122223333.s3-control.us-east-1.amazonaws.com", "s3control", "us-east-1", None),
        ("sts.amazonaws.com", "sts", None, None),
        ("sts.us-east-1.amazonaws.com", "sts", "us-east-1", None),
        ("sts-fips.us-west-2.amazonaws.com", "sts", "us-west-2", None),
        ("STS.US-East-1.amazonaws.com", "sts", "us-east-1", None),
        ("iam.amazonaws.com", "iam", None, None),
        ("ec2.ap-southeast-2.amazonaws.com", "ec2", "ap-southeast-2", None),
        ("ec2.us-east-1.api.aws", "ec2", "us-east-1", None),
        ("dynamodb.us-east-1.amazonaws.com", "dynamodb", "us-east-1", None),
        ("streams.dynamodb.us-east-1.amazonaws.com", "dynamodbstreams", "us-east-1", None),
        ("api.ecr.us-east-1.amazonaws.com", "ecr", "us-east-1", None),
        ("monitoring.us-east-1.amazonaws.com", "cloudwatch", "us-east-1", None),
    ],
)
def test_aws_hosts(host: str, service: str, region: str | None, bucket: str | None) -> None:
    found = place(host)
    assert (found.services[0].service, found.region, found.bucket) == (service, region, bucket)


@pytest.mark.parametrize(
    ("host", "services", "bucket"),
    [
        ("localhost", [], None),
        ("localhost:4599", [], None),
        ("127.0.0.1:4599", [], None),
        ("[::1]:4599", [], None),
        ("bucket.localhost:4599", [], "bucket"),
        ("a.b.localhost", [], "a.b"),
        ("s3.localhost", ["s3"], None),
        ("bucket.s3.localhost", ["s3"], "bucket"),
        ("bucket.s3.localhost.localstack.cloud:4566", ["s3"], "bucket"),
        ("bucket.s3.us-east-1.localhost.localstack.cloud", ["s3"], "bucket"),
        ("cloud.example.test", [], None),
        ("amazonaws.com", [], None),
        ("notamazonaws.com", [], None),
        ("s3.amazonaws.com.example.test", [], None),
        ("", [], None),
    ],
)
def test_other_hosts(host: str, services: list[str], bucket: str | None) -> None:
    found = place(host)
    assert ([each.service for each in found.services], found.bucket) == (services, bucket)


def test_an_unknown_name_before_a_service_makes_it_uncertain() -> None:
    assert place("ec2.us-east-1.amazonaws.com").certain
    assert not place("elsewhere.ec2.us-east-1.amazonaws.com").certain
