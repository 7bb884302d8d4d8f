"""The parts of an account around its roles: instance profiles, instances, identity providers, the organisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_stsguard.account.location import Location

__all__ = ["IdentityProvider", "Instance", "InstanceProfile", "Organization"]


@dataclass(frozen=True, slots=True)
class InstanceProfile:
    """What hands a role to EC2 instances. `roles` holds role names: one, or none."""

    name: str
    arn: str
    path: str
    id: str
    roles: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance and how its metadata service answers.

    Attributes:
        state: ``running``, ``stopped`` ...; empty when the source lacks it.
        profile: the ARN of its instance profile, or None.
        http_endpoint: ``enabled`` or ``disabled``; None when the source lacks it, as for the other two.
        http_tokens: ``required`` (IMDSv2 alone) or ``optional``.
        hop_limit: how many hops an answer may travel, from 1.
    """

    id: str
    arn: str
    region: str
    state: str
    profile: str | None
    http_endpoint: str | None = None
    http_tokens: str | None = None
    hop_limit: int | None = None
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An OIDC or SAML provider; `type` is ``oidc`` or ``saml``, `url` is that of an OIDC issuer without ``https://``."""

    arn: str
    type: str
    url: str | None = None
    client_ids: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Organization:
    """The organisation that the account belongs to; `accounts` holds the member ids that the source lists."""

    id: str
    management_account: str | None = None
    accounts: tuple[str, ...] = ()
