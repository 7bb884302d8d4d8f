from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(world="empty") as cloud:
        yield cloud


@pytest.fixture
def federated(cloud: Cloud) -> Callable[..., str]:
    """Make a role that a provider may assume; gives its ARN."""

    def make(provider: str, action: str, condition: Any = None, name: str = "target", **more: Any) -> str:
        trust: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": [action, *more.pop("also", ())],
        }
        if condition:
            trust["Condition"] = condition
        iam = cloud.client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)["Role"]["Arn"]
        access = json.dumps({"Version": "2012-10-17", "Statement": [ALLOW_ALL]})
        iam.put_role_policy(RoleName=name, PolicyName="access", PolicyDocument=access)
        return str(arn)

    return make


@pytest.fixture
def refused() -> Callable[..., tuple[str, int, str]]:
    """Require that a call is refused; gives code, status and message."""

    def require(call: Callable[..., Any], /, **params: Any) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as caught:
            call(**params)
        answer: Any = caught.value.response
        return (
            answer["Error"]["Code"],
            answer["ResponseMetadata"]["HTTPStatusCode"],
            answer["Error"].get("Message", ""),
        )

    return require
