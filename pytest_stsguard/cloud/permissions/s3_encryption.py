"""The KMS keys of S3's objects: what encrypts a new one, and what must be decrypted to read one.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .behalf import on_behalf

if TYPE_CHECKING:
    from .permission import Permission
    from .scope import Scope

__all__ = ["reading_keys", "writing_keys"]

_WRITES = {
    "CopyObject": ("GenerateDataKey",),
    "CreateMultipartUpload": ("GenerateDataKey", "Decrypt"),
    "PutObject": ("GenerateDataKey",),
}
_READS = ("GetObject", "SelectObjectContent")


def writing_keys(scope: Scope, arn: str, bucket: str) -> list[Permission]:
    """Give the checks on the key that the object with `arn` is going to be encrypted with, if it is a customer's."""
    actions = _WRITES.get(scope.call.operation)
    algorithm = scope.text("ServerSideEncryption")
    if actions is None or scope.text("SSECustomerAlgorithm") or (algorithm and not algorithm.startswith("aws:kms")):
        return []
    key, by_bucket = scope.state.encryption(f"arn:{scope.partition}:s3:::{bucket}") or (None, False)
    if scope.text("BucketKeyEnabled") is not None:
        by_bucket = scope.text("BucketKeyEnabled") == "true"
    named = scope.text("SSEKMSKeyId") or key
    return on_behalf(scope, "s3", named, *actions, pairs=_pairs(arn, by_bucket=by_bucket))


def reading_keys(scope: Scope, arn: str, *, source: bool = False) -> list[Permission]:
    """Give the check on the key that the object with `arn` is encrypted with; `source` when it is what is copied."""
    if not source and scope.call.operation not in _READS:
        return []
    found = scope.state.encryption(arn)
    if found is None:
        return []
    key, by_bucket = found
    owner = scope.state.bucket_owner(arn.rpartition(":::")[2].partition("/")[0]) or ""
    return on_behalf(scope, "s3", key, "Decrypt", pairs=_pairs(arn, by_bucket=by_bucket), owner=owner)


def _pairs(arn: str, *, by_bucket: bool) -> dict[str, str]:
    """Give S3's encryption context: the object, or its bucket where the bucket has a key of its own."""
    return {"aws:s3:arn": arn.partition("/")[0] if by_bucket else arn}
