"""What came of loading an account: the ARNs that are there now, and what is not, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["LeftOut", "Loaded"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that could not be loaded, or not as it is.

    Attributes:
        what: the ARN, or what the account's source lacks (``instances``).
        reason: why, in words.
        whole: whether it is missing altogether; else it is there, and differs in what `reason` says.
    """

    what: str
    reason: str
    whole: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@dataclass(slots=True)
class Loaded:
    """One account in the simulated cloud.

    Attributes:
        account: its id.
        arns: what was put in: roles, users, groups, customer-managed policies, instance profiles, instances, providers.
        left_out: what was not, or not wholly; a drill that depends on one of them must say so.
    """

    account: str
    arns: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def doubts(self, arn: str) -> tuple[str, ...]:
        """List why a drill on `arn` is not one on the real thing; empty when it is all there."""
        return tuple(one.reason for one in self.left_out if one.what == arn)

    def note(self, what: str, reason: str, *, whole: bool = True) -> None:
        """Say that something is missing, or with `whole` false, that it is there and differs."""
        self.left_out.append(LeftOut(what, reason, whole))
