"""`parse`: which service, which operation, with which input, in which region."""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from . import s3
from .addressing import Place, place
from .ambiguity import (
    content_type,
    refuse_second_action,
    refuse_second_protocol,
    refuse_second_source,
    refuse_second_target,
)
from .bodies import document_reader, load_json
from .call import Call, UnknownOperationError, UnparsableRequestError
from .catalogue import Metadata, catalogue, model
from .cbor import load_cbor
from .forms import form, form_reader, tree
from .rest import query_values, read_rest
from .routes import routes
from .scalars import MismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.request import Request

    from .routes import Route

__all__ = ["parse"]

_FORM = "application/x-www-form-urlencoded"
_INFLATED = 16 * 1024 * 1024
_OBJECT_BODIES = ("PutObject", "UploadPart", "WriteGetObjectResponse")
_DEFAULT_REGION = "us-east-1"
_REST = ("rest-xml", "rest-json")
_FORMS = ("query", "ec2")


def parse(request: Request, *, signing_name: str | None, region: str | None) -> Call:
    """Find the call that `request` makes.

    Args:
        request: the request as its client signed it.
        signing_name: the service of the signature's credential scope (``s3``); None when the request has none, so that
            the host, the target, the action or S3's own query form must tell.
        region: the region of the credential scope; None to take the host's, else ``us-east-1``.

    Raises:
        UnknownOperationError: the service or the operation is not known.
        UnparsableRequestError: the request contradicts itself or cannot be read as the operation's input.
    """
    try:
        where = place(request.host)
        request.split  # noqa: B018 - a malformed address is found here, once
    except ValueError as error:
        raise UnparsableRequestError("the address cannot be read", hint=str(error)) from error
    services = _services(signing_name, where)
    region = region or where.region or _DEFAULT_REGION
    if "x-amz-target" in request.headers and (services is None or any(each.target_prefix for each in services)):
        return _target(request, services, signing_name, region)
    if request.headers.get("smithy-protocol", "").lower() == "rpc-v2-cbor":
        return _cbor(request, services, signing_name, region)
    if services is None or any(protocol in _FORMS for each in services for protocol in each.protocols):
        fields = _fields(request, services)
        if "Action" in fields:
            return _action(fields, services, signing_name, region)
    return _rest(request, services, where, signing_name=signing_name, region=region)


def _services(signing_name: str | None, where: Place) -> tuple[Metadata, ...] | None:
    """Give the services that the credential scope and the host agree on; None when neither tells."""
    if signing_name is None:
        return where.services or None
    signed = catalogue().by_signing_name.get(signing_name)
    if signed is None:
        raise UnknownOperationError(signing_name, f"no service signs its requests as `{signing_name}`")
    if not where.services:
        return signed
    agreed = tuple(each for each in where.services if signing_name in each.signing_names)
    if not agreed and not where.certain:
        return signed
    if not agreed:
        raise UnparsableRequestError(
            f"the signature is for `{signing_name}`, the host is that of `{where.services[0].service}`"
        )
    return agreed


def _fail(services: tuple[Metadata, ...] | None, hint: str) -> NoReturn:
    raise UnknownOperationError(services[0].service if services else "unknown", hint)


def _signing_name(given: str | None, service: Metadata) -> str:
    return given or service.signing_names[0]


def _body(request: Request) -> bytes:
    """Give the body, inflated when the client compressed it; never beyond a size that no service takes."""
    if "gzip" not in request.headers.get("content-encoding", "").lower():
        return request.body
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(request.body, _INFLATED)
    except zlib.error as error:
        raise UnparsableRequestError("the body is not valid gzip", hint=str(error)) from error
    if inflater.unconsumed_tail or not inflater.eof:
        raise UnparsableRequestError("the compressed body is too large or cut short")
    return body


@cache
def _input_reader(service: str, operation: str, kind: str) -> Callable[[Any], dict[str, Any]]:
    shape = model(service).operation_model(operation).input_shape
    if shape is None:
        return lambda _value: {}
    reader = document_reader(shape) if kind == "document" else form_reader(shape, ec2=kind == "ec2")

    def read(value: Any) -> dict[str, Any]:
        try:
            parameters: dict[str, Any] = reader(value)
        except (MismatchError, RecursionError) as error:
            raise UnparsableRequestError(f"the input of `{operation}` cannot be read: {error}") from error
        return parameters

    return read


@cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(model(service).operation_names)


