"""A workload's own SDK gets its credentials from the simulated instance, and works with them through the gate."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Cloud

WORKLOAD = """
import boto3, botocore.exceptions
session = boto3.Session()
print(session.get_credentials().method)
print(session.client("sts").get_caller_identity()["Arn"])
try:
    print(session.client("s3").list_buckets()["Buckets"][0]["Name"])
except botocore.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
"""


def workload(cloud: Cloud, instance: str) -> list[str]:
    """Run a program on the instance: its SDK has nothing but the metadata service and the endpoint."""
    server = cloud.serve()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": cloud.instance(instance).metadata_url,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    done = subprocess.run(
        [sys.executable, "-c", WORKLOAD], env={**kept, **settings}, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("tokens", ["optional", "required"])
def test_workload_gets_its_credentials_from_the_instance(sts_cloud: Cloud, tokens: str) -> None:
    instance = sts_cloud.instance("A")
    sts_cloud.client("ec2").modify_instance_metadata_options(InstanceId=instance.instance_id, HttpTokens=tokens)
    assert workload(sts_cloud, "A") == [
        "iam-role",
        f"arn:aws:sts::111122223333:assumed-role/A4L-InstanceRole/{instance.instance_id}",
        "a4l-secrets-111122223333",
    ]


def test_workload_is_denied_after_a_revocation_and_lives_after_a_restart(sts_cloud: Cloud) -> None:
    from pytest_stsguard.drill import Drill

    drill = Drill(sts_cloud)
    drill.fetch("A")
    drill.revoke("A4L-InstanceRole")
    assert workload(sts_cloud, "A")[2] == "AccessDenied"
    drill.recover("A")
    assert workload(sts_cloud, "A")[2] == "a4l-secrets-111122223333"
