"""GetCallerIdentity: answered whatever any policy denies.

See the API reference: "No permissions are required to perform this operation"; a deny does not stop it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["get_caller_identity"]


def get_caller_identity(context: Context) -> dict[str, Any]:
    """Say who signed the call."""
    caller = context.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}
