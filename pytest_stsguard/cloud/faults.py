"""What the simulated cloud says when it says no: each refusal in the words of the service's own protocol.

The codes and statuses are those of FACTS.md section 3, from the services' error references.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_stsguard.cloud.calls.catalogue import catalogue
from pytest_stsguard.cloud.request import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Dialect", "Fault", "Refusal", "dialect", "host_id", "render"]

_JSON_KIND = re.compile(r"application/x-amz-json-1\.[01]", re.ASCII)


class Refusal(Enum):
    """The reasons for which the gate itself turns a request away."""

    ACCESS_DENIED = "access denied"
    EXPIRED = "expired"
    UNKNOWN_KEY = "unknown key"
    BAD_TOKEN = "bad token"  # noqa: S105 - the name of a refusal
    BAD_SIGNATURE = "bad signature"
    UNSIGNED = "unsigned"
    INCOMPLETE = "incomplete signature"
    SKEWED = "skewed"
    UNREADABLE = "unreadable"
    NOT_SIMULATED = "not simulated"


class Fault(Exception):  # noqa: N818 - AWS calls a refused request a fault
    """A refused request: a `Refusal` of the gate, or a service's own error with its code and status.

    `s3` is the code, the status and the message of S3, where it has its own.
    """

    def __init__(
        self,
        refusal: Refusal | None,
        message: str | None = None,
        *,
        code: str = "",
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        elements: Mapping[str, str] | None = None,
        s3: tuple[str, int, str] | None = None,
    ) -> None:
        super().__init__(message or code)
        self.refusal = refusal
        self.message = message
        self.code = code
        self.status = status
        # What S3 tells besides.
        self.headers = headers or {}
        self.elements = elements or {}
        self.s3 = s3


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of services words and wraps its errors."""

    name: str
    codes: Mapping[Refusal, tuple[str, int, str]]


_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - AWS's message
_EXPIRED = "The security token included in the request is expired"
_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_INCOMPLETE = "The request signature does not conform to AWS standards."
_NOT_VALIDATED = "AWS was not able to validate the provided access credentials"


def _codes(suffix: str, status: int, *, unknown: str, signature: str) -> dict[Refusal, tuple[str, int, str]]:
    return {
        Refusal.ACCESS_DENIED: (f"AccessDenied{suffix}", status, "Access denied"),
        Refusal.EXPIRED: (f"ExpiredToken{suffix}", status, _EXPIRED),
        Refusal.UNKNOWN_KEY: (unknown, status, _INVALID_TOKEN),
        Refusal.BAD_TOKEN: (unknown, status, _INVALID_TOKEN),
        Refusal.BAD_SIGNATURE: (signature, status, _SIGNATURE),
        Refusal.UNSIGNED: (f"MissingAuthenticationToken{suffix}", status, "Request is missing Authentication Token"),
        Refusal.INCOMPLETE: (f"IncompleteSignature{suffix}", status if suffix else 400, _INCOMPLETE),
        Refusal.SKEWED: (signature, status, "Signature expired or not yet current"),
        Refusal.UNREADABLE: (
            "SerializationException" if suffix else "MalformedInput",
            400,
            "The request cannot be read",
        ),
        Refusal.NOT_SIMULATED: ("NotImplemented", 501, "not simulated"),
    }


