"""Virtual MFA devices with real time-based codes (RFC 6238).

Codes are checked against the simulated clock. A code counts once. See "MFA-protected API access" in the IAM User Guide.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import threading
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.state import State

__all__ = ["Devices", "totp"]


def totp(seed: str | bytes, moment: datetime) -> str:
    """Give the six-digit code that a device with `seed` (base32, as CreateVirtualMFADevice answers) shows at `moment`."""
    return _code(seed, int(moment.timestamp()) // limits.MFA_STEP_SECONDS)


def _code(seed: str | bytes, step: int) -> str:
    text = (seed if isinstance(seed, str) else seed.decode()).upper()
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


class Devices:
    """The virtual devices of all accounts, and the codes that they have used up; safe to share between threads."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()

    def check_call(self, call: Call, account: str) -> None:
        """Refuse EnableMFADevice and ResyncMFADevice without two consecutive codes of the device."""
        if call.service != "iam" or call.operation not in {"EnableMFADevice", "ResyncMFADevice"}:
            return
        serial = str(call.parameters.get("SerialNumber", ""))
        seed = self._state.mfa_seed(account, serial)
        if seed is None:
            return
        first = self._step(seed, str(call.parameters.get("AuthenticationCode1", "")))
        second = self._step(seed, str(call.parameters.get("AuthenticationCode2", "")))
        if first is None or second is None or second != first + 1:
            raise refuse("mfa-enable")
        with self._lock:
            self._used[serial] = max(second, self._used.get(serial, 0))

    def accept(self, account: str, user: str, serial: str, code: str) -> None:
        """Accept the code of a device that is enabled for the user, once."""
        seed = self._state.mfa_seed(account, serial, user=user)
        if seed is None:
            raise refuse("mfa-device")
        step = self._step(seed, code)
        with self._lock:
            if step is None or step <= self._used.get(serial, 0):
                raise refuse("mfa-code")
            self._used[serial] = step

    def _step(self, seed: str, code: str) -> int | None:
        now = int(self._clock.now().timestamp()) // limits.MFA_STEP_SECONDS
        try:
            steps = [now + off for off in range(-limits.MFA_WINDOW, limits.MFA_WINDOW + 1)]
            return next(
                (step for step in steps if hmac.compare_digest(_code(seed, step).encode(), code.encode())), None
            )
        except binascii.Error:
            return None
