"""S3's access points: the bucket behind one, its own policy, and the network that it is bound to.

A request through an access point is decided twice, on the point and on the bucket behind it:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html. One that is bound to a VPC takes no
request from elsewhere: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-vpc.html. moto keeps an access
point with the account of its bucket, and knows none by its alias.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.layers.public_access import denials_alone, is_public

if TYPE_CHECKING:
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.identity import Caller

__all__ = ["find_access_point", "is_access_point", "point_policy", "restricted"]

_PART: Final = ":accesspoint/"
_ARN_PARTS: Final = 6


def is_access_point(arn: str) -> bool:
    """Tell whether an ARN is of an access point of S3, or of an object behind one."""
    return arn.startswith("arn:") and arn.split(":", 3)[2] == "s3" and _PART in arn


def find_access_point(backend: Backend, arn: str) -> Any:
    """Give moto's access point; None for one that does not exist."""
    parts = arn.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or not is_access_point(arn):
        return None
    account, name = parts[4], parts[5].split("/")[1]
    held = backend.service("s3control", account=account).access_points
    return (dict.get(held, account) or {}).get(name)


def point_policy(point: Any) -> str | None:
    """Give the policy of one of moto's access points, its bond to a VPC told as a statement."""
    if point.vpc_id is None:
        return point.policy or None
    elsewhere = {
        "Sid": "access point of a VPC",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:SourceVpc": point.vpc_id}},
    }
    document = json.loads(point.policy) if point.policy else {"Version": "2012-10-17", "Statement": []}
    stated = document.get("Statement", [])
    return json.dumps({**document, "Statement": [*(stated if isinstance(stated, list) else [stated]), elsewhere]})


def restricted(text: str, point: Any, owner: str, caller: Caller) -> str | None:
    """Give what a point's policy says to `caller` under the point's own Block Public Access."""
    closed = str(point.pubc.get("RestrictPublicBuckets", "true")).lower() == "true"
    return denials_alone(text) if closed and caller.account != owner and is_public(text) else text
