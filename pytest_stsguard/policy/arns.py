"""The parts of an Amazon Resource Name."""

from __future__ import annotations

from typing import Final

__all__ = ["ARN_PARTS", "account_of", "is_account_id", "is_role_arn"]

ARN_PARTS: Final = 6
"""``arn:partition:service:region:account:resource``."""

ACCOUNT_DIGITS: Final = 12


def is_account_id(text: str) -> bool:
    """Tell whether `text` is an account id: twelve ASCII digits."""
    return len(text) == ACCOUNT_DIGITS and text.isascii() and text.isdigit()


def account_of(arn: str) -> str | None:
    """Give the account that an ARN names, or None: `*`, a bucket's ARN and AWS's own managed policies name none."""
    parts = arn.split(":", ARN_PARTS - 1)
    if len(parts) == ARN_PARTS and is_account_id(parts[4]):
        return parts[4]
    return None


def is_role_arn(arn: str) -> bool:
    """Tell whether `arn` names an IAM role, the one resource whose resource policy is a trust policy."""
    parts = arn.split(":", ARN_PARTS - 1)
    return len(parts) == ARN_PARTS and parts[0] == "arn" and parts[2] == "iam" and parts[5].startswith("role/")
