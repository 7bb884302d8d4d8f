"""What runs inside a workload and hands it credentials: the instance metadata service and the container endpoint.

Real HTTP servers on loopback, fed live through two narrow protocols, `Host` (one EC2 instance) and `Source` (one
ECS task or EKS pod). Nothing here knows of sessions, policies or moto.
"""

from __future__ import annotations

from pytest_stsguard.cloud.metadata.container import ContainerServer, Source
from pytest_stsguard.cloud.metadata.credentials import (
    ContainerCredentials,
    InstanceCredentials,
    RoleNotAssumableError,
)
from pytest_stsguard.cloud.metadata.instance import Host, InstanceFacts, Interface, MetadataOptions, ProfileFacts
from pytest_stsguard.cloud.metadata.message import Answer, Request
from pytest_stsguard.cloud.metadata.rotation import CREDENTIAL_LIFETIME, LATEST_MOMENT, CredentialRotation
from pytest_stsguard.cloud.metadata.server import MetadataServer
from pytest_stsguard.cloud.metadata.service import MetadataService
from pytest_stsguard.cloud.metadata.tokens import SessionTokens

__all__ = [
    "CREDENTIAL_LIFETIME",
    "LATEST_MOMENT",
    "Answer",
    "ContainerCredentials",
    "ContainerServer",
    "CredentialRotation",
    "Host",
    "InstanceCredentials",
    "InstanceFacts",
    "Interface",
    "MetadataOptions",
    "MetadataServer",
    "MetadataService",
    "ProfileFacts",
    "Request",
    "RoleNotAssumableError",
    "SessionTokens",
    "Source",
]
