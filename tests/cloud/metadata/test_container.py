from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.metadata import ContainerServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from pytest_stsguard.clock import SimulatedClock


@pytest.fixture
def call(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda uri, **params: call(uri, urlsplit(uri).path, **params)


@pytest.fixture
def task(pod: Any) -> Iterator[ContainerServer]:
    with ContainerServer(replace(pod, secret=None), kind="ecs") as server:
        yield server


@pytest.fixture
def eks(pod: Any) -> Iterator[ContainerServer]:
    with ContainerServer(pod, kind="eks") as server:
        yield server


def test_a_task_gets_the_document_of_the_ecs_agent(task: ContainerServer, call: Callable[..., Any]) -> None:
    reply = call(task.uri)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert "Server" not in reply.headers
    document = json.loads(reply.text)
    assert list(document) == ["RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
    assert document["RoleArn"] == "arn:aws:iam::111122223333:role/app"
    assert reply.text.startswith('{"RoleArn":"arn:')
    assert task.environ == {"AWS_CONTAINER_CREDENTIALS_FULL_URI": task.uri}


def test_a_pod_gets_the_document_of_the_eks_agent(
    eks: ContainerServer, call: Callable[..., Any], pod: Any, clock: SimulatedClock
) -> None:
    reply = call(eks.uri, headers={"Authorization": pod.secret})
    document = json.loads(reply.text)
    assert list(document) == ["AccessKeyId", "SecretAccessKey", "Token", "AccountId", "Expiration"]
    assert document["AccountId"] == "111122223333"
    assert document["Expiration"] > isoformat(clock.now())
    assert document["Expiration"].endswith("Z")
    assert eks.uri == f"{eks.url}/v1/credentials"
    assert eks.environ == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": eks.uri,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": pod.secret,
    }


def test_the_id_of_a_task_cannot_be_guessed_and_is_new_each_time(
    task: ContainerServer, pod: Any, call: Callable[..., Any]
) -> None:
    with ContainerServer(pod) as other:
        assert urlsplit(other.uri).path != urlsplit(task.uri).path
        reply = call(task.url + urlsplit(other.uri).path)
    assert reply.status == 400
    assert json.loads(reply.text) == {
        "code": "InvalidIdInRequest",
        "message": "CredentialsV2Request: Credentials not found",
        "HTTPErrorCode": 400,
    }


def test_a_task_without_an_id_is_told_so(task: ContainerServer, call: Callable[..., Any]) -> None:
    reply = call(f"{task.url}/v2/credentials/")
    assert (reply.status, json.loads(reply.text)["code"]) == (400, "NoIdInRequest")


@pytest.mark.parametrize(
    "path", ["/", "/v2", "/v1/credential", "/v2/../v2/credentials", "/latest/meta-data/", "//v1/credentials"]
)
def test_other_paths_are_not_found(
    task: ContainerServer, eks: ContainerServer, call: Callable[..., Any], path: str
) -> None:
    import http.client

    for server in (task, eks):
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("GET", path, headers={"Authorization": "x"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (404, b"404 page not found\n")
        connection.close()


@pytest.mark.parametrize("token", [None, "", "wrong", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln2", "é"])
def test_a_pod_needs_its_own_token(eks: ContainerServer, call: Callable[..., Any], token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token.encode("latin-1")}
    reply = call(eks.uri, headers=headers)
    assert reply.status == 400
    assert "pod-secret" not in reply.text
    expected = "(InvalidTokenException): " if token else "Service account token cannot be empty\n"
    assert expected in reply.text


def test_a_pod_without_any_token_is_closed_to_all(pod: Any, call: Callable[..., Any]) -> None:
    with ContainerServer(replace(pod, secret=None), kind="eks") as server:
        assert call(server.uri).status == call(server.uri, headers={"Authorization": "x"}).status == 400


def test_a_task_may_be_given_a_token_too(pod: Any, call: Callable[..., Any]) -> None:
    with ContainerServer(pod) as server:
        assert call(server.uri).status == 401
        assert call(server.uri, headers={"Authorization": "wrong"}).status == 401
        assert call(server.uri, headers={"Authorization": pod.secret}).status == 200


def test_a_token_that_changes_holds_from_the_next_request_on(
    pod: Any, eks: ContainerServer, call: Callable[..., Any]
) -> None:
    old, pod.secret = pod.secret, "eyJhbGciOiJSUzI1NiJ9.e30.bmV3"
    assert call(eks.uri, headers={"Authorization": old}).status == 400
    assert call(eks.uri, headers={"Authorization": pod.secret}).status == 200


def test_a_role_that_cannot_be_assumed_gives_each_agents_error(
    pod: Any, eks: ContainerServer, call: Callable[..., Any]
) -> None:
    pod.trusted = False
    reply = call(eks.uri, headers={"Authorization": pod.secret})
    assert reply.status == 400
    assert "(AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume" in reply.text
    with ContainerServer(pod) as task:
        reply = call(task.uri, headers={"Authorization": pod.secret})
        assert (reply.status, json.loads(reply.text)["code"]) == (400, "InvalidIdInRequest")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "X"])
def test_credentials_are_read_only(
    task: ContainerServer, eks: ContainerServer, call: Callable[..., Any], method: str
) -> None:
    assert call(task.uri, method=method).status == call(eks.uri, method=method).status == 405


def test_head_tells_the_length_alone(task: ContainerServer, call: Callable[..., Any]) -> None:
    head, get = call(task.uri, method="HEAD"), call(task.uri)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.body))
