"""Multi-factor authentication of a call: see "MFA-protected API access" in the IAM User Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["check_mfa"]


def check_mfa(context: Context) -> bool:
    """Check SerialNumber and TokenCode of a call; tells whether they were given."""
    serial = read.text(context.parameters, "SerialNumber")
    code = read.text(context.parameters, "TokenCode")
    if serial is None and code is None:
        return False
    if serial is None or code is None:
        raise refuse("mfa-both")
    if context.caller.kind != "user":
        raise refuse("mfa-device")
    context.tokens.devices.accept(context.caller.account, context.caller.name, serial, code)
    return True
