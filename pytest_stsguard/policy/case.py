"""All that bears on one request: the policies of every layer, and what the layers mean for this caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.policy.arns import ARN_PARTS, is_role_arn
from pytest_stsguard.policy.kinds import RCP_SERVICES
from pytest_stsguard.policy.principals import Caller, Kind, caller_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.policy.document import Policy
    from pytest_stsguard.policy.request import Request

__all__ = ["UNCONTROLLED", "Arguments", "Case"]

UNCONTROLLED: Final = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})
"""Actions that no policy controls: AWS answers them despite any deny.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""


Arguments = tuple[
    "Request",
    "Sequence[Policy]",
    "Policy | None",
    "Sequence[Policy]",
    "Sequence[Policy] | None",
    "Sequence[Sequence[Policy]]",
    "Sequence[Sequence[Policy]]",
]
"""What `authorize` was given: request, identity, resource, boundary, session, scps, rcps."""


class Case(NamedTuple):
    """The arguments of `authorize`, and what follows from the request alone."""

    request: Request
    identity: Sequence[Policy]
    resource: Policy | None
    boundary: Sequence[Policy]
    session: Sequence[Policy] | None
    scps: Sequence[Sequence[Policy]]
    rcps: Sequence[Sequence[Policy]]

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return caller_of(self.request.principal)

    @property
    def uncontrolled(self) -> bool:
        """Tell whether no policy controls the action."""
        return self.request.action.lower() in UNCONTROLLED

    @property
    def guard(self) -> Policy | None:
        """The resource's policy where it speaks of the action: a trust policy only speaks of sts."""
        if self.resource is not None and self.resource.kind == "trust" and self.service != "sts":
            return None
        return self.resource

    @property
    def service(self) -> str:
        """The service prefix of the action, in lower case."""
        return self.request.action.partition(":")[0].lower()

    @property
    def crosses_accounts(self) -> bool:
        """Tell whether the caller's account is not the one that owns the resource."""
        return self.request.owner != self.caller.account

    @property
    def needs_grant(self) -> bool:
        """Tell whether the resource's policy must allow even inside the account: roles that are assumed, KMS keys.

        https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
        """
        if self.service == "sts":
            return is_role_arn(self.request.resource)
        if self.service != "kms":
            return False
        parts = self.request.resource.split(":", ARN_PARTS - 1)
        return len(parts) == ARN_PARTS and parts[5].startswith("key/")

    @property
    def bounded(self) -> bool:
        """Tell whether the caller has a permissions boundary."""
        return len(self.boundary) > 0

    @property
    def service_linked(self) -> bool:
        """Tell whether the caller acts for a service-linked role, which organisation policies spare."""
        return self.caller.is_service_linked(self.request.given("aws:principalarn"))

    @property
    def controlled_by_scps(self) -> bool:
        """Tell whether service control policies apply: to principals of accounts, save service-linked roles."""
        return self.caller.owns_policies and not self.service_linked

    @property
    def controlled_by_rcps(self) -> bool:
        """Tell whether resource control policies apply: to the services that they cover, save service-linked roles."""
        return self.service in RCP_SERVICES and not self.service_linked

    @property
    def federated_without_policy(self) -> bool:
        """Tell whether the caller is a federated user to whom no session policy was given: it has no permissions.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
        """
        return self.session is None and self.caller.kind is Kind.FEDERATED_USER
