"""S3's operations.

The exceptions are data (`s3_actions`); here is what needs a look into the request: versions, copies, batches, access
points and directory buckets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .generic import known_action
from .passing import pass_role
from .permission import Permission, UnmappedOperationError
from .s3_actions import BUCKET, CONDITIONAL, OBJECT, VERSIONED
from .s3_encryption import reading_keys, writing_keys
from .s3_keys import context
from .scope import find

if TYPE_CHECKING:
    from .permission import Context
    from .scope import Scope

__all__ = ["permissions"]

_DIRECTORY = "--x-s3"
_ACCESS_POINT = ":accesspoint/"


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one S3 call."""
    bucket = scope.text("Bucket")
    if bucket is not None and bucket.startswith("arn:") and _ACCESS_POINT in bucket:
        return _through_a_point(scope, bucket)
    return _checks(scope)


def _through_a_point(scope: Scope, point: str) -> list[Permission]:
    """Give the checks on an access point, and again on the bucket behind it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
    """
    checks = [each for each in _checks(scope) if each.resource.startswith(point)]
    found = scope.state.access_point(point)
    if found is None:
        return checks
    bucket, origin = found
    parameters = {**scope.call.parameters, "Bucket": bucket}
    behind = _checks(replace(scope, call=replace(scope.call, parameters=parameters)))
    keys: Context = {
        "s3:AccessPointNetworkOrigin": origin,
        "s3:DataAccessPointAccount": point.split(":")[4],
        "s3:DataAccessPointArn": point,
    }
    return [
        replace(each, context={**each.context, **keys}) if each.action.startswith("s3:") else each
        for each in (*checks, *behind)
    ]


def _checks(scope: Scope) -> list[Permission]:
    operation = scope.call.operation
    bucket, key = scope.text("Bucket"), scope.text("Key")
    if operation == "ListBuckets":
        return [_permission(scope, "ListAllMyBuckets", "*")]
    if operation == "ListDirectoryBuckets":
        return [_permission(scope, "ListAllMyDirectoryBuckets", "*", prefix="s3express")]
    if bucket is None:
        raise UnmappedOperationError("s3", operation, hint="the call names no bucket")
    if operation == "CreateSession" or bucket.endswith(_DIRECTORY):
        return _directory(scope, bucket)
    if operation == "DeleteObjects":
        return _batch(scope, bucket)
    if key is None:
        return _on_bucket(scope, bucket)
    return _on_object(scope, bucket, key)


def _on_bucket(scope: Scope, bucket: str) -> list[Permission]:
    operation = scope.call.operation
    arn = _bucket_arn(scope, bucket)
    found = [_permission(scope, BUCKET.get(operation, operation), arn, bucket=bucket)]
    found += _conditional(scope, arn, bucket)
    if operation == "PutBucketReplication" and (role := scope.text("ReplicationConfiguration.Role")):
        found += pass_role(scope, role, "s3.amazonaws.com")
    return found


def _on_object(scope: Scope, bucket: str, key: str) -> list[Permission]:
    operation = scope.call.operation
    arn = _object_arn(scope, bucket, key)
    action = OBJECT.get(operation, operation)
    actions = ["GetObject", action] if operation == "GetObjectAttributes" else [action]
    if "VersionId" in scope.call.parameters:
        actions = [VERSIONED.get(each, each) for each in actions]
    found = [_permission(scope, each, arn, bucket=bucket) for each in actions]
    found += _conditional(scope, arn, bucket)
    found += writing_keys(scope, arn, bucket) + reading_keys(scope, arn)
    if operation in ("CopyObject", "UploadPartCopy"):
        found += _source(scope, arn, bucket)
    return found


def _conditional(scope: Scope, arn: str, bucket: str) -> list[Permission]:
    return [
        _permission(scope, action, arn, bucket=bucket)
        for action, paths in CONDITIONAL.get(scope.call.operation, {}).items()
        if any(value not in (False, "") for path in paths for value in find(scope.call.parameters, path))
    ]


