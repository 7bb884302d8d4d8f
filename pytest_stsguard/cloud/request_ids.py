"""The id of a request inside an answer's body, where the protocols of XML have it and botocore reads it.

moto makes one up, or has none of its own (``request-id``); on AWS it is the one in the trail.
See "CloudTrail record contents", `requestID`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.faults import host_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.request import Response

__all__ = ["restamped"]

_IN_QUERY = re.compile(rb"(<ResponseMetadata>\s*<RequestId>|</Error>\s*<RequestId>)[^<]*(?=</RequestId>)")
_IN_EC2 = re.compile(rb"(<requestId>|<RequestID>)[^<]*(?=</request[Ii][dD]>|</RequestID>)")
_IN_S3 = re.compile(rb"(<RequestId>|<HostId>)[^<]*(?=</(?:RequestId|HostId)>)")
_FAILED = 300


def restamped(response: Response, protocol: str, service: str, *, request_id: str) -> Response:
    """Give the answer with the id of its request in the body, where the protocol has one there."""
    own = request_id.encode()
    if protocol == "query":
        return _changed(response, _IN_QUERY, lambda found: found[1] + own)
    if protocol == "ec2":
        return _changed(response, _IN_EC2, lambda found: found[1] + own)
    if service == "s3" and response.status >= _FAILED:
        host = host_id(request_id).encode()
        return _changed(
            response, _IN_S3, lambda found: found[1] + (own if found[1] == b"<RequestId>" else host), most=2
        )
    return response


def _changed(
    response: Response, pattern: re.Pattern[bytes], text: Callable[[re.Match[bytes]], bytes], *, most: int = 1
) -> Response:
    body = pattern.sub(text, response.body, count=most)
    if body == response.body:
        return response
    headers = {
        name: str(len(body)) if name.lower() == "content-length" else value for name, value in response.headers.items()
    }
    return replace(response, headers=headers, body=body)
