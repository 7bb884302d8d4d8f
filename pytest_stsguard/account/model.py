"""The account: everything that a check asks about, whatever source it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pytest_stsguard.account.principal import Group, Role, User

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_stsguard.account.document import Document
    from pytest_stsguard.account.pragma import Pragma
    from pytest_stsguard.account.principal import ManagedPolicy
    from pytest_stsguard.account.resource import IdentityProvider, Instance, InstanceProfile, Organization
    from pytest_stsguard.errors import InputError

__all__ = ["Account", "Principal"]

Principal = Role | User | Group
_T = TypeVar("_T", Role, User, Group)


@dataclass(frozen=True)  # no slots: the indices are built when first asked for
class Account:
    """An AWS account as data.

    Attributes:
        id: twelve digits.
        partition: ``aws``, ``aws-cn``, ``aws-us-gov`` ...
        problems: what is wrong with the source as a whole (a page missing, a role listed twice in two forms); a policy that
            cannot be read is a problem of its `Document`.
        gaps: what the source does not hold, each with the reason: ``MaxSessionDuration``, ``RoleLastUsed``, ``instances``,
            ``identity providers``, ``organization``, ``roles``, ``users``, ``groups``, ``policies``. A control that needs
            one of them is *not evaluated*.
        source: the target it was loaded from, as the user gave it.
        pragmas: what the source itself asks to be ignored.
    """

    id: str
    partition: str = "aws"
    roles: tuple[Role, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    policies: tuple[ManagedPolicy, ...] = ()
    instance_profiles: tuple[InstanceProfile, ...] = ()
    instances: tuple[Instance, ...] = ()
    identity_providers: tuple[IdentityProvider, ...] = ()
    organization: Organization | None = None
    problems: tuple[InputError, ...] = ()
    gaps: Mapping[str, str] = field(default_factory=dict, hash=False)
    source: str = field(default="", compare=False)
    pragmas: tuple[Pragma, ...] = ()

    @cached_property
    def _roles(self) -> dict[str, Role]:
        return _index(self.roles)

    @cached_property
    def _users(self) -> dict[str, User]:
        return _index(self.users)

    @cached_property
    def _groups(self) -> dict[str, Group]:
        return _index(self.groups)

    @cached_property
    def _policies(self) -> dict[str, ManagedPolicy]:
        return {policy.arn: policy for policy in reversed(self.policies)}

    def role(self, name_or_arn: str) -> Role | None:
        """Find a role by name or ARN."""
        return self._roles.get(name_or_arn)

    def user(self, name_or_arn: str) -> User | None:
        """Find a user by name or ARN."""
        return self._users.get(name_or_arn)

    def group(self, name_or_arn: str) -> Group | None:
        """Find a group by name or ARN."""
        return self._groups.get(name_or_arn)

    def policy(self, arn: str) -> ManagedPolicy | None:
        """Find a managed policy by ARN."""
        return self._policies.get(arn)

    def identity_documents(self, principal: Principal) -> tuple[Document, ...]:
        """List the identity policies in force for a principal: inline, attached, and those of a user's groups."""
        return tuple(document for holder in self._holders(principal) for document in self._own(holder))

    def boundary_document(self, principal: Role | User) -> Document | None:
        """Give the document of the permissions boundary; None without one, or when the source does not hold it."""
        policy = self.policy(principal.boundary) if principal.boundary else None
        return policy.document if policy else None

    def missing_policies(self, principal: Principal) -> tuple[str, ...]:
        """List what applies to a principal (managed policies, boundary, groups) and is not in the source."""
        wanted = [attached.arn for holder in self._holders(principal) for attached in holder.attached]
        if not isinstance(principal, Group) and principal.boundary:
            wanted.append(principal.boundary)
        groups = principal.groups if isinstance(principal, User) else ()
        missing = [f"group {name}" for name in groups if self.group(name) is None]
        return (*(arn for arn in wanted if self._in_force(arn) is None), *missing)

    def instances_of(self, role: Role) -> tuple[Instance, ...]:
        """List the instances that hold a role through an instance profile."""
        profiles = set(role.instance_profiles)
        return tuple(instance for instance in self.instances if instance.profile in profiles)

    def lacks(self, *needs: str) -> tuple[str, ...]:
        """List why something is not, or not wholly, in the source: what a control needs and cannot have.

        A gap such as ``instances outside us-east-1`` counts for ``instances``.
        """
        return tuple(
            f"{name}: {reason}"
            for name, reason in self.gaps.items()
            if any(name == need or name.startswith(f"{need} ") for need in needs)
        )

    def documents(self) -> Iterator[tuple[str, Document]]:
        """Go through every policy document with the ARN that it belongs to: trust, inline, managed (all versions)."""
        for role in self.roles:
            yield role.arn, role.trust
        holders: tuple[Principal, ...] = (*self.roles, *self.users, *self.groups)
        for holder in holders:
            for document in holder.inline:
                yield holder.arn, document
        for policy in self.policies:
            for version in policy.versions:
                yield policy.arn, version.document

    def _holders(self, principal: Principal) -> tuple[Principal, ...]:
        names = principal.groups if isinstance(principal, User) else ()
        return (principal, *(group for name in names if (group := self.group(name)) is not None))

    def _own(self, holder: Principal) -> Iterator[Document]:
        yield from holder.inline
        for attached in holder.attached:
            document = self._in_force(attached.arn)
            if document is not None:
                yield document

    def _in_force(self, arn: str) -> Document | None:
        policy = self.policy(arn)
        return policy.document if policy else None


def _index(entities: tuple[_T, ...]) -> dict[str, _T]:
    """Map names and ARNs; of two with the same name the first one stays."""
    index: dict[str, _T] = {}
    for entity in entities:
        index.setdefault(entity.arn, entity)
        index.setdefault(entity.name, entity)
    return index
