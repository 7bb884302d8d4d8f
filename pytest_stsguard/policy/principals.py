"""Who calls, and whom a Principal or NotPrincipal element names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.arns import ARN_PARTS, is_account_id

if TYPE_CHECKING:
    from pytest_stsguard.policy.statement import Principal

__all__ = ["Caller", "Grant", "Kind", "caller_of", "grant_of", "spares"]

LONGEST: Final = 2048
"""No ARN is longer; what is longer is refused before it can fill the table of callers."""

MOST_CALLERS: Final = 4096
UNIQUE_ID_PREFIXES: Final = ("AIDA", "AROA")
SERVICE_LINKED_PATH: Final = ":role/aws-service-role/"
SERVICE_LINKED_NAME: Final = "AWSServiceRoleFor"


class Kind(Enum):
    """What a caller is."""

    USER = "user"
    ROLE = "role"
    SESSION = "role session"
    FEDERATED_USER = "federated user"
    ROOT = "account root"
    ANONYMOUS = "anonymous"
    SERVICE = "service"
    PROVIDER = "identity provider"


class Grant(IntEnum):
    """How much an Allow of a resource policy grants through the principal that it names, the least first."""

    NONE = 0
    ACCOUNT = 1
    """The account: it delegates to the identity policies."""
    ROLE = 2
    """The role: within its boundary and the session's policies."""
    DIRECT = 3
    """The caller itself, or everyone: no boundary and no session policy narrows it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, read from its ARN or its service name.

    `name` is the user's, role's or federated user's name, without path; `account` is empty where there is none.
    `owns_policies` is false for whom only the resource's policy speaks: services, identity providers, the anonymous.
    `ordinary` are users, roles and their sessions: what their identity policies say is not changed by what they are.
    """

    kind: Kind
    arn: str
    partition: str
    account: str
    name: str
    owns_policies: bool = field(init=False)
    ordinary: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "owns_policies", self.kind not in _WITHOUT_POLICIES)
        object.__setattr__(self, "ordinary", self.kind in _ORDINARY)

    @property
    def principal_arn(self) -> str | None:
        """The value of aws:PrincipalArn, a session's role without its path; None where AWS sets none."""
        if self.kind is Kind.SESSION:
            return f"arn:{self.partition}:iam::{self.account}:role/{self.name}"
        return self.arn if self.owns_policies else None

    @property
    def principal_type(self) -> str | None:
        """The value of aws:PrincipalType; None where AWS sets none."""
        return _TYPES.get(self.kind)

    @property
    def account_arn(self) -> str:
        """The ARN of the caller's account."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    def is_service_linked(self, role_arn: str | None) -> bool:
        """Tell whether the caller acts for a service-linked role; `role_arn` is the role's ARN where it is known."""
        if self.kind not in {Kind.ROLE, Kind.SESSION}:
            return False
        if self.kind is Kind.ROLE or role_arn is not None:
            return SERVICE_LINKED_PATH in (role_arn or self.arn)
        return self.name.startswith(SERVICE_LINKED_NAME)


_SERVICE_NAME: Final = re.compile(r"[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)+", re.ASCII)
_TYPES: Final = {
    Kind.USER: "User",
    Kind.ROLE: "AssumedRole",
    Kind.SESSION: "AssumedRole",
    Kind.FEDERATED_USER: "FederatedUser",
    Kind.ROOT: "Account",
    Kind.ANONYMOUS: "Anonymous",
}
_WITHOUT_POLICIES: Final = frozenset({Kind.SERVICE, Kind.PROVIDER, Kind.ANONYMOUS})
_ORDINARY: Final = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION})
_IAM_KINDS: Final = {
    "user": Kind.USER,
    "role": Kind.ROLE,
    "oidc-provider": Kind.PROVIDER,
    "saml-provider": Kind.PROVIDER,
}
_STS_KINDS: Final = {"assumed-role": Kind.SESSION, "federated-user": Kind.FEDERATED_USER}


KNOWN_CALLERS: Final[dict[str, Caller]] = {}
"""Callers by the text they were read from, so that each is read once; bounded in number and in length."""


def caller_of(principal: str) -> Caller:
    """Read who calls from an ARN, an account id, a service's name or `*` for an anonymous caller.

    Raises:
        InputError: nobody can call under this name.
    """
    found = KNOWN_CALLERS.get(principal)
    if found is None:
        found = _read_caller(principal)
        if len(KNOWN_CALLERS) >= MOST_CALLERS:
            KNOWN_CALLERS.clear()
        KNOWN_CALLERS[principal] = found
    return found


