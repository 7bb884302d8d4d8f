"""The credentials endpoint of a container: an ECS task's, or the EKS Pod Identity agent's."""

from __future__ import annotations

import hmac
import json
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.metadata.credentials import RoleNotAssumableError
from pytest_stsguard.cloud.metadata.message import Answer
from pytest_stsguard.cloud.metadata.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.metadata.credentials import ContainerCredentials
    from pytest_stsguard.cloud.metadata.message import Request

__all__ = ["ContainerServer", "Source"]


class Source(Protocol):
    """One task or pod; both answers are read live, at each request, from any thread."""

    def authorization(self) -> str | None:
        """Give the token that a caller has to send as Authorization, None when none is asked for (plain ECS)."""

    def credentials(self) -> ContainerCredentials:
        """Give the credentials of the task's or pod's role.

        Raises:
            RoleNotAssumableError: the service may not assume the role.
        """


class ContainerServer(LoopbackServer):
    """Serves the credentials of one container, as the ECS agent or the EKS Pod Identity agent does.

    `uri` is what AWS_CONTAINER_CREDENTIALS_FULL_URI takes, and `environ` all that an SDK needs. For ``"ecs"`` the path
    ends in an id that nobody can guess, for ``"eks"`` it is ``/v1/credentials`` and the token alone tells the pod. The
    EKS agent also refuses a Host header other than its link-local addresses; on loopback that check has no meaning.

    Raises:
        InputError: the address or the port cannot be used.

    See https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """

    def __init__(
        self,
        source: Source,
        *,
        kind: Literal["ecs", "eks"] = "ecs",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._source = source
        self._path = ("v1", "credentials") if kind == "eks" else ("v2", "credentials", str(uuid.uuid4()))
        respond = self._pod if kind == "eks" else self._task
        super().__init__(_reading(respond), host=host, port=port, keep_alive=True, refuse=_plain)

    @property
    def uri(self) -> str:
        """The whole address of the credentials."""
        return "/".join((self.url, *self._path))

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which an SDK finds these credentials."""
        token = self._source.authorization()
        found = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.uri}
        return found if token is None else {**found, "AWS_CONTAINER_AUTHORIZATION_TOKEN": token}

    def _task(self, request: Request) -> Answer:
        path = request.path() or ()
        if path[:1] not in {("v1",), ("v2",)} or path[1:2] != ("credentials",):
            return _plain(404, "404 page not found")
        if len(path) == len(("v2", "credentials")):
            return _agent_error("NoIdInRequest", "No Credential ID in the request")
        if path != self._path:
            return _agent_error("InvalidIdInRequest", "Credentials not found")
        expected = self._source.authorization()
        if expected is not None and not _same(expected, request.headers.get("authorization", "")):
            return _plain(401)
        try:
            credentials = self._source.credentials()
        except RoleNotAssumableError:
            # The service that feeds the agent could not assume the role, so the agent knows of no credentials.
            return _agent_error("InvalidIdInRequest", "Credentials not found")
        return _json({"RoleArn": credentials.role_arn, **_fields(credentials)})

    def _pod(self, request: Request) -> Answer:
        if request.path() != self._path:
            return _plain(404, "404 page not found")
        given = request.headers.get("authorization", "")
        if not given:
            return _plain(400, "Service account token cannot be empty")
        if not _same(self._source.authorization() or "", given):
            return _refusal("InvalidTokenException", "The token included in the request is invalid")
        try:
            credentials = self._source.credentials()
        except RoleNotAssumableError:
            reason = "Unauthorized Exception! EKS does not have permissions to assume the associated role."
            return _refusal("AccessDeniedException", reason)
        fields = _fields(credentials)
        expiration = fields.pop("Expiration")
        return _json({**fields, "AccountId": credentials.account_id, "Expiration": expiration})


def _reading(respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        if request.method not in {"GET", "HEAD"}:
            return _plain(405)
        return respond(request)

    return answer


def _fields(credentials: ContainerCredentials) -> dict[str, str]:
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.token,
        "Expiration": isoformat(credentials.expiration),
    }


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _json(content: dict[str, str | int], status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(content, separators=(",", ":")).encode())


def _agent_error(code: str, message: str) -> Answer:
    return _json({"code": code, "message": f"CredentialsV2Request: {message}", "HTTPErrorCode": 400}, 400)


def _refusal(code: str, message: str) -> Answer:
    """Write an error of EKS Auth as the agent passes it on: request id, code, message."""
    return _plain(400, f"[{uuid.uuid4()}]: ({code}): {message}, fault: client")


def _plain(status: int, text: str | None = None) -> Answer:
    body = f"{text or HTTPStatus(status).phrase}\n".encode()
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, body)
