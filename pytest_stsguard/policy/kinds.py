"""The kinds of policy, and what each may hold.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pytest_stsguard.errors import InputError

__all__ = ["KINDS", "RCP_SERVICES", "Kind", "kind_named"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of policy.

    `layer` is the name that AWS's error messages give it. `principal`: it must name principals (else it may not).
    `resource`: True when it must name resources, False when it may not, None when it may. `size` is the most
    characters that AWS takes, whitespace not counted, for the widest of its uses.
    """

    name: str
    layer: str
    principal: bool
    resource: bool | None
    size: int
    plain_sid: bool = True


KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("identity", "identity-based policy", principal=False, resource=True, size=10_240),
        Kind("resource", "resource-based policy", principal=True, resource=None, size=32_768, plain_sid=False),
        Kind("trust", "resource-based policy", principal=True, resource=False, size=4_096),
        Kind("boundary", "permissions boundary", principal=False, resource=True, size=6_144),
        Kind("session", "session policy", principal=False, resource=True, size=2_048),
        Kind("scp", "service control policy", principal=False, resource=True, size=5_120, plain_sid=False),
        Kind("rcp", "resource control policy", principal=True, resource=True, size=5_120, plain_sid=False),
    )
}

RCP_SERVICES: Final = frozenset(
    {"s3", "sts", "kms", "sqs", "secretsmanager", "ecr", "aoss", "cognito-idp", "cognito-identity", "logs"}
)
"""Service prefixes that resource control policies cover.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""


def kind_named(name: str) -> Kind:
    """Give the kind of that name.

    Raises:
        InputError: there is no such kind.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise InputError(f"unknown kind of policy `{name}`", hint=f"one of {', '.join(KINDS)}") from None
