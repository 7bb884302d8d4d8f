"""The call that a request asks for, and the two ways in which a request asks for none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Call", "UnknownOperationError", "UnparsableRequestError"]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of one service with its input.

    `service` is the name that ``boto3.client`` takes, `operation` the API's name, `protocol` the protocol that the
    request is written in: ``query``, ``ec2``, ``rest-xml``, ``json``, ``rest-json``, ``query-json`` (JSON of a service
    that still speaks query error codes) or ``smithy-rpc-v2-cbor``. `parameters` are the input members by their API
    names, nested as in boto3; timestamps are ISO 8601 text, blobs inside a body Base64 text. A member that is the whole
    payload and holds a blob or a stream is left out, as are members that the model does not know.
    """

    service: str
    operation: str
    protocol: str
    parameters: Mapping[str, Any]
    region: str
    signing_name: str


class UnknownOperationError(CloudError):
    """A request that names no operation of the service: `service` is the one it was sent to, as far as that is known."""

    code = "UnknownOperation"

    def __init__(self, service: str, hint: str) -> None:
        super().__init__(f"no operation of `{_line(service)}` answers this request", hint=_line(hint))
        self.service = service


class UnparsableRequestError(CloudError):
    """A request whose address, headers or body cannot be read as the input of the operation that it names."""

    code = "UnparsableRequest"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(_line(message), hint=_line(hint) if hint else None)


def _line(text: str) -> str:
    """Keep what a client sent on one printable line."""
    return "".join(character if character.isprintable() else "?" for character in text[:500])
