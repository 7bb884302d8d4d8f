"""What can be loaded: anything shaped like an account, whoever made it. This room knows no source of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["Blueprint", "Group", "Holder", "Instance", "ManagedPolicy", "Profile", "Provider", "Role", "Text", "User"]


class Text(Protocol):
    """A policy document: its name, its JSON text (``null`` where there is none) and what of it cannot be read."""

    @property
    def name(self) -> str: ...  # noqa: D102 - a field, as all below
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def problems(self) -> Sequence[Exception]: ...  # noqa: D102


class Attached(Protocol):
    """A reference to a managed policy."""

    @property
    def arn(self) -> str: ...


class Holder(Protocol):
    """What roles, users and groups have in common; `id` is the unique id, empty where the source lacks it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def arn(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def created(self) -> datetime | None: ...  # noqa: D102
    @property
    def inline(self) -> Sequence[Text]: ...  # noqa: D102
    @property
    def attached(self) -> Sequence[Attached]: ...  # noqa: D102


class Group(Holder, Protocol):
    """A group."""


class User(Holder, Protocol):
    """A user; `groups` holds names."""

    @property
    def groups(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def boundary(self) -> str | None: ...  # noqa: D102
    @property
    def tags(self) -> Mapping[str, str]: ...  # noqa: D102


class Role(Holder, Protocol):
    """A role."""

    @property
    def trust(self) -> Text: ...  # noqa: D102
    @property
    def boundary(self) -> str | None: ...  # noqa: D102
    @property
    def tags(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def last_used(self) -> datetime | None: ...  # noqa: D102
    @property
    def last_used_region(self) -> str | None: ...  # noqa: D102
    @property
    def max_session_duration(self) -> int | None: ...  # noqa: D102
    @property
    def service_linked(self) -> bool: ...  # noqa: D102


class Version(Protocol):
    """A version of a managed policy."""

    @property
    def id(self) -> str: ...
    @property
    def default(self) -> bool: ...
    @property
    def created(self) -> datetime | None: ...
    @property
    def document(self) -> Text: ...


class ManagedPolicy(Protocol):
    """A managed policy, the account's own or AWS's."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def arn(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def versions(self) -> Sequence[Version]: ...  # noqa: D102


class Profile(Protocol):
    """An instance profile; `roles` holds names."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def arn(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def roles(self) -> Sequence[str]: ...  # noqa: D102


class Instance(Protocol):
    """An EC2 instance; `profile` is the ARN of its instance profile."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def arn(self) -> str: ...  # noqa: D102
    @property
    def region(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def profile(self) -> str | None: ...  # noqa: D102
    @property
    def http_endpoint(self) -> str | None: ...  # noqa: D102
    @property
    def http_tokens(self) -> str | None: ...  # noqa: D102
    @property
    def hop_limit(self) -> int | None: ...  # noqa: D102


class Provider(Protocol):
    """An identity provider; `type` is ``oidc`` or ``saml``, `url` an OIDC issuer without ``https://``."""

    @property
    def arn(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def url(self) -> str | None: ...  # noqa: D102
    @property
    def client_ids(self) -> Sequence[str]: ...  # noqa: D102


class Blueprint(Protocol):
    """An account as data; `gaps` are what its source does not hold, each with the reason."""

    @property
    def id(self) -> str:
        """Twelve digits."""

    @property
    def partition(self) -> str:
        """The partition, as ``aws``."""

    @property
    def roles(self) -> Sequence[Role]:
        """Its roles."""

    @property
    def users(self) -> Sequence[User]:
        """Its users."""

    @property
    def groups(self) -> Sequence[Group]:
        """Its groups."""

    @property
    def policies(self) -> Sequence[ManagedPolicy]:
        """Its managed policies, and those of AWS that it uses."""

    @property
    def instance_profiles(self) -> Sequence[Profile]:
        """Its instance profiles."""

    @property
    def instances(self) -> Sequence[Instance]:
        """Its EC2 instances."""

    @property
    def identity_providers(self) -> Sequence[Provider]:
        """Its OIDC and SAML providers."""

    @property
    def gaps(self) -> Mapping[str, str]:
        """What the source lacks."""
