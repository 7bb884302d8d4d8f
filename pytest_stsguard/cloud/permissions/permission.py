"""What an operation needs, and what must be asked of the live cloud to say it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Context", "Permission", "ServiceError", "State", "UnmappedOperationError"]

Context = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class ServiceError:
    """How a service words that it was denied a call on the caller's behalf: its own code and status, not those of a denial.

    `text` is the message, with the denial of the call behind it where ``{}`` stands.
    """

    code: str
    text: str = "{}"
    status: int = 400

    def message(self, denial: str) -> str:
        """Write the message; `denial` is what the service itself was told."""
        return self.text.replace("{}", denial)


@dataclass(frozen=True, slots=True)
class Permission:
    """One check: `action` on `resource` (an ARN or ``*``) with the service's and the request's own condition keys.

    A resource that does not exist yet, or that AWS looks up from another id, is written with ``*`` in the place of its
    id (``arn:aws:ec2:us-east-1:111122223333:instance/*``), as in the policies that AWS documents for it.
    `resource_account` is the account that owns the resource where its ARN does not tell: a bucket's. `error` is what the
    service answers in the place of a denial. `principal` is the service that needs the permission for itself, where it is
    not the caller (``logs.us-east-1.amazonaws.com``): then resource policies alone decide.
    """

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    resource_account: str | None = None
    error: ServiceError | None = None
    principal: str | None = None


class State(Protocol):
    """The live cloud's answers. None, or an empty mapping, stands for "there is none"."""

    def bucket_owner(self, bucket: str) -> str | None:
        """Give the account that owns `bucket`."""

    def resource_tags(self, arn: str) -> Mapping[str, str]:
        """Give the tags of the resource."""

    def instance_profile_role(self, profile: str) -> str | None:
        """Give the ARN of the role in the instance profile with this name or ARN."""

    def iam_arn(self, kind: str, name: str) -> str | None:
        """Give the ARN, with its path, of a ``user``, ``role``, ``group``, ``instance-profile``, ``server-certificate``."""

    def permissions_boundary(self, arn: str) -> str | None:
        """Give the ARN of the boundary policy of the user or role with this ARN (iam:PermissionsBoundary)."""

    def partition_key(self, table: str) -> str | None:
        """Give the partition key's attribute name of the DynamoDB table or index with this ARN (dynamodb:LeadingKeys)."""

    def existing_arn(self, service: str, kind: str, identifier: str, region: str) -> str | None:
        """Give the ARN of the resource of a type (the reference's name) that `identifier` stands for in a service's API."""

    def encryption(self, arn: str) -> tuple[str, bool] | None:
        """Give the customer's KMS key, as it is named there, under which a resource is, or a bucket's new objects are.

        Known are S3 objects and buckets, parameters, secrets, queues, topics, streams and tables. The second value tells
        whether the key is used through a bucket key.
        """

    def launch_template(self, named: str, version: str, region: str) -> tuple[str, Mapping[str, Any]] | None:
        """Give the id and the data of a launch template, by its id or name, in a version (``$Default``)."""

    def access_point(self, arn: str) -> tuple[str, str] | None:
        """Give the bucket of an access point, by the point's ARN, and where it is reached from: ``Internet`` or ``VPC``."""

    def key_aliases(self, arn: str) -> tuple[str, ...]:
        """Give the aliases of the KMS key with this ARN (kms:ResourceAliases)."""

    def parameters_below(self, path: str, region: str, *, recursive: bool) -> tuple[str, ...]:
        """Give the ARNs of the parameters that GetParametersByPath gives for a path."""


class UnmappedOperationError(CloudError):
    """An operation whose permissions are not known here; it is refused by name and never guessed."""

    code = "UnmappedOperation"

    def __init__(self, service: str, operation: str, *, hint: str | None = None) -> None:
        super().__init__(f"the permissions that `{service}:{operation}` needs are not known", hint=hint)
        self.service = service
        self.operation = operation
