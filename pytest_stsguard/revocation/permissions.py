"""What the runner of each use must be allowed to do: the least IAM policy, one statement for each thing that it is for.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.revocation.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["USES", "runner_policy"]

USES = ("audit", "cleanup", "drill", "revoke")
"""What `runner_policy` knows."""

_ROLES = "arn:aws:iam::{account}:role/*"
_USERS = "arn:aws:iam::{account}:user/*"
_POLICIES = "arn:aws:iam::{account}:policy/StsGuardDenyEverything-*"
_PROFILES = "arn:aws:iam::{account}:instance-profile/*"
_DRILLED = "arn:aws:iam::{account}:role/stsguard-drill/*"
_DRILL_USERS = "arn:aws:iam::{account}:user/stsguard-drill/*"
_DRILL_POLICIES = "arn:aws:iam::{account}:policy/stsguard-drill/*"

# name of the statement, actions, resources
_Grant = tuple[str, tuple[str, ...], tuple[str, ...]]

_AUDIT: tuple[_Grant, ...] = (
    ("ReadTheAccount", ("iam:GetAccountAuthorizationDetails",), ("*",)),
    ("ReadSessionDurations", ("iam:ListRoles",), ("*",)),
    (
        "ReadIdentityProviders",
        ("iam:ListOpenIDConnectProviders", "iam:GetOpenIDConnectProvider", "iam:ListSAMLProviders"),
        ("*",),
    ),
    ("ReadInstances", ("ec2:DescribeInstances", "ec2:DescribeRegions"), ("*",)),
    ("ReadTheOrganization", ("organizations:DescribeOrganization",), ("*",)),
)
_CLEANUP: tuple[_Grant, ...] = (
    ("ReadTheAccount", ("iam:GetAccountAuthorizationDetails",), ("*",)),
    ("FindWhoseTheyAre", ("iam:GetRole", "iam:GetUser"), (_ROLES, _USERS)),
    ("ReadInlinePolicies", ("iam:GetRolePolicy", "iam:GetUserPolicy"), (_ROLES, _USERS)),
    ("RemoveInlinePolicies", ("iam:DeleteRolePolicy", "iam:DeleteUserPolicy"), (_ROLES, _USERS)),
    ("ReadAttachments", ("iam:ListAttachedRolePolicies", "iam:ListAttachedUserPolicies"), (_ROLES, _USERS)),
    ("Detach", ("iam:DetachRolePolicy", "iam:DetachUserPolicy"), (_ROLES, _USERS)),
)
_DRILL: tuple[_Grant, ...] = (
    ("KnowTheOrganization", ("organizations:DescribeOrganization",), ("*",)),
    ("BoundWhatIsMade", ("iam:CreatePolicy", "iam:GetPolicy", "iam:DeletePolicy"), (_DRILL_POLICIES,)),
    ("MakeDrillRoles", ("iam:CreateRole", "iam:TagRole", "iam:DeleteRole"), (_DRILLED,)),
    ("TrustAmongThem", ("iam:UpdateAssumeRolePolicy",), (_DRILLED,)),
    ("BeTheThief", ("sts:AssumeRole",), (_DRILLED,)),
    ("FindTheRole", ("iam:GetRole",), (_DRILLED,)),
    ("ReadTheDeny", ("iam:GetRolePolicy",), (_DRILLED,)),
    ("WriteAndRemovePolicies", ("iam:PutRolePolicy", "iam:ListRolePolicies", "iam:DeleteRolePolicy"), (_DRILLED,)),
    (
        "MakeDrillUsers",
        ("iam:CreateUser", "iam:TagUser", "iam:GetUser", "iam:DeleteUser"),
        (_DRILL_USERS,),
    ),
    (
        "MakeAndCloseKeys",
        ("iam:CreateAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:DeleteAccessKey"),
        (_DRILL_USERS,),
    ),
    (
        "WriteAndRemovePoliciesOfUsers",
        ("iam:GetUserPolicy", "iam:PutUserPolicy", "iam:ListUserPolicies", "iam:DeleteUserPolicy"),
        (_DRILL_USERS,),
    ),
)
# name of the statement, actions, whether on the roles that are named or on everything
_NAMED = (
    ("UseTheNamedRoles", ("sts:AssumeRole", "iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy"), True),
    ("SeeWhatIsAttached", ("iam:ListAttachedRolePolicies",), True),
    ("ReadAttached", ("iam:GetPolicy", "iam:GetPolicyVersion"), False),
    ("RevokeTheNamedRoles", ("iam:PutRolePolicy", "iam:DeleteRolePolicy"), True),
)
_FIND_ROLE: _Grant = ("FindTheRole", ("iam:GetRole",), (_ROLES,))
_FIND_USER: _Grant = ("FindTheUser", ("iam:GetUser",), (_USERS,))
_INLINE: tuple[_Grant, ...] = (
    _FIND_ROLE,
    ("ReadTheDeny", ("iam:GetRolePolicy",), (_ROLES,)),
    ("WriteTheDeny", ("iam:PutRolePolicy",), (_ROLES,)),
    ("TakeItBack", ("iam:DeleteRolePolicy",), (_ROLES,)),
)
_REVOKE: dict[str, tuple[_Grant, ...]] = {
    "older-sessions": _INLINE,
    "one-session": _INLINE,
    "source-identity": _INLINE,
    "principal-tag": _INLINE,
    "deny-all": _INLINE,
    "user-sessions": (
        _FIND_USER,
        ("ReadTheDeny", ("iam:GetUserPolicy",), (_USERS,)),
        ("WriteTheDeny", ("iam:PutUserPolicy",), (_USERS,)),
        ("TakeItBack", ("iam:DeleteUserPolicy",), (_USERS,)),
    ),
    "boundary": (
        _FIND_ROLE,
        ("ReadTheDeny", ("iam:GetPolicy", "iam:GetPolicyVersion"), (_POLICIES,)),
        ("WriteTheDeny", ("iam:CreatePolicy",), (_POLICIES,)),
        ("SetTheBoundary", ("iam:PutRolePermissionsBoundary",), (_ROLES,)),
        ("TakeItBack", ("iam:DeleteRolePermissionsBoundary", "iam:DeletePolicy"), (_ROLES, _POLICIES)),
    ),
    "scp": (
        ("FindThePrincipal", ("iam:GetRole", "iam:GetUser"), (_ROLES, _USERS)),
        ("KnowTheOrganization", ("organizations:DescribeOrganization",), ("*",)),
        (
            "ReadPolicies",
            ("organizations:ListPolicies", "organizations:DescribePolicy", "organizations:ListTargetsForPolicy"),
            ("*",),
        ),
        ("DenyFromAbove", ("organizations:CreatePolicy", "organizations:AttachPolicy"), ("*",)),
        ("TakeItBack", ("organizations:DetachPolicy", "organizations:DeletePolicy"), ("*",)),
    ),
    "deactivate-key": (
        _FIND_USER,
        ("ReadKeys", ("iam:ListAccessKeys",), (_USERS,)),
        ("DeactivateKeys", ("iam:UpdateAccessKey",), (_USERS,)),
    ),
}


def runner_policy(
    use: str,
    *,
    method: str = "older-sessions",
    account: str = "*",
    roles: Sequence[str] = (),
    until: datetime | None = None,
) -> dict[str, Any]:
    """Write the least policy for a use: of `USES`; for ``"revoke"`` by a method that contains.

    Args:
        use: ``"audit"``, ``"cleanup"``, ``"drill"`` or ``"revoke"``.
        method: the method of ``"revoke"``.
        account: the account id in the ARNs; ``*``: any.
        roles: ARNs of roles that exist, on which the drill may be played beside those that it makes.
        until: from this moment (aware) on the policy allows nothing; None: it has no end.

    Raises:
        ConfigurationError: an unknown use, a method that nobody should be allowed for containment, roles for another use
            than the drill, or a moment without a time zone.
    """
    if roles and use != "drill":
        raise ConfigurationError(f"use `{use}` takes no roles", hint="they are for the drill")
    if until is not None and until.tzinfo is None:
        raise ConfigurationError(f"the end `{until.isoformat()}` has no time zone", hint="give an aware datetime")
    if use == "revoke":
        if method not in _REVOKE:
            known = "is no way to contain a session" if method in METHODS else "is no method"
            raise ConfigurationError(f"`{method}` {known}", hint=f"there are: {', '.join(_REVOKE)}")
        grants = _REVOKE[method]
    elif use in USES:
        grants = {"audit": _AUDIT, "cleanup": _CLEANUP, "drill": _DRILL}[use]
        grants += tuple((sid, actions, tuple(roles) if named else ("*",)) for sid, actions, named in _NAMED if roles)
    else:
        raise ConfigurationError(f"unknown use `{use}`", hint=f"there are: {', '.join(USES)}")
    end = {"Condition": {"DateLessThan": {"aws:CurrentTime": isoformat(until)}}} if until is not None else {}
    statements = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": [resource.format(account=account) for resource in resources],
            **end,
        }
        for sid, actions, resources in grants
    ]
    return {"Version": "2012-10-17", "Statement": statements}
