"""Recovery: what a workload needs before it works again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.asserts import assert_allowed, assert_contained, assert_denied
from pytest_stsguard.cloud import DEMO

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.drill import Drill

pytestmark = pytest.mark.stsguard_drill


def test_metadata_service_goes_on_serving_the_revoked_credentials(sts_drill: Drill) -> None:
    before = sts_drill.steal("A")
    sts_drill.revoke(DEMO.instance_role)
    after = sts_drill.fetch("A")
    assert after.access_key_id == before.access_key_id
    assert_denied(after, "s3.list_buckets")


def test_reboot_does_not_bring_new_credentials(sts_cloud: Cloud, sts_drill: Drill) -> None:
    before = sts_drill.steal("A")
    sts_drill.revoke(DEMO.instance_role)
    sts_cloud.client("ec2").reboot_instances(InstanceIds=[sts_cloud.instance("A").instance_id])
    assert sts_drill.fetch("A").access_key_id == before.access_key_id


def test_stop_and_start_bring_the_workload_back(sts_drill: Drill) -> None:
    stolen = sts_drill.steal("A")
    sts_drill.revoke(DEMO.instance_role)
    fresh = sts_drill.recover("A")
    assert_contained(stolen=stolen, fresh=fresh, probes=("s3.list_buckets", "ec2.describe_instances"))


def test_workload_recovers_by_itself_when_its_credentials_are_due(sts_cloud: Cloud, sts_drill: Drill) -> None:
    sts_drill.steal("B")
    sts_drill.revoke(DEMO.instance_role)
    sts_cloud.clock.advance(6 * 3600 - 300)
    assert_allowed(sts_drill.fetch("B"), "s3.list_buckets")
