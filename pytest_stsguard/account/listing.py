"""What stands beside an export: list-roles, describe-instances, the identity providers, the organisation."""

from __future__ import annotations

from dataclasses import replace
from re import compile as regex
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from pytest_stsguard.account.entity import read_last_used
from pytest_stsguard.account.resource import IdentityProvider, Instance, Organization

if TYPE_CHECKING:
    from pytest_stsguard.account.decode import LocatedPage
    from pytest_stsguard.account.location import Location
    from pytest_stsguard.account.principal import Role
    from pytest_stsguard.account.wire import InstanceDetail, ListedRole

__all__ = ["Listed", "Listings"]

_REGION = regex(r"[a-z]+(-[a-z]+)+-\d+")  # the region in `us-gov-west-1a` and in the Local Zone `us-west-2-lax-1a`


class Listed(NamedTuple):
    """What the listings hold beyond roles."""

    instances: tuple[Instance, ...]
    identity_providers: tuple[IdentityProvider, ...]
    organization: Organization | None


class Listings:
    """The listings beside an export; `kinds` says which there were."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self._roles: dict[str, tuple[ListedRole, Location]] = {}
        self._instances: list[tuple[InstanceDetail, Location]] = []
        self._providers: dict[str, IdentityProvider] = {}
        self._issuers: dict[str, tuple[tuple[str, ...], Location]] = {}
        self._organization: Organization | None = None
        self._members: list[str] = []

    def add(self, located: LocatedPage) -> None:
        """Take in one listing."""
        page, place = located.page, located.location
        listed = [] if page.roles is UNSET else [(role, place.child("Roles", i)) for i, role in enumerate(page.roles)]
        if page.role is not UNSET:
            listed.append((page.role, place.child("Role")))
        for role, spot in listed:
            self._take_role(role, spot)
        if page.reservations is not UNSET:
            self.kinds.add("instances")
            for i, reservation in enumerate(page.reservations):
                for j, instance in enumerate(reservation.instances):
                    self._instances.append((instance, place.child("Reservations", i, "Instances", j)))
        self._take_providers(located)
        if page.organization is not UNSET:
            self.kinds.add("organization")
            self._organization = Organization(page.organization.id, page.organization.master_account_id)
        if page.accounts is not UNSET:
            self._members += [account.id for account in page.accounts]

    def complete(self, role: Role) -> Role:
        """Add to a role what its export lacks."""
        listed, place = self._roles.get(role.arn, (None, None))
        if listed is None or place is None:
            return role
        used, region = read_last_used(listed.role_last_used, place)
        return replace(
            role,
            max_session_duration=listed.max_session_duration or role.max_session_duration,
            last_used=used or role.last_used,
            last_used_region=region or role.last_used_region,
        )

    def tells_last_use(self, role: Role) -> bool:
        """Whether a listing says when the role was last used, be it never."""
        listed, _ = self._roles.get(role.arn, (None, None))
        return listed is not None and listed.role_last_used is not UNSET

    def resources(self, partition: str, account: str) -> Listed:
        """Give what the listings hold beyond roles, with ARNs in the account."""
        prefix = f"arn:{partition}:iam::{account}:oidc-provider/"
        for url, (client_ids, place) in self._issuers.items():
            self._providers[prefix + url] = IdentityProvider(prefix + url, "oidc", url, client_ids, location=place)
        organization = self._organization
        if organization is not None:
            organization = replace(organization, accounts=tuple(self._members))
        instances = tuple(_instance(detail, place, partition, account) for detail, place in self._instances)
        return Listed(instances, tuple(self._providers.values()), organization)

    def _take_role(self, role: ListedRole, place: Location) -> None:
        """Keep the more telling of two listings of a role: list-roles is silent on its last use, get-role is not."""
        known, _ = self._roles.get(role.arn, (None, None))
        if known is None or role.role_last_used is not UNSET:
            self._roles[role.arn] = (role, place)

    def _take_providers(self, located: LocatedPage) -> None:
        page, place = located.page, located.location
        for key, kind, providers in (
            ("OpenIDConnectProviderList", "oidc", page.open_id_connect_providers),
            ("SAMLProviderList", "saml", page.saml_providers),
        ):
            if providers is UNSET:
                continue
            self.kinds.add(f"{kind} providers")
            for index, provider in enumerate(providers):
                url = provider.arn.partition(":oidc-provider/")[2] or None
                spot = place.child(key, index)
                self._providers.setdefault(provider.arn, IdentityProvider(provider.arn, kind, url, location=spot))
        if page.url is not UNSET:
            self._issuers[page.url.removeprefix("https://")] = (tuple(page.client_ids), place)


def _instance(detail: InstanceDetail, place: Location, partition: str, account: str) -> Instance:
    zone = _REGION.match(detail.placement.availability_zone) if detail.placement else None
    region = zone[0] if zone else ""
    options = detail.metadata_options
    return Instance(
        id=detail.instance_id,
        arn=f"arn:{partition}:ec2:{region}:{account}:instance/{detail.instance_id}",
        region=region,
        state=detail.state.name if detail.state else "",
        profile=detail.iam_instance_profile.arn if detail.iam_instance_profile else None,
        http_endpoint=options.http_endpoint if options else None,
        http_tokens=options.http_tokens if options else None,
        hop_limit=options.http_put_response_hop_limit if options else None,
        location=place,
    )
