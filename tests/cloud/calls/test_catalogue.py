"""Models are found where botocore finds them: its own, and those that a user has added."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.calls.catalogue import catalogue

if TYPE_CHECKING:
    from pathlib import Path

_READ = """
import json
from pytest_stsguard.cloud.calls import parse
from pytest_stsguard.cloud.request import Request
headers = {"host": "localhost", "x-amz-target": "Widgets_1.MakeWidget"}
call = parse(Request("POST", "http://localhost/", headers, b'{"Name": "n"}'), signing_name="widgets", region=None)
print(json.dumps([call.service, call.operation, call.parameters]))
"""


def test_the_services_are_all_there() -> None:
    found = catalogue()
    assert {"s3", "ec2", "iam", "sts", "dynamodb", "lambda", "sqs"} <= found.by_name.keys()
    assert next(each.service for each in found.by_signing_name["rds"]) == "rds"
    assert [each.service for each in found.by_target_prefix["DynamoDB_20120810"]] == ["dynamodb"]


def test_a_model_that_a_user_added_is_known(tmp_path: Path) -> None:
    folder = tmp_path / ".aws" / "models" / "widgets" / "2024-01-01"
    folder.mkdir(parents=True)
    model = {
        "version": "2.0",
        "metadata": {
            "apiVersion": "2024-01-01",
            "endpointPrefix": "widgets",
            "protocol": "json",
            "jsonVersion": "1.1",
            "serviceFullName": "Widgets",
            "serviceId": "Widgets",
            "signatureVersion": "v4",
            "targetPrefix": "Widgets_1",
        },
        "operations": {
            "MakeWidget": {
                "name": "MakeWidget",
                "http": {"method": "POST", "requestUri": "/"},
                "input": {"shape": "In"},
            }
        },
        "shapes": {"In": {"type": "structure", "members": {"Name": {"shape": "Name"}}}, "Name": {"type": "string"}},
    }
    (folder / "service-2.json").write_text(json.dumps(model))
    done = subprocess.run(
        [sys.executable, "-c", _READ],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == ["widgets", "MakeWidget", {"Name": "n"}]