_QUERY = Dialect("query", _codes("", 403, unknown="InvalidClientTokenId", signature="SignatureDoesNotMatch"))
_REST_XML = Dialect("rest-xml", _QUERY.codes)
_JSON = Dialect(
    "json", _codes("Exception", 400, unknown="UnrecognizedClientException", signature="InvalidSignatureException")
)
_REST_JSON = Dialect(
    "rest-json", _codes("Exception", 403, unknown="UnrecognizedClientException", signature="InvalidSignatureException")
)
_QUERY_JSON = Dialect(
    "query-json",
    {
        **_JSON.codes,
        Refusal.ACCESS_DENIED: ("AccessDenied", 403, "Access denied"),
        Refusal.EXPIRED: ("ExpiredToken", 403, _EXPIRED),
        Refusal.UNKNOWN_KEY: ("InvalidClientTokenId", 403, _INVALID_TOKEN),
        Refusal.BAD_TOKEN: ("InvalidClientTokenId", 403, _INVALID_TOKEN),
        Refusal.BAD_SIGNATURE: ("SignatureDoesNotMatch", 403, _SIGNATURE),
        Refusal.INCOMPLETE: ("IncompleteSignature", 400, _INCOMPLETE),
        Refusal.SKEWED: ("SignatureDoesNotMatch", 403, "Signature expired or not yet current"),
    },
)
_CBOR = Dialect("cbor", _JSON.codes)
_QUERY_CBOR = Dialect("query-cbor", _QUERY_JSON.codes)
_SNS = Dialect("query", {**_QUERY.codes, Refusal.ACCESS_DENIED: ("AuthorizationError", 403, "Access denied")})
_EC2 = Dialect(
    "ec2",
    {
        Refusal.ACCESS_DENIED: ("UnauthorizedOperation", 403, "You are not authorized to perform this operation."),
        Refusal.EXPIRED: ("RequestExpired", 400, "Request has expired."),
        Refusal.UNKNOWN_KEY: ("AuthFailure", 401, _NOT_VALIDATED),
        Refusal.BAD_TOKEN: ("AuthFailure", 401, _NOT_VALIDATED),
        Refusal.BAD_SIGNATURE: ("AuthFailure", 401, _NOT_VALIDATED),
        Refusal.UNSIGNED: ("MissingParameter", 400, "The request must contain the parameter AWSAccessKeyId"),
        Refusal.INCOMPLETE: ("IncompleteSignature", 400, _INCOMPLETE),
        Refusal.SKEWED: ("RequestExpired", 400, "Request has expired."),
        Refusal.UNREADABLE: ("InvalidParameterValue", 400, "The request cannot be read"),
        Refusal.NOT_SIMULATED: ("NotImplemented", 501, "not simulated"),
    },
)
_S3 = Dialect(
    "s3",
    {
        Refusal.ACCESS_DENIED: ("AccessDenied", 403, "Access Denied"),
        Refusal.EXPIRED: ("ExpiredToken", 400, "The provided token has expired."),
        Refusal.UNKNOWN_KEY: (
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        Refusal.BAD_TOKEN: ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
        Refusal.BAD_SIGNATURE: (
            "SignatureDoesNotMatch",
            403,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ),
        Refusal.UNSIGNED: ("AccessDenied", 403, "Access Denied"),
        Refusal.INCOMPLETE: ("AuthorizationHeaderMalformed", 400, "The authorization header is malformed."),
        Refusal.SKEWED: (
            "RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.",
        ),
        Refusal.UNREADABLE: ("InvalidRequest", 400, "The request cannot be read"),
        Refusal.NOT_SIMULATED: ("NotImplemented", 501, "not simulated"),
    },
)
_BY_PROTOCOL = {
    "query": _QUERY,
    "ec2": _EC2,
    "rest-xml": _REST_XML,
    "json": _JSON,
    "rest-json": _REST_JSON,
    "query-json": _QUERY_JSON,
}


def dialect(service: str | None, protocol: str | None, headers: Mapping[str, str] | None = None) -> Dialect:
    """Choose how `service`, by its own or its signing name, which speaks `protocol`, words its errors.

    Of a request that names no operation the `headers` tell the protocol, else the service; an unknown one speaks query.
    """
    if service == "s3":
        return _S3
    if service == "sns":
        return _SNS
    book = catalogue()
    known = book.by_name.get(service or "") or next(iter(book.by_signing_name.get(service or "", ())), None)
    protocol = protocol or _announced(headers or {}) or (known.protocol if known else "query")
    compatible = known is not None and known.query_compatible
    if protocol == "smithy-rpc-v2-cbor":
        return _QUERY_CBOR if compatible else _CBOR
    if protocol == "json" and compatible:
        return _QUERY_JSON
    return _BY_PROTOCOL.get(protocol, _QUERY)


def _announced(headers: Mapping[str, str]) -> str | None:
    if headers.get("smithy-protocol", "").lower() == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    return "json" if "x-amz-target" in headers else None


def host_id(request_id: str) -> str:
    """Give S3's second id of a request: x-amz-id-2, and HostId in an error."""
    return base64.b64encode(hashlib.sha384(request_id.encode()).digest()).decode()


def render(
    fault: Fault, speaks: Dialect, *, request_id: str, head: bool = False, kind: str = ""
) -> tuple[Response, str, str]:
    """Word and wrap `fault`; gives the response with the error's code and message (for the trail).

    `kind` is the content type of the request, whose version of JSON the answer has.
    """
    code, status, message = fault.code, fault.status, fault.message or fault.code
    if fault.refusal is not None:
        code, status, default = speaks.codes[fault.refusal]
        message = fault.message or default
    if speaks.name == "s3" and fault.s3 is not None:
        code, status, message = fault.s3
    if speaks.name in {"cbor", "query-cbor"}:
        return _cbor(code, status, message, speaks=speaks, request_id=request_id), code, message
    if speaks.name in {"json", "rest-json", "query-json"}:
        return _json(code, status, message, speaks=speaks, request_id=request_id, kind=kind), code, message
    response = _xml(code, status, message, speaks=speaks, request_id=request_id, head=head, more=fault.elements)
    return replace(response, headers={**response.headers, **fault.headers}), code, message


def _json(code: str, status: int, message: str, *, speaks: Dialect, request_id: str, kind: str) -> Response:
    version = kind if _JSON_KIND.fullmatch(kind) else "application/x-amz-json-1.0"
    headers = {
        "content-type": "application/json" if speaks.name == "rest-json" else version,
        "x-amzn-requestid": request_id,
        "x-amzn-errortype": code,
    }
    if speaks.name == "query-json":
        headers["x-amzn-query-error"] = f"{code};Sender"
    body = {"__type": f"com.amazon.coral.service#{code}", "message": message}
    if code.startswith("AccessDenied"):
        body["Message"] = body.pop("message")
    if speaks.name == "rest-json":
        body.pop("__type")
    return Response(status, headers, json.dumps(body).encode())


def _cbor(code: str, status: int, message: str, *, speaks: Dialect, request_id: str) -> Response:
    """Write an error as Smithy RPC v2 does: a map of two texts (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html)."""
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-requestid": request_id}
    if speaks.name == "query-cbor":
        headers["x-amzn-query-error"] = f"{code};Sender"
    texts = ("__type", f"com.amazon.coral.service#{code}", "message", message)
    return Response(status, headers, b"\xa2" + b"".join(map(_cbor_text, texts)))


def _cbor_text(text: str) -> bytes:
    """Write a text with its length in four bytes, which CBOR allows for every length."""
    data = text.encode(errors="replace")
    return b"\x7a" + len(data).to_bytes(4, "big") + data


def _xml(
    code: str,
    status: int,
    message: str,
    *,
    speaks: Dialect,
    request_id: str,
    head: bool,
    more: Mapping[str, str],
) -> Response:
    headers = {"content-type": "application/xml" if speaks.name == "s3" else "text/xml"}
    headers["x-amz-request-id" if speaks.name == "s3" else "x-amzn-requestid"] = request_id
    if head:
        return Response(status, headers, b"")
    if speaks.name == "s3":
        root = ET.Element("Error")
        _children(root, Code=code, Message=message, **more, RequestId=request_id, HostId=host_id(request_id))
    elif speaks.name == "ec2":
        root = ET.Element("Response")
        _children(ET.SubElement(ET.SubElement(root, "Errors"), "Error"), Code=code, Message=message)
        _children(root, RequestID=request_id)
    else:
        root = ET.Element("ErrorResponse")
        _children(ET.SubElement(root, "Error"), Type="Sender", Code=code, Message=message)
        _children(root, RequestId=request_id)
    return Response(status, headers, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _children(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text
