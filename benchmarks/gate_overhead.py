"""What the gate costs: the same calls through the simulated cloud and through plain moto, in process and over HTTP.

    python benchmarks/gate_overhead.py

Rounds of both alternate; each figure is the median over the rounds, in microseconds of processor time a call, of server and
client together. Over HTTP the other side is moto's own server, which needs `moto[server]`. At most 1.35 in process and 1.25
over HTTP is the bound that this project sets itself.
"""

from __future__ import annotations

import importlib.util
import json
import logging
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


def clients(**settings: Any) -> Callable[[str], Any]:
    """Make clients of plain moto, whose keys it does not look at."""
    return lambda service: boto3.client(
        service, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any", **settings
    )


def in_process() -> tuple[float, float]:
    """Measure a round of both in this process."""
    with Cloud(world="empty") as cloud:
        ours = measure(prepare(cloud.client))
    with mock_aws():
        return ours, measure(prepare(clients()))


def over_http() -> tuple[float, float]:
    """Measure a round of both over HTTP, server and client in this process."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - an extra of moto's that few have

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with Cloud(world="empty") as cloud:
        url = cloud.serve().url
        ours = measure(prepare(lambda service: cloud.client(service, endpoint_url=url)))
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        return ours, measure(prepare(clients(endpoint_url=f"http://{host}:{port}")))
    finally:
        server.stop()


def report(name: str, rounds: list[tuple[float, float]]) -> None:
    """Print both and their ratio."""
    ours = statistics.median(each[0] for each in rounds)
    theirs = statistics.median(each[1] for each in rounds)
    print(f"{name}: through the gate {ours:6.0f} us a call, plain moto {theirs:6.0f}, ratio {ours / theirs:.2f}")


def main() -> None:
    """Measure both ways; HTTP only where moto's server is installed."""
    report("in process", [in_process() for _ in range(ROUNDS)])
    if importlib.util.find_spec("flask") is None:
        print("over HTTP: not measured, moto's own server needs `moto[server]`")
        return
    report("over HTTP", [over_http() for _ in range(ROUNDS)])


if __name__ == "__main__":
    main()
