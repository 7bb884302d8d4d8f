"""The temporary credentials that a metadata endpoint hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["ContainerCredentials", "InstanceCredentials", "RoleNotAssumableError"]


@dataclass(frozen=True, slots=True, repr=False)
class InstanceCredentials:
    """One set of credentials as EC2 serves it; both moments are aware.

    Its repr shows the last four characters of the key id and the expiry, never a secret.
    """

    access_key_id: str
    secret_access_key: str
    token: str
    last_updated: datetime
    expiration: datetime

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…{self.access_key_id[-4:]}, expiration={isoformat(self.expiration)})"


@dataclass(frozen=True, slots=True, repr=False)
class ContainerCredentials(InstanceCredentials):
    """One set of credentials of an ECS task or an EKS pod, with the role that they belong to."""

    role_arn: str

    @property
    def account_id(self) -> str:
        """The account of the role."""
        return self.role_arn.split(":")[4]


class RoleNotAssumableError(CloudError):
    """The role's trust policy does not let the service assume it, so there are no credentials to hand out.

    The code is the one that EC2 writes into the document it serves instead:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html
    """

    code = "AssumeRoleUnauthorizedAccess"
