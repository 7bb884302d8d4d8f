"""Steps by a service: a role that is handed to something new, which the thief then runs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.reach.blast.model import Call, Edge, Node, statement_of
from pytest_stsguard.reach.escalation import STARTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.account import Account, Role
    from pytest_stsguard.policy import Decision
    from pytest_stsguard.reach.blast.ground import Ground
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["passings"]

_PASS: Final = "iam:PassRole"  # noqa: S105 - an action
_IMAGE: Final = "ami-0c02fb55956c7d316"
_PARAMETERS: Final = {
    "CreateFunction": "Role",
    "UpdateFunctionConfiguration": "Role",
    "RegisterTaskDefinition": "taskRoleArn",
    "CreateStack": "RoleARN",
    "UpdateStack": "RoleARN",
    "CreateProject": "serviceRole",
    "UpdateProject": "serviceRole",
    "CreateJob": "Role",
    "UpdateJob": "Role",
    "CreateSession": "Role",
    "CreateStateMachine": "roleArn",
    "RunJobFlow": "JobFlowRole",
}
"""What the parameter that takes the role is called, where it is not ``RoleArn``."""


def passings(holder: Holder, ground: Ground, wanted: Callable[[str], bool]) -> Iterator[tuple[Edge, Node]]:
    """Find the roles that an identity can hand to a service in something that it starts."""
    account = ground.account_of(holder.arn)
    if account is None or not holder.speaks_of(_PASS):
        return
    for service, operations, starting in _startable(holder, account):
        for role in account.roles:
            if role.service_linked or not wanted(role.arn) or not _admits(role, service, account):
                continue
            calls = _calls(operations, role)
            keys = {"iam:PassedToService": service}
            decision = holder.decide(_PASS, role.arn, keys) if calls else None
            if decision is not None:
                statement = statement_of(decision, *starting)
                edge = Edge(holder.arn, role.arn, f"pass-role to {service.partition('.')[0]}", statement, calls)
                yield edge, Node(role.arn, "role", role.arn)


def _startable(holder: Holder, account: Account) -> Iterator[tuple[str, tuple[str, ...], tuple[Decision, ...]]]:
    """Go through the services in which an identity may start something, each with one way to do so."""
    seen: set[str] = set()
    for service, operations in STARTING:
        if service in seen or not all(holder.speaks_of(operation) for operation in operations):
            continue
        found = [_may_start(holder, operation, account) for operation in operations]
        decisions = tuple(one for one in found if one is not None)
        if len(decisions) == len(operations):
            seen.add(service)
            yield service, operations, decisions


def _may_start(holder: Holder, operation: str, account: Account) -> Decision | None:
    for resource in ("*", *holder.resources_for(operation, account)):
        decision = holder.decide(operation, resource)
        if decision is not None:
            return decision
    return None


def _admits(role: Role, service: str, account: Account) -> bool:
    return _admits_service(role.trust.policy, service, account.id)


@lru_cache(maxsize=65_536)
def _admits_service(trust: Policy, service: str, account: str) -> bool:
    """Tell whether a trust policy lets a service in that acts for the role's own account."""
    if not trust.index.plan("sts:AssumeRole").matchers:
        return False
    role = f"arn:aws:iam::{account}:role/any"
    request = Request("sts:AssumeRole", role, service, {"aws:SourceAccount": account})
    try:
        return authorize(request, resource=trust).allowed
    except InputError:
        return False  # what cannot be read is told by STSG-111 and STSG-112


def _calls(operations: tuple[str, ...], role: Role) -> tuple[Call, ...]:
    """Write the calls: those for an instance in full, the others with what hands the role over."""
    if operations[0] == "ec2:RunInstances":
        if not role.instance_profiles:
            return ()
        profile = {"Arn": role.instance_profiles[0]}
        return (
            Call(
                "ec2", "RunInstances", {"ImageId": _IMAGE, "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": profile}
            ),
        )
    first, *others = (tuple(operation.split(":", 1)) for operation in operations)
    handed = {_PARAMETERS.get(first[1], "RoleArn"): role.arn}
    return (Call(first[0], first[1], handed), *(Call(service, operation) for service, operation in others))
