"""The tags of the role that is to be assumed are condition keys of AssumeRole, in identity and trust policies alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud.stolen import service_session

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Cloud


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.stsguard_cloud(world="empty")
@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "iam:ResourceTag/team"])
def test_a_role_is_assumable_by_its_tags(sts_cloud: Cloud, key: str) -> None:
    iam = sts_cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": sts_cloud.account}, "Action": "sts:AssumeRole"}
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {key: "data"}},
    }
    for name in ("data", "web"):
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=document(trust, service),
            Tags=[{"Key": "team", "Value": name}],
        )
    iam.create_user(UserName="ann")
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": "*",
        "Condition": {"StringEquals": {key: "data"}},
    }
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=document(statement))
    sts = sts_cloud.client("sts", sts_cloud.user_credentials("ann"))
    sts.assume_role(RoleArn=sts_cloud.role_arn("data"), RoleSessionName="ann")
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=sts_cloud.role_arn("web"), RoleSessionName="ann")
    assert service_session(sts_cloud, "sns.amazonaws.com", sts_cloud.role_arn("data")) is not None
    assert service_session(sts_cloud, "sns.amazonaws.com", sts_cloud.role_arn("web")) is None
