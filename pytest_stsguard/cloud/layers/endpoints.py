"""The policies of VPC endpoints, which bound what may be asked through them: they grant nothing.

A request knows the endpoint that it came through by aws:SourceVpce; what a service asks onward does not come through it. See
"Control access to VPC endpoints using endpoint policies" in the AWS PrivateLink documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.policy.combination import Verdict
from pytest_stsguard.policy.evaluation import DoubtError, resource_verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.policy import Request as Question

__all__ = ["EndpointPolicies"]

_ENDPOINT = "aws:SourceVpce"


class Asker(Protocol):
    """Who knows every condition key of a question."""

    def question(self, caller: Caller, permission: Permission, surroundings: Mapping[str, str | list[str]]) -> Question:
        """Put together what is asked."""


class EndpointPolicies:
    """Read from moto's EC2 at the moment of a call; an endpoint that moto does not have bounds nothing."""

    def __init__(self, backend: Backend, state: State, asker: Asker) -> None:
        self._backend = backend
        self._state = state
        self._asker = asker

    def check(
        self, caller: Caller, needed: Iterable[Permission], surroundings: Mapping[str, str | list[str]], *, region: str
    ) -> None:
        """Refuse a call of which the policy of the endpoint that it came through does not allow all.

        Raises:
            Fault: the policy denies one of the permissions, does not allow it, or cannot be read.
        """
        endpoint = surroundings.get(_ENDPOINT)
        found = self._find(endpoint, region) if isinstance(endpoint, str) else None
        if found is None:
            return
        policy = self._state.parse(found.policy_document, kind="resource", name=f"endpoint policy of {endpoint}")
        for permission in needed:
            if permission.context.get("aws:ViaAWSService") == "true" or permission.principal is not None:
                continue
            question = self._asker.question(caller, permission, surroundings)
            try:
                verdict, _ = resource_verdict(policy, question, question.caller, bounded=False)
            except DoubtError as error:
                text = f"stsguard cannot read the endpoint policy of `{endpoint}`"
                raise Fault(Refusal.NOT_SIMULATED, text) from error
            if verdict is not Verdict.ALLOW:
                because = (
                    "with an explicit deny in a VPC endpoint policy"
                    if verdict is Verdict.DENY
                    else f"because no VPC endpoint policy allows the {permission.action} action"
                )
                asked = f"{permission.action} on resource: {permission.resource}"
                raise Fault(
                    Refusal.ACCESS_DENIED, f"User: {caller.arn} is not authorized to perform: {asked} {because}"
                )

    def _find(self, endpoint: str, region: str) -> Any:
        for account in self._state.accounts():
            found = self._backend.service("ec2", account=account, region=region).vpc_end_points.get(endpoint)
            if found is not None:
                return found
        return None
