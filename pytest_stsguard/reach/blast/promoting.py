"""Steps to everything: permissions that an identity gives to itself, to its groups, or to a role that it can become."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account import User
from pytest_stsguard.policy import Request, authorize
from pytest_stsguard.reach.blast.assume import SESSION_NAME
from pytest_stsguard.reach.blast.model import Call, Edge, Node, account_node, statement_of
from pytest_stsguard.reach.blast.writing import ALL
from pytest_stsguard.reach.containment import context_on
from pytest_stsguard.reach.trustees import ALLOW_ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Account, AttachedPolicy
    from pytest_stsguard.policy import Decision, Policy
    from pytest_stsguard.reach.blast.ground import Ground
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["administration", "elevations", "promotions"]

_ADMINISTRATOR_ACCESS: Final = "policy/AdministratorAccess"
_OWN: Final = (
    Call("iam", "CreateUser", {"UserName": SESSION_NAME}),
    Call("iam", "PutUserPolicy", {"UserName": SESSION_NAME, "PolicyName": SESSION_NAME, "PolicyDocument": ALL}),
    Call("iam", "CreateAccessKey", {"UserName": SESSION_NAME}),
)
"""What somebody who may do anything does first: an administrator of the thief's own outlives the session."""

_Way = tuple[str, tuple[Call, ...], "Decision"]


def administration(holder: Holder, ground: Ground) -> Iterator[tuple[Edge, Node]]:
    """Say of an identity that may do anything what it makes of that: an administrator of the thief's own."""
    account = ground.account_of(holder.arn)
    if account is None:
        return
    node = account_node(account.id, account.partition)
    decision = holder.decide("iam:CreateUser", f"arn:{account.partition}:iam::{account.id}:user/{SESSION_NAME}")
    statement = "" if decision is None else statement_of(decision)
    yield Edge(holder.arn, node.id, "administrator", statement, _OWN), node


def promotions(holder: Holder, ground: Ground) -> Iterator[tuple[Edge, Node]]:
    """Find the ways in which an identity can give itself every permission, past its boundary if it has one."""
    account = ground.account_of(holder.arn)
    if account is None or holder.identity_center:
        return
    lifting = _lifting(holder)
    if lifting is None or not _would_do(holder.widened(ALLOW_ALL), account):
        return
    before, why = lifting
    node = account_node(account.id, account.partition)
    for kind, calls, decision in (*_own_permissions(holder, account), *_through_groups(holder, account)):
        yield Edge(holder.arn, node.id, kind, statement_of(*why, decision), (*before, *calls, *_OWN)), node


def _would_do(holder: Holder, account: Account) -> bool:
    """Tell whether an identity that is given everything could use it: a denial of its own, or its session's, stays."""
    arn = f"arn:{account.partition}:iam::{account.id}:user/{SESSION_NAME}"
    return all(holder.allows(f"iam:{call.operation}", arn) for call in _OWN)


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
    everything = f"arn:{account.partition}:iam::aws:{_ADMINISTRATOR_ACCESS}"
    for action, kind, parameters, keys in (
        (
            f"iam:Put{noun}Policy",
            f"put-{noun.lower()}-policy",
            {"PolicyName": SESSION_NAME, "PolicyDocument": ALL},
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
    yield from _versions(holder, account)


def _versions(holder: Holder, account: Account) -> Iterator[_Way]:
    """Find the policies of the identity whose text it can change, or which had a version that allows everything."""
    for arn in dict.fromkeys(attached.arn for attached in _attached(holder, account)):
        if ":iam::aws:" in arn:
            continue
        action = "iam:CreatePolicyVersion"
        decision = holder.decide(action, arn) if holder.speaks_of(action) else None
        if decision is not None:
            version = {"PolicyArn": arn, "PolicyDocument": ALL, "SetAsDefault": True}
            yield "create-policy-version", (Call("iam", "CreatePolicyVersion", version),), decision
        action, policy = "iam:SetDefaultPolicyVersion", account.policy(arn)
        decision = holder.decide(action, arn) if policy is not None and holder.speaks_of(action) else None
        if policy is None or decision is None:
            continue
        for one in policy.versions:
            if not one.default and _allows_everything(one.document.policy, holder):
                call = Call("iam", "SetDefaultPolicyVersion", {"PolicyArn": arn, "VersionId": one.id})
                yield "set-default-policy-version", (call,), decision


def _attached(holder: Holder, account: Account) -> Iterator[AttachedPolicy]:
    yield from holder.principal.attached
    for name in holder.principal.groups if isinstance(holder.principal, User) else ():
        group = account.group(name)
        yield from group.attached if group else ()


def _allows_everything(policy: Policy, holder: Holder) -> bool:
    request = Request("stsguard-probe:Anything", "*", holder.caller, dict(holder.context))
    return policy.whole and not policy.problems and authorize(request, identity=(policy,)).allowed


def _through_groups(holder: Holder, account: Account) -> Iterator[_Way]:
    """Find the groups that a user can widen as a member, or enter where they allow everything."""
    user = holder.principal
    if not isinstance(user, User):
        return
    for group in account.groups:
        own = group.name in user.groups
        action = "iam:PutGroupPolicy" if own else "iam:AddUserToGroup"
        if not holder.speaks_of(action):
            continue
        documents = account.identity_documents(group)
        if not own and not any(_allows_everything(one.policy, holder) for one in documents):
            continue
        decision = holder.decide(action, group.arn)
        if decision is None:
            continue
        who: dict[str, Any] = {"GroupName": group.name}
        more = {"PolicyName": SESSION_NAME, "PolicyDocument": ALL} if own else {"UserName": user.name}
        kind = "put-group-policy" if own else "add-user-to-group"
        yield kind, (Call("iam", action.partition(":")[2], {**who, **more}),), decision


def elevations(holder: Holder, ground: Ground, edge: Edge) -> Iterator[tuple[Edge, Node]]:
    """Find out whether an identity can widen a role that it can become by a step, before it becomes it."""
    action, target, account = "iam:PutRolePolicy", ground.holder(edge.to), ground.account_of(holder.arn)
    if target is None or account is None or target.trust is None or target.arn == holder.arn:
        return
    same = ground.account_of(target.arn) is account and not target.identity_center and not target.boundary
    decision = holder.decide(action, target.arn, context_on(target)) if same and holder.speaks_of(action) else None
    if decision is None:
        return
    node = account_node(account.id, account.partition)
    write = {"RoleName": target.name, "PolicyName": SESSION_NAME, "PolicyDocument": ALL}
    calls = (Call("iam", "PutRolePolicy", write), *edge.calls)
    statement = "; ".join(dict.fromkeys((statement_of(decision), edge.statement)))
    yield replace(edge, to=node.id, kind=f"put-role-policy, {edge.kind}", statement=statement, calls=calls), node
