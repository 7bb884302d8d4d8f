"""Over HTTP every service answers as it does in the process, whatever its host would be called on AWS."""

from __future__ import annotations

from typing import Any

import pytest

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