def _target(request: Request, services: tuple[Metadata, ...] | None, signing_name: str | None, region: str) -> Call:
    """Read a JSON call: ``X-Amz-Target: DynamoDB_20120810.PutItem``."""
    prefix, _, operation = request.headers["x-amz-target"].rpartition(".")
    known = catalogue().by_target_prefix.get(prefix, ())
    for service in known if services is None else services:
        if service.target_prefix != prefix or operation not in _operations(service.service):
            continue
        kind = content_type(request)
        if kind and not (kind.startswith("application/x-amz-json-") or kind == "application/json"):
            raise UnparsableRequestError(f"the content type `{kind}` is not that of a JSON call")
        body = _body(request)
        refuse_second_protocol(request, operation)
        refuse_second_action(request, operation, body)
        parameters = _input_reader(service.service, operation, "document")(load_json(body))
        protocol = "query-json" if service.query_compatible else "json"
        return Call(service.service, operation, protocol, parameters, region, _signing_name(signing_name, service))
    _fail(services, f"`{request.headers['x-amz-target']}` is no target")


def _cbor(request: Request, services: tuple[Metadata, ...] | None, signing_name: str | None, region: str) -> Call:
    """Read a Smithy RPC call: ``POST /service/GraniteServiceVersion20100801/operation/ListMetrics``."""
    parts = request.path.split("/")
    prefix, operation = (parts[2], parts[4]) if len(parts) == len(("", "service", "x", "operation", "x")) else ("", "")
    known = catalogue().by_target_prefix.get(prefix, ())
    for service in known if services is None else services:
        if service.target_prefix != prefix or operation not in _operations(service.service):
            continue
        if "smithy-rpc-v2-cbor" not in (service.protocol, *service.protocols):
            continue
        if request.body and content_type(request) not in ("", "application/cbor"):
            raise UnparsableRequestError(f"the content type `{content_type(request)}` is not that of a CBOR call")
        body = _body(request)
        refuse_second_action(request, operation, body)
        parameters = _input_reader(service.service, operation, "document")(load_cbor(body))
        name = _signing_name(signing_name, service)
        return Call(service.service, operation, "smithy-rpc-v2-cbor", parameters, region, name)
    _fail(services, f"`{request.path}` is no operation's path")


def _fields(request: Request, services: tuple[Metadata, ...] | None) -> dict[str, str]:
    """Give the form's fields, from the body or from the query string; nothing when the request is no form."""
    kinds = (_FORM,) if services is None else (_FORM, "")
    in_body = request.method == "POST" and content_type(request) in kinds and bool(request.body)
    fields = form(_body(request) if in_body else request.split.query)
    if "Action" in fields or "Action" in request.query:
        refuse_second_source(request, request.query if in_body else fields)
        refuse_second_target(request, fields.get("Action", "none"))
    return fields


def _action(
    fields: Mapping[str, str], services: tuple[Metadata, ...] | None, signing_name: str | None, region: str
) -> Call:
    """Read a query call: ``Action=AssumeRole&Version=2011-06-15&...``."""
    operation, version = fields["Action"], fields.get("Version")
    known = services if services is not None else catalogue().by_api_version.get(version or "", ())
    able = [each for each in known if set(_FORMS) & set(each.protocols) and operation in _operations(each.service)]
    if version is not None:
        # Versions tell services apart that share a signing name; one that none of them has is let pass.
        able = [each for each in able if each.api_version == version] or able
    if not able:
        _fail(services, f"`{operation}` is no action of it")
    service = able[0]
    kind = "ec2" if "ec2" in service.protocols else "query"
    parameters = _input_reader(service.service, operation, kind)(tree(dict(fields)))
    return Call(service.service, operation, kind, parameters, region, _signing_name(signing_name, service))


def _rest(
    request: Request, services: tuple[Metadata, ...] | None, where: Place, *, signing_name: str | None, region: str
) -> Call:
    """Read a REST call: method, path and query string."""
    query = query_values(request.split.query)
    for service in s3.services(request, where) if services is None or services[0].service == "s3" else services:
        if service.protocol not in _REST:
            continue
        path = s3.path(request.path, where) if service.service == "s3" else request.path
        for template in routes(service.service).get(request.method, ()):
            found = template.pattern.fullmatch(path)
            route = template.choose(query, request.headers) if found else None
            if found is None or route is None:
                continue
            if service.service == "s3":
                route = s3.route(template, route, where, signing_name=signing_name)
            # An object is kept as it came, compressed or not; a large one is not even here.
            is_object = service.service == "s3" and route.operation in _OBJECT_BODIES
            body = b"" if is_object else _body(request)
            _refuse_second(request, route, body)
            parameters = read_rest(
                service.service, route, found.groups(), query=query, headers=request.headers, body=body
            )
            name = _signing_name(signing_name, service)
            return Call(service.service, route.operation, service.protocol, parameters, region, name)
    _fail(services, f"`{request.method} {request.path}` is no operation's address")


def _refuse_second(request: Request, route: Route, body: bytes) -> None:
    refuse_second_target(request, route.operation)
    refuse_second_action(request, route.operation, body, known=route.known)
