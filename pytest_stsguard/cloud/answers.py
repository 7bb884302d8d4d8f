"""How our own services answer: a result in the wire form of the operation's protocol, by its botocore model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.request import Headers, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.calls import Call

__all__ = ["answer"]


def answer(call: Call, result: Mapping[str, Any], *, request_id: str) -> Response:
    """Serialize `result`, whose members bear their API names, as the service would send it."""
    from moto.core.serialize import SerializationContext, get_serializer_class  # noqa: PLC0415 - with the first answer
    from moto.core.utils import get_service_model  # noqa: PLC0415

    operation = get_service_model(call.service).operation_model(call.operation)
    serializer = get_serializer_class(call.service, call.protocol)(operation, SerializationContext(request_id))
    wire = serializer.serialize(dict(result))
    headers = Headers.of((str(name), str(value)) for name, value in wire["headers"].items())
    body = wire["body"]
    return Response(wire["status_code"], headers, body.encode() if isinstance(body, str) else body)
