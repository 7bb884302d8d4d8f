"""What only a deployment knows and an audit cannot do without: the account, the region, names that AWS would generate.

A stand-in is used where a value is only named: ``arn:aws:iam::${AWS::AccountId}:root`` is the own account, whichever it
is. Where a decision hangs on it (a condition, a mapping) it is an unknown value, unless the user gave it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from re import compile as regex
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACCOUNT", "REGION", "Standins"]

ACCOUNT: Final = "000000000000"
"""The account of a template or plan when none is given: no real account has this id."""

REGION: Final = "us-east-1"
STACK: Final = "STACK"
SUFFIX: Final = "STANDIN"

_DIGITS = regex(r"[0-9]{12}")
_REGION = regex(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_PARTITIONS: Final = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


@dataclass(frozen=True)
class Standins:
    """The settings of a deployment that the user gave, and what stands in for the rest.

    Attributes:
        account: twelve digits, or None.
        region: the region's name, or None.
        stack: the stack's name, or None.
        parameters: values of template parameters, in place of their defaults.
    """

    account: str | None = None
    region: str | None = None
    stack: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.account is not None and _DIGITS.fullmatch(self.account) is None:
            raise ConfigurationError(f"`{short(self.account)}` is no account id", hint="an id has 12 digits")
        if self.region is not None and _REGION.fullmatch(self.region) is None:
            raise ConfigurationError(f"`{short(self.region)}` is no region")

    @property
    def id(self) -> str:
        """The account id that ARNs are made with."""
        return self.account or ACCOUNT

    @property
    def partition(self) -> str:
        """The partition of the region."""
        region = self.region or REGION
        return next((name for prefix, name in _PARTITIONS.items() if region.startswith(f"{prefix}-")), "aws")

    def pseudo(self, name: str, *, strict: bool) -> str | None:
        """Give the value of a pseudo parameter; None where there is none, or only a stand-in and `strict` forbids it.

        Args:
            name: ``AWS::AccountId`` and the like.
            strict: a decision hangs on the value.
        """
        dns = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        values = {
            "AWS::AccountId": (self.account, ACCOUNT),
            "AWS::Region": (self.region, REGION),
            "AWS::StackName": (self.stack, STACK),
            "AWS::Partition": (self.region and self.partition, self.partition),
            "AWS::URLSuffix": (self.region and dns, dns),
        }
        given, standin = values.get(name, (None, None))
        return given if strict else given or standin

    def generated(self, logical_id: str) -> str:
        """Give the name of a resource that CloudFormation would name: the stack's, the logical id, and a suffix."""
        return f"{self.stack or STACK}-{logical_id}-{SUFFIX}"
