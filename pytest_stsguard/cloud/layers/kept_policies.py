"""Resource policies that moto drops: a queue's, when another attribute changes, and a table's that CreateTable gives.

What such a policy denies would be allowed. See "SetQueueAttributes" in the Amazon SQS API Reference and "CreateTable" in the
Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.request import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Response

__all__ = ["KeptPolicies"]

_FAILED = 300


class KeptPolicies:
    """Looks at a call before and after moto carries it out."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def attend(self, call: Call, account: str) -> Callable[[Response], Response]:
        """Give what puts a policy in its place once moto has answered."""
        if (call.service, call.operation) == ("sqs", "SetQueueAttributes"):
            return self._queue(call, account)
        if (call.service, call.operation) == ("dynamodb", "CreateTable") and call.parameters.get("ResourcePolicy"):
            return lambda response: self._table(response, call, account)
        return unchanged

    def _queue(self, call: Call, account: str) -> Callable[[Response], Response]:
        name = str(call.parameters.get("QueueUrl", "")).rstrip("/").rpartition("/")[2]
        queue = self._backend.service("sqs", account=account, region=call.region).queues.get(name)
        if queue is None or "Policy" in (call.parameters.get("Attributes") or {}):
            return unchanged
        held = queue.policy

        def settle(response: Response) -> Response:
            if queue.policy != held:
                queue.policy = held
            return response

        return settle

    def _table(self, response: Response, call: Call, account: str) -> Response:
        backend = self._backend.service("dynamodb", account=account, region=call.region)
        name = str(call.parameters.get("TableName", "")).rpartition("/")[2]
        table = backend.tables.get(name)
        if response.status < _FAILED and table is not None:
            backend.put_resource_policy(table.table_arn, str(call.parameters["ResourcePolicy"]), None)
        return response
