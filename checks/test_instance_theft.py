"""Theft from an instance: what its metadata service hands out works from anywhere."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.asserts import assert_allowed
from pytest_stsguard.cloud import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials

pytestmark = pytest.mark.stsguard_drill

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"


def ask(url: str, **headers: str) -> str:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): text for name, text in headers.items()})  # noqa: S310 - loopback
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as response:
        return str(response.read().decode())


def test_metadata_service_names_the_instance_role(sts_cloud: Cloud) -> None:
    assert ask(sts_cloud.instance("A").metadata_url + CREDENTIALS) == DEMO.instance_role


def test_metadata_service_hands_out_the_credentials_of_the_role(sts_cloud: Cloud) -> None:
    document = json.loads(ask(f"{sts_cloud.instance('A').metadata_url}{CREDENTIALS}{DEMO.instance_role}"))
    assert document["Code"] == "Success"
    assert document["AccessKeyId"].startswith("ASIA")
    assert {"SecretAccessKey", "Token", "Expiration"} <= document.keys()


def test_instance_that_requires_tokens_refuses_a_plain_request(sts_cloud: Cloud) -> None:
    instance = sts_cloud.instance("A")
    sts_cloud.client("ec2").modify_instance_metadata_options(InstanceId=instance.instance_id, HttpTokens="required")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(instance.metadata_url + CREDENTIALS)


def test_stolen_instance_credentials_work_from_anywhere(imds_credentials: Callable[[str], Credentials]) -> None:
    assert_allowed(imds_credentials("A"), "s3.list_buckets", "ec2.describe_instances")


def test_instances_that_share_a_role_hold_different_sessions(imds_credentials: Callable[[str], Credentials]) -> None:
    first, second = imds_credentials("A"), imds_credentials("B")
    assert first.access_key_id != second.access_key_id
    assert first.arn != second.arn
