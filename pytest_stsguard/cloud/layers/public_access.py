"""S3's Block Public Access, and what S3 calls public.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PublicAccess", "denials_alone", "is_public"]

# Conditions on these with fixed values tie an Allow for everyone to somebody.
_FIXED = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_TYING = re.compile(r"(ForAnyValue:)?(StringEquals|StringLike|StringEqualsIgnoreCase|ArnEquals|ArnLike|IpAddress)")
_LARGEST_IPV4, _LARGEST_IPV6 = 8, 32


@dataclass(frozen=True, slots=True)
class PublicAccess:
    """The four settings of a bucket; a setting of the account or of the bucket is enough."""

    block_acls: bool = False
    ignore_acls: bool = False
    block_policy: bool = False
    restrict_buckets: bool = False

    @classmethod
    def of(cls, *stored: Any) -> PublicAccess:
        """Join moto's configurations; None stands for none."""
        held = [each for each in stored if each is not None]
        return cls(
            any(each.block_public_acls for each in held),
            any(each.ignore_public_acls for each in held),
            any(each.block_public_policy for each in held),
            any(each.restrict_public_buckets for each in held),
        )


@lru_cache(maxsize=512)
def is_public(text: str) -> bool:
    """Tell whether a bucket policy is public: an Allow for everyone that no condition ties to somebody fixed."""
    return any(_admits_everyone(statement) for statement in _statements(text))


@lru_cache(maxsize=512)
def denials_alone(text: str) -> str | None:
    """Leave the Deny statements of a policy; None when there are none."""
    denials = [statement for statement in _statements(text) if statement.get("Effect") == "Deny"]
    return json.dumps({**json.loads(text), "Statement": denials}) if denials else None


def _statements(text: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError:
        return []
    stated = document.get("Statement", []) if isinstance(document, dict) else []
    return [each for each in (stated if isinstance(stated, list) else [stated]) if isinstance(each, dict)]


def _admits_everyone(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    if "NotPrincipal" not in statement and "*" not in _principals(statement.get("Principal")):
        return False
    return not any(_ties(*each) for each in _conditions(statement.get("Condition")))


def _principals(principal: Any) -> list[Any]:
    if not isinstance(principal, dict):
        return [principal]
    return [value for given in principal.values() for value in (given if isinstance(given, list) else [given])]


def _conditions(condition: Any) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in condition.items() if isinstance(condition, dict) else ():
        for key, values in keys.items() if isinstance(keys, dict) else ():
            yield str(operator), str(key).lower(), [str(v) for v in (values if isinstance(values, list) else [values])]


def _ties(operator: str, key: str, values: list[str]) -> bool:
    if key not in _FIXED or not values or _TYING.fullmatch(operator) is None:
        return False
    if key == "aws:sourceip":
        return all(_is_narrow(value) for value in values)
    if key == "aws:userid":
        # A role's unique id with any session name is fixed enough, a bare wildcard is not.
        return all(re.fullmatch(r"[A-Z0-9]+(:[^*?$]*|:\*)?", value) for value in values)
    if key in {"aws:sourceorgpaths", "aws:principalorgpaths"}:
        return all(re.match(r"o-[a-z0-9]+/", value) for value in values)
    return not any(set(value) & set("*?$") for value in values)


def _is_narrow(cidr: str) -> bool:
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.is_private or network.prefixlen >= (_LARGEST_IPV4 if network.version == 4 else _LARGEST_IPV6)  # noqa: PLR2004 - IPv4
