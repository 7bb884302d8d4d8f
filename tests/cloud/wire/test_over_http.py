"""Over HTTP every service answers as it does in the process, whatever its host would be called on AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

CALLS = {
    "cloudwatch": ("list_metrics", {}),
    "elbv2": ("describe_load_balancers", {}),
    "s3control": ("list_access_points", {"AccountId": "111122223333"}),
    "ses": ("list_identities", {}),
    "sqs": ("list_queues", {}),
    "stepfunctions": ("list_state_machines", {}),
}


@pytest.mark.parametrize("service", CALLS)
def test_a_call_is_answered_alike_on_both_ways(wire: Any, service: str) -> None:
    operation, parameters = CALLS[service]
    url = wire.cloud.serve().url
    answers = [getattr(wire.cloud.client(service, endpoint_url=way), operation)(**parameters) for way in (None, url)]
    for answer in answers:
        assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("autoscaling", "describe_auto_scaling_groups", {}),
        ("dynamodb", "list_tables", {}),
        ("ec2", "describe_vpcs", {}),
        ("ec2", "describe_instances", {"InstanceIds": ["i-00000000000000000"]}),
        ("iam", "list_users", {}),
        ("iam", "get_user", {"UserName": "nobody-of-this-name"}),
        ("s3", "get_object", {"Bucket": "of-the-wire", "Key": "missing"}),
        ("sns", "list_topics", {}),
        ("sts", "get_caller_identity", {}),
    ],
)
def test_the_id_that_a_client_is_given_is_the_one_in_the_trail(
    wire: Any, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    call = getattr(wire.cloud.client(service, endpoint_url=wire.cloud.serve().url), operation)
    try:
        told = call(**parameters)["ResponseMetadata"]
    except ClientError as error:
        told = error.response["ResponseMetadata"]
    assert told["RequestId"] == wire.cloud.trail.records()[-1]["requestID"]
    assert told.get("HostId") == told["HTTPHeaders"].get("x-amz-id-2")
