"""Steps by IAM: keys and passwords of other users, new users, trust policies written anew, permissions given to oneself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.policy import Policy
from pytest_stsguard.reach.blast.assume import SESSION_NAME, assume_call, trust_document
from pytest_stsguard.reach.blast.model import Call, Edge, Node, account_node, statement_of
from pytest_stsguard.reach.containment import context_on, undoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.account import Account
    from pytest_stsguard.policy import Decision
    from pytest_stsguard.reach.blast.ground import Ground
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["ADMINISTRATOR_ACCESS", "administration", "credentials", "promotions", "trust_changes", "undoings"]

ADMINISTRATOR_ACCESS: Final = "policy/AdministratorAccess"
_ALL: Final = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
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
            "iam", "PutUserPolicy", {"UserName": SESSION_NAME, "PolicyName": SESSION_NAME, "PolicyDocument": _ALL}
        )
        node = account_node(account.id, account.partition)
        yield Edge(holder.arn, node.id, "create-administrator", statement_of(power), (*calls, give)), node


def administration(holder: Holder, ground: Ground) -> Iterator[tuple[Edge, Node]]:
    """Say of an identity that may do anything what it makes of that: an administrator of the thief's own."""
    account = ground.account_of(holder.arn)
    if account is None:
        return
    node = account_node(account.id, account.partition)
    decision = holder.decide("iam:CreateUser", f"arn:{account.partition}:iam::{account.id}:user/{SESSION_NAME}")
    calls = (
        Call("iam", "CreateUser", {"UserName": SESSION_NAME}),
        Call("iam", "PutUserPolicy", {"UserName": SESSION_NAME, "PolicyName": SESSION_NAME, "PolicyDocument": _ALL}),
        Call("iam", "CreateAccessKey", {"UserName": SESSION_NAME}),
    )
    statement = "" if decision is None else statement_of(decision)
    yield Edge(holder.arn, node.id, "administrator", statement, calls), node


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


def promotions(holder: Holder, ground: Ground) -> Iterator[tuple[Edge, Node]]:
    """Find the ways in which an identity can give itself every permission, past its boundary if it has one."""
    account = ground.account_of(holder.arn)
    if account is None or holder.identity_center:
        return
    lifting = _lifting(holder)
    if lifting is None:
        return
    before, why = lifting
    node = account_node(account.id, account.partition)
    for kind, calls, decision in _own_permissions(holder, account):
        yield Edge(holder.arn, node.id, kind, statement_of(*why, decision), (*before, *calls)), node


def _lifting(holder: Holder) -> tuple[tuple[Call, ...], tuple[Decision, ...]] | None:
    """Give what lifts the boundary: nothing where there is none; None where it stays."""
    if not holder.boundary:
        return (), ()
    noun = "Role" if holder.trust is not None else "User"
    action = f"iam:Delete{noun}PermissionsBoundary"
    decision = holder.decide(action, holder.arn, context_on(holder)) if holder.speaks_of(action) else None
    if decision is None:
        return None
    return (Call("iam", f"Delete{noun}PermissionsBoundary", {f"{noun}Name": holder.name}),), (decision,)


def _own_permissions(holder: Holder, account: Account) -> Iterator[tuple[str, tuple[Call, ...], Decision]]:
    noun = "Role" if holder.trust is not None else "User"
    who: dict[str, Any] = {f"{noun}Name": holder.name}
    everything = f"arn:{account.partition}:iam::aws:{ADMINISTRATOR_ACCESS}"
    for action, kind, parameters, keys in (
        (
            f"iam:Put{noun}Policy",
            f"put-{noun.lower()}-policy",
            {"PolicyName": SESSION_NAME, "PolicyDocument": _ALL},
            {},
        ),
        (
            f"iam:Attach{noun}Policy",
            f"attach-{noun.lower()}-policy",
            {"PolicyArn": everything},
            {"iam:PolicyARN": everything},
        ),
    ):
        decision = holder.decide(action, holder.arn, context_on(holder) | keys) if holder.speaks_of(action) else None
        if decision is not None:
            yield kind, (Call("iam", action.partition(":")[2], {**who, **parameters}),), decision
    action = "iam:CreatePolicyVersion"
    for attached in holder.principal.attached if holder.speaks_of(action) else ():
        decision = None if ":iam::aws:" in attached.arn else holder.decide(action, attached.arn)
        if decision is not None:
            version = {"PolicyArn": attached.arn, "PolicyDocument": _ALL, "SetAsDefault": True}
            yield "create-policy-version", (Call("iam", "CreatePolicyVersion", version),), decision


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
        return Call("iam", operation, {"RoleName": role, "PolicyName": _REVOKE, "PolicyDocument": _ALL})
    if operation == "DeleteRolePermissionsBoundary":
        return Call("iam", operation, {"RoleName": role})
    return None


def _tags(tags: Any) -> dict[str, str]:
    found = {}
    for key, value in tags.items():
        found[f"aws:ResourceTag/{key}"] = found[f"iam:ResourceTag/{key}"] = value
    return found
