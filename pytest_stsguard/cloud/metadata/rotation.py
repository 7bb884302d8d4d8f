"""When the credentials of an instance are replaced."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.metadata.credentials import RoleNotAssumableError
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.metadata.credentials import InstanceCredentials

__all__ = ["CREDENTIAL_LIFETIME", "LATEST_MOMENT", "CredentialRotation"]

CREDENTIAL_LIFETIME = timedelta(hours=6)
"""How long credentials of an instance profile live; the role's MaxSessionDuration does not bound it."""

LATEST_MOMENT = timedelta(minutes=5)
"""EC2 promises new credentials "at least five minutes before the expiration of the old credentials"."""


class CredentialRotation:
    """The credentials that one instance holds: replaced when they are due, and not before.

    ``current`` gives what is held, by delivery (``"1.0"`` for IMDSv1, ``"2.0"`` for IMDSv2: different credentials,
    so that ``ec2:RoleDelivery`` tells them apart), and calls ``issue(delivery)`` when nothing is held or when less than
    `replace_before` is left. ``renew`` drops what is held: call it on stop and on start. A reboot or a revocation is no
    reason to: EC2 goes on serving the same, perhaps revoked, credentials until they are due.

    When `issue` raises `RoleNotAssumableError`, credentials that are still valid are served to their end; only then
    the error is the caller's. Safe to share between threads: ``renew`` never waits for an `issue` under way, and what
    that one gives is then thrown away. Do not call ``current`` while holding a lock that `issue` takes.

    `replace_before` is at least five minutes, the latest moment that EC2 promises. Instances have been seen to replace
    theirs hourly: five hours models that.

    Raises:
        CloudError: for a `replace_before` under five minutes, or credentials that are due as soon as they are issued.

    See https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
    """

    def __init__(
        self,
        clock: Clock,
        issue: Callable[[str], InstanceCredentials],
        *,
        replace_before: timedelta = LATEST_MOMENT,
    ) -> None:
        if replace_before < LATEST_MOMENT:
            raise CloudError(f"credentials are replaced at least 5 minutes before they expire, got `{replace_before}`")
        self._clock = clock
        self._issue = issue
        self._replace_before = replace_before
        self._held: dict[str, InstanceCredentials] = {}
        self._generation = 0
        self._state = threading.Lock()
        self._issuing = threading.Lock()

    def current(self, delivery: str) -> InstanceCredentials:
        """Give the credentials of `delivery`, new ones when the held ones are due.

        Raises:
            RoleNotAssumableError: nothing valid is held and the role cannot be assumed.
        """
        with self._issuing:
            while True:
                with self._state:
                    held, generation = self._held.get(delivery), self._generation
                if held and not self._due(held):
                    return held
                try:
                    fresh = self._issue(delivery)
                except RoleNotAssumableError:
                    if held and self._clock.now() < held.expiration:
                        return held
                    raise
                if self._due(fresh):
                    lifetime = fresh.expiration - self._clock.now()
                    raise CloudError(
                        f"credentials that live `{lifetime}` cannot be replaced `{self._replace_before}` before they expire"
                    )
                with self._state:
                    if generation == self._generation:
                        self._held[delivery] = fresh
                        return fresh

    def held(self) -> dict[str, InstanceCredentials]:
        """Give what is held, by delivery."""
        with self._state:
            return dict(self._held)

    def hold(self, held: dict[str, InstanceCredentials]) -> None:
        """Hold other credentials from now on."""
        with self._state:
            self._held = dict(held)
            self._generation += 1

    def renew(self) -> None:
        """Drop what is held, so that the next call of `current` issues anew."""
        with self._state:
            self._held.clear()
            self._generation += 1

    def _due(self, credentials: InstanceCredentials) -> bool:
        return self._clock.now() >= credentials.expiration - self._replace_before
