"""Real boto3 clients whose requests are caught before they leave, and inputs made from the models' shapes."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ServiceModel

from pytest_stsguard.cloud.calls import parse
from pytest_stsguard.cloud.request import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Callable

_MOMENT = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
_TEXT = "ab12"


class Caught(Exception):  # noqa: N818 - it carries the request out of the client
    def __init__(self, prepared: Any) -> None:
        super().__init__("caught")
        body = prepared.body or b""
        body = body.read() if hasattr(body, "read") else body
        headers = Headers.of(prepared.headers.items())
        headers.setdefault("host", urlsplit(prepared.url).netloc)
        self.request = Request(prepared.method, prepared.url, headers, body.encode() if isinstance(body, str) else body)


class Wire:
    """Serialises calls with boto3: `request` gives what would have gone over the network."""

    def __init__(self) -> None:
        self._session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-west-2")
        self._clients: dict[tuple[str, str, str | None], Any] = {}

    def client(self, service: str, style: str = "path", endpoint: str | None = None) -> Any:
        key = (service, style, endpoint)
        if key not in self._clients:
            config = Config(
                s3={"addressing_style": style},
                parameter_validation=False,
                retries={"total_max_attempts": 1},
                inject_host_prefix=True,
                ignore_configured_endpoint_urls=True,
            )
            client = self._session.client(service, config=config, endpoint_url=endpoint)
            client.meta.events.register_last("before-send", self._catch)
            self._clients[key] = client
        return self._clients[key]

    @staticmethod
    def _catch(request: Any, **_: Any) -> None:
        raise Caught(request)

    def request(
        self,
        service: str,
        operation: str,
        parameters: dict[str, Any],
        *,
        style: str = "path",
        endpoint: str | None = None,
    ) -> Request:
        client = self.client(service, style, endpoint)
        try:
            client._make_api_call(operation, dict(parameters))  # noqa: SLF001 - an operation by its API name
        except Caught as caught:
            return caught.request
        raise AssertionError("the request was not caught")


@pytest.fixture(scope="session")
def wire() -> Wire:
    return Wire()


class Example:
    """An input of one operation as boto3 takes it, and as a parsed call shows it."""

    def __init__(self, given: dict[str, Any], seen: dict[str, Any]) -> None:
        self.given = given
        self.seen = seen


class Examples:
    """Inputs for every operation of a service: the required members only, or all of them down to some depth."""

    def __init__(self) -> None:
        self._loader = Loader()

    @cache  # noqa: B019 - one object for the session
    def model(self, service: str) -> ServiceModel:
        return ServiceModel(self._loader.load_service_model(service, "service-2"), service)

    def operations(self, service: str) -> list[str]:
        return list(self.model(service).operation_names)

    def make(self, service: str, operation: str, *, full: bool) -> Example:
        shape = self.model(service).operation_model(operation).input_shape
        if shape is None:
            return Example({}, {})
        payload = shape.serialization.get("payload")
        given: dict[str, Any] = {}
        seen: dict[str, Any] = {}
        for name, member in shape.members.items():
            if name not in shape.required_members and not full:
                continue
            if member.serialization.get("eventstream"):
                continue
            value = _value(member, name, full=full, depth=3, above=())
            if value is None:
                continue
            value = _rewritten(name, value) if operation in ("RunInstances", "CreateLaunchConfiguration") else value
            given[name] = value[0]
            hidden = name == payload and (member.type_name == "blob" or member.serialization.get("streaming"))
            if not hidden:
                seen[name] = value[1]
        return Example(given, seen)


def _value(shape: Any, name: str, *, full: bool, depth: int, above: tuple[str, ...]) -> tuple[Any, Any] | None:
    """Give a value as boto3 takes it and as a call shows it; None where the depth is used up."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return {"any": [1, "x"]}, {"any": [1, "x"]}
        if shape.name in above:
            return None
        return _structure(shape, full=full, depth=depth, above=(*above, shape.name))
    if kind in ("list", "map"):
        inner = _value(shape.member if kind == "list" else shape.value, name, full=full, depth=depth, above=above)
        if inner is None:
            return None
        return ([inner[0]], [inner[1]]) if kind == "list" else ({"key1": inner[0]}, {"key1": inner[1]})
    return _scalar(shape)


