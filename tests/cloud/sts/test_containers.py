from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from pytest_stsguard.cloud.metadata import RoleNotAssumableError
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from conftest import World
    from pytest_stsguard.cloud.containers import Container

TASKS = {"Service": "ecs-tasks.amazonaws.com"}
PODS = {"Service": "pods.eks.amazonaws.com"}


def held(world: World, container: Container, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What botocore finds in the container's environment, by its own container provider."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in container.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    found = botocore.session.Session().get_credentials()
    assert found is not None
    frozen = found.get_frozen_credentials()
    answer = {"AccessKeyId": frozen.access_key, "SecretAccessKey": frozen.secret_key, "SessionToken": frozen.token}
    return world.cloud.credentials_of(answer)


def test_a_task_has_its_roles_credentials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    condition = {
        "StringEquals": {"aws:SourceAccount": world.account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{world.account}:*"},
    }
    world.role("task-role", principal=TASKS, condition=condition, MaxSessionDuration=3600)
    task = world.cloud.container("task-role")
    credentials = held(world, task, monkeypatch)

    assert credentials.arn == f"arn:aws:sts::{world.account}:assumed-role/task-role/{task.identifier}"
    assert (credentials.expiration - credentials.issued_at).total_seconds() == 6 * 3600
    world.cloud.client("s3", credentials).list_buckets()
    assert held(world, task, monkeypatch).access_key_id == credentials.access_key_id
    task.restart()
    assert held(world, task, monkeypatch).access_key_id != credentials.access_key_id


def test_a_pods_session_carries_six_transitive_tags(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.role("pod-role", principal=PODS, condition={"StringEquals": {"aws:RequestTag/kubernetes-namespace": "shop"}})
    pod = world.cloud.container("pod-role", kind="eks", cluster="blue", namespace="shop", service_account="cart")
    credentials = held(world, pod, monkeypatch)
    assert "/eks-blue-cart-" in credentials.arn

    tags = {
        f"aws:PrincipalTag/{key}": value
        for key, value in (("kubernetes-service-account", "cart"), ("eks-cluster-name", "blue"))
    }
    target = world.role("tagged", condition={"StringEquals": tags})
    chained = world.assume(target, credentials)
    assert world.assume(world.role("further", condition={"StringEquals": tags}), chained)


@pytest.mark.parametrize(
    ("kind", "principal", "actions"),
    [
        ("ecs", PODS, ["sts:AssumeRole"]),
        ("eks", TASKS, ["sts:AssumeRole", "sts:TagSession"]),
        ("eks", PODS, ["sts:AssumeRole"]),
    ],
)
def test_a_service_that_the_role_does_not_trust_gets_nothing(
    world: World, kind: Any, principal: Any, actions: list[str]
) -> None:
    world.role("other", principal=principal, actions=actions)
    container = world.cloud.container("other", kind=kind)
    with pytest.raises(RoleNotAssumableError, match="cannot assume the role `other`"):
        container.credentials()
    request = urllib.request.Request(
        container.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
        headers={"Authorization": container.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 400
    caught.value.close()


def test_a_container_of_no_role_is_refused(world: World) -> None:
    with pytest.raises(CloudError, match="there is no role `absent`"):
        world.cloud.container("absent")
