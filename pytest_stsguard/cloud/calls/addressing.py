"""What a host name says: the services behind it, their region, and S3's bucket in front of it.

https://docs.aws.amazon.com/general/latest/gr/rande.html and, for the forms of S3,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .catalogue import Metadata, catalogue

__all__ = ["Place", "is_region", "place"]

_SUFFIX = re.compile(
    r"(?:^|\.)(?:amazonaws\.com(?P<china>\.cn)?|amazonaws\.eu|api\.aws|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov)$"
)
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,3}-\d{1,2}", re.ASCII)
_LOOPBACK = re.compile(r"(?:^|\.)(?:localhost|localhost\.localstack\.cloud|localhost\.localdomain)$")
_S3 = re.compile(
    r"s3(?P<kind>-accesspoint|-object-lambda|-control|-outposts|-accelerate|-external-1|express-control)?"
    r"(?:-fips)?(?:-(?P<region>[a-z]{2,4}(?:-[a-z]+){1,3}-\d{1,2}))?"
)
_EXPRESS = re.compile(r"s3express(?:-fips)?-[a-z0-9-]+")
_ACCESS_POINT = re.compile(r"(?P<name>[a-z0-9-]+)-(?P<account>\d{12})")


@dataclass(frozen=True, slots=True)
class Place:
    """What the host tells; `services` is empty and `region` None where it does not.

    `bucket` is the bucket, or the ARN of the access point, that stands in front of S3's name; `kind` is the flavour of
    S3 (``-control``, ``-object-lambda`` ...), empty for S3 itself. `certain` is False when something unknown stands in
    front of the service's name, which may then be part of a longer name.
    """

    services: tuple[Metadata, ...] = ()
    region: str | None = None
    bucket: str | None = None
    kind: str = ""
    certain: bool = True


def is_region(text: str) -> bool:
    """Tell whether `text` has the form of a region's name."""
    return _REGION.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def place(host: str) -> Place:
    """Read a host, with or without its port, in any case."""
    name = re.sub(r":\d*$", "", host).lower().rstrip(".")
    if suffix := _SUFFIX.search(name):
        labels = name[: suffix.start()].split(".") if suffix.start() > 0 else []
        return _s3(labels, china=bool(suffix["china"])) or _regular(labels)
    if loopback := _LOOPBACK.search(name):
        labels = name[: loopback.start()].split(".") if loopback.start() > 0 else []
        return _s3(labels, china=False) or Place(bucket=".".join(labels) or None)
    return Place()


def _s3(labels: list[str], *, china: bool) -> Place | None:
    """Find S3's own label, the last one but the region and `dualstack`; what is left of it is the bucket."""
    end = len(labels)
    region = None
    if end and is_region(labels[end - 1]):
        region = labels[end - 1]
        end -= 1
    if end and labels[end - 1] == "dualstack":
        end -= 1
    if not end:
        return None
    found = _S3.fullmatch(labels[end - 1])
    if not found and not _EXPRESS.fullmatch(labels[end - 1]):
        return None
    kind = (found["kind"] or "") if found else "express"
    region = (found["region"] if found else None) or region
    front = labels[: end - 1]
    by_name = catalogue().by_name
    if kind == "-control":
        return Place((by_name["s3control"],), region, None, kind)
    if kind == "-outposts":
        return Place((by_name["s3"], by_name["s3control"], by_name["s3outposts"]), region, None, kind)
    if kind in ("-object-lambda", "express-control"):
        # The label in front routes the request: it is no bucket.
        return Place((by_name["s3"], by_name["s3control"]), region, None, kind)
    bucket = ".".join(front) or None
    if kind == "-accesspoint" and bucket:
        bucket = _access_point(bucket, region, china=china)
    return Place((by_name["s3"],), region, bucket, kind)


def _access_point(front: str, region: str | None, *, china: bool) -> str:
    found = _ACCESS_POINT.fullmatch(front)
    if not found:
        return front
    partition = "aws-cn" if china else "aws-us-gov" if (region or "").startswith("us-gov-") else "aws"
    return f"arn:{partition}:s3:{region or 'us-east-1'}:{found['account']}:accesspoint/{found['name']}"


def _regular(labels: list[str]) -> Place:
    """Read ``[host prefix.]service[-fips][.region]``; the longest endpoint prefix that is known wins."""
    region = next((label for label in reversed(labels) if is_region(label)), None)
    rest = [label.removesuffix("-fips") for label in labels if label not in (region, "dualstack", "fips")]
    for start in range(len(rest)):
        services = catalogue().by_endpoint_prefix.get(".".join(rest[start:]))
        if services:
            return Place(services, region, certain=start == 0)
    return Place(region=region)