def _scalar(shape: Any) -> tuple[Any, Any]:
    if shape.type_name == "blob":
        return b"\x00bytes\xff", base64.b64encode(b"\x00bytes\xff").decode()
    if shape.serialization.get("jsonvalue") and shape.serialization.get("location") == "header":
        return {"a": [1]}, {"a": [1]}
    value: Any = {
        "integer": 7,
        "long": 8_000_000_000,
        "float": 1.5,
        "double": 2.5,
        "bigdecimal": 2.5,
        "boolean": True,
        "timestamp": _MOMENT,
    }.get(shape.type_name)
    if value is None:
        value = shape.enum[0] if getattr(shape, "enum", None) else _TEXT
    return value, "2024-02-29T12:30:15Z" if value is _MOMENT else value


def _rewritten(name: str, value: tuple[Any, Any]) -> tuple[Any, Any]:
    """Give what boto3 makes of a parameter: user data goes out in Base64."""
    return (value[0], base64.b64encode(value[0].encode()).decode()) if name == "UserData" else value


def _structure(shape: Any, *, full: bool, depth: int, above: tuple[str, ...]) -> tuple[Any, Any] | None:
    given, seen = {}, {}
    for name, member in shape.members.items():
        if name in shape.required_members or (full and depth > 0):
            value = _value(member, name, full=full, depth=depth - 1, above=above)
            if value is None:
                continue
            given[name], seen[name] = value
            if shape.serialization.get("union") or getattr(shape, "is_tagged_union", False):
                break
    return given, seen


# What boto3 puts into a request of its own accord, besides idempotency tokens.
_ADDED = {
    "ChecksumAlgorithm",
    "ChecksumCRC32",
    "ChecksumMode",
    "ContentEncoding",
    "ContentLength",
    "DestinationRegion",
    "EncodingType",
    "PresignedUrl",
    "accepts",
    "checksum",
}


def _pruned(value: Any) -> Any:
    """Drop empty structures, lists and maps: most protocols cannot carry them."""
    if isinstance(value, dict):
        return {key: inner for key, item in value.items() if (inner := _pruned(item)) not in ({}, [])}
    if isinstance(value, list):
        return [inner for item in value if (inner := _pruned(item)) not in ({}, [])]
    return value


def difference(shape: Any, call: Any, example: Example) -> dict[str, Any]:
    """Give the members that differ between a parsed call and what boto3 was given."""
    seen, expected = _pruned(call.parameters), _pruned(example.seen)
    members = shape.members if shape is not None else {}
    found = {}
    for name in seen.keys() | expected.keys():
        added = name in _ADDED or members[name].metadata.get("idempotencyToken")
        if seen.get(name) != expected.get(name) and not (name not in example.given and added):
            found[name] = (seen.get(name), expected.get(name))
    return found


@pytest.fixture
def differences() -> Callable[..., dict[str, Any]]:
    return difference


def scope_of(request: Request) -> tuple[str | None, str | None]:
    """Give region and signing name of the credential scope, as the gate reads them."""
    found = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers.get("authorization", ""))
    return (found[1], found[2]) if found else (None, None)


@pytest.fixture(scope="session")
def round_trip(wire: Wire, examples: Examples) -> Callable[..., list[str]]:
    """Serialise every operation of a service with boto3, parse it back and list what is not the same."""

    def run(service: str, *, style: str = "path", endpoint: str | None = None, skip: tuple[str, ...] = ()) -> list[str]:
        wrong = []
        for operation in examples.operations(service):
            for full in (False, True):
                if operation in skip:
                    continue
                example = examples.make(service, operation, full=full)
                request = wire.request(service, operation, example.given, style=style, endpoint=endpoint)
                region, signing_name = scope_of(request)
                call = parse(request, signing_name=signing_name, region=region)
                model = examples.model(service).operation_model(operation)
                differs: Any = (call.service, call.operation)
                if differs == (service, SAME_ADDRESS.get(operation, operation)):
                    deprecated = operation in SAME_ADDRESS
                    differs = None if deprecated else difference(model.input_shape, call, example)
                if differs or (region and call.region != region):
                    wrong.append(f"{operation} (full={full}): {differs} {call.region}")
        return wrong

    return run


# S3's deprecated operations share method and address with the ones that took their place.
SAME_ADDRESS = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}


@pytest.fixture(scope="session")
def examples() -> Examples:
    return Examples()


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """Build a neutral request by hand."""

    def build(method: str, url: str, body: bytes | str = b"", **headers: str) -> Request:
        lowered = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        lowered.setdefault("host", urlsplit(url).netloc)
        return Request(method, url, lowered, body.encode() if isinstance(body, str) else body)

    return build
