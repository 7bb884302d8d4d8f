"""Calls that a service makes itself: written as a client would write them, so that the gate reads them like any other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pytest_stsguard.cloud.calls.catalogue import catalogue, model
from pytest_stsguard.cloud.request import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.forwarded import Forwarded
    from pytest_stsguard.cloud.request import Response

__all__ = ["Answer", "Requests"]

# These have one endpoint, whichever region the stack is in.
_GLOBAL = frozenset({"iam"})
_HOME = "us-east-1"
_FAILED = 300
_NOT_SIMULATED = 501


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the output by the API's names, or the error's code and message, and the body as it is."""

    status: int
    output: Mapping[str, Any]
    request_id: str
    body: bytes

    @property
    def failed(self) -> bool:
        """Whether the call was refused, or could not be carried out."""
        return self.status >= _FAILED

    @property
    def simulated(self) -> bool:
        """Whether the cloud knew what to do with the call."""
        return self.status != _NOT_SIMULATED

    @property
    def code(self) -> str:
        """The error's code."""
        return str((self.output.get("Error") or {}).get("Code") or self.status)

    @property
    def message(self) -> str:
        """The error's message."""
        return str((self.output.get("Error") or {}).get("Message") or self.code)


class Requests:
    """Sends calls through the gate's own door, unsigned: the door knows who they are from."""

    def __init__(self, handle: Callable[[Request, Forwarded], Response]) -> None:
        self._handle = handle

    def send(
        self, service: str, operation: str, parameters: Mapping[str, Any], *, forwarded: Forwarded, region: str
    ) -> Answer:
        """Make one call; `parameters` fit the operation's input, as `fit.fitted` gives them."""
        where = _HOME if service in _GLOBAL else region
        request = _written(service, operation, parameters, forwarded=forwarded, region=where)
        response = self._handle(request, forwarded)
        named = response.headers.get("x-amzn-requestid") or response.headers.get("x-amz-request-id", "")
        return Answer(response.status, _read(service, operation, response), named, response.body)


def _written(
    service: str, operation: str, parameters: Mapping[str, Any], *, forwarded: Forwarded, region: str
) -> Request:
    wire = _serializer(service).serialize_to_request(dict(parameters), model(service).operation_model(operation))
    query = wire["query_string"]
    path = wire["url_path"]
    if query:
        text = query if isinstance(query, str) else urlencode(query, doseq=True)
        path += ("&" if "?" in path else "?") + text
    body = wire["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    if isinstance(body, str):
        body = body.encode()
    headers = {name.lower(): str(value) for name, value in wire["headers"].items()}
    host = f"{catalogue().by_name[service].endpoint_prefix}.{region}.amazonaws.com"
    # By its scope moto finds the region where the host does not tell it; the door looks at no signature of a service.
    scope = f"{forwarded.caller.access_key_id}/00000000/{region}/{service}/aws4_request"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    headers |= {"host": host, "user-agent": forwarded.principal, "content-length": str(len(body or b""))}
    return Request(
        wire["method"], f"https://{host}{path}", Headers(headers), body or b"", source_ip=forwarded.principal
    )


def _read(service: str, operation: str, response: Response) -> dict[str, Any]:
    from botocore.awsrequest import HeadersDict  # noqa: PLC0415 - imported with the first client
    from botocore.parsers import ResponseParserError, create_parser  # noqa: PLC0415 - as above

    answer = {"headers": HeadersDict(response.headers), "body": response.body, "status_code": response.status}
    shape: Any = model(service).operation_model(operation).output_shape
    try:
        found: dict[str, Any] = create_parser(_protocol(service)).parse(answer, shape)
    except (ResponseParserError, ValueError):
        # An object of S3 need not be text, and moto answers in few places what no client could read either.
        return {}
    return found


@cache
def _protocol(service: str) -> str:
    return str(model(service).resolved_protocol)


@cache
def _serializer(service: str) -> Any:
    from botocore.serialize import create_serializer  # noqa: PLC0415 - imported with the first client

    return create_serializer(_protocol(service), include_validation=False)
