"""What a template or a plan would make, while it is being collected: policies find their holders, profiles their roles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from re import ASCII
from re import compile as regex
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.document import Document
from pytest_stsguard.account.model import Account
from pytest_stsguard.account.principal import AttachedPolicy, Group, ManagedPolicy, PolicyVersion, Role, User
from pytest_stsguard.account.resource import IdentityProvider, Instance, InstanceProfile
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from pytest_stsguard.account.location import Location

__all__ = ["DEFAULT_SESSION", "Blueprint", "Holder", "check_name"]

DEFAULT_SESSION: Final = 3600
"""Seconds that a role's sessions last at most where nothing else is said.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
"""

_NAME = regex(r"[\w+=,.@-]{1,128}", ASCII)
_PATH = regex(r"/|/[!-~]{1,510}/")
_TAGS_UNKNOWN: Final = "asks for the role's tags, which are not all known before the deployment"


@dataclass(slots=True)
class Holder:
    """A role, user or group that is being collected; `noun` is the word in its ARN, `key` what the source calls it."""

    noun: str
    key: str
    name: str
    location: Location
    path: str = "/"
    arn: str = ""
    trust: Document | None = None
    inline: list[Document] = field(default_factory=list)
    attached: list[AttachedPolicy] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    tags_known: bool = True
    max_session_duration: int | None = None


class Blueprint:
    """Collects what will be there.

    Args:
        source: the target, as the user gave it.
        account: the id that ARNs are made with.
        partition: the partition that ARNs are made with.
    """

    def __init__(self, source: str, account: str, partition: str) -> None:
        self.source = source
        self.account = account
        self.partition = partition
        self.holders: dict[tuple[str, str], Holder] = {}
        self.policies: list[ManagedPolicy] = []
        self.profiles: list[InstanceProfile] = []
        self.instances: list[Instance] = []
        self.providers: list[IdentityProvider] = []
        self.problems: list[InputError] = []
        self.gaps: dict[str, str] = {}
        self._names: dict[tuple[str, str], Holder] = {}

    def arn(self, noun: str, name: str, path: str = "/") -> str:
        """Give the ARN of an entity of the account."""
        return f"arn:{self.partition}:iam::{self.account}:{noun}{path}{name}"

    def add_holder(self, holder: Holder) -> None:
        """Add a role, user or group; a name used twice is a problem, and both stay."""
        twin = self.named(holder.noun, holder.name)
        if twin is not None:
            message = (
                f"the {holder.noun} `{holder.name}` is made twice: by `{short(twin.key)}` and `{short(holder.key)}`"
            )
            self.problems.append(InputError(message, location=str(holder.location)))
        holder.arn = holder.arn or self.arn(holder.noun, holder.name, holder.path)
        self.holders[holder.noun, holder.key] = holder
        self._names.setdefault((holder.noun, holder.name), holder)

    def named(self, noun: str, name: str) -> Holder | None:
        """Find a role, user or group by its name."""
        return self._names.get((noun, name))

    def add_policy(self, name: str, document: Document, location: Location, *, path: str = "/", arn: str = "") -> str:
        """Add a managed policy, in force as it is; gives its ARN."""
        arn = arn or self.arn("policy", name, path)
        version = PolicyVersion("v1", default=True, created=None, document=document)
        self.policies.append(ManagedPolicy(name, arn, path, "", (version,), location=location))
        return arn

    def add_provider(self, kind: str, name: str, location: Location, *, audiences: tuple[str, ...] = ()) -> None:
        """Add an OIDC or SAML provider."""
        arn = f"arn:{self.partition}:iam::{self.account}:{kind}-provider/{name}"
        url = name if kind == "oidc" else None
        self.providers.append(IdentityProvider(arn, kind, url, audiences, location=location))

    def outside(self, what: str, noun: str, target: str, location: Location) -> None:
        """Note something for a role, user or group that is not made here."""
        message = f"{what} is for the {noun} `{short(target)}`, which is not made here: it was not looked at there"
        self.problems.append(InputError(message, location=str(location)))

    def build(self) -> Account:
        """Make the account."""
        holders = list(self.holders.values())
        profiles: dict[str, list[str]] = {}
        for profile in self.profiles:
            for name in profile.roles:
                profiles.setdefault(name, []).append(profile.arn)
        return Account(
            id=self.account,
            partition=self.partition,
            roles=tuple(_role(one, tuple(profiles.get(one.name, ()))) for one in holders if one.noun == "role"),
            users=tuple(
                User(
                    **_common(one),
                    groups=tuple(one.groups),
                    boundary=one.boundary,
                    tags=one.tags,
                )
                for one in holders
                if one.noun == "user"
            ),
            groups=tuple(Group(**_common(one)) for one in holders if one.noun == "group"),
            policies=tuple(self.policies),
            instance_profiles=tuple(self.profiles),
            instances=tuple(self.instances),
            identity_providers=tuple(self.providers),
            problems=tuple(self.problems),
            gaps=self.gaps,
            source=self.source,
        )


def check_name(name: str, noun: str, location: Location, *, path: str = "/") -> None:
    """Refuse a name or path that IAM would refuse, so that every ARN made of them is one.

    Raises:
        InputError: it is none.
    """
    if _NAME.fullmatch(name) is None:
        raise InputError(f"`{short(name)}` is no name of a {noun}", location=str(location))
    if _PATH.fullmatch(path) is None:
        raise InputError(f"`{short(path)}` is no path of a {noun}", location=str(location))


def _role(holder: Holder, profiles: tuple[str, ...]) -> Role:
    trust = holder.trust or Document("trust policy", "trust", "null", location=holder.location)
    if not holder.tags_known and "resourcetag" in trust.raw.lower():
        trust = replace(trust, fault=_TAGS_UNKNOWN)
    return Role(
        **_common(holder),
        trust=trust,
        boundary=holder.boundary,
        tags=holder.tags,
        max_session_duration=holder.max_session_duration,
        instance_profiles=profiles,
    )


def _common(holder: Holder) -> dict[str, Any]:
    return {
        "name": holder.name,
        "arn": holder.arn,
        "path": holder.path,
        "id": "",
        "created": None,
        "inline": tuple(holder.inline),
        "attached": tuple(holder.attached),
        "location": holder.location,
    }
