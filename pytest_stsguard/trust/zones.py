"""The `[zones]` table of stsguard.toml: who is declared, and so may assume a role without being a finding.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html tells why an external account comes with its
ExternalId and a service with its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.policy.arns import ARN_PARTS, is_account_id
from pytest_stsguard.policy.values import network
from pytest_stsguard.trust.declared import DECLARATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ANY_SOURCE", "DEFAULT_SERVICES", "SOURCE_IN_ZONE", "ExternalAccount", "OidcZone", "Zones"]

ANY_SOURCE: Final = "any"
SOURCE_IN_ZONE: Final = "source-in-zone"

DEFAULT_SERVICES: Final[dict[str, str]] = {
    "ec2.amazonaws.com": ANY_SOURCE,
    "lambda.amazonaws.com": ANY_SOURCE,
    "ecs-tasks.amazonaws.com": ANY_SOURCE,
    "*": SOURCE_IN_ZONE,
}
"""PassRole keeps the first three in the account; every other service has to say whom it acts for."""

PARTITIONS: Final = re.compile(r"aws(-[a-z]+)*")
ORGANIZATION: Final = re.compile(r"o-[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class ExternalAccount:
    """A declared account of somebody else; with `external_ids`, a request must carry one of them."""

    id: str
    external_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OidcZone:
    """Declared tokens of an OIDC issuer: a token must match one glob of every list that is given.

    `subjects` None: whatever the subject. The globs are StringLike patterns; `claims` holds further claims by name.
    """

    issuer: str
    subjects: tuple[str, ...] | None = None
    audiences: tuple[str, ...] | None = None
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    methods: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Zones:
    """Who is declared. A request is inside the zones when one of the declarations covers it.

    `account` is the role's own account and `partition` its partition. `organization` counts only with `org_id`.
    `own_principals` (ARN patterns) narrows what the own account covers, not what the organisation does.
    `role_tags` None: the role's tags are not known.
    """

    account: str
    partition: str = "aws"
    org_id: str | None = None
    own_account: bool = True
    own_principals: tuple[str, ...] | None = None
    organization: bool = False
    accounts: tuple[ExternalAccount, ...] = ()
    services: tuple[tuple[str, str], ...] = tuple(DEFAULT_SERVICES.items())
    oidc: tuple[OidcZone, ...] = ()
    saml: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    role_tags: tuple[tuple[str, str], ...] | None = field(default=None)

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Zones:
        """Read a `[zones]` table.

        Args:
            table: As TOML or JSON give it: ``account``, ``partition``, ``org_id``, ``role_tags`` and ``trust``.

        Raises:
            ConfigurationError: A key is unknown, missing or of the wrong shape; `location` names it.
        """
        read = _Reader(table, "zones", {"account", "partition", "org_id", "role_tags", "trust"})
        trust = _Reader(read.table.get("trust", {}), "zones.trust", _TRUST_KEYS)
        account = read.text("account", is_account_id, "an account id of twelve digits")
        if account is None:
            raise ConfigurationError("the role's own account is missing", location="zones.account")
        org_id = read.text("org_id", ORGANIZATION.fullmatch, "an organization id such as `o-a1b2c3d4e5`")
        services = trust.items("services")
        for name, value in services or ():
            if value not in {ANY_SOURCE, SOURCE_IN_ZONE}:
                raise ConfigurationError(
                    f"`{value}` is neither `{ANY_SOURCE}` nor `{SOURCE_IN_ZONE}`",
                    location=f'zones.trust.services."{name}"',
                )
        partition = read.text("partition", PARTITIONS.fullmatch, "a partition such as `aws`") or "aws"
        tags = read if "role_tags" in read.table else trust
        return cls(
            account=account,
            partition=partition,
            org_id=org_id,
            own_account=trust.flag("own_account", default=True),
            own_principals=trust.texts("own_principals", _is_arn, "an ARN, wildcards allowed"),
            organization=trust.flag("organization", default=org_id is not None),
            accounts=tuple(_external(one) for one in trust.tables("accounts", {"id", "external_id"})),
            services=services if services is not None else _services(partition),
            oidc=(
                *(_oidc(one) for one in trust.tables("oidc", {"issuer", "sub", "aud", "claims", "amr"})),
                *(zone for name in DECLARATIONS for one in trust.rows(name) for zone in _declared(name, *one)),
            ),
            saml=tuple(name.rpartition("saml-provider/")[2] for name in trust.texts("saml") or ()),
            networks=trust.texts("networks", network, "a network in CIDR notation") or (),
            role_tags=tags.items("role_tags"),
        )

    def with_role_tags(self, tags: Mapping[str, str]) -> Zones:
        """Give the same zones for a role with these tags."""
        return replace(self, role_tags=tuple(sorted(tags.items())))

    def service(self, name: str) -> str | None:
        """Tell how a service is declared: `ANY_SOURCE`, `SOURCE_IN_ZONE`, or None when it is not."""
        table = dict(self.services)
        return table.get(name, table.get("*"))


_TRUST_KEYS: Final = {
    "own_account",
    "own_principals",
    "organization",
    "accounts",
    "services",
    "oidc",
    "saml",
    "networks",
    "role_tags",
    *DECLARATIONS,
}


_OWN_NAMES: Final = {
    "aws-cn": "ec2.amazonaws.com.cn",
    "aws-iso": "ec2.c2s.ic.gov",
    "aws-iso-b": "ec2.sc2s.sgov.gov",
}
"""Partitions in which EC2 has a name of its own as well.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services
"""


def _services(partition: str) -> tuple[tuple[str, str], ...]:
    """Give the services that are declared when nobody says which."""
    own = _OWN_NAMES.get(partition)
    return tuple({**({own: ANY_SOURCE} if own else {}), **DEFAULT_SERVICES}.items())


def _is_arn(text: str) -> bool:
    return text.count(":") >= ARN_PARTS - 1 and text.startswith("arn:")


def _external(read: _Reader) -> ExternalAccount:
    account = read.text("id", is_account_id, "an account id of twelve digits")
    if account is None:
        raise ConfigurationError("the account's id is missing", location=f"{read.place}.id")
    return ExternalAccount(account, read.texts("external_id") or ())


def _oidc(read: _Reader) -> OidcZone:
    issuer = read.text("issuer", bool, "an issuer")
    if issuer is None:
        raise ConfigurationError("the issuer is missing", location=f"{read.place}.issuer")
    claims = _Reader(read.table.get("claims", {}), f"{read.place}.claims", None)
    return OidcZone(
        issuer.removeprefix("https://").rstrip("/"),
        subjects=read.texts("sub"),
        audiences=read.texts("aud"),
        claims=tuple((name.lower(), claims.texts(name) or ()) for name in sorted(claims.table)),
        methods=read.texts("amr"),
    )


def _declared(name: str, table: Mapping[str, Any], place: str) -> list[OidcZone]:
    """Turn a row of a helper table (`github`, `gitlab` ...) into what it declares."""
    keys, make = DECLARATIONS[name]
    read = _Reader(table, place, set(keys))
    given = {key: read.texts(key) if many else read.text(key, bool, "a text") for key, many in keys.items()}
    return [OidcZone(one.issuer, subjects=one.subjects, claims=one.claims) for one in make(given, place)]


class _Reader:
    """A table of the configuration that knows where it stands and which keys it may have."""

    __slots__ = ("place", "table")

    def __init__(self, table: object, place: str, keys: set[str] | None) -> None:
        if not isinstance(table, Mapping) or not all(isinstance(key, str) for key in table):
            raise ConfigurationError("expected a table", location=place)
        self.table: Mapping[str, Any] = table
        self.place = place
        for key in table:
            if keys is not None and key not in keys:
                raise ConfigurationError(
                    f"unknown key `{key[:80]}`", location=place, hint=f"known: {', '.join(sorted(keys))}"
                )

    def text(self, key: str, fits: Callable[[str], object], wanted: str) -> str | None:
        value = self.table.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not fits(value):
            raise ConfigurationError(f"expected {wanted}", location=f"{self.place}.{key}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            raise ConfigurationError("expected true or false", location=f"{self.place}.{key}")
        return value

    def texts(
        self, key: str, fits: Callable[[str], object] = bool, wanted: str = "a text that is not empty"
    ) -> tuple[str, ...] | None:
        """Read a list of texts; a single text stands for a list of one."""
        value = self.table.get(key)
        if value is None:
            return None
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list):
            raise ConfigurationError("expected a list of texts", location=f"{self.place}.{key}")
        for index, one in enumerate(found):
            if not isinstance(one, str) or not fits(one):
                raise ConfigurationError(f"expected {wanted}", location=f"{self.place}.{key}[{index}]")
        return tuple(found)

    def items(self, key: str) -> tuple[tuple[str, str], ...] | None:
        """Read a table of texts."""
        if self.table.get(key) is None:
            return None
        read = _Reader(self.table[key], f"{self.place}.{key}", None)
        for name, value in read.table.items():
            if not isinstance(value, str):
                raise ConfigurationError("expected a text", location=f'{read.place}."{name}"')
        return tuple(read.table.items())

    def rows(self, key: str) -> list[tuple[Mapping[str, Any], str]]:
        """Read a list of tables, each with its place."""
        value = self.table.get(key, [])
        if not isinstance(value, list):
            raise ConfigurationError("expected a list of tables", location=f"{self.place}.{key}")
        return [(one, f"{self.place}.{key}[{index}]") for index, one in enumerate(value)]

    def tables(self, key: str, keys: set[str]) -> list[_Reader]:
        """Read a list of tables with these keys."""
        return [_Reader(one, place, keys) for one, place in self.rows(key)]
