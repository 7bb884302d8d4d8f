"""What the mapping from operations to permissions must ask of one account: owners, ARNs with their paths, tags, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.layers.access_points import find_access_point
from pytest_stsguard.cloud.live import as_mapping, existing_arn, tags_of
from pytest_stsguard.cloud.live_keys import encryption_key, key_aliases, object_key, parameters_below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.state import State

__all__ = ["Lookup"]


class Lookup:
    """The live answers of one account; nothing is found where nothing is."""

    def __init__(self, backend: Backend, state: State, account: str) -> None:
        self._backend = backend
        self._state = state
        self._account = account

    def bucket_owner(self, bucket: str) -> str | None:
        """The account that owns a bucket."""
        return self._state.bucket_owner(bucket)

    def instance_profile_role(self, profile: str) -> str | None:
        """The ARN of the role in an instance profile, which is given by name or ARN."""
        found = self._iam_entity("instance-profile", profile.rpartition("/")[2])
        return str(found.roles[0].arn) if found is not None and found.roles else None

    def iam_arn(self, kind: str, name: str) -> str | None:
        """The ARN, with its path, of an existing user, role, group, instance profile or server certificate."""
        found = self._iam_entity(kind, name)
        return str(found.arn) if found is not None else None

    def permissions_boundary(self, arn: str) -> str | None:
        """The ARN of the boundary of a user or role."""
        kind, _, path = arn.rpartition(":")[2].partition("/")
        found = self._iam_entity(kind, path.rpartition("/")[2])
        return getattr(found, "permissions_boundary_arn", None)

    def partition_key(self, table: str) -> str | None:
        """The name of the partition key of a DynamoDB table or index, by its ARN."""
        parts = table.split(":", 5)
        names = parts[-1].split("/")
        found = (
            self._service("dynamodb", region=parts[3], account=parts[4]).tables.get(names[1])
            if len(names) > 1
            else None
        )
        if found is None:
            return None
        if len(names) > 3 and names[2] == "index":  # noqa: PLR2004 - table/NAME/index/NAME
            indexes = [index for index in (*found.global_indexes, *found.indexes) if index.name == names[3]]
            schema = indexes[0].schema if indexes else []
        else:
            schema = found.schema
        return next((str(entry["AttributeName"]) for entry in schema if entry["KeyType"] == "HASH"), None)

    def resource_tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource, as far as moto keeps them."""
        parts = arn.split(":", 5)
        if len(parts) < 6:  # noqa: PLR2004 - the six parts of an ARN
            return {}
        service, region, tail = parts[2], parts[3] or None, parts[5]
        if service == "ec2":
            return dict(self._service("ec2", region=region, account=parts[4]).tags.get(tail.rpartition("/")[2], {}))
        if service == "iam":
            kind, _, path = tail.partition("/")
            found = self._iam_entity(kind, path.rpartition("/")[2])
            return as_mapping(getattr(found, "tags", None))
        if service == "s3":
            bucket, _, key = tail.partition("/")
            return self._object_tags(bucket, key) if key else self._bucket_tags(bucket, arn)
        if service == "dynamodb":
            tables = self._service("dynamodb", region=region, account=parts[4]).tables
            return as_mapping(getattr(tables.get(tail.removeprefix("table/").partition("/")[0]), "tags", None))
        return tags_of(self._backend, arn, account=parts[4] or self._account)

    def existing_arn(self, service: str, kind: str, identifier: str, region: str) -> str | None:
        """The ARN of the resource of a type that `identifier` stands for in a service's API."""
        if (service, kind) == ("kms", "key"):
            return self._key(identifier, region)
        return existing_arn(self._backend, service, kind, identifier, account=self._account, region=region)

    def _key(self, identifier: str, region: str) -> str | None:
        """Find a key by its id in whichever account it is: a ciphertext tells no more."""
        for account in (self._account, *self._state.accounts()):
            key = self._service("kms", region=region, account=account).keys.get(identifier)
            if key is not None:
                return str(key.arn)
        return None

    def encryption(self, arn: str) -> tuple[str, bool] | None:
        """The customer's KMS key of an S3 object, a bucket's default, a parameter, a secret, a queue, a stream or a table."""
        if arn.startswith("arn:aws:s3:::"):
            bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
            owner = self._state.bucket_owner(bucket)
            return (
                None if owner is None else object_key(self._backend.service("s3", account=owner).buckets[bucket], key)
            )
        return encryption_key(self._backend, arn)

    def launch_template(self, named: str, version: str, region: str) -> tuple[str, Mapping[str, Any]] | None:
        """The id of a launch template, by its id or name, and the data of one of its versions."""
        ec2 = self._service("ec2", region=region)
        found = ec2.launch_templates.get(ec2.launch_template_name_to_ids.get(named, named))
        if found is None:
            return None
        numbers = {"$latest": len(found.versions), "$default": found.default_version_number}
        wanted = str(numbers.get(version.lower(), version))
        data: Mapping[str, Any] = next((each.data for each in found.versions if str(each.number) == wanted), {})
        return str(found.id), data

    def access_point(self, arn: str) -> tuple[str, str] | None:
        """The bucket of an access point and where the point is reached from."""
        found = find_access_point(self._backend, arn)
        return None if found is None else (str(found.bucket), str(found.network_origin))

    def key_aliases(self, arn: str) -> tuple[str, ...]:
        """The aliases of a KMS key, by its ARN."""
        return key_aliases(self._backend, arn)

    def parameters_below(self, path: str, region: str, *, recursive: bool) -> tuple[str, ...]:
        """The ARNs of the parameters that GetParametersByPath gives for a path."""
        return parameters_below(self._backend, path, account=self._account, region=region, recursive=recursive)

    def _bucket_tags(self, tail: str, arn: str) -> Mapping[str, str]:
        owner = self._state.bucket_owner(tail)
        if owner is None:
            return {}
        return dict(self._backend.service("s3", account=owner).tagger.get_tag_dict_for_resource(arn))

    def _object_tags(self, bucket: str, key: str) -> Mapping[str, str]:
        owner = self._state.bucket_owner(bucket)
        backend = self._backend.service("s3", account=owner) if owner else None
        found = backend.buckets[bucket].keys.get(key) if backend else None
        return dict(backend.tagger.get_tag_dict_for_resource(found.arn)) if backend and found else {}

    def _iam_entity(self, kind: str, name: str) -> Any:
        return self._state.entity(self._account, kind, name)

    def _service(self, name: str, *, region: str | None = None, account: str | None = None) -> Any:
        return self._backend.service(name, account=account or self._account, region=region)