def _source(scope: Scope, target: str, bucket: str) -> list[Permission]:
    """Give the checks on what is copied: reading it, and its tags where they go along.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html: with the directive COPY, the default, the
    tags of a tagged source are read and written; with REPLACE those of the request are written.
    """
    given = scope.text("CopySource") or ""
    name, _, query = given.partition("?")
    version = query.removeprefix("versionId=")
    source_bucket, source = _split(unquote(name).lstrip("/"))
    # The header's value is a URL's path: what would end a path must be encoded.
    if not source_bucket or not source or set(given) & set("#;") or query not in ("", f"versionId={version}"):
        raise UnmappedOperationError("s3", scope.call.operation, hint=f"the source `{given}` names no object")
    arn = _object_arn(scope, source_bucket, source)
    suffix = "Version" if version else ""
    found = [_permission(scope, f"GetObject{suffix}", arn, bucket=source_bucket, version=version)]
    found += reading_keys(scope, arn, source=True)
    if scope.call.operation != "CopyObject":
        return found
    if scope.text("TaggingDirective") == "REPLACE":
        return [
            *found,
            *([_permission(scope, "PutObjectTagging", target, bucket=bucket)] if scope.text("Tagging") else []),
        ]
    if scope.state.resource_tags(arn):
        found.append(_permission(scope, f"GetObject{suffix}Tagging", arn, bucket=source_bucket, version=version))
        found.append(_permission(scope, "PutObjectTagging", target, bucket=bucket))
    return found


def _split(name: str) -> tuple[str, str]:
    """Part a copy source: ``bucket/key``, or an access point's ARN with ``/object/key``."""
    if name.startswith("arn:"):
        point, _, key = name.partition("/object/")
        return point, key
    bucket, _, key = name.partition("/")
    return bucket, key


def _batch(scope: Scope, bucket: str) -> list[Permission]:
    """Give a check for every key, the action by whether a version is named."""
    found = []
    for entry in find(scope.call.parameters, "Delete.Objects"):
        arn = _object_arn(scope, bucket, str(entry.get("Key", "")))
        version = entry.get("VersionId")
        name = "DeleteObjectVersion" if version else "DeleteObject"
        found.append(_permission(scope, name, arn, bucket=bucket, version=version))
        if scope.call.parameters.get("BypassGovernanceRetention") is True:
            found.append(_permission(scope, "BypassGovernanceRetention", arn, bucket=bucket))
    if not found:
        raise UnmappedOperationError("s3", "DeleteObjects", hint="the call names no object")
    return found


def _directory(scope: Scope, bucket: str) -> list[Permission]:
    """Give the checks on a directory bucket: its data is reached through a session.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-security-iam.html
    """
    operation = scope.call.operation
    arn = f"arn:{scope.partition}:s3express:{scope.call.region}:{scope.account}:bucket/{bucket}"
    object_level = "Key" in scope.call.parameters or operation in _THROUGH_A_SESSION
    name = "CreateSession" if object_level else BUCKET.get(operation, operation)
    return [_permission(scope, name, arn, prefix="s3express")]


_THROUGH_A_SESSION = {"CreateSession", "DeleteObjects", "HeadBucket", "ListMultipartUploads", "ListObjectsV2"}


def _bucket_arn(scope: Scope, bucket: str) -> str:
    return bucket if bucket.startswith("arn:") else f"arn:{scope.partition}:s3:::{bucket}"


def _object_arn(scope: Scope, bucket: str, key: str) -> str:
    if bucket.startswith("arn:") and _ACCESS_POINT in bucket:
        return f"{bucket}/object/{key}"
    return f"{_bucket_arn(scope, bucket)}/{key}"


def _permission(
    scope: Scope, name: str, arn: str, *, bucket: str | None = None, version: Any = None, prefix: str = "s3"
) -> Permission:
    action = known_action(scope, prefix, name)
    owner = scope.state.bucket_owner(bucket) if bucket and not bucket.startswith("arn:") else None
    keys = context(scope, action, arn, version=version or None)
    if owner and "s3:ResourceAccount" in action.all_keys:
        keys["s3:ResourceAccount"] = owner
    return Permission(f"{prefix}:{name}", arn, keys, owner)
