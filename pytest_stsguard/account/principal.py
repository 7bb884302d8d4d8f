"""The parts of an account that hold permissions: roles, users, groups, managed policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_stsguard.account.document import Document
    from pytest_stsguard.account.location import Location

__all__ = ["AttachedPolicy", "Group", "ManagedPolicy", "PolicyVersion", "Role", "User"]


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A reference to a managed policy."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class Role:
    """An IAM role.

    Attributes:
        id: the unique id (``AROA...``), empty when the source lacks it.
        created: when it was made, UTC; None when the source lacks it.
        trust: the trust policy.
        inline: the inline policies, in the source's order.
        attached: the managed policies attached to it.
        boundary: the ARN of its permissions boundary.
        last_used: when it was last used, UTC; None when never in the tracking period or not known (see `Account.gaps`).
        max_session_duration: seconds; None when the source lacks it.
        instance_profiles: the ARNs of the instance profiles that hold it.
    """

    name: str
    arn: str
    path: str
    id: str
    created: datetime | None
    trust: Document
    inline: tuple[Document, ...] = ()
    attached: tuple[AttachedPolicy, ...] = ()
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    last_used: datetime | None = None
    last_used_region: str | None = None
    max_session_duration: int | None = None
    instance_profiles: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False, repr=False)

    @property
    def service_linked(self) -> bool:
        """Whether AWS owns it, so that the account can change neither its trust nor its permissions."""
        return self.path.startswith("/aws-service-role/")

    @property
    def identity_center(self) -> bool:
        """Whether IAM Identity Center made it (``AWSReservedSSO_*``): it changes only through its permission set."""
        return self.path.startswith("/aws-reserved/sso.amazonaws.com/")


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user. `groups` holds names; the rest as in `Role`."""

    name: str
    arn: str
    path: str
    id: str
    created: datetime | None
    inline: tuple[Document, ...] = ()
    attached: tuple[AttachedPolicy, ...] = ()
    groups: tuple[str, ...] = ()
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """An IAM group."""

    name: str
    arn: str
    path: str
    id: str
    created: datetime | None
    inline: tuple[Document, ...] = ()
    attached: tuple[AttachedPolicy, ...] = ()
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a managed policy."""

    id: str
    default: bool
    created: datetime | None
    document: Document


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy, the account's own or AWS's, with the versions that the source holds."""

    name: str
    arn: str
    path: str
    id: str
    versions: tuple[PolicyVersion, ...]
    location: Location | None = field(default=None, compare=False, repr=False)

    @property
    def document(self) -> Document | None:
        """The document in force: that of the default version; None when the source does not hold it."""
        return next((version.document for version in self.versions if version.default), None)
