from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Credentials

MEMBER = "222233334444"
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Accounts:
    """Two accounts of one empty cloud, and short ways to fill them."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.home = cloud.account
        self.member = MEMBER
        self.member_admin = cloud.administrator(MEMBER)

    @staticmethod
    def document(*statements: dict[str, Any]) -> str:
        return document(*statements)

    @staticmethod
    def code_of(call: Callable[..., Any], /, *values: Any, **parameters: Any) -> str:
        """Give the error code with which a call is refused."""
        return str(_error(call, values, parameters)["Code"])

    @staticmethod
    def message_of(call: Callable[..., Any], /, **parameters: Any) -> str:
        """Give the words with which a call is refused."""
        return str(_error(call, (), parameters)["Message"])

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        return self.cloud.client(service, credentials)

    def user(self, name: str, *statements: dict[str, Any], account: str | None = None) -> Credentials:
        """Make a user with these permissions, in the member account unless another is named."""
        iam = self.client("iam", self.cloud.administrator(account or self.member))
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        from pytest_stsguard.cloud import Credentials

        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], origin=self.cloud)

    def role(self, name: str, *statements: dict[str, Any], account: str | None = None) -> str:
        """Make a role that its own account may assume."""
        account = account or self.member
        iam = self.client("iam", self.cloud.administrator(account))
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"])
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*(statements or (ALLOW_ALL,))))
        return arn

    def session(self, role: str, *, name: str = "session") -> Credentials:
        """Assume a role as the administrator of its account."""
        sts = self.client("sts", self.cloud.administrator(role.split(":")[4]))
        return self.cloud.credentials_of(sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"])


def _error(call: Callable[..., Any], values: tuple[Any, ...], parameters: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(*values, **parameters)
    answer: Any = caught.value.response
    return dict(answer["Error"])


@pytest.fixture(scope="module")
def accounts() -> Iterator[Accounts]:
    with Cloud(world="empty") as cloud:
        yield Accounts(cloud)
