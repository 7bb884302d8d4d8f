"""A bucket answers in its own region alone; elsewhere S3 says where that is.

See "Making requests to Amazon S3", "Request routing" and "Error responses" in the Amazon S3 documentation: to a bucket's name
in front of the global endpoint DNS finds the bucket's region, which refuses a signature for another
(AuthorizationHeaderMalformed); every other endpoint sends on to the right one (PermanentRedirect). Both name the region in
``x-amz-bucket-region``, by which SDKs try again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.cloud.calls.addressing import place
from pytest_stsguard.cloud.faults import Fault

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.layers.buckets import Buckets
    from pytest_stsguard.cloud.request import Request
    from pytest_stsguard.cloud.signature import Claim

__all__ = ["check_region"]

_HOME: Final = "us-east-1"
# CreateBucket says itself where; the others of these have always been answered for buckets anywhere.
_ANYWHERE: Final = frozenset({"CreateBucket", "GetBucketLocation"})
_REDIRECT: Final = (
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future "
    "requests to this endpoint."
)
_WRONG: Final = "The authorization header is malformed; the region '{}' is wrong; expecting '{}'"


def check_region(buckets: Buckets, call: Call, request: Request, claim: Claim | None) -> None:
    """Refuse a call on a bucket of another region than the one that the request was sent to and signed for.

    Raises:
        Fault: the bucket is in another region.
    """
    name = call.parameters.get("Bucket")
    if call.operation in _ANYWHERE or not isinstance(name, str) or name.startswith("arn:"):
        return
    bucket = buckets.find(name)
    if bucket is None:
        return
    home = str(bucket.region_name)
    signed = claim.region if claim is not None else None
    sent = _region_of(request, name, home) or signed or home
    headers = {"x-amz-bucket-region": home}
    if sent != home:
        endpoint = f"{name}.s3.{home}.amazonaws.com" if home != _HOME else f"{name}.s3.amazonaws.com"
        elements = {"Endpoint": endpoint, "Bucket": name}
        raise Fault(None, _REDIRECT, code="PermanentRedirect", status=301, headers=headers, elements=elements)
    if signed not in (None, home):
        told = _WRONG.format(signed, home)
        elements = {"Region": home}
        raise Fault(None, told, code="AuthorizationHeaderMalformed", headers=headers, elements=elements)


def _region_of(request: Request, bucket: str, home: str) -> str | None:
    """Give the region whose endpoint a request was sent to; None for an address that is none of AWS's."""
    host = request.host
    found = place(host)
    if not any(each.service == "s3" for each in found.services):
        return None
    if found.region is not None:
        return found.region
    return home if found.bucket == bucket else _HOME
