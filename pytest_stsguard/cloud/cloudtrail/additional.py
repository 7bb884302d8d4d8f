"""The element additionalEventData: what S3 and the sign-in page add to a record.

See "Amazon S3 CloudTrail log file entries" in the Amazon S3 User Guide, and "AWS Management Console sign-in events" in the AWS
CloudTrail User Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import host_id

if TYPE_CHECKING:
    from pytest_stsguard.cloud.cloudtrail.event import Event

__all__ = ["additional_data"]

# By the form of a signature's claim; no document says what a browser's form is called.
_METHODS = {"header": "AuthHeader", "query": "QueryString", "s3v2": "QueryString"}
_CIPHER_SUITE = "TLS_AES_128_GCM_SHA256"


def additional_data(event: Event) -> dict[str, Any] | None:
    """Tell how a request to S3 was signed, and how many bytes went each way; of a console login whether with MFA.

    None for everything else. By AuthenticationMethod a detection tells a presigned URL from a client.
    """
    if event.call is None:
        return None
    if event.call.operation == "ConsoleLogin":
        session = event.caller.session if event.caller else None
        return {"MobileVersion": "No", "MFAUsed": "Yes" if session is not None and session.mfa_at else "No"}
    if event.call.service != "s3":
        return None
    told: dict[str, Any] = {}
    if event.signed is not None:
        told["SignatureVersion"] = "SigV2" if event.signed in {"s3v2", "post-v2"} else "SigV4"
    if event.request.secure:
        told["CipherSuite"] = _CIPHER_SUITE
    told["bytesTransferredIn"] = event.received
    if event.signed in _METHODS:
        told["AuthenticationMethod"] = _METHODS[event.signed]
    return {**told, "x-amz-id-2": host_id(event.request_id), "bytesTransferredOut": event.sent}
