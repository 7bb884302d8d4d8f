"""The shapes of the AWS answers that an account is read from, for msgspec's typed decoding.

One struct, `Page`, covers ``GetAccountAuthorizationDetails`` and the listings that may stand beside it; what is absent
stays unset, what is not named here is ignored.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from msgspec import UNSET, Raw, Struct, UnsetType, field

__all__ = [
    "AttachedDetail",
    "GroupDetail",
    "InlineDetail",
    "InstanceDetail",
    "ManagedDetail",
    "Page",
    "ProfileDetail",
    "RoleDetail",
    "TagDetail",
    "UserDetail",
]

Moment = str | int | float | None


class TagDetail(Struct, rename="pascal"):
    """A tag."""

    key: str
    value: str = ""


class InlineDetail(Struct, rename="pascal"):
    """An inline policy; its document stays raw until it is asked for."""

    policy_name: str
    policy_document: Raw = Raw(b"null")


class AttachedDetail(Struct, rename="pascal"):
    """A reference to a managed policy."""

    policy_arn: str
    policy_name: str = ""


class BoundaryDetail(Struct, rename="pascal"):
    """A permissions boundary."""

    permissions_boundary_arn: str


class NamedRole(Struct, rename="pascal"):
    """A role inside an instance profile."""

    role_name: str


class ProfileDetail(Struct, rename="pascal"):
    """An instance profile inside a role."""

    arn: str
    instance_profile_name: str = ""
    instance_profile_id: str = ""
    path: str = "/"
    roles: list[NamedRole] = []


class LastUsedDetail(Struct, rename="pascal"):
    """When and where a role was last used; empty when it was not, within the tracking period."""

    last_used_date: Moment = None
    region: str | None = None


class RoleDetail(Struct, rename="pascal"):
    """A role of the export."""

    role_name: str
    arn: str
    path: str = "/"
    role_id: str = ""
    create_date: Moment = None
    assume_role_policy_document: Raw = Raw(b"null")
    role_policy_list: list[InlineDetail] = []
    attached_managed_policies: list[AttachedDetail] = []
    instance_profile_list: list[ProfileDetail] = []
    permissions_boundary: BoundaryDetail | None = None
    tags: list[TagDetail] = []
    role_last_used: LastUsedDetail | UnsetType | None = UNSET
    max_session_duration: int | None = None


class UserDetail(Struct, rename="pascal"):
    """A user of the export."""

    user_name: str
    arn: str
    path: str = "/"
    user_id: str = ""
    create_date: Moment = None
    user_policy_list: list[InlineDetail] = []
    attached_managed_policies: list[AttachedDetail] = []
    group_list: list[str] = []
    permissions_boundary: BoundaryDetail | None = None
    tags: list[TagDetail] = []


class GroupDetail(Struct, rename="pascal"):
    """A group of the export."""

    group_name: str
    arn: str
    path: str = "/"
    group_id: str = ""
    create_date: Moment = None
    group_policy_list: list[InlineDetail] = []
    attached_managed_policies: list[AttachedDetail] = []


class VersionDetail(Struct, rename="pascal"):
    """A version of a managed policy."""

    version_id: str
    is_default_version: bool = False
    create_date: Moment = None
    document: Raw = Raw(b"null")


class ManagedDetail(Struct, rename="pascal"):
    """A managed policy of the export."""

    arn: str
    policy_name: str = ""
    path: str = "/"
    policy_id: str = ""
    default_version_id: str | None = None
    policy_version_list: list[VersionDetail] = []


class ListedRole(Struct, rename="pascal"):
    """A role as ``iam list-roles`` and ``iam get-role`` give it: here for what the export lacks."""

    arn: str
    max_session_duration: int | None = None
    role_last_used: LastUsedDetail | UnsetType | None = UNSET


class ProfileReference(Struct, rename="pascal"):
    """The instance profile of an instance."""

    arn: str


class MetadataDetail(Struct, rename="pascal"):
    """The metadata options of an instance."""

    http_endpoint: str | None = None
    http_tokens: str | None = None
    http_put_response_hop_limit: int | None = None


class PlacementDetail(Struct, rename="pascal"):
    """Where an instance runs."""

    availability_zone: str = ""


class StateDetail(Struct, rename="pascal"):
    """The state of an instance."""

    name: str = ""


class InstanceDetail(Struct, rename="pascal"):
    """An instance of ``ec2 describe-instances``."""

    instance_id: str
    iam_instance_profile: ProfileReference | None = None
    metadata_options: MetadataDetail | None = None
    placement: PlacementDetail | None = None
    state: StateDetail | None = None


class Reservation(Struct, rename="pascal"):
    """A reservation of ``ec2 describe-instances``."""

    instances: list[InstanceDetail] = []


class ListedProvider(Struct, rename="pascal"):
    """An OIDC or SAML provider as it is listed."""

    arn: str


class OrganizationDetail(Struct, rename="pascal"):
    """The answer of ``organizations describe-organization``."""

    id: str
    master_account_id: str | None = None


class ListedAccount(Struct, rename="pascal"):
    """A member account of ``organizations list-accounts``."""

    id: str


class Page(Struct, rename="pascal"):
    """One answer: a page of the export, or one of the listings beside it."""

    role_detail_list: list[RoleDetail] | UnsetType = UNSET
    user_detail_list: list[UserDetail] | UnsetType = UNSET
    group_detail_list: list[GroupDetail] | UnsetType = UNSET
    policies: list[ManagedDetail] | UnsetType = UNSET
    is_truncated: bool | UnsetType = UNSET
    next_token: str | None = None
    roles: list[ListedRole] | UnsetType = UNSET
    role: ListedRole | UnsetType = UNSET
    reservations: list[Reservation] | UnsetType = UNSET
    open_id_connect_providers: list[ListedProvider] | UnsetType = field(default=UNSET, name="OpenIDConnectProviderList")
    saml_providers: list[ListedProvider] | UnsetType = field(default=UNSET, name="SAMLProviderList")
    url: str | UnsetType = UNSET
    client_ids: list[str] = field(default_factory=list, name="ClientIDList")
    organization: OrganizationDetail | UnsetType = UNSET
    accounts: list[ListedAccount] | UnsetType = UNSET

    @property
    def exported(self) -> bool:
        """Whether it is a page of GetAccountAuthorizationDetails."""
        return any(
            value is not UNSET for value in (self.role_detail_list, self.user_detail_list, self.group_detail_list)
        )

    @property
    def listed(self) -> bool:
        """Whether it is one of the other listings that are known here."""
        listings = (
            self.roles,
            self.role,
            self.reservations,
            self.open_id_connect_providers,
            self.saml_providers,
            self.url,
            self.organization,
            self.accounts,
        )
        return any(value is not UNSET for value in listings)
