"""S3's own condition keys, from the parameters of the call.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys. The keys that
describe the signature and the connection (s3:authType, s3:signatureAge, s3:signatureversion, s3:TlsVersion,
s3:x-amz-content-sha256) are not in a call: whoever verifies the signature adds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tags import object_tags, request_tags, tag_context

if TYPE_CHECKING:
    from .permission import Context
    from .reference import Action
    from .scope import Scope

__all__ = ["context"]

_KEYS = {
    "s3:delimiter": "Delimiter",
    "s3:if-match": "IfMatch",
    "s3:if-none-match": "IfNoneMatch",
    "s3:locationconstraint": "CreateBucketConfiguration.LocationConstraint",
    "s3:max-keys": "MaxKeys",
    "s3:object-lock-legal-hold": "ObjectLockLegalHoldStatus LegalHold.Status",
    "s3:object-lock-mode": "ObjectLockMode Retention.Mode",
    "s3:object-lock-retain-until-date": "ObjectLockRetainUntilDate Retention.RetainUntilDate",
    "s3:prefix": "Prefix",
    "s3:x-amz-acl": "ACL",
    "s3:x-amz-copy-source": "CopySource",
    "s3:x-amz-grant-full-control": "GrantFullControl",
    "s3:x-amz-grant-read": "GrantRead",
    "s3:x-amz-grant-read-acp": "GrantReadACP",
    "s3:x-amz-grant-write": "GrantWrite",
    "s3:x-amz-grant-write-acp": "GrantWriteACP",
    "s3:x-amz-metadata-directive": "MetadataDirective",
    "s3:x-amz-object-ownership": "ObjectOwnership",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "s3:x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "s3:x-amz-storage-class": "StorageClass",
    "s3:x-amz-website-redirect-location": "WebsiteRedirectLocation",
}


def context(scope: Scope, action: Action, arn: str, *, version: str | None = None) -> Context:
    """Give the keys that `action` has and that the call, or the resource, fills; `version` stands in for VersionId."""
    keys: Context = {}
    for key, paths in _KEYS.items():
        if key in action.all_keys and (value := scope.text(*paths.split())) is not None:
            keys[key] = value
    version = version or scope.text("VersionId")
    if version and "s3:versionid" in action.all_keys:
        keys["s3:versionid"] = version
    _tags(scope, action, arn, keys)
    if ":accesspoint/" in arn:
        # Every request through an access point has these, whichever action it is:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
        keys["s3:DataAccessPointArn"] = arn.partition("/object/")[0]
        keys["s3:DataAccessPointAccount"] = arn.split(":")[4]
    return keys


def _tags(scope: Scope, action: Action, arn: str, keys: Context) -> None:
    if "s3:RequestObjectTagKeys" in action.all_keys and (tags := object_tags(scope.call.parameters)):
        keys.update({f"s3:RequestObjectTag/{key}": value or "" for key, value in tags.items()})
        keys["s3:RequestObjectTagKeys"] = list(tags)
    if "aws:TagKeys" in action.all_keys:
        keys.update(tag_context(request_tags(scope.call.parameters)))
    if "s3:ExistingObjectTag/<key>" in action.all_keys:
        keys.update({f"s3:ExistingObjectTag/{key}": value for key, value in scope.state.resource_tags(arn).items()})
