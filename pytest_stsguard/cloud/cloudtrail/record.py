"""One call as a CloudTrail record, in the published format.

See "CloudTrail record contents" in the AWS CloudTrail User Guide.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.cloudtrail.additional import additional_data
from pytest_stsguard.cloud.cloudtrail.answers import elements_of, error_of
from pytest_stsguard.cloud.cloudtrail.identity import user_identity
from pytest_stsguard.cloud.cloudtrail.kinds import RESOURCE_TYPES, is_data, is_reading, name_of, source_of
from pytest_stsguard.cloud.cloudtrail.redaction import input_shape, redacted

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.cloudtrail.event import Event

__all__ = ["record_of"]

_VERSION = "1.11"
_ARN_PARTS = 6
_RENAMED = {"bucket": "bucketName"}


def record_of(event: Event, *, recipient: str | None = None) -> dict[str, Any]:
    """Write an event as the record that the caller's account gets, or the account `recipient`, whose resource it is."""
    call = event.call
    data = call is not None and is_data(call)
    record: dict[str, Any] = {
        "eventVersion": _VERSION,
        "userIdentity": _identity(event),
        "eventTime": isoformat(event.time),
        "eventSource": source_of(call) if call else "unknown.amazonaws.com",
        "eventName": name_of(call) if call else "Unknown",
        "awsRegion": call.region if call else "us-east-1",
        "sourceIPAddress": event.request.source_ip,
        "userAgent": event.request.headers.get("user-agent", ""),
        **_error(event),
        "requestParameters": _parameters(call, event.request.host) if call else None,
        "responseElements": _elements(event),
        "additionalEventData": additional_data(event),
        "requestID": event.request_id,
        "eventID": event.event_id if recipient is None else str(uuid.uuid5(uuid.UUID(event.event_id), recipient)),
        "readOnly": call is not None and is_reading(call),
        "resources": _resources(event),
        "eventType": "AwsConsoleSignIn" if call and call.service == "signin" else "AwsApiCall",
        "managementEvent": not data,
        "recipientAccountId": recipient or event.recipient,
        "sharedEventID": event.shared_id,
        "eventCategory": "Data" if data else "Management",
        "tlsDetails": _tls(event),
        "sessionCredentialFromConsole": _console(event),
    }
    optional = {"additionalEventData", "resources", "sharedEventID", "tlsDetails", "sessionCredentialFromConsole"}
    return {name: value for name, value in record.items() if value or name not in optional}


def _identity(event: Event) -> dict[str, Any]:
    identity = user_identity(event.caller, event.claimed_key)
    return identity if event.invoked_by is None else {**identity, "invokedBy": event.invoked_by}


def _error(event: Event) -> dict[str, str]:
    found = (event.error_code, event.error_message or "") if event.error_code is not None else None
    if found is None and event.response is not None and event.call is not None:
        found = error_of(event.call, event.response)
    if found is None:
        return {}
    code, message = found
    # EC2's codes are told with the side that is at fault.
    prefix = "Client." if event.call is not None and event.call.protocol == "ec2" else ""
    return {"errorCode": f"{prefix}{code}", "errorMessage": message}


def _parameters(call: Call, host: str) -> Any:
    told = redacted(dict(call.parameters), input_shape(call), call.service)
    if call.service == "s3":
        named = {_RENAMED.get(name, name): value for name, value in (told or {}).items()}
        return {**named, "Host": host}
    if call.protocol == "ec2" and told:
        return _as_ec2(told)
    return told


def _as_ec2(told: dict[str, Any]) -> dict[str, Any]:
    """Write the two lists that detections read most in the sets that EC2's records have for them."""
    changed = dict(told)
    instances, filters = changed.pop("instanceIds", None), changed.pop("filters", None)
    if instances:
        changed["instancesSet"] = {"items": [{"instanceId": each} for each in instances]}
    if filters:
        items = [
            {"name": each.get("name"), "valueSet": {"items": [{"value": value} for value in each.get("values") or ()]}}
            for each in filters
        ]
        changed["filterSet"] = {"items": items}
    return changed


def _elements(event: Event) -> Any:
    if event.response_elements is not None:
        return event.response_elements
    if event.response is None or event.call is None or event.error_code is not None:
        return None
    return elements_of(event.call, event.response)


def _resources(event: Event) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for arn, owner in event.resources:
        parts = arn.split(":", _ARN_PARTS - 1)
        if len(parts) < _ARN_PARTS or set(arn) & set("*?"):
            continue
        service, account, tail = parts[2], parts[4] or owner, parts[5]
        if service == "s3":
            bucket, _, key = tail.partition("/")
            whole = {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}
            told = [{"type": "AWS::S3::Object", "ARN": arn}] if key else []
            told.append({"accountId": account, **whole} if account else whole)
        else:
            noun = tail.partition("/")[0].partition(":")[0] if "/" in tail or ":" in tail else ""
            kind = RESOURCE_TYPES.get((service, noun))
            told = [{"accountId": account, "type": kind, "ARN": arn}] if kind else []
        found.extend(each for each in told if each not in found)
    return found


def _tls(event: Event) -> dict[str, str] | None:
    """Tell the connection as AWS's endpoints have it; a request over plain HTTP, or of a service, has none."""
    if not event.request.secure or event.invoked_by is not None:
        return None
    told = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}
    return {**told, "clientProvidedHostHeader": event.request.host.partition(":")[0]}


def _console(event: Event) -> str | None:
    session = event.caller.session if event.caller else None
    return "true" if session is not None and session.console else None
