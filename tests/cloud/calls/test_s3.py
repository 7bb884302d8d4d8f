"""S3's peculiarities: buckets in hosts, keys that look like paths, subresources that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.calls import UnknownOperationError, UnparsableRequestError, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.request import Request

_PATH = "https://s3.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("method", "url", "operation", "parameters"),
    [
        ("GET", f"{_PATH}/", "ListBuckets", {}),
        ("GET", _PATH, "ListBuckets", {}),
        ("GET", f"{_PATH}/b", "ListObjects", {"Bucket": "b"}),
        ("GET", f"{_PATH}/b/", "ListObjects", {"Bucket": "b"}),
        ("GET", f"{_PATH}/b?list-type=2&prefix=a%2Fb", "ListObjectsV2", {"Bucket": "b", "Prefix": "a/b"}),
        ("HEAD", f"{_PATH}/b", "HeadBucket", {"Bucket": "b"}),
        ("GET", f"{_PATH}/b?policy", "GetBucketPolicy", {"Bucket": "b"}),
        ("GET", f"{_PATH}/b?policy=", "GetBucketPolicy", {"Bucket": "b"}),
        ("GET", f"{_PATH}/b?uploads", "ListMultipartUploads", {"Bucket": "b"}),
        ("GET", f"{_PATH}/b?analytics", "ListBucketAnalyticsConfigurations", {"Bucket": "b"}),
        ("GET", f"{_PATH}/b?analytics&id=x", "GetBucketAnalyticsConfiguration", {"Bucket": "b", "Id": "x"}),
        ("GET", f"{_PATH}/b/k?x-id=GetObject", "GetObject", {"Bucket": "b", "Key": "k"}),
        ("GET", f"{_PATH}/b/a/b//c/", "GetObject", {"Bucket": "b", "Key": "a/b//c/"}),
        ("GET", f"{_PATH}/b//a", "GetObject", {"Bucket": "b", "Key": "/a"}),
        ("GET", f"{_PATH}/b/../c", "GetObject", {"Bucket": "b", "Key": "../c"}),
        ("GET", f"{_PATH}/b/a+b%2Bc%20d%3Fe", "GetObject", {"Bucket": "b", "Key": "a+b+c d?e"}),
        ("GET", f"{_PATH}/b/%E2%82%AC", "GetObject", {"Bucket": "b", "Key": "€"}),
        ("GET", f"{_PATH}/b/k?versionId=v1", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "v1"}),
        ("HEAD", f"{_PATH}/b/k", "HeadObject", {"Bucket": "b", "Key": "k"}),
        ("DELETE", f"{_PATH}/b/k", "DeleteObject", {"Bucket": "b", "Key": "k"}),
        ("PUT", f"{_PATH}/b/k", "PutObject", {"Bucket": "b", "Key": "k"}),
        ("POST", f"{_PATH}/b/k?uploads", "CreateMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("GET", f"{_PATH}/b/k?uploadId=u", "ListParts", {"Bucket": "b", "Key": "k", "UploadId": "u"}),
        ("DELETE", f"{_PATH}/b/k?uploadId=u", "AbortMultipartUpload", {"Bucket": "b", "Key": "k", "UploadId": "u"}),
        ("GET", "https://b.s3.amazonaws.com/", "ListObjects", {"Bucket": "b"}),
        ("GET", "https://b.s3.amazonaws.com/b/k", "GetObject", {"Bucket": "b", "Key": "b/k"}),
        ("GET", "http://b.localhost:4599/k", "GetObject", {"Bucket": "b", "Key": "k"}),
        ("GET", "http://127.0.0.1:4599/b/k", "GetObject", {"Bucket": "b", "Key": "k"}),
    ],
)
def test_addresses(
    method: str, url: str, operation: str, parameters: dict[str, Any], request_of: Callable[..., Request]
) -> None:
    call = parse(request_of(method, url), signing_name="s3", region="us-east-1")
    assert (call.operation, call.parameters) == (operation, parameters)


def test_the_copy_header_makes_a_copy(request_of: Callable[..., Request]) -> None:
    put = request_of("PUT", f"{_PATH}/b/k", x_amz_copy_source="a/k")
    assert parse(put, signing_name="s3", region=None).operation == "CopyObject"
    part = request_of("PUT", f"{_PATH}/b/k?partNumber=1&uploadId=u", x_amz_copy_source="a/k")
    assert parse(part, signing_name="s3", region=None).operation == "UploadPartCopy"
    part = request_of("PUT", f"{_PATH}/b/k?partNumber=1&uploadId=u")
    assert parse(part, signing_name="s3", region=None).operation == "UploadPart"


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", "policy&acl"),
        ("GET", "list-type=1"),
        ("GET", "list-type=2&policy"),
        ("PUT", "uploadId=u"),
        ("DELETE", "analytics"),
        ("DELETE", "policy&website"),
        ("GET", "policy&policy&location"),
        ("GET", "max-keys=many"),
        ("GET", "prefix=a&prefix=b"),
    ],
)
def test_what_could_be_read_as_two_operations_is_refused(
    method: str, query: str, request_of: Callable[..., Request]
) -> None:
    path = "b/k" if "uploadId" in query else "b"
    with pytest.raises(UnparsableRequestError):
        parse(request_of(method, f"{_PATH}/{path}?{query}"), signing_name="s3", region=None)


def test_a_copy_header_where_nothing_is_copied_is_refused(request_of: Callable[..., Request]) -> None:
    with pytest.raises(UnparsableRequestError, match="`x-amz-copy-source` does not belong to `PutObjectTagging`"):
        parse(request_of("PUT", f"{_PATH}/b/k?tagging", x_amz_copy_source="a/k"), signing_name="s3", region=None)


def test_a_header_that_an_operation_needs_is_asked_for(request_of: Callable[..., Request]) -> None:
    with pytest.raises(UnparsableRequestError, match="x-amz-object-attributes"):
        parse(request_of("GET", f"{_PATH}/b/k?attributes"), signing_name="s3", region=None)


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "POST", "TRACE", "get", ""])
def test_methods_without_an_operation(method: str, request_of: Callable[..., Request]) -> None:
    with pytest.raises(UnknownOperationError) as caught:
        parse(request_of(method, f"{_PATH}/b"), signing_name="s3", region=None)
    assert caught.value.service == "s3"


def test_metadata_headers_are_a_map(request_of: Callable[..., Request]) -> None:
    request = request_of("PUT", f"{_PATH}/b/k", x_amz_meta_Color="red", x_amz_meta_size="9")
    assert parse(request, signing_name="s3", region=None).parameters["Metadata"] == {"color": "red", "size": "9"}


def test_flavours_of_s3(request_of: Callable[..., Request]) -> None:
    express = request_of("GET", "https://s3express-control.us-east-1.amazonaws.com/")
    assert parse(express, signing_name="s3express", region=None).operation == "ListDirectoryBuckets"
    control = request_of("GET", "http://localhost/v20180820/accesspoint", x_amz_account_id="111122223333")
    call = parse(control, signing_name="s3", region=None)
    assert (call.service, call.operation) == ("s3control", "ListAccessPoints")
    outposts = request_of("POST", "https://s3-outposts.us-east-1.amazonaws.com/S3Outposts/CreateEndpoint", "{}")
    assert parse(outposts, signing_name="s3-outposts", region=None).operation == "CreateEndpoint"
    point = request_of("GET", "https://p-111122223333.s3-accesspoint.us-east-1.amazonaws.com/k")
    assert parse(point, signing_name="s3", region=None).parameters == {
        "Bucket": "arn:aws:s3:us-east-1:111122223333:accesspoint/p",
        "Key": "k",
    }