def _read_caller(principal: str) -> Caller:
    if len(principal) > LONGEST:
        raise InputError(f"a principal of {len(principal)} characters cannot call", location="principal")
    if principal == "*":
        return Caller(Kind.ANONYMOUS, principal, "aws", "", "")
    if is_account_id(principal):
        return Caller(Kind.ROOT, f"arn:aws:iam::{principal}:root", "aws", principal, "")
    parts = principal.split(":", ARN_PARTS - 1)
    if len(parts) == ARN_PARTS and parts[0] == "arn" and is_account_id(parts[4]):
        found = _read_arn(principal, parts)
        if found is not None:
            return found
    elif _SERVICE_NAME.fullmatch(principal) is not None:
        return Caller(Kind.SERVICE, principal, "aws", "", principal)
    raise InputError(
        f"`{principal[:200]}` cannot call",
        location="principal",
        hint="give a user, role, session, federated user, root or identity provider ARN, or a service's name",
    )


def _read_arn(principal: str, parts: list[str]) -> Caller | None:
    _, partition, service, _, account, resource = parts
    if service == "iam" and resource == "root":
        return Caller(Kind.ROOT, principal, partition, account, "")
    noun, _, rest = resource.partition("/")
    if service == "iam" and noun in _IAM_KINDS and rest:
        name = rest if _IAM_KINDS[noun] is Kind.PROVIDER else rest.rpartition("/")[2]
        return Caller(_IAM_KINDS[noun], principal, partition, account, name) if name else None
    if service == "sts" and noun in _STS_KINDS and rest:
        name, _, session = rest.partition("/")
        if noun == "federated-user" or (name and session):
            return Caller(_STS_KINDS[noun], principal, partition, account, name)
    return None


def grant_of(principal: Principal, caller: Caller, role_arn: str | None, user_id: str | None) -> Grant:
    """Tell how strongly a principal of a policy names the caller.

    Args:
        principal: One principal of a Principal element.
        caller: Who calls.
        role_arn: aws:PrincipalArn as the request gives it: a session's role with its path; None when not given.
        user_id: aws:userid, which unique ids are held against; None when not given.
    """
    value = principal.value
    if principal.type == "AWS":
        if value == "*":
            return Grant.DIRECT
        return _grant_of_aws(value, caller, role_arn, user_id) if caller.owns_policies else Grant.NONE
    if principal.type == "Service":
        named = caller.kind is Kind.SERVICE and value in {"*", caller.arn}
    elif principal.type == "Federated":
        named = (caller.kind is Kind.PROVIDER and value in {"*", caller.arn}) or (
            caller.kind is Kind.SERVICE and value == caller.arn
        )
    else:
        named = principal.type == "*"
    return Grant.DIRECT if named else Grant.NONE


def _grant_of_aws(value: str, caller: Caller, role_arn: str | None, user_id: str | None) -> Grant:
    if value in {caller.account, caller.account_arn}:
        return Grant.DIRECT if caller.kind is Kind.ROOT else Grant.ACCOUNT
    if value == caller.arn:
        return Grant.ROLE if caller.kind is Kind.ROLE else Grant.DIRECT
    if caller.kind is Kind.SESSION and ":role/" in value:
        return Grant.ROLE if _names_role(value, caller, role_arn) else Grant.NONE
    if user_id and value.startswith(UNIQUE_ID_PREFIXES):
        if value == user_id:
            return Grant.DIRECT
        return Grant.ROLE if value == user_id.partition(":")[0] else Grant.NONE
    return Grant.NONE


def _names_role(value: str, caller: Caller, role_arn: str | None) -> bool:
    """Tell whether a role's ARN is that of the session's role.

    A role's name is unique in its account whatever the path, so the name decides where the path is not known.
    """
    if role_arn is not None and ":role/" in role_arn:
        return value == role_arn
    prefix, _, path = value.partition(":role/")
    return prefix == f"arn:{caller.partition}:iam::{caller.account}" and path.rpartition("/")[2] == caller.name


def spares(principals: tuple[Principal, ...], caller: Caller, role_arn: str | None, user_id: str | None) -> bool:
    """Tell whether a Deny with these as NotPrincipal spares the caller.

    A role's session is spared only when the session, the role and the account are all named, a user when the user and
    the account are: each is looked at in its turn, and the first that is not named is denied.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    grants = {grant_of(principal, caller, role_arn, user_id) for principal in principals}
    if any(principal.value == "*" and principal.type in {"*", "AWS"} for principal in principals):
        return True
    if not caller.owns_policies or caller.kind is Kind.ROOT:
        return Grant.DIRECT in grants
    needed = {Grant.ACCOUNT, Grant.ROLE if caller.kind is Kind.ROLE else Grant.DIRECT}
    if caller.kind is Kind.SESSION:
        needed.add(Grant.ROLE)
    return needed <= grants
