"""From the details of an export to the model's roles, users, groups and managed policies."""

from __future__ import annotations

from re import compile as regex
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Raw

from pytest_stsguard.account.decode import DAMAGED
from pytest_stsguard.account.document import Document
from pytest_stsguard.account.moment import parse_moment
from pytest_stsguard.account.principal import AttachedPolicy, Group, ManagedPolicy, PolicyVersion, Role, User
from pytest_stsguard.account.resource import InstanceProfile
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_stsguard.account.decode import LocatedPage
    from pytest_stsguard.account.location import Location
    from pytest_stsguard.account.wire import (
        AttachedDetail,
        GroupDetail,
        InlineDetail,
        LastUsedDetail,
        ManagedDetail,
        RoleDetail,
        TagDetail,
        UserDetail,
    )

__all__ = ["Entities", "read_last_used", "read_moment"]

_ARN = regex(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}|aws):(?P<type>role|user|group|policy)/[!-~]+")
_SURROGATE = "a string of the policy document holds half a surrogate pair (`\\ud800` to `\\udfff` alone)"


class Entities:
    """What the pages of an export hold, converted; the order is the source's."""

    def __init__(self) -> None:
        self.roles: list[Role] = []
        self.users: list[User] = []
        self.groups: list[Group] = []
        self.policies: list[ManagedPolicy] = []
        self.instance_profiles: dict[str, InstanceProfile] = {}
        self.problems: list[InputError] = []
        self._owners: dict[tuple[str, str], Location] = {}
        self._seen: dict[str, Any] = {}

    def add(self, located: LocatedPage) -> None:
        """Convert one page.

        Raises:
            InputError: an ARN or a date that is none.
        """
        page, place = located.page, located.location
        for index, role in enumerate(page.role_detail_list or ()):
            self._keep(self.roles, self._role(role, place.child("RoleDetailList", index), damaged=located.damaged))
        for index, user in enumerate(page.user_detail_list or ()):
            self._keep(self.users, self._user(user, place.child("UserDetailList", index), damaged=located.damaged))
        for index, group in enumerate(page.group_detail_list or ()):
            self._keep(self.groups, self._group(group, place.child("GroupDetailList", index), damaged=located.damaged))
        for index, policy in enumerate(page.policies or ()):
            self._keep(self.policies, self._managed(policy, place.child("Policies", index), damaged=located.damaged))

    def account(self, source: str) -> tuple[str, str]:
        """Give partition and account id, as the ARNs have them.

        Raises:
            InputError: no ARN names an account, or they name more than one.
        """
        if not self._owners:
            raise InputError("no role, user, group or policy that names the account", location=source)
        first, *others = self._owners.items()
        if others:
            raise InputError(
                f"holds two accounts, `{first[0][1]}` and `{others[0][0][1]}`",
                location=str(others[0][1]),
                hint="audit one account at a time",
            )
        return first[0]

    def _keep(self, entities: list[Any], entity: Any) -> None:
        """Keep an entity once. Listed twice in two forms, both stay, so that neither hides the other, and it is said."""
        known = self._seen.setdefault(entity.arn, entity)
        if known is not entity and known == entity:
            return
        if known is not entity:
            self.problems.append(
                InputError(f"`{entity.arn}` is listed twice, with different content", location=str(entity.location))
            )
        entities.append(entity)

    def _own(self, arn: str, place: Location) -> str:
        match = _ARN.fullmatch(arn)
        if match is None:
            raise InputError(f"`{short(arn)}` is no ARN of IAM", location=str(place.child("Arn")))
        if match["account"] != "aws":
            self._owners.setdefault((match["partition"], match["account"]), place)
        return arn

    def _role(self, detail: RoleDetail, place: Location, *, damaged: bool) -> Role:
        used, region = read_last_used(detail.role_last_used, place)
        profiles = tuple(self._profile(profile, place) for profile in detail.instance_profile_list)
        return Role(
            name=detail.role_name,
            arn=self._own(detail.arn, place),
            path=detail.path,
            id=detail.role_id,
            created=read_moment(detail.create_date, place.child("CreateDate")),
            trust=_document(
                "trust policy",
                "trust",
                detail.assume_role_policy_document,
                place.child("AssumeRolePolicyDocument"),
                damaged=damaged,
            ),
            inline=_inline(detail.role_policy_list, place.child("RolePolicyList"), damaged=damaged),
            attached=_attached(detail.attached_managed_policies),
            boundary=detail.permissions_boundary.permissions_boundary_arn if detail.permissions_boundary else None,
            tags=_tags(detail.tags),
            last_used=used,
            last_used_region=region,
            max_session_duration=detail.max_session_duration,
            instance_profiles=profiles,
            location=place,
        )

    def _profile(self, detail: Any, place: Location) -> str:
        profile = InstanceProfile(
            name=detail.instance_profile_name or detail.arn.rpartition("/")[2],
            arn=detail.arn,
            path=detail.path,
            id=detail.instance_profile_id,
            roles=tuple(role.role_name for role in detail.roles),
            location=place.child("InstanceProfileList"),
        )
        return self.instance_profiles.setdefault(profile.arn, profile).arn

    def _user(self, detail: UserDetail, place: Location, *, damaged: bool) -> User:
        return User(
            name=detail.user_name,
            arn=self._own(detail.arn, place),
            path=detail.path,
            id=detail.user_id,
            created=read_moment(detail.create_date, place.child("CreateDate")),
            inline=_inline(detail.user_policy_list, place.child("UserPolicyList"), damaged=damaged),
            attached=_attached(detail.attached_managed_policies),
            groups=tuple(detail.group_list),
            boundary=detail.permissions_boundary.permissions_boundary_arn if detail.permissions_boundary else None,
            tags=_tags(detail.tags),
            location=place,
        )

    def _group(self, detail: GroupDetail, place: Location, *, damaged: bool) -> Group:
        return Group(
            name=detail.group_name,
            arn=self._own(detail.arn, place),
            path=detail.path,
            id=detail.group_id,
            created=read_moment(detail.create_date, place.child("CreateDate")),
            inline=_inline(detail.group_policy_list, place.child("GroupPolicyList"), damaged=damaged),
            attached=_attached(detail.attached_managed_policies),
            location=place,
        )

    def _managed(self, detail: ManagedDetail, place: Location, *, damaged: bool) -> ManagedPolicy:
        arn = self._own(detail.arn, place)
        versions = []
        for index, version in enumerate(detail.policy_version_list):
            spot = place.child("PolicyVersionList", index)
            document = _document(arn, "identity", version.document, spot.child("Document"), damaged=damaged)
            default = version.is_default_version or version.version_id == detail.default_version_id
            created = read_moment(version.create_date, spot.child("CreateDate"))
            versions.append(PolicyVersion(version.version_id, default=default, created=created, document=document))
        return ManagedPolicy(
            name=detail.policy_name or arn.rpartition("/")[2],
            arn=arn,
            path=detail.path,
            id=detail.policy_id,
            versions=tuple(versions),
            location=place,
        )


