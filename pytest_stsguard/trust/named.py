"""Whom a principal of a trust policy names, or why IAM would refuse it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.policy.arns import ARN_PARTS, is_account_id
from pytest_stsguard.trust.issuers import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.policy import Principal

__all__ = ["Named", "Refused", "read_principal"]

UNIQUE_ID: Final = re.compile(r"A[A-Z0-9]{3,}(:.*)?")
SERVICE: Final = re.compile(
    r"[A-Za-z0-9._-]+\.(amazonaws\.(com(\.cn)?|eu)|amazon\.com|aws\.internal"
    r"|(c2s|csp\.hci)\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk)"
)
"""Names of services, in the isolated partitions and in Europe's as well."""


class Named(NamedTuple):
    """Whom a principal names.

    `kind` is ``everyone``, ``account``, ``user``, ``role``, ``session``, ``federated user``, ``gone`` (a unique id, or
    a provider of another account: nobody can be it), ``service``, ``oidc`` or ``saml``. `name` is the user's, role's,
    service's or provider's name, without path; `arn` the principal as requests carry it.
    """

    kind: str
    arn: str = ""
    account: str = ""
    name: str = ""


class Refused(NamedTuple):
    """Why nothing can be concluded from a principal: IAM rejects it, or AWS does not say what it means."""

    reason: str
    rejected: bool = True


EVERYONE: Final = Named("everyone", "*")


def read_principal(principal: Principal, *, account: str, partition: str) -> Named | Refused:
    """Read one principal of a role's trust policy, given the role's account and partition."""
    kind, value = principal.type, principal.value
    if kind == "*" or (kind == "AWS" and value == "*"):
        return EVERYONE
    if value == "*":
        return Refused(f"what the principal `{kind}: *` admits is not documented (name each one)", rejected=False)
    found: Named | Refused | None = None
    if kind == "Service" and SERVICE.fullmatch(value):
        found = Named("service", value, "", value)
    elif kind == "Federated":
        found = (
            Named("oidc", value, account, value)
            if value in BUILT_IN
            else _read_arn(value, account, partition, _provider)
        )
    elif kind == "AWS" and is_account_id(value):
        found = Named("account", f"arn:{partition}:iam::{value}:root", value)
    elif kind == "AWS":
        found = Named("gone", value) if UNIQUE_ID.fullmatch(value) else _read_arn(value, account, partition, _identity)
    return found or Refused(
        f"IAM rejects the principal `{kind}: {value[:120]}` (no role can have this policy: correct or remove it)"
    )


def _read_arn(
    value: str, account: str, partition: str, read: Callable[[str, list[str], str], Named | None]
) -> Named | Refused | None:
    parts = value.split(":", ARN_PARTS - 1)
    if len(parts) != ARN_PARTS or parts[0] != "arn" or parts[3] or not is_account_id(parts[4]):
        return None
    if parts[1] != partition:
        return Refused(
            f"IAM rejects `{value[:120]}`: a principal of partition `{parts[1][:20]}` in `{partition}` (no role "
            "can have this policy; if the role is of that partition, give `partition` in the zones)"
        )
    return read(value, parts, account)


def _provider(value: str, parts: list[str], account: str) -> Named | None:
    """Read a provider's ARN; STS looks a provider up in the role's own account, so no other one can be meant."""
    noun, _, rest = parts[5].partition("/")
    kinds = {"oidc-provider": "oidc", "saml-provider": "saml"}
    if parts[2] != "iam" or noun not in kinds or not rest:
        return None
    if parts[4] != account:
        return Named("gone", value, parts[4], rest)
    return Named(kinds[noun], value, parts[4], rest)


def _identity(value: str, parts: list[str], _: str) -> Named | None:
    service, account, resource = parts[2], parts[4], parts[5]
    noun, _, rest = resource.partition("/")
    if service == "iam" and resource == "root":
        return Named("account", value, account)
    name = rest.rpartition("/")[2]
    if service == "iam" and noun in {"user", "role"} and name:
        return Named(noun, value, account, name)
    if service == "sts" and noun == "federated-user" and rest:
        return Named("federated user", value, account, rest)
    role, _, session = rest.partition("/")
    if service == "sts" and noun == "assumed-role" and role and session:
        return Named("session", value, account, role)
    return None
