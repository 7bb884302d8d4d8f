"""A service's calls in the name of whoever called it: forward access sessions.

The identity, the permissions and the session of the caller go on, and every policy that binds the caller is asked again; only
the network is the service's own. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_stsguard.cloud.identity import Caller

__all__ = ["Forwarded"]

# The service's own address, not the caller's: "iam-restrict-calls-ip-addresses" in AWS's knowledge center. Any of Amazon's
# would do; this one is in its published ranges for us-east-1.
_ADDRESS = "52.94.133.131"


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Who calls, and through which service (``cloudformation.amazonaws.com``)."""

    caller: Caller
    service: str

    def keys(self) -> dict[str, str | list[str]]:
        """Give the condition keys that tell such a call from the caller's own."""
        return {
            "aws:CalledVia": [self.service],
            "aws:CalledViaFirst": self.service,
            "aws:CalledViaLast": self.service,
            "aws:ViaAWSService": "true",
            "aws:SourceIp": _ADDRESS,
        }