def read_moment(value: str | float | None, place: Location) -> datetime | None:
    """Read a date of the source.

    Raises:
        InputError: it is none.
    """
    if value is None:
        return None
    try:
        return parse_moment(value)
    except ValueError as error:
        raise InputError(
            f"`{value if isinstance(value, (int, float)) else short(value)}` is no date", location=str(place)
        ) from error


def read_last_used(detail: LastUsedDetail | object | None, place: Location) -> tuple[datetime | None, str | None]:
    """Give when and where a role was last used, as far as the source says."""
    if detail is None or detail is UNSET:
        return None, None
    used = read_moment(getattr(detail, "last_used_date", None), place.child("RoleLastUsed", "LastUsedDate"))
    return used, getattr(detail, "region", None)


def _inline(details: list[InlineDetail], place: Location, *, damaged: bool) -> tuple[Document, ...]:
    return tuple(
        _document(
            detail.policy_name,
            "identity",
            detail.policy_document,
            place.child(index, "PolicyDocument"),
            damaged=damaged,
        )
        for index, detail in enumerate(details)
    )


def _document(name: str, kind: str, raw: Raw, place: Location, *, damaged: bool) -> Document:
    text = bytes(raw).decode()
    fault = _SURROGATE if damaged and DAMAGED in text else None
    return Document(name, kind, text, location=place, fault=fault)


def _attached(details: list[AttachedDetail]) -> tuple[AttachedPolicy, ...]:
    return tuple(
        AttachedPolicy(detail.policy_name or detail.policy_arn.rpartition("/")[2], detail.policy_arn)
        for detail in details
    )


def _tags(details: list[TagDetail]) -> dict[str, str]:
    return {tag.key: tag.value for tag in details}
