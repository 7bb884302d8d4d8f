"""Names that are taken, of types whose API would hand the existing resource over as if it were new.

CloudFormation asks first, and fails the resource: a stack must not come to own, and to delete, what it has not made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_stsguard.cloud.backend import Backend

__all__ = ["is_taken"]

# By type the service, where moto keeps its resources, and the key there.
_BOOKS = {
    "AWS::S3::Bucket": ("s3", "buckets", "{name}"),
    "AWS::SNS::Topic": ("sns", "topics", "arn:aws:sns:{region}:{account}:{name}"),
    "AWS::SQS::Queue": ("sqs", "queues", "{name}"),
}


def is_taken(backend: Backend, kind: str, name: str, *, account: str, region: str) -> bool:
    """Tell whether a resource of a type has the name already."""
    found = _BOOKS.get(kind)
    if found is None:
        return False
    service, book, key = found
    held = getattr(backend.service(service, account=account, region=region), book)
    return key.format(name=name, account=account, region=region) in held
