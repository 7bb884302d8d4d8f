"""What the gate costs: the same calls through the simulated cloud and through plain moto, in one process.

    python benchmarks/gate_overhead.py

Rounds of both alternate; each figure is the median over the rounds, in microseconds of processor time a call.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import boto3
from moto import mock_aws

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
REPETITIONS = 30
BUCKET = "of-the-benchmark"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def prepare(client: Callable[[str], Any]) -> list[Callable[[], Any]]:
    """Fill an empty account and give the calls to repeat: over rest-xml, json, ec2 and query."""
    s3, dynamodb, ec2, iam = (client(service) for service in ("s3", "dynamodb", "ec2", "iam"))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"body")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(TRUST))
    return [
        s3.list_buckets,
        lambda: s3.get_object(Bucket=BUCKET, Key="key"),
        lambda: s3.put_object(Bucket=BUCKET, Key="key", Body=b"body"),
        dynamodb.list_tables,
        ec2.describe_vpcs,
        lambda: iam.get_role(RoleName="role"),
    ]


def measure(calls: list[Callable[[], Any]]) -> float:
    """Give the microseconds of processor time that a call takes."""
    for call in calls:
        call()
    started = time.process_time()
    for _ in range(REPETITIONS):
        for call in calls:
            call()
    return (time.process_time() - started) / REPETITIONS / len(calls) * 1e6


def main() -> None:
    """Print both and their ratio."""
    gate, plain = [], []
    for _ in range(ROUNDS):
        with Cloud(world="empty") as cloud:
            gate.append(measure(prepare(cloud.client)))
        with mock_aws():
            plain.append(measure(prepare(lambda service: boto3.client(service, region_name="us-east-1"))))
    ours, theirs = statistics.median(gate), statistics.median(plain)
    print(f"through the gate {ours:8.0f} us a call")
    print(f"plain moto       {theirs:8.0f} us a call")
    print(f"ratio            {ours / theirs:8.2f}")


if __name__ == "__main__":
    main()
