"""The metadata options of an instance as EC2 keeps them, where moto does not.

A change of one option leaves the others as they are (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html);
moto forgets them, so that a raised hop limit would bring IMDSv1 back. Tags that the metadata show have keys that are names in a
path: see "View tags for your EC2 instances using instance metadata" in the Amazon EC2 User Guide.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.answers import answer
from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.request import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Response

__all__ = ["attend_options"]

_OPTIONS = {
    "HttpTokens": "http_tokens",
    "HttpPutResponseHopLimit": "http_put_response_hop_limit",
    "HttpEndpoint": "http_endpoint",
    "HttpProtocolIpv6": "http_protocol_ipv6",
    "InstanceMetadataTags": "instance_metadata_tags",
}

_KEY = re.compile(r"[0-9a-zA-Z\-_+=,.@:]{1,255}", re.ASCII)
_RESERVED = frozenset({".", "..", "_index"})
# EC2 writes the hyphen of its pattern with two backslashes.
_REFUSAL = (
    "'{}' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\\\-_+=,.@:]{{1,255}}), and must not be a reserved "
    "name ('.', '..', '_index')"
)


def attend_options(call: Call, backend: Backend, account: str, *, request_id: str) -> Callable[[Response], Response]:
    """Look at a call to EC2 before it is carried out; what is given back looks at its answer.

    Raises:
        Fault: an instance would show a tag whose key is no name of a path, in EC2's words.
    """
    if call.service != "ec2" or call.operation not in _KEYS:
        return unchanged
    ec2 = backend.service("ec2", account=account, region=call.region)
    for key in _KEYS[call.operation](call.parameters, ec2):
        if not _KEY.fullmatch(key) or key in _RESERVED:
            raise Fault(None, _REFUSAL.format(key), code="InvalidParameterValue")
    if call.operation != "ModifyInstanceMetadataOptions":
        return unchanged
    before = _options(ec2, call.parameters.get("InstanceId"))
    return lambda response: _settle(response, call, ec2, before, request_id=request_id)


def _settle(response: Response, call: Call, ec2: Any, before: Any, *, request_id: str) -> Response:
    """Put the options back that the call did not name, into what is stored and into the answer."""
    changed = _options(ec2, call.parameters.get("InstanceId"))
    if response.status != HTTPStatus.OK or changed is None or before is None:
        return response
    for name, attribute in _OPTIONS.items():
        if name not in call.parameters:
            setattr(changed, attribute, getattr(before, attribute))
    told = {name: getattr(changed, attribute) for name, attribute in _OPTIONS.items()}
    result = {"InstanceId": call.parameters["InstanceId"], "InstanceMetadataOptions": {"State": "pending", **told}}
    return answer(call, result, request_id=request_id)


def _launched(parameters: Any, _ec2: Any) -> Iterator[str]:
    if (parameters.get("MetadataOptions") or {}).get("InstanceMetadataTags") == "enabled":
        for each in parameters.get("TagSpecifications") or ():
            if each.get("ResourceType") == "instance":
                yield from _names(each.get("Tags"))


def _opened(parameters: Any, ec2: Any) -> Iterator[str]:
    if parameters.get("InstanceMetadataTags") == "enabled":
        yield from ec2.tags.get(parameters.get("InstanceId"), {})


def _added(parameters: Any, ec2: Any) -> Iterator[str]:
    if any(_shows(ec2, str(resource)) for resource in parameters.get("Resources") or ()):
        yield from _names(parameters.get("Tags"))


_KEYS = {"RunInstances": _launched, "ModifyInstanceMetadataOptions": _opened, "CreateTags": _added}


def _names(tags: Iterable[Any] | None) -> Iterator[str]:
    return (str(tag.get("Key", "")) for tag in tags or ())


def _shows(ec2: Any, resource: str) -> bool:
    """Tell whether `resource` is an instance whose metadata show its tags."""
    options = _options(ec2, resource) if resource.startswith("i-") else None
    return options is not None and options.instance_metadata_tags == "enabled"


def _options(ec2: Any, instance_id: Any) -> Any:
    found = next((one for one in ec2.all_instances() if one.id == instance_id), None)
    return found.metadata_options if found is not None else None
