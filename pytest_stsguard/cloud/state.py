"""What the gate reads of the simulated account at the moment of a call: principals, policies, owners, tags."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.roster import Roster, with_id
from pytest_stsguard.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.consistency import Propagation

__all__ = ["LongTermKey", "Role", "State", "User"]

_PARSED_AT_MOST = 4096
# What a policy that was deleted under its user grants: it can no longer allow.
_NOTHING: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it stands now."""

    name: str
    arn: str
    unique_id: str
    account: str
    trust: Policy
    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...]
    tags: Mapping[str, str]
    max_session_duration: int

    @property
    def tag_keys(self) -> dict[str, str | list[str]]:
        """The condition keys by which a policy asks for the tags of the role that is to be assumed.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
        """
        return {f"{prefix}:ResourceTag/{key}": value for key, value in self.tags.items() for prefix in ("aws", "iam")}


@dataclass(frozen=True, slots=True)
class User:
    """A user as it stands now, its groups' policies included."""

    name: str
    arn: str
    unique_id: str
    account: str
    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LongTermKey:
    """An access key of a user."""

    access_key_id: str
    secret_access_key: str
    account: str
    user_name: str
    active: bool


class State:
    """moto's live state, read as values; parsed policies are kept by their text.

    With a `propagation` principals and keys are seen as it lets them be seen.
    """

    def __init__(self, backend: Backend, propagation: Propagation | None = None) -> None:
        self._backend = backend
        self.propagation = propagation
        self._parsed: dict[tuple[str, str, str], Policy] = {}
        self._roster = Roster()

    def accounts(self) -> tuple[str, ...]:
        """Every account that has IAM state, the home account first."""
        from moto.iam.models import iam_backends  # noqa: PLC0415 - moto is imported when a cloud opens

        home = self._backend.account
        return (home, *(account for account in list(iam_backends) if account != home))

    def long_term_key(self, access_key_id: str) -> LongTermKey | None:
        """Find a user's access key in any account."""
        key = self._long_term_key(access_key_id)
        if self.propagation is not None:
            key = self.propagation.seen(("key", access_key_id), key)
        return key

    def _long_term_key(self, access_key_id: str) -> LongTermKey | None:
        for account in self.accounts():
            key = self._iam(account).access_keys.get(access_key_id)
            if key is not None and key.user_name and self._has_key(account, key):
                return LongTermKey(access_key_id, key.secret_access_key, account, key.user_name, key.status == "Active")
        return None

    def key_ids(self) -> frozenset[str]:
        """Every access key id of the users of all accounts."""
        return frozenset(key for account in self.accounts() for key in list(self._iam(account).access_keys))

    def _has_key(self, account: str, key: Any) -> bool:
        user = self._iam(account).users.get(key.user_name)
        return user is not None and user.has_access_key(key.access_key_id)

    def role(self, account: str, *, name: str | None = None, unique_id: str | None = None) -> Role | None:
        """Find a role by its name or its unique id."""
        if name is not None:
            found = self.entity(account, "role", name)
        else:
            found = with_id(self._iam(account).roles, unique_id or "")
        role = None if found is None else self._role(account, found)
        if self.propagation is not None:
            role = self.propagation.seen(("role", account, name or unique_id), role)
        return role

    def entity(self, account: str, kind: str, name: str) -> Any:
        """Give moto's ``user``, ``group``, ``role``, ``instance-profile`` or ``server-certificate``; None for no such one."""
        iam = self._iam(account)
        if kind in {"user", "group"}:
            return (iam.users if kind == "user" else iam.groups).get(name)
        listed = {"role": iam.roles, "instance-profile": iam.instance_profiles, "server-certificate": iam.certificates}
        return self._roster.named(account, kind, name, listed[kind]) if kind in listed else None

    def _role(self, account: str, role: Any) -> Role:
        return Role(
            name=role.name,
            arn=role.arn,
            unique_id=role.id,
            account=account,
            trust=self.parse(role.assume_role_policy_document, kind="trust", name=f"trust policy of {role.name}"),
            identity=self._documents(role.policies, role.managed_policies),
            boundary=self._boundary(account, role.permissions_boundary_arn),
            tags={tag["Key"]: tag["Value"] for tag in role.tags or ()},
            max_session_duration=int(role.max_session_duration or 3600),
        )

    def user(self, account: str, name: str) -> User | None:
        """Find a user by name."""
        user = self._user(account, name)
        if self.propagation is not None:
            user = self.propagation.seen(("user", account, name), user)
        return user

    def user_name(self, account: str, unique_id: str) -> str | None:
        """Find the name that a user bears now, by its unique id; None for one that is gone."""
        found = with_id(self._iam(account).users, unique_id)
        return None if found is None else str(found.name)

    def _user(self, account: str, name: str) -> User | None:
        iam = self._iam(account)
        user = iam.users.get(name)
        if user is None:
            return None
        identity = [*self._documents(user.policies, user.managed_policies)]
        for group in iam.get_groups_for_user(name):
            identity.extend(self._documents(group.policies, group.managed_policies))
        boundary_arn = getattr(user, "permissions_boundary_arn", None)
        tags = {tag["Key"]: tag["Value"] for tag in user.tags or ()}
        return User(name, user.arn, user.id, account, tuple(identity), self._boundary(account, boundary_arn), tags)

    def principals(self, account: str) -> dict[Hashable, Any]:
        """Every role, user and access key of an account as it truly is, by what `propagation` knows it."""
        iam = self._iam(account)
        facts: dict[Hashable, Any] = {}
        for each in list(iam.roles.values()):
            role = self._role(account, each)
            facts["role", account, role.name] = facts["role", account, role.unique_id] = role
        for name in list(iam.users):
            facts["user", account, name] = self._user(account, name)
        for key in list(iam.access_keys):
            facts["key", key] = self._long_term_key(key)
        return facts

    def managed_policy(self, account: str, arn: str) -> str | None:
        """The default version of a managed policy; None for one that does not exist."""
        self._backend.provide_managed_policy(arn, account=account)
        policy = self._iam(account).managed_policies.get(arn)
        return None if policy is None else _text(_default(policy).document)

    def mfa_seed(self, account: str, serial: str, *, user: str | None = None) -> str | None:
        """The seed of a virtual MFA device; None when there is none, or when it is not enabled for `user`."""
        iam = self._iam(account)
        device = iam.virtual_mfa_devices.get(serial)
        if device is None or (user is not None and serial not in iam.users[user].mfa_devices):
            return None
        return str(device.base32_string_seed)

    def oidc_audiences(self, account: str, issuer: str) -> tuple[str, ...] | None:
        """The client ids of an account's OIDC provider, by its URL without the scheme; None without such a provider."""
        for provider in list(self._iam(account).open_id_providers.values()):
            if provider.url.rstrip("/") == issuer.rstrip("/"):
                return tuple(provider.client_id_list)
        return None

    def saml_metadata(self, account: str, name: str) -> str | None:
        """The metadata document of an account's SAML provider; None without such a provider."""
        provider = self._iam(account).saml_providers.get(name)
        return None if provider is None else str(provider.saml_metadata_document)

    def policy_texts(self, account: str, kind: str, name: str) -> tuple[dict[str, str] | None, str | None]:
        """The policies of a ``user``, ``group`` or ``role`` by name, and the text of its boundary; None for nobody."""
        iam = self._iam(account)
        holder = self.entity(account, kind, name)
        if holder is None:
            return None, None
        groups = iam.get_groups_for_user(name) if kind == "user" else ()
        texts: dict[str, str] = {}
        for each in (holder, *groups):
            texts |= {policy: _text(text) for policy, text in list(each.policies.items())}
            texts |= {policy.name: _text(_default(policy).document) for policy in list(each.managed_policies.values())}
        boundary = iam.managed_policies.get(getattr(holder, "permissions_boundary_arn", None) or "")
        return texts, _text(_default(boundary).document) if boundary else None

    def parse(self, text: str, *, kind: str, name: str) -> Policy:
        """Parse a stored document, leniently, once for each text."""
        key = (kind, name, text)
        policy = self._parsed.get(key)
        if policy is None:
            if len(self._parsed) >= _PARSED_AT_MOST:
                self._parsed.clear()
            policy = self._parsed[key] = Policy.parse(text, kind=kind, lenient=True, name=name)
        return policy

    def bucket_owner(self, bucket: str) -> str | None:
        """The account that owns a bucket, None for one that does not exist."""
        from moto.s3.models import s3_backends  # noqa: PLC0415 - as above

        self._backend.seed("s3")
        owner = s3_backends.bucket_accounts.get(bucket)
        return owner[1] if owner else None

    def _iam(self, account: str) -> Any:
        return self._backend.service("iam", account=account)

    def _documents(self, inline: Mapping[str, str], managed: Mapping[str, Any]) -> tuple[Policy, ...]:
        own = [self.parse(_text(text), kind="identity", name=name) for name, text in list(inline.items())]
        attached = [self._managed(policy) for policy in list(managed.values())]
        return (*own, *attached)

    def _managed(self, policy: Any, *, kind: str = "identity") -> Policy:
        return self.parse(_text(_default(policy).document), kind=kind, name=policy.arn)

    def _boundary(self, account: str, arn: str | None) -> tuple[Policy, ...]:
        if not arn:
            return ()
        policy = self._iam(account).managed_policies.get(arn)
        if policy is None:
            return (Policy.parse(_NOTHING, kind="boundary", lenient=True, name=arn),)
        return (self._managed(policy, kind="boundary"),)


def _default(policy: Any) -> Any:
    return next(version for version in policy.versions if version.version_id == policy.default_version_id)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
