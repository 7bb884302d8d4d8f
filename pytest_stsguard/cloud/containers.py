"""Containers with a role of their own: an ECS task, or a pod with EKS Pod Identity.

See "Amazon ECS task IAM role" in the Amazon ECS Developer Guide and "Learn how EKS Pod Identity grants pods access to AWS
services" in the Amazon EKS User Guide.
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Final, Literal, cast

from pytest_stsguard.cloud.ledger import Issuer
from pytest_stsguard.cloud.metadata import (
    CREDENTIAL_LIFETIME,
    ContainerCredentials,
    ContainerServer,
    CredentialRotation,
    RoleNotAssumableError,
)
from pytest_stsguard.errors import CloudError
from pytest_stsguard.policy import Request as Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.metadata import InstanceCredentials
    from pytest_stsguard.cloud.state import Role
    from pytest_stsguard.cloud.sts import TokenService

__all__ = ["Container"]

_SERVICES: Final = {"ecs": "ecs-tasks.amazonaws.com", "eks": "pods.eks.amazonaws.com"}
_LONGEST_NAME: Final = 64


class Container:
    """One running task or pod, from its construction until `close`.

    `environ` is what its SDK finds in its environment. The service assumes the role anew when the credentials are due or
    the container is started again; a role that it may not assume leaves the endpoint without credentials.

    Args:
        tokens: The token service on whose ledger the sessions are entered.
        role: The name of a role in `account`.
        account: The account that the container runs in.
        region: The region that the container runs in.
        kind: ``"ecs"`` for a task, ``"eks"`` for a pod.
        cluster: The cluster's name.
        namespace: The pod's namespace; EKS only.
        service_account: The pod's service account; EKS only.
    """

    def __init__(
        self,
        tokens: TokenService,
        role: str,
        *,
        account: str,
        region: str,
        kind: Literal["ecs", "eks"] = "ecs",
        cluster: str = "main",
        namespace: str = "default",
        service_account: str = "app",
    ) -> None:
        if tokens.state.role(account, name=role) is None:
            raise CloudError(f"there is no role `{role}` in account `{account}`")
        self.kind = kind
        self.role = role
        self.identifier = secrets.token_hex(16)
        self._tokens = tokens
        self._account = account
        self._region = region
        self._cluster = cluster
        self._pod = (namespace, service_account, f"{service_account}-{secrets.token_hex(5)}", str(uuid.uuid4()))
        self._token = secrets.token_urlsafe(48)
        self._rotation = CredentialRotation(tokens.clock, self._issue)
        self._server = ContainerServer(self, kind=kind)

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which an SDK in the container finds its credentials."""
        return {**self._server.environ, "AWS_REGION": self._region, "AWS_DEFAULT_REGION": self._region}

    def restart(self) -> None:
        """Stop the container and start it anew: it gets new credentials."""
        self._rotation.renew()

    def close(self) -> None:
        """Stop the endpoint; a second call does nothing."""
        self._server.close()

    # What metadata.Source asks.

    def authorization(self) -> str | None:
        """The token that a pod, and a task since its SDK can send one, has to show."""
        return self._token

    def credentials(self) -> ContainerCredentials:
        """The credentials of the role that the container holds now."""
        return cast("ContainerCredentials", self._rotation.current("2.0"))

    def _issue(self, _: str) -> InstanceCredentials:
        role = self._tokens.state.role(self._account, name=self.role)
        if role is None or not self._may_assume(role):
            raise RoleNotAssumableError(f"{_SERVICES[self.kind]} cannot assume the role `{self.role}`")
        tags = self._tags()
        name = self._session_name()
        session = self._tokens.ledger.issue(
            arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}",
            user_id=f"{role.unique_id}:{name}",
            issuer=Issuer("role", role.arn, role.unique_id, role.account, role.name),
            duration=CREDENTIAL_LIFETIME,
            kind="container",
            tags=tags,
            transitive=frozenset(tags),
        )
        return ContainerCredentials(
            session.access_key_id,
            session.secret_access_key,
            session.token,
            session.issued_at,
            session.expires_at,
            role.arn,
        )

    def _may_assume(self, role: Role) -> bool:
        """Ask the trust policy on behalf of the service; a pod's session carries tags, which it must allow as well."""
        tags = self._tags()
        keys: dict[str, str | list[str]] = {"aws:SourceAccount": self._account, "aws:SourceArn": self._source()}
        keys |= role.tag_keys
        keys |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        if tags:
            keys["aws:TagKeys"] = keys["sts:TransitiveTagKeys"] = list(tags)
        actions = ("sts:AssumeRole", "sts:TagSession") if tags else ("sts:AssumeRole",)
        questions = (Question(action, role.arn, _SERVICES[self.kind], keys) for action in actions)
        return all(self._tokens.authorizer.decide_trust(role.trust, question).allowed for question in questions)

    def _source(self) -> str:
        if self.kind == "eks":
            return f"arn:aws:eks:{self._region}:{self._account}:cluster/{self._cluster}"
        return f"arn:aws:ecs:{self._region}:{self._account}:task/{self._cluster}/{self.identifier}"

    def _session_name(self) -> str:
        if self.kind == "ecs":
            return self.identifier
        return f"eks-{self._cluster}-{self._pod[2]}-{self.identifier}"[:_LONGEST_NAME]

    def _tags(self) -> Mapping[str, str]:
        """The six tags of a pod's session; a task's has none."""
        if self.kind == "ecs":
            return {}
        namespace, service_account, pod, uid = self._pod
        return {
            "eks-cluster-arn": self._source(),
            "eks-cluster-name": self._cluster,
            "kubernetes-namespace": namespace,
            "kubernetes-service-account": service_account,
            "kubernetes-pod-name": pod,
            "kubernetes-pod-uid": uid,
        }
