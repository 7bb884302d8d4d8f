"""What is peculiar to S3: buckets in host names, its control plane, its express and object lambda flavours.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from .catalogue import Metadata, catalogue

if TYPE_CHECKING:
    from pytest_stsguard.cloud.request import Request

    from .addressing import Place
    from .routes import Route, Template

__all__ = ["path", "route", "services"]

_CONTROL_PATH = "/v20180820/"


def services(request: Request, where: Place) -> tuple[Metadata, ...]:
    """Tell S3 from its control planes, which share its signing name: by the host, else by path and account header."""
    by_name = catalogue().by_name
    if where.kind == "-outposts" and request.path.startswith("/S3Outposts/"):
        return (by_name["s3outposts"],)
    if where.services and where.kind not in ("-outposts", "express-control"):
        return where.services
    if request.path.startswith(_CONTROL_PATH) and (where.services or "x-amz-account-id" in request.headers):
        return (by_name["s3control"],)
    return (by_name["s3"],)


def path(encoded: str, where: Place) -> str:
    """Give the path with the bucket in front, as though the request were path style."""
    return f"/{quote(where.bucket, safe='')}{encoded}" if where.bucket else encoded


def route(template: Template, chosen: Route, where: Place, *, signing_name: str | None) -> Route:
    """Give the express flavour of the chosen operation where the request is for that: `GET /` lists other buckets."""
    if chosen.operation == "ListBuckets" and (where.kind == "express-control" or signing_name == "s3express"):
        return next(each for each in template.routes if each.operation == "ListDirectoryBuckets")
    return chosen
