"""What S3 refuses to store, and what a new bucket starts with, which moto leaves out.

Since April 2023 a new bucket has Block Public Access on, and its access control lists off.

See "Blocking public access to your Amazon S3 storage", "Controlling ownership of objects" in the Amazon S3 User Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.layers.buckets import ENFORCED, public_grantees
from pytest_stsguard.cloud.layers.public_access import is_public
from pytest_stsguard.cloud.request import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.layers.buckets import Buckets
    from pytest_stsguard.cloud.request import Response

__all__ = ["BucketRules"]

_FAILED = 300
_PUBLIC = frozenset({"public-read", "public-read-write", "authenticated-read"})
_OWNERS = frozenset({"bucket-owner-full-control", None})
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_GROUPS = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
_SETTING = frozenset({"PutBucketAcl", "PutObjectAcl"})
_CARRYING = frozenset({"CopyObject", "CreateMultipartUpload", "PutObject"})


class BucketRules:
    """Looks at each call to S3 before moto answers it."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def attend(self, call: Call, caller: Caller) -> Callable[[Response], Response]:
        """Refuse what S3 refuses; what is given back looks at the answer."""
        if call.service != "s3":
            return unchanged
        if call.operation == "CreateBucket":
            return self._create(call)
        name = call.parameters.get("Bucket")
        bucket = self._buckets.find(name) if isinstance(name, str) else None
        if bucket is None:
            return unchanged
        if call.operation == "PutBucketPolicy":
            self._check_policy(bucket, call, caller)
        elif call.operation in _SETTING or (call.operation in _CARRYING and _has_acl(call)):
            self._check_acl(bucket, call, caller)
        elif call.operation == "PutBucketOwnershipControls":
            _check_ownership(bucket, call)
        return unchanged

    def _check_policy(self, bucket: Any, call: Call, caller: Caller) -> None:
        text = str(call.parameters.get("Policy", ""))
        if self._buckets.public_access(bucket).block_policy and is_public(text):
            because = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access"
            raise _denied(caller, "s3:PutBucketPolicy", bucket.name, because)

    def _check_acl(self, bucket: Any, call: Call, caller: Caller) -> None:
        # The owner's full control is what there is without a list.
        harmless = call.operation in _CARRYING and call.parameters.get("ACL") in _OWNERS and not _given_grants(call)
        if bucket.ownership_rule == ENFORCED and not harmless:
            raise Fault(None, "The bucket does not allow ACLs", code="AccessControlListNotSupported")
        if self._buckets.public_access(bucket).block_acls and _is_public(call):
            because = "public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access"
            raise _denied(caller, f"s3:{call.operation}", bucket.name, because)

    def _create(self, call: Call) -> Callable[[Response], Response]:
        ownership = call.parameters.get("ObjectOwnership") or ENFORCED
        if _has_acl(call) and call.parameters.get("ACL") != "private":
            if ownership == ENFORCED:
                told = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
                raise Fault(None, told, code="InvalidBucketAclWithObjectOwnership")
            if _is_public(call):
                told = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
                raise Fault(None, told, code="InvalidBucketAclWithBlockPublicAccessError")
        name = str(call.parameters.get("Bucket", ""))
        is_new = self._buckets.find(name) is None
        return lambda response: self._equip(response, name, str(ownership)) if is_new else response

    def _equip(self, response: Response, name: str, ownership: str) -> Response:
        bucket = self._buckets.find(name)
        if response.status < _FAILED and bucket is not None:
            from moto.s3.models import PublicAccessBlock  # noqa: PLC0415 - moto is imported when a cloud opens

            bucket.public_access_block = PublicAccessBlock(True, True, True, True)  # noqa: FBT003 - moto's four settings
            bucket.ownership_rule = ownership
        return response


def _check_ownership(bucket: Any, call: Call) -> None:
    rules = (call.parameters.get("OwnershipControls") or {}).get("Rules") or ()
    if any(rule.get("ObjectOwnership") == ENFORCED for rule in rules) and public_grantees(bucket.acl):
        told = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Fault(None, told, code="InvalidBucketAclWithObjectOwnership")


def _has_acl(call: Call) -> bool:
    return "ACL" in call.parameters or bool(_given_grants(call))


def _given_grants(call: Call) -> list[str]:
    return [str(call.parameters[name]) for name in _GRANTS if call.parameters.get(name)]


def _is_public(call: Call) -> bool:
    """Tell whether the access control list of a call grants anything to everyone."""
    if call.parameters.get("ACL") in _PUBLIC:
        return True
    stated = (call.parameters.get("AccessControlPolicy") or {}).get("Grants") or ()
    uris = [str((grant.get("Grantee") or {}).get("URI", "")) for grant in stated]
    return any(group in text for text in (*uris, *_given_grants(call)) for group in _GROUPS)


def _denied(caller: Caller, action: str, bucket: str, because: str) -> Fault:
    told = f'User: {caller.arn} is not authorized to perform: {action} on resource: "arn:aws:s3:::{bucket}" because {because}.'
    return Fault(None, told, code="AccessDenied", status=403)
