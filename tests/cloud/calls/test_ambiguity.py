"""A request that could be read as two operations is refused: what is authorized is what is performed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cloud.calls import UnparsableRequestError, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.request import Request

_FORM = "application/x-www-form-urlencoded"
_IAM = "https://iam.amazonaws.com/"
_GET = "Action=GetUser&Version=2010-05-08"
_KMS = "https://kms.us-east-1.amazonaws.com/"
_LAMBDA = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions"


@pytest.mark.parametrize(
    ("service", "method", "url", "body", "headers"),
    [
        ("iam", "POST", f"{_IAM}?{_GET}", "Action=DeleteUser", {"content_type": _FORM}),
        ("iam", "POST", f"{_IAM}?{_GET}", "UserName=bob", {"content_type": _FORM}),
        ("iam", "POST", f"{_IAM}?{_GET}", "--x", {"content_type": "multipart/form-data; boundary=x"}),
        ("iam", "POST", f"{_IAM}?UserName=bob", _GET, {"content_type": _FORM}),
        ("iam", "POST", f"{_IAM}?X-Amz-Signature=x", _GET, {}),
        ("iam", "GET", f"{_IAM}?{_GET}", "Action=DeleteUser", {"content_type": _FORM}),
        ("iam", "POST", _IAM, _GET, {"content_type": _FORM, "x_amz_target": "Any.DeleteUser"}),
        ("iam", "POST", _IAM, _GET, {"content_type": _FORM, "smithy_protocol": "other"}),
        ("kms", "POST", f"{_KMS}?Action=DisableKey", "{}", {"x_amz_target": "TrentService.ListKeys"}),
        ("kms", "POST", f"{_KMS}?%41ction=DisableKey", "{}", {"x_amz_target": "TrentService.ListKeys"}),
        ("kms", "POST", _KMS, "{}", {"x_amz_target": "TrentService.ListKeys", "smithy_protocol": "rpc-v2-cbor"}),
        (
            "kms",
            "POST",
            _KMS,
            json.dumps({"Marker": "&Action=DisableKey&"}),
            {"x_amz_target": "TrentService.ListKeys"},
        ),
        ("lambda", "GET", _LAMBDA, "", {"x_amz_target": "Any.DeleteFunction"}),
        ("lambda", "GET", f"{_LAMBDA}?Action=DeleteFunction", "", {}),
        ("lambda", "POST", f"{_LAMBDA}/f/invocations", "Action=DeleteFunction", {"content_type": _FORM}),
        ("lambda", "POST", f"{_LAMBDA}/f/invocations", "%41ction=DeleteFunction", {}),
        ("lambda", "POST", f"{_LAMBDA}/f/invocations", '{"a": "&Action=DeleteFunction"}', {}),
        ("s3", "GET", "https://s3.amazonaws.com/b?Action=DeleteBucket", "", {}),
        ("s3", "GET", "https://s3.amazonaws.com/b/k", "versionId=v", {"content_type": _FORM}),
        ("s3", "GET", "https://s3.amazonaws.com/b", "", {"x_amz_target": "Any.DeleteBucket"}),
    ],
)
def test_a_second_operation_is_refused(  # noqa: PLR0917 - a table's columns
    service: str, method: str, url: str, body: str, headers: dict[str, str], request_of: Callable[..., Request]
) -> None:
    with pytest.raises(UnparsableRequestError):
        parse(request_of(method, url, body, **headers), signing_name=service, region=None)


def test_a_signature_may_stand_in_the_url_of_a_form(request_of: Callable[..., Request]) -> None:
    request = request_of("POST", f"{_IAM}?X-Amz-Signature=x&X-Amz-Expires=60", _GET, content_type=_FORM)
    assert parse(request, signing_name="iam", region=None).operation == "GetUser"


def test_objects_may_hold_anything(request_of: Callable[..., Request]) -> None:
    for kind in (_FORM, "multipart/form-data", "text/plain"):
        request = request_of("PUT", "https://s3.amazonaws.com/b/k", "Action=DeleteObject&x", content_type=kind)
        assert parse(request, signing_name="s3", region=None).operation == "PutObject"


def test_an_equals_sign_is_no_form(request_of: Callable[..., Request]) -> None:
    body = json.dumps({"Policy": '{"Action": "a=b&c"}', "KeyId": "k"})
    request = request_of("POST", _KMS, body, x_amz_target="TrentService.PutKeyPolicy")
    assert parse(request, signing_name="kms", region=None).operation == "PutKeyPolicy"
