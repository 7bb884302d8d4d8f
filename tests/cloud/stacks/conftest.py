from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

pytest.importorskip("moto.cloudformation")

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World
    from pytest_stsguard.cloud import Credentials


@dataclass
class Stack:
    """One caller's dealings with one stack."""

    world: World
    client: Any
    admin: Any
    name: str

    def create(self, body: str, **more: Any) -> str:
        """Create the stack and give its status."""
        given = {} if "TemplateURL" in more else {"TemplateBody": body}
        self.client.create_stack(StackName=self.name, Capabilities=["CAPABILITY_NAMED_IAM"], **given, **more)
        return self.status

    def update(self, body: str | None = None, **more: Any) -> str:
        given = {"UsePreviousTemplate": True} if body is None else {"TemplateBody": body}
        self.client.update_stack(StackName=self.name, Capabilities=["CAPABILITY_NAMED_IAM"], **given, **more)
        return self.status

    def refused(self, call: Callable[..., Any], *given: Any, **more: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            call(*given, **more)
        error: Any = caught.value.response["Error"]
        return error["Code"], error["Message"]

    @property
    def roles(self) -> list[str]:
        return [role["RoleName"] for role in self.world.iam.list_roles()["Roles"]]

    @property
    def status(self) -> str:
        return str(self.admin.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])

    @property
    def reasons(self) -> list[str]:
        """What the events tell of failures, the oldest first."""
        events = self.admin.describe_stack_events(StackName=self.name)["StackEvents"]
        return [each.get("ResourceStatusReason", "") for each in reversed(events) if "FAILED" in each["ResourceStatus"]]


@pytest.fixture
def stack(world: World) -> Callable[..., Stack]:
    """Make a stack of a caller, by default the administrator's."""

    def make(who: Credentials | None = None, name: str = "s") -> Stack:
        cloud = world.cloud
        return Stack(world, cloud.client("cloudformation", who), cloud.client("cloudformation"), name)

    return make
