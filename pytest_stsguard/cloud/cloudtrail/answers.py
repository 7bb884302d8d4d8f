"""What a service answered, read back for the record: the error, or the elements of what was made."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.calls.catalogue import model
from pytest_stsguard.cloud.cloudtrail.redaction import output_shape, redacted

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Response

__all__ = ["elements_of", "error_of"]

_FAILED = 300
_NO_KEY = ("NoSuchKey", "The specified key does not exist.")
_NO_BUCKET = ("NoSuchBucket", "The specified bucket does not exist")
_PARSERS = {"query-json": "json"}


def error_of(call: Call, response: Response) -> tuple[str, str] | None:
    """Give the code and the message of an error that a service answered; None for what is none."""
    if response.status < _FAILED or response.status == HTTPStatus.SEE_OTHER:
        # 303 is the success of a browser's form, sent on to the page that the form names.
        return None
    error = _parsed(call, response).get("Error") or {}
    code = str(error.get("Code") or response.status)
    if code == "404" and call.service == "s3":
        # An answer to HEAD has no body; the record names the error all the same.
        return _NO_KEY if "Key" in call.parameters else _NO_BUCKET
    return code, str(error.get("Message") or "")


def elements_of(call: Call, response: Response) -> Any:
    """Give what a service answered, without its secrets; None when it answered nothing."""
    if response.status >= _FAILED:
        return None
    answered = {name: value for name, value in _parsed(call, response).items() if name != "ResponseMetadata"}
    # A stream, or a payload that the model leaves open, is nobody's to tell.
    told = {name: value for name, value in answered.items() if not hasattr(value, "read")}
    return redacted(told, output_shape(call), call.service)


def _parsed(call: Call, response: Response) -> dict[str, Any]:
    from botocore.awsrequest import HeadersDict  # noqa: PLC0415 - imported with the first client
    from botocore.parsers import ResponseParserError, create_parser  # noqa: PLC0415 - as above

    parser = create_parser(_PARSERS.get(call.protocol, call.protocol))
    answer = {"headers": HeadersDict(response.headers), "body": response.body, "status_code": response.status}
    shape: Any = model(call.service).operation_model(call.operation).output_shape
    try:
        found: dict[str, Any] = parser.parse(answer, shape)
    except (ResponseParserError, ValueError):
        # moto answers in few places what no client could read either; the call itself is on record.
        return {}
    return found
