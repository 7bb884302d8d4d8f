from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Credentials

ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass
class Refused:
    """What a client got for an answer instead of a result."""

    code: str
    status: int
    message: str


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class World:
    """An empty simulated cloud, with short ways to fill it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.clock = cloud.clock
        self.account = cloud.account
        self.iam = cloud.client("iam")

    def user(self, name: str = "alice", *statements: dict[str, Any], tags: dict[str, str] | None = None) -> Credentials:
        self.iam.create_user(UserName=name, Tags=[{"Key": k, "Value": v} for k, v in (tags or {}).items()])
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        return self.cloud.user_credentials(name)

    def role(
        self,
        name: str = "target",
        *,
        principal: Any = None,
        actions: Any = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"),
        condition: dict[str, Any] | None = None,
        access: tuple[dict[str, Any], ...] = (ALLOW_ALL,),
        **more: Any,
    ) -> str:
        trust = {
            "Effect": "Allow",
            "Principal": principal or {"AWS": f"arn:aws:iam::{self.account}:root"},
            "Action": list(actions),
        }
        if condition:
            trust["Condition"] = condition
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust), **more)["Role"]["Arn"]
        if access:
            self.iam.put_role_policy(RoleName=name, PolicyName="access", PolicyDocument=document(*access))
        return str(arn)

    def assume(self, role: str, by: Credentials | None = None, **params: Any) -> Credentials:
        return self.cloud.credentials_of(self.assumed(role, by, **params)["Credentials"])

    def assumed(self, role: str, by: Credentials | None = None, **params: Any) -> dict[str, Any]:
        params = {"RoleSessionName": "session", **params}
        answer: dict[str, Any] = self.cloud.client("sts", by).assume_role(RoleArn=self.cloud.role_arn(role), **params)
        return answer

    def refused(self, call: Callable[..., Any], /, **params: Any) -> Refused:
        with pytest.raises(ClientError) as caught:
            call(**params)
        answer: Any = caught.value.response
        error = answer["Error"]
        return Refused(error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], error.get("Message", ""))


@pytest.fixture
def world() -> Iterator[World]:
    with Cloud(world="empty") as cloud:
        yield World(cloud)
