"""A queue's policy outlives a change of its other attributes, with which moto drops it: its denials would be gone.

See "SetQueueAttributes" in the Amazon SQS API Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Response

__all__ = ["QueuePolicies"]


class QueuePolicies:
    """Looks at each SetQueueAttributes before and after moto carries it out."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def attend(self, call: Call, account: str) -> Callable[[Response], Response]:
        """Remember the policy of a queue whose other attributes change; what is given back puts it in its place."""
        if (call.service, call.operation) != ("sqs", "SetQueueAttributes"):
            return _unchanged
        name = str(call.parameters.get("QueueUrl", "")).rstrip("/").rpartition("/")[2]
        queue = self._backend.service("sqs", account=account, region=call.region).queues.get(name)
        if queue is None or "Policy" in (call.parameters.get("Attributes") or {}):
            return _unchanged
        held = queue.policy

        def settle(response: Response) -> Response:
            if queue.policy != held:
                queue.policy = held
            return response

        return settle


def _unchanged(response: Response) -> Response:
    return response
