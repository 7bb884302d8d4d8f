"""The stage of a replay: a simulated cloud with the account in it, and whatever outsiders turn up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pytest_stsguard.cloud import Cloud, Credentials
from pytest_stsguard.drill.world import region_of
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_stsguard.account import Account
    from pytest_stsguard.cloud.loading import Loaded
    from pytest_stsguard.cloud.providers import OidcProvider, SamlProvider

__all__ = ["Outsider", "Stage"]

_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_NOBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}


class Stage:
    """Opens a simulated cloud and loads accounts into it; a context manager.

    Args:
        accounts: the first is the home account; the others stand beside it.

    Raises:
        StsGuardError: the cloud cannot be opened, or an account cannot be loaded.
    """

    def __init__(self, *accounts: Account) -> None:
        home = accounts[0]
        self.accounts = {account.id: account for account in accounts}
        self.cloud = Cloud(account=home.id, region=region_of(home), world="empty")
        self.loaded: dict[str, Loaded] = {}
        self.issuers: dict[str, OidcProvider] = {}
        self.saml: dict[str, SamlProvider] = {}
        self.stand_ins: dict[str, str] = {}
        self._guests: dict[str, dict[str, str]] = {}
        self._organizations: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Open the cloud and load the accounts."""
        self.cloud.__enter__()
        try:
            for account in self.accounts.values():
                self.loaded[account.id] = self.cloud.load(account)
        except BaseException:
            self.cloud.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Close the cloud."""
        self.cloud.__exit__(*error)

    def missing(self, arn: str) -> str | None:
        """Tell why a role is not on the stage; None when it is."""
        loaded = self.loaded.get(arn.split(":")[4])
        if loaded is None:
            return "its account is not in the simulated cloud"
        if arn in loaded.arns:
            return None
        return "; ".join(loaded.doubts(arn)) or "it could not be loaded"

    def holds(self, arn: str) -> bool:
        """Tell whether a role or user is on the stage."""
        loaded = self.loaded.get(arn.split(":")[4])
        return loaded is not None and arn in loaded.arns

    def iam(self, account: str) -> Any:
        """Make a client of IAM for an account's administrator."""
        return self.cloud.client("iam", self.cloud.administrator(account))

    def invite(self, arn: str, tags: Mapping[str, str]) -> None:
        """Bring in a role or user that is not there yet, who may do everything in its own account's eyes, with these tags."""
        if arn in self._guests:
            self._tag(arn, tags)
            return
        if self.holds(arn):
            return
        outsider = Outsider(arn, tags)
        roles = (outsider,) if outsider.noun == "role" else ()
        users = (outsider,) if outsider.noun == "user" else ()
        loaded = self.cloud.load(_Abroad(outsider.account, roles, users))
        if arn not in loaded.arns:
            raise CloudError(f"`{arn}` cannot be brought in: {'; '.join(loaded.doubts(arn))}")
        self._guests[arn] = dict(tags)

    def _tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Give a guest that was there before the tags that are asked for now, and no others."""
        before, guest = self._guests[arn], Outsider(arn)
        if before == tags:
            return
        iam, who = self.iam(guest.account), {f"{guest.noun.title()}Name": guest.name}
        if before:
            getattr(iam, f"untag_{guest.noun}")(**who, TagKeys=list(before))
        if tags:
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            getattr(iam, f"tag_{guest.noun}")(**who, Tags=pairs)
        self._guests[arn] = dict(tags)

    def join(self, account: str, organization: str | None) -> None:
        """Let an account be in an organisation of that id, which is its own; or in none."""
        if self._organizations.get(account) == organization:
            return
        client = self.cloud.client("organizations", self.cloud.administrator(account))
        if account in self._organizations:
            client.delete_organization()
            del self._organizations[account]
        if organization is not None:
            client.create_organization(FeatureSet="ALL")
            from moto.organizations.models import organizations_backends  # noqa: PLC0415 - few witnesses need it

            # AWS chooses the id; the witness names one.
            organizations_backends[account]["aws"].org.id = organization
            self._organizations[account] = organization

    def key_of(self, user_arn: str) -> Credentials:
        """Make an access key for a user of any account."""
        account = user_arn.split(":")[4]
        key = self.iam(account).create_access_key(UserName=user_arn.rpartition("/")[2])["AccessKey"]
        return self.bound(key)

    def bound(self, key: Mapping[str, Any]) -> Credentials:
        """Bind an access key, as CreateAccessKey answers it, to the cloud."""
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], origin=self.cloud)


@dataclass(frozen=True)
class Outsider:
    """A role or user made up for a replay, shaped like one of an account."""

    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    created: datetime | None = None
    attached: tuple[Any, ...] = ()
    groups: tuple[str, ...] = ()
    boundary: str | None = None
    last_used: datetime | None = None
    last_used_region: str | None = None
    max_session_duration: int | None = None
    service_linked: bool = False

    @property
    def account(self) -> str:
        """The account id."""
        return self.arn.split(":")[4]

    @property
    def noun(self) -> str:
        """``role`` or ``user``."""
        return self.arn.split(":", 5)[5].partition("/")[0]

    @property
    def path(self) -> str:
        """The path, with its slashes."""
        return "/" + self.arn.split(":", 5)[5].partition("/")[2].rpartition("/")[0] + "/" if self._deep else "/"

    @property
    def name(self) -> str:
        """The name."""
        return self.arn.rpartition("/")[2]

    @property
    def inline(self) -> tuple[_Text, ...]:
        """One policy, which allows everything."""
        return (_Text("All", json.dumps(_ALL)),)

    @property
    def trust(self) -> _Text:
        """Nobody may assume it: it is simply there."""
        return _Text("trust policy", json.dumps(_NOBODY))

    @property
    def _deep(self) -> bool:
        return self.arn.split(":", 5)[5].count("/") > 1


@dataclass(frozen=True, slots=True)
class _Text:
    name: str
    text: str
    problems: tuple[Exception, ...] = ()


@dataclass(frozen=True, slots=True)
class _Abroad:
    """An account of outsiders."""

    id: str
    roles: tuple[Outsider, ...] = ()
    users: tuple[Outsider, ...] = ()
    partition: str = "aws"
    groups: tuple[Any, ...] = ()
    policies: tuple[Any, ...] = ()
    instance_profiles: tuple[Any, ...] = ()
    instances: tuple[Any, ...] = ()
    identity_providers: tuple[Any, ...] = ()
    gaps: Mapping[str, str] = field(default_factory=dict)
