"""A service's calls in the name of whoever called it: forward access sessions.

The identity, the permissions and the session of the caller go on, and every policy that binds the caller is asked again; only
the network is the service's own. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions.behalf import called_via

if TYPE_CHECKING:
    from pytest_stsguard.cloud.identity import Caller

__all__ = ["Forwarded"]


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Who calls, and through which service (``cloudformation``)."""

    caller: Caller
    service: str

    @property
    def principal(self) -> str:
        """The service as CloudTrail names it."""
        return f"{self.service}.amazonaws.com"

    def keys(self) -> dict[str, str | list[str]]:
        """Give the condition keys that tell such a call from the caller's own."""
        return called_via(self.service)
