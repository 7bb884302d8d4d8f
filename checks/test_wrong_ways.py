"""What does not contain a theft, or hits more than the thief."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.asserts import assert_allowed, assert_denied
from pytest_stsguard.cloud import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials

pytestmark = pytest.mark.stsguard_drill

NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
}


def test_editing_the_trust_policy_changes_nothing_for_the_stolen_session(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    stolen = sts_assume_role(DEMO.data_role, session_name="stolen")
    iam = sts_cloud.client("iam")
    iam.update_assume_role_policy(RoleName=DEMO.data_role, PolicyDocument=json.dumps(NOBODY))
    assert_allowed(stolen, "s3.list_buckets")
    with pytest.raises(ClientError, match="AccessDenied"):
        sts_assume_role(DEMO.data_role)


def test_removing_the_permissions_hits_every_session(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    stolen, live = sts_assume_role(DEMO.data_role, session_name="stolen"), sts_assume_role(DEMO.data_role)
    sts_cloud.client("iam").delete_role_policy(RoleName=DEMO.data_role, PolicyName=f"{DEMO.data_role}Access")
    assert_denied(stolen, "s3.list_buckets")
    assert_denied(live, "s3.list_buckets")
    assert_denied(sts_assume_role(DEMO.data_role, session_name="fresh"), "s3.list_buckets")


def test_deleting_the_role_hits_every_workload(
    sts_cloud: Cloud, imds_credentials: Callable[[str], Credentials]
) -> None:
    stolen, workload = imds_credentials("A"), imds_credentials("B")
    iam, role = sts_cloud.client("iam"), DEMO.instance_role
    iam.remove_role_from_instance_profile(InstanceProfileName=role, RoleName=role)
    iam.delete_role_policy(RoleName=role, PolicyName=f"{role}Access")
    iam.delete_role(RoleName=role)
    assert_denied(stolen, "s3.list_buckets", "ec2.describe_instances")
    assert_denied(workload, "s3.list_buckets", "ec2.describe_instances")


def test_restarting_the_instance_does_not_stop_the_thief(
    sts_cloud: Cloud, imds_credentials: Callable[[str], Credentials]
) -> None:
    stolen = imds_credentials("A")
    instance = sts_cloud.instance("A").instance_id
    sts_cloud.client("ec2").stop_instances(InstanceIds=[instance])
    sts_cloud.client("ec2").start_instances(InstanceIds=[instance])
    assert_allowed(stolen, "s3.list_buckets")
