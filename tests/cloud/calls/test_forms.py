"""The query and EC2 protocols: nested names, lists, maps, and forms that nobody should send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.calls import UnparsableRequestError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.request import Request

_FORM = "application/x-www-form-urlencoded"
_HOSTS = {
    "ec2": "https://ec2.us-east-1.amazonaws.com/",
    "iam": "https://iam.amazonaws.com/",
    "sts": "https://sts.amazonaws.com/",
}


@pytest.fixture
def read(request_of: Callable[..., Request]) -> Callable[..., Mapping[str, Any]]:
    def run(service: str, body: str | bytes) -> Mapping[str, Any]:
        request = request_of("POST", _HOSTS[service], body, content_type=_FORM)
        return parse(request, signing_name=service, region=None).parameters

    return run


@pytest.mark.parametrize(
    ("service", "body", "parameters"),
    [
        ("ec2", "Action=DescribeInstances&InstanceId.1=i-1&InstanceId.2=i-2", {"InstanceIds": ["i-1", "i-2"]}),
        ("ec2", "Action=DescribeInstances&InstanceId.7=i-7&InstanceId.2=i-2", {"InstanceIds": ["i-2", "i-7"]}),
        (
            "ec2",
            "Action=DescribeInstances&Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.2=b&MaxResults=5",
            {"Filters": [{"Name": "vpc-id", "Values": ["a", "b"]}], "MaxResults": 5},
        ),
        ("ec2", "Action=RunInstances&EbsOptimized=true&DryRun=FALSE", {"EbsOptimized": True, "DryRun": False}),
        ("ec2", "Action=DescribeInstances&NoSuchMember=1&X.1.Y=2", {}),
        ("sts", "Action=AssumeRole&Tags.member.1.Key=a&Tags.member.1.Value=", {"Tags": [{"Key": "a", "Value": ""}]}),
        ("sts", "Action=AssumeRole&TransitiveTagKeys=", {"TransitiveTagKeys": []}),
        ("sts", "Action=AssumeRole&RoleSessionName=a+b%2Bc%26d", {"RoleSessionName": "a b+c&d"}),
        ("iam", "Action=GetUser&UserName=%E2%82%AC", {"UserName": "€"}),
    ],
)
def test_forms(service: str, body: str, parameters: dict[str, Any], read: Callable[..., Mapping[str, Any]]) -> None:
    assert read(service, body) == parameters


def test_maps_have_numbered_entries(request_of: Callable[..., Request]) -> None:
    body = "Action=SetSMSAttributes&Version=2010-03-31&attributes.entry.1.key=a&attributes.entry.1.value=b"
    request = request_of("POST", "https://sns.us-east-1.amazonaws.com/", body, content_type=_FORM)
    assert parse(request, signing_name="sns", region=None).parameters == {"attributes": {"a": "b"}}
    for entries in ("attributes.entry.1.key=a", "attributes.entry.1.value=b", "attributes.entry.1=a"):
        request = request_of(
            "POST", "https://sns.us-east-1.amazonaws.com/", f"Action=SetSMSAttributes&{entries}", content_type=_FORM
        )
        with pytest.raises(UnparsableRequestError, match="attributes"):
            parse(request, signing_name="sns", region=None)


@pytest.mark.parametrize(
    ("service", "body", "match"),
    [
        ("ec2", "Action=DescribeInstances&InstanceId.1=a&InstanceId.1=b", "comes twice"),
        ("ec2", "Action=DescribeInstances&Action=TerminateInstances", "comes twice"),
        ("ec2", "Action=DescribeInstances&InstanceId.999999999=a", "999999999"),
        ("ec2", "Action=DescribeInstances&InstanceId.0=a", "item number `0`"),
        ("ec2", "Action=DescribeInstances&InstanceId.01=a", "item number `01`"),
        ("ec2", "Action=DescribeInstances&InstanceId.-1=a", "item number"),
        ("ec2", "Action=DescribeInstances&InstanceId.%D9%A1=a", "item number"),
        ("ec2", "Action=DescribeInstances&InstanceId=a", "items are numbered"),
        ("ec2", "Action=DescribeInstances&InstanceId.1.Extra=a", "single value"),
        ("ec2", "Action=DescribeInstances&MaxResults=many", "`MaxResults` is no integer"),
        ("ec2", "Action=DescribeInstances&MaxResults=%D9%A1", "no integer"),
        ("ec2", "Action=RunInstances&DryRun=perhaps", "neither `true` nor `false`"),
        ("ec2", "Action=RequestSpotInstances&ValidUntil=tomorrow", "no moment in time"),
        ("sts", "Action=AssumeRole&Tags.1.Key=a", r"named `member\.1`"),
        ("sts", "Action=AssumeRole&Tags.member.999999999.Key=a", "999999999"),
        ("sts", "Action=AssumeRole&Tags.member=x", "items are numbered"),
        ("sts", "Action=AssumeRole&" + "a." * 100 + "b=1", "too many parts"),
        ("sts", b"Action=AssumeRole&RoleArn=\xff", "UTF-8"),
        ("sts", "Action=AssumeRole&RoleArn=%ff", "UTF-8"),
        ("sts", "Action=AssumeRole" + "&a=1" * 20_001, "more than"),
    ],
)
def test_forms_that_are_refused(
    service: str, body: str | bytes, match: str, read: Callable[..., Mapping[str, Any]]
) -> None:
    with pytest.raises(UnparsableRequestError, match=match):
        read(service, body)
