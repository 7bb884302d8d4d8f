"""Whether a caller may: every layer of policies, read live, handed to the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.policy import Request as Question
from pytest_stsguard.policy import authorize
from pytest_stsguard.policy.arns import account_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.layers import Organization, ResourcePolicies
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.cloud.permissions.permission import Context
    from pytest_stsguard.cloud.request import Request
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.policy import Decision, Policy

__all__ = ["Authorizer"]


class Authorizer:
    """The engine's questions, put together from a caller, a permission and the state of the account."""

    def __init__(
        self, state: State, clock: Clock, *, organization: Organization, resource_policies: ResourcePolicies
    ) -> None:
        self._state = state
        self._clock = clock
        self._resource_policies = resource_policies
        self._organization = organization

    def decide(self, caller: Caller, permission: Permission, surroundings: Mapping[str, str | list[str]]) -> Decision:
        """Ask whether `caller` has `permission`; `surroundings` are the request's own condition keys."""
        owner = self._owner(caller, permission)
        if permission.principal is not None:
            return self._decide_service(caller, permission, surroundings, owner)
        organization = self._organization
        question = self.question(caller, permission, surroundings)
        policies = self._policies(caller)
        identity, boundary = policies or _NOBODYS
        return authorize(
            question,
            identity=identity,
            boundary=boundary,
            session=self.session_policies(caller),
            # A session whose role or user is deleted is nobody's: no resource grants it anything either.
            resource=None
            if policies is None
            else self._resource_policies.of(permission.resource, caller, permission.action),
            scps=organization.scps(caller.account),
            rcps=organization.rcps(owner),
        )

    @staticmethod
    def _owner(caller: Caller, permission: Permission) -> str:
        return permission.resource_account or account_of(permission.resource) or caller.account

    def question(self, caller: Caller, permission: Permission, surroundings: Mapping[str, str | list[str]]) -> Question:
        """Put together what is asked: who, what, and every condition key."""
        if permission.context.get("aws:ViaAWSService") == "true":
            # The service's request comes through none of the caller's endpoints.
            before = _texts(surroundings.get("aws:CalledVia"))
            surroundings = {key: value for key, value in surroundings.items() if key not in _ENDPOINT}
            if before:
                # A service that was itself called by one: CloudFormation calls DynamoDB, which calls KMS.
                chain = [*before, *_texts(permission.context.get("aws:CalledVia"))]
                via: Context = {"aws:CalledVia": chain, "aws:CalledViaFirst": chain[0], "aws:CalledViaLast": chain[-1]}
                permission = replace(permission, context={**permission.context, **via})
        keys = self._organization.keys(caller.account, self._owner(caller, permission))
        return Question(
            permission.action,
            permission.resource,
            "*" if caller.is_anonymous else caller.arn,
            {**surroundings, **caller.context, **keys, **permission.context},
            resource_account=permission.resource_account,
        )

    def _decide_service(
        self, caller: Caller, permission: Permission, surroundings: Mapping[str, str | list[str]], owner: str
    ) -> Decision:
        """Ask whether a service has a permission for itself: its resource's policy alone says so, the owner's RCPs bind."""
        assert permission.principal is not None  # noqa: S101 - decide has looked
        context = {**surroundings, **self._organization.keys("", owner), **permission.context}
        return authorize(
            Question(permission.action, permission.resource, permission.principal, context),
            resource=self._resource_policies.of(permission.resource, caller, permission.action),
            rcps=self._organization.rcps(owner),
        )

    def decide_trust(self, trust: Policy, question: Question, *, caller: Caller | None = None) -> Decision:
        """Ask whether a role's trust policy, with the policies of a caller that has any, admits the request."""
        policies = self._policies(caller) if caller else _NOBODYS
        identity, boundary = policies or _NOBODYS
        session = self.session_policies(caller) if caller else None
        account = caller.account if caller else ""
        owner = account_of(question.resource) or account
        question.context |= self._organization.keys(account, owner)
        return authorize(
            question,
            identity=identity,
            boundary=boundary,
            session=session,
            resource=None if policies is None else trust,
            scps=self._organization.scps(account),
            rcps=self._organization.rcps(owner),
        )

    def surroundings(self, request: Request, *, region: str) -> dict[str, str | list[str]]:
        """The condition keys that any request carries."""
        now = self._clock.now()
        return {
            "aws:CurrentTime": isoformat(now),
            "aws:EpochTime": str(int(now.timestamp())),
            **(request.network or {"aws:SourceIp": request.source_ip}),
            "aws:SecureTransport": "true" if request.secure else "false",
            "aws:UserAgent": request.headers.get("user-agent", ""),
            "aws:RequestedRegion": region,
            "aws:ViaAWSService": "false",
            "aws:PrincipalIsAWSService": "false",
        }

    def session_policies(self, caller: Caller) -> tuple[Policy, ...] | None:
        """The session policies of a caller; None when it has none."""
        if caller.session is None or caller.session.session_policies is None:
            return None
        return tuple(
            self._state.parse(text, kind="session", name="session policy") for text in caller.session.session_policies
        )

    def _policies(self, caller: Caller) -> tuple[tuple[Policy, ...], tuple[Policy, ...]] | None:
        """The identity policies and the boundary of a caller; None when its role or user is deleted."""
        if caller.is_anonymous:
            return _NOBODYS
        if caller.kind == "root" or (caller.session is not None and caller.session.issuer.kind == "root"):
            return (self._state.parse(_FULL_ACCESS, kind="identity", name="root user"),), ()
        if caller.session is not None and caller.session.issuer.kind == "role":
            role = self._state.role(caller.account, unique_id=caller.session.issuer.unique_id)
            return (role.identity, role.boundary) if role else None
        user = self._state.user(caller.account, caller.name)
        if user is None or user.unique_id != caller.unique_id:
            # A session is its user's, by whatever name: to rename a user ends nothing.
            name = self._state.user_name(caller.account, caller.unique_id)
            user = None if name is None else self._state.user(caller.account, name)
        return None if user is None else (user.identity, user.boundary)


def _texts(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []


_ENDPOINT = frozenset({"aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:VpcSourceIp"})
_NOBODYS: tuple[tuple[Policy, ...], tuple[Policy, ...]] = ((), ())
_FULL_ACCESS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
