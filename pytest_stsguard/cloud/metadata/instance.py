"""One EC2 instance as its metadata service sees it: what the simulated EC2 has to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_stsguard.cloud.metadata.credentials import InstanceCredentials

__all__ = ["Host", "InstanceFacts", "Interface", "MetadataOptions", "ProfileFacts"]


@dataclass(frozen=True, slots=True)
class MetadataOptions:
    """What ModifyInstanceMetadataOptions sets, in EC2's words.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html
    """

    http_tokens: Literal["optional", "required"] = "optional"
    http_endpoint: Literal["enabled", "disabled"] = "enabled"
    http_put_response_hop_limit: int = 1
    instance_metadata_tags: Literal["enabled", "disabled"] = "disabled"


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface; `security_groups` are pairs of id and name."""

    mac: str
    interface_id: str
    vpc_id: str
    subnet_id: str
    private_ip: str
    local_hostname: str
    public_ip: str | None = None
    public_hostname: str | None = None
    security_groups: tuple[tuple[str, str], ...] = ()
    subnet_cidr: str | None = None
    vpc_cidr: str | None = None
    device_number: int = 0


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """What the metadata tree is made of; the first of `interfaces` is the primary one.

    `pending_time` is the moment of the latest launch or start, aware. `user_data` is as RunInstances took it, decoded from
    base64. `public_key` is an OpenSSH line, served when `key_name` is given as well.
    """

    instance_id: str
    account_id: str
    region: str
    availability_zone: str
    image_id: str
    instance_type: str
    pending_time: datetime
    interfaces: tuple[Interface, ...]
    architecture: str = "x86_64"
    availability_zone_id: str | None = None
    reservation_id: str | None = None
    launch_index: int = 0
    root_device_name: str = "/dev/xvda"
    life_cycle: str = "on-demand"
    system: str = "nitro"
    monitoring: Literal["enabled", "disabled"] = "disabled"
    instance_action: str = "none"
    key_name: str | None = None
    public_key: str | None = None
    user_data: bytes | None = field(default=None, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    partition: str = "aws"
    domain: str = "amazonaws.com"

    @property
    def primary(self) -> Interface:
        """The primary network interface."""
        return self.interfaces[0]


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """The instance profile that is associated with an instance; `role_name` is None when the profile holds no role."""

    arn: str
    id: str
    role_name: str | None
    last_updated: datetime


class Host(Protocol):
    """One instance; every answer is read live, at each request, from any thread."""

    @property
    def instance_id(self) -> str:
        """The instance id."""

    def options(self) -> MetadataOptions:
        """Give the metadata options as they stand."""

    def running(self) -> bool:
        """Tell whether the instance runs; nobody inside a stopped one could call, so it gets no answer at all."""

    def facts(self) -> InstanceFacts:
        """Give what the metadata tree is made of."""

    def profile(self) -> ProfileFacts | None:
        """Give the instance profile, None without one."""

    def credentials(self, delivery: str) -> InstanceCredentials:
        """Give the role's credentials for `delivery`, ``"1.0"`` or ``"2.0"``: usually `CredentialRotation.current`.

        Raises:
            RoleNotAssumableError: EC2 may not assume the role.
        """

    def identity_credentials(self) -> InstanceCredentials:
        """Give the credentials of the instance identity role, which no role's revocation reaches."""
