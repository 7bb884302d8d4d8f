"""A game day in the demo world, for the pictures and the example of a report; run by name, not collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cloud import DEMO

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.drill import Drill

pytestmark = pytest.mark.stsguard_drill
PROBES = ("s3.list_buckets", "ec2.describe_instances")


def test_theft_from_an_instance(sts_cloud: Cloud, sts_drill: Drill) -> None:
    workload = sts_drill.fetch("B")
    sts_drill.allowed(workload, *PROBES, who="workload on B")
    sts_cloud.clock.advance(300)
    stolen = sts_drill.steal("A")
    sts_cloud.clock.advance(45)
    sts_drill.allowed(stolen, *PROBES, who="thief")
    sts_cloud.clock.advance(600)
    sts_drill.revoke(DEMO.instance_role)
    sts_cloud.clock.advance(5)
    sts_drill.denied(stolen, *PROBES, who="thief")
    sts_drill.probe(workload, *PROBES)
    sts_cloud.clock.advance(120)
    fresh = sts_drill.recover("A")
    sts_drill.allowed(fresh, *PROBES, who="workload on A")
    sts_drill.clean_up()


def test_theft_of_an_assumed_role(sts_cloud: Cloud, sts_drill: Drill) -> None:
    stolen = sts_drill.assume(DEMO.data_role, session_name="stolen")
    sts_drill.allowed(stolen, "s3.list_buckets")
    sts_cloud.clock.advance(90)
    sts_drill.revoke(DEMO.data_role)
    fresh = sts_drill.assume(DEMO.data_role, session_name="fresh")
    sts_drill.denied(stolen, "s3.list_buckets")
    sts_drill.allowed(fresh, "s3.list_buckets")
