"""What speaks for a bucket and its objects: the bucket policy, access control lists, and Block Public Access over both.

An access control list is told as statements of the bucket's policy, so that one engine decides. moto knows one canonical
user id for all accounts, the owner's; a list's grant to another id reaches nobody here.

See "Access control list (ACL) overview" and "Controlling ownership of objects" in the Amazon S3 User Guide.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_stsguard.cloud.layers.public_access import PublicAccess, denials_alone, is_public

if TYPE_CHECKING:
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.policy import Policy

__all__ = ["ENFORCED", "Buckets", "Settings", "public_grantees"]

ENFORCED = "BucketOwnerEnforced"
_GROUPS = "http://acs.amazonaws.com/groups/global/"
_EVERYONE = {f"{_GROUPS}AllUsers": "*", f"{_GROUPS}AuthenticatedUsers": "known"}
# "Mapping of ACL permissions and access policy permissions" in the Amazon S3 User Guide.
_BUCKET = {
    "READ": ["ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"],
    "READ_ACP": ["GetBucketAcl"],
    "WRITE_ACP": ["PutBucketAcl"],
}
_IN_BUCKET = {"WRITE": ["PutObject", "DeleteObject"]}
_OBJECT = {
    "READ": ["GetObject", "GetObjectVersion"],
    "READ_ACP": ["GetObjectAcl", "GetObjectVersionAcl"],
    "WRITE_ACP": ["PutObjectAcl", "PutObjectVersionAcl"],
}


class Settings(NamedTuple):
    """What speaks for a bucket: its policy's text, its access control list, its ownership rule, what of it is public."""

    policy: str | None
    acl: Any
    ownership: str | None
    access: PublicAccess


class Buckets:
    """Read from moto's S3 at the moment of a call."""

    def __init__(self, backend: Backend, state: State) -> None:
        self._backend = backend
        self._state = state

    def find(self, bucket: str) -> Any:
        """Give moto's bucket; None for one that does not exist."""
        owner = self._state.bucket_owner(bucket)
        return None if owner is None else self._backend.service("s3", account=owner).buckets.get(bucket)

    def settings(self, bucket: Any) -> Settings:
        """Give the settings of one of moto's buckets as they truly are."""
        policy = bucket.policy.decode() if bucket.policy else None
        return Settings(policy, bucket.acl, bucket.ownership_rule, self.public_access(bucket))

    def public_access(self, bucket: Any) -> PublicAccess:
        """Give the settings that hold for one of moto's buckets: its own and its account's."""
        return PublicAccess.of(bucket.public_access_block, self.account_block(bucket.account_id))

    def account_block(self, account: str) -> Any:
        """Give the account's own settings; None without any, and without a look at a service that nobody has used."""
        # Absent also while another thread is importing the module: nothing can be in it then.
        backends = getattr(sys.modules.get("moto.s3control.models"), "s3control_backends", None)
        held = dict.get(backends, account) if backends is not None else None
        backend = dict.get(held, "aws") if held is not None else None
        return None if backend is None else backend.public_access_block

    def policy(self, arn: str, caller: Caller) -> Policy | None:
        """Give what speaks for a bucket or an object, by its ARN, to `caller`."""
        name, _, key = arn.rpartition(":::")[2].partition("/")
        bucket = self.find(name)
        if bucket is None:
            return None
        settings = self.settings(bucket)
        if self._state.propagation is not None:
            settings = self._state.propagation.seen(("bucket", name), settings) or settings
        text, access = settings.policy, settings.access
        if text and access.restrict_buckets and caller.account != bucket.account_id and is_public(text):
            text = denials_alone(text)
        stated = _listed(settings, bucket.keys.get(key) if key else None, name, caller)
        if stated:
            document = json.loads(text) if text else {"Version": "2012-10-17", "Statement": []}
            held = document.get("Statement", [])
            text = json.dumps({**document, "Statement": [*(held if isinstance(held, list) else [held]), *stated]})
        return self._state.parse(text, kind="resource", name=f"bucket policy of {name}") if text else None


def _listed(settings: Settings, found: Any, name: str, caller: Caller) -> list[dict[str, Any]]:
    """Tell the access control lists of a bucket, and of the object that is asked for, as statements."""
    if settings.ownership == ENFORCED or settings.access.ignore_acls:
        # The owner's own grants add nothing to what IAM says in its account.
        return []
    arn = f"arn:aws:s3:::{name}"
    told = _statements(settings.acl, _BUCKET, arn, caller)
    told += _statements(settings.acl, _IN_BUCKET, f"{arn}/*", caller)
    if found is not None:
        # These words are written for this one object, so that they may be said of all.
        told += _statements(found.acl, _OBJECT, f"{arn}/*", caller)
    return told


def _statements(acl: Any, table: dict[str, list[str]], resource: str, caller: Caller) -> list[dict[str, Any]]:
    told = []
    for grant in getattr(acl, "grants", ()):
        for grantee in grant.grantees:
            reach = _EVERYONE.get(grantee.uri)
            if reach is None or (reach == "known" and caller.is_anonymous):
                continue
            full = "FULL_CONTROL" in grant.permissions
            actions = [
                f"s3:{each}" for name, names in table.items() if full or name in grant.permissions for each in names
            ]
            if actions:
                sid = f"access control list, {grantee.uri.rpartition('/')[2]}"
                told.append({"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resource})
    return told


def public_grantees(acl: Any) -> bool:
    """Tell whether an access control list grants anything to everyone."""
    return any(grantee.uri in _EVERYONE for grant in getattr(acl, "grants", ()) for grantee in grant.grantees)
