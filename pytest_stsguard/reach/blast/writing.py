"""Steps by IAM: keys and passwords of other users, new users, trust policies written anew, containment taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.policy import Policy
from pytest_stsguard.reach.blast.assume import SESSION_NAME, assume_call, trust_document
from pytest_stsguard.reach.blast.model import Call, Edge, Node, account_node, statement_of
from pytest_stsguard.reach.containment import undoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.account import Account
    from pytest_stsguard.reach.blast.ground import Ground
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["ALL", "credentials", "trust_changes", "undoings"]

ALL: Final = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
"""The policy that a thief writes."""

_REVOKE: Final = "AWSRevokeOlderSessions"
_KEYS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("iam:CreateAccessKey", "create-access-key", {}),
    ("iam:CreateLoginProfile", "create-login-profile", {"Password": "Thief-0-example"}),
    ("iam:UpdateLoginProfile", "update-login-profile", {"Password": "Thief-0-example"}),
)


def credentials(holder: Holder, ground: Ground, wanted: Callable[[str], bool]) -> Iterator[tuple[Edge, Node]]:
    """Find the users that an identity can make credentials for, and whether it can make a user of its own."""
    account = ground.account_of(holder.arn)
    if account is None:
        return
    for action, kind, more in _KEYS:
        if not holder.speaks_of(action):
            continue
        for user in account.users:
            if not wanted(user.arn):
                continue
            decision = holder.decide(action, user.arn, _tags(user.tags))
            if decision is not None:
                call = Call("iam", action.partition(":")[2], {"UserName": user.name, **more})
                yield (
                    Edge(holder.arn, user.arn, kind, statement_of(decision), (call,)),
                    Node(user.arn, "user", user.arn),
                )
    yield from _new_user(holder, account, wanted)


def _new_user(holder: Holder, account: Account, wanted: Callable[[str], bool]) -> Iterator[tuple[Edge, Node]]:
    arn = f"arn:{account.partition}:iam::{account.id}:user/{SESSION_NAME}"
    actions = ("iam:CreateUser", "iam:CreateAccessKey")
    if not wanted(arn) or not all(holder.speaks_of(action) for action in actions):
        return
    decisions = [holder.decide(action, arn) for action in actions]
    if None in decisions:
        return
    calls = [Call("iam", action.partition(":")[2], {"UserName": SESSION_NAME}) for action in actions]
    statement = statement_of(*(one for one in decisions if one is not None))
    yield Edge(holder.arn, arn, "create-user", statement, tuple(calls)), Node(arn, "new user", arn)
    power = holder.decide("iam:PutUserPolicy", arn) if holder.speaks_of("iam:PutUserPolicy") else None
    if power is not None:
        give = Call(
            "iam", "PutUserPolicy", {"UserName": SESSION_NAME, "PolicyName": SESSION_NAME, "PolicyDocument": ALL}
        )
        node = account_node(account.id, account.partition)
        yield Edge(holder.arn, node.id, "create-administrator", statement_of(power), (*calls, give)), node


def trust_changes(holder: Holder, ground: Ground, wanted: Callable[[str], bool]) -> Iterator[tuple[Edge, Node]]:
    """Find the roles whose trust policy an identity can write anew, and then assume."""
    action, account = "iam:UpdateAssumeRolePolicy", ground.account_of(holder.arn)
    if account is None or not holder.speaks_of(action):
        return
    document = trust_document(holder.arn)
    trust = Policy.parse(document, kind="trust", name="trust policy as the thief writes it")
    for role in account.roles:
        if role.service_linked or role.identity_center or not wanted(role.arn):
            continue
        decision = holder.decide(action, role.arn, _tags(role.tags))
        enters = holder.decide("sts:AssumeRole", role.arn, guard=trust) if decision is not None else None
        if decision is not None and enters is not None:
            write = Call("iam", "UpdateAssumeRolePolicy", {"RoleName": role.name, "PolicyDocument": document})
            calls = (write, assume_call(role.arn))
            edge = Edge(holder.arn, role.arn, "update-trust-policy", statement_of(decision), calls)
            yield edge, Node(role.arn, "role", role.arn)


def undoings(holder: Holder, start: Holder) -> Iterator[tuple[Edge, Node]]:
    """Find out whether an identity can take back what contains the start: a revoke policy, a boundary."""
    if start.trust is None or start.identity_center or start.arn.split(":")[4] != holder.arn.split(":")[4]:
        return
    for action, decision in undoing(holder, start):
        call = _undo(action, start.name)
        if call is not None:
            kind = "undo-containment"
            yield Edge(holder.arn, start.arn, kind, statement_of(decision), (call,)), Node(start.arn, "role", start.arn)
            return


def _undo(action: str, role: str) -> Call | None:
    operation = action.partition(":")[2]
    if operation == "DeleteRolePolicy":
        return Call("iam", operation, {"RoleName": role, "PolicyName": _REVOKE})
    if operation == "PutRolePolicy":
        return Call("iam", operation, {"RoleName": role, "PolicyName": _REVOKE, "PolicyDocument": ALL})
    if operation == "DeleteRolePermissionsBoundary":
        return Call("iam", operation, {"RoleName": role})
    return None


def _tags(tags: Any) -> dict[str, str]:
    found = {}
    for key, value in tags.items():
        found[f"aws:ResourceTag/{key}"] = found[f"iam:ResourceTag/{key}"] = value
    return found
