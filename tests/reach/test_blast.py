"""What a stolen session can become, step by step, and what outlives a revocation of the start alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.policy import Policy
from pytest_stsguard.reach.blast import Blast, Ground, blast_radius

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.account import Account
    from pytest_stsguard.reach import Survey

HOME, OTHER = "111122223333", "444455556666"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
FENCE = f"arn:aws:iam::{HOME}:policy/Fence"


def role(name: str, account: str = HOME) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def user(name: str) -> str:
    return f"arn:aws:iam::{HOME}:user/{name}"


def trusting(*principals: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}


def allow(*actions: str, on: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def fence(*statements: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    return {"PolicyName": "Fence", "Arn": FENCE, "Path": "/", "DefaultVersionId": "v1", "PolicyVersionList": [version]}


FENCED = {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": FENCE}}
HOLDS_FENCE = {"AttachedManagedPolicies": [{"PolicyName": "Fence", "PolicyArn": FENCE}]}


@pytest.fixture
def blast_of(survey_of: Callable[..., Survey]) -> Callable[..., Blast]:
    """Give ``(start, trusts, **account) -> Blast``."""

    def make(start: str, trusts: dict[str, Any], **parts: Any) -> Blast:
        return blast_radius(Ground([survey_of(trusts, **parts).account], now=NOW), start)

    return make


def steps(blast: Blast) -> list[tuple[str, str, str]]:
    return [(edge.source.rpartition("/")[2], edge.kind, edge.to.rpartition("/")[2]) for edge in blast.edges]


def survivors(blast: Blast) -> set[str]:
    return {node.arn.rpartition("/")[2] for node in blast.survivors}


def test_a_chain_survives_its_start(blast_of: Callable[..., Blast]) -> None:
    blast = blast_of(
        "a", {"a": EC2, "b": trusting(role("a")), "c": trusting(role("b")), "alone": EC2}, may={"b": allow("s3:*")}
    )
    assert steps(blast) == [("a", "assume-role", "b"), ("b", "assume-role", "c")]
    assert survivors(blast) == {"b", "c"}
    assert blast.revocation_set == (role("a"), role("b"), role("c"))
    edge = blast.edges[0]
    assert edge.statement == "trust policy Statement"
    assert [call.as_json() for call in edge.calls] == [
        {
            "service": "sts",
            "operation": "AssumeRole",
            "parameters": {"RoleArn": role("b"), "RoleSessionName": "stsguard-thief"},
        }
    ]
    assert blast.as_json()["nodes"][0] == {
        "id": role("a"),
        "kind": "role",
        "arn": role("a"),
        "survives_revocation": False,
    }


def test_a_cycle_brings_the_start_back_and_a_role_that_assumes_itself_alone_does_not(
    blast_of: Callable[..., Blast],
) -> None:
    cycle = blast_of("a", {"a": trusting(role("b")), "b": trusting(role("a"))})
    assert steps(cycle) == [("a", "assume-role", "b"), ("b", "assume-role", "a")]
    assert survivors(cycle) == {"a", "b"}
    alone = blast_of("a", {"a": trusting(role("a"))})
    assert steps(alone) == [("a", "assume-role", "a")]
    assert survivors(alone) == set()


def test_policies_that_stop_a_step_stop_it_here(blast_of: Callable[..., Blast]) -> None:
    trusts = {"a": EC2, "named": trusting(role("a")), "open": trusting(HOME), "anybody": trusting("*")}
    # Who is named, or anybody, needs no permission in its own account; where the account is trusted, one is needed.
    assert [one[2] for one in steps(blast_of("a", trusts)) if one[0] == "a"] == ["named", "anybody"]
    may = {"a": allow("sts:AssumeRole", on=role("open"))}
    assert {one[2] for one in steps(blast_of("a", trusts, may=may)) if one[0] == "a"} == {"named", "anybody", "open"}
    denied = {"a": [allow("*"), {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]}
    assert [one for one in steps(blast_of("a", trusts, may=denied)) if one[1] == "assume-role"] == []
    details = {"a": FENCED}
    fenced = blast_of("a", trusts, may=may, details=details, policies=(fence(allow("s3:*")),))
    # A role that is named is still held by its boundary; a grant to anybody is one to the session itself.
    assert [one[2] for one in steps(fenced) if one[0] == "a"] == ["anybody"]
    unknown = blast_of("a", trusts, details=details)
    assert unknown.left_out == (f"{role('a')}: `{FENCE}` is not in the source",)


def test_a_users_key_becomes_roles_and_federation_tokens(blast_of: Callable[..., Blast]) -> None:
    blast = blast_of(
        "bob",
        {"a": trusting(user("bob")), "b": EC2},
        users={"bob": allow("sts:GetFederationToken"), "eve": allow("s3:*")},
    )
    assert steps(blast) == [("bob", "assume-role", "a"), ("bob", "federation-token", "bob#federation")]
    assert survivors(blast) == {"a", "stsguard-thief"}
    assert blast.nodes[0].kind == "user"
    assert blast.revocation_set == (user("bob"), role("a"))


def test_keys_and_passwords_of_others_and_new_users(blast_of: Callable[..., Blast]) -> None:
    blast = blast_of(
        "a",
        {"a": EC2, "b": trusting(user("eve"))},
        may={"a": [allow("iam:CreateAccessKey", on=user("eve")), allow("iam:UpdateLoginProfile", on=user("bob"))]},
        users={"eve": allow("s3:*"), "bob": allow("s3:*")},
    )
    assert steps(blast) == [
        ("a", "create-access-key", "eve"),
        ("a", "update-login-profile", "bob"),
        ("eve", "assume-role", "b"),
    ]
    made = blast_of("a", {"a": EC2}, may={"a": allow("iam:CreateUser", "iam:CreateAccessKey")})
    assert steps(made) == [("a", "create-user", "stsguard-thief")]
    assert made.nodes[1].kind == "new user"
    strong = blast_of("a", {"a": EC2}, may={"a": allow("iam:CreateUser", "iam:CreateAccessKey", "iam:PutUserPolicy")})
    assert [one[1] for one in steps(strong)] == ["create-user", "create-administrator", "undo-containment"]
    assert strong.unbounded == f"the thief can come to do anything in account {HOME}"


def test_trust_policies_that_can_be_written_anew(blast_of: Callable[..., Blast]) -> None:
    identity_center = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/c"
    blast = blast_of(
        "a",
        {"a": EC2, "b": EC2, "c": EC2},
        may={"a": allow("iam:UpdateAssumeRolePolicy")},
        details={"c": {"Path": "/aws-reserved/sso.amazonaws.com/", "Arn": identity_center}},
    )
    assert steps(blast) == [("a", "update-trust-policy", "a"), ("a", "update-trust-policy", "b")]
    assert [call.operation for call in blast.edges[1].calls] == ["UpdateAssumeRolePolicy", "AssumeRole"]
    # A policy that forbids it in the caller's own account is no use to the thief.
    held = {"a": [allow("iam:UpdateAssumeRolePolicy"), {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}]}
    assert steps(blast_of("a", {"a": EC2, "b": EC2}, may=held)) == []


@pytest.mark.parametrize(
    ("action", "kind"),
    [("iam:PutRolePolicy", "put-role-policy"), ("iam:AttachRolePolicy", "attach-role-policy")],
)
def test_permissions_given_to_oneself(blast_of: Callable[..., Blast], action: str, kind: str) -> None:
    may = {"a": allow(action, on=role("a"))}
    blast = blast_of("a", {"a": EC2}, may=may)
    assert ("a", kind, f"arn:aws:iam::{HOME}:root") in steps(blast)
    assert "a" in survivors(blast)
    details = {"a": FENCED}
    fenced = blast_of("a", {"a": EC2}, may=may, details=details, policies=(fence(allow("iam:*")),))
    assert [one for one in steps(fenced) if one[1] == kind] == []
    lifting = {"a": allow(action, "iam:DeleteRolePermissionsBoundary", on=role("a"))}
    lifted = blast_of("a", {"a": EC2}, may=lifting, details=details, policies=(fence(allow("iam:*")),))
    (edge,) = [edge for edge in lifted.edges if edge.kind == kind]
    assert [call.operation for call in edge.calls[:2]] == ["DeleteRolePermissionsBoundary", action.partition(":")[2]]
    # An administrator of the thief's own outlives the session that is promoted.
    assert [call.operation for call in edge.calls[2:]] == ["CreateUser", "PutUserPolicy", "CreateAccessKey"]
    held = {"a": [allow(action, on=role("a")), {"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}]}
    assert [one for one in steps(blast_of("a", {"a": EC2}, may=held)) if one[1] == kind] == []


def test_a_new_version_of_an_attached_policy(blast_of: Callable[..., Blast]) -> None:
    blast = blast_of(
        "a",
        {"a": EC2},
        may={"a": allow("iam:CreatePolicyVersion", on=FENCE)},
        details={"a": HOLDS_FENCE},
        policies=(fence(allow("s3:*")),),
    )
    assert steps(blast)[0] == ("a", "create-policy-version", f"arn:aws:iam::{HOME}:root")
    assert blast.edges[0].calls[0].parameters["SetAsDefault"] is True


def test_roles_that_can_be_passed_to_something_new(blast_of: Callable[..., Blast]) -> None:
    arn = f"arn:aws:iam::{HOME}:instance-profile/b"
    held = {"Arn": arn, "InstanceProfileName": "b", "Roles": [{"RoleName": "b"}]}
    function = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusts = {"a": function, "b": EC2, "c": function, "bare": EC2}
    details = {"b": {"InstanceProfileList": [held]}}
    may = {"a": allow("iam:PassRole", "ec2:RunInstances", "lambda:CreateFunction", "lambda:InvokeFunction")}
    blast = blast_of("a", trusts, may=may, details=details)
    assert steps(blast) == [
        ("a", "pass-role to ec2", "b"),
        ("a", "pass-role to lambda", "a"),
        ("a", "pass-role to lambda", "c"),
    ]
    assert blast.edges[0].calls[0].parameters["IamInstanceProfile"] == {"Arn": arn}
    assert blast.edges[2].calls[0].parameters == {"Role": role("c")}
    # A new function's session of the start's own role is a fresh one.
    assert survivors(blast) == {"b", "c"}
    without = {"a": allow("ec2:RunInstances", "lambda:CreateFunction", "lambda:InvokeFunction")}
    assert steps(blast_of("a", trusts, may=without, details=details)) == []
    confined = {"a": [allow("iam:PassRole", on=role("c")), allow("ec2:RunInstances", "lambda:CreateFunction")]}
    assert steps(blast_of("a", trusts, may=confined, details=details)) == []


def test_an_administrator_is_everybody(blast_of: Callable[..., Blast]) -> None:
    blast = blast_of("a", {"a": EC2, "b": trusting(role("a"))}, may={"a": allow("*")})
    assert [one[1] for one in steps(blast)] == ["administrator", "undo-containment"]
    assert blast.unbounded
    assert survivors(blast) == {"a", f"arn:aws:iam::{HOME}:root"}


def test_another_role_that_takes_the_containment_back(blast_of: Callable[..., Blast]) -> None:
    blast = blast_of(
        "a",
        {"a": EC2, "helper": trusting(role("a"))},
        may={"helper": allow("iam:DeleteRolePolicy", on=role("a"))},
    )
    assert steps(blast)[-1] == ("helper", "undo-containment", "a")
    assert survivors(blast) == {"a", "helper"}
    own = blast_of("a", {"a": EC2}, may={"a": allow("iam:DeleteRolePolicy", on=role("a"))})
    assert steps(own) == [("a", "undo-containment", "a")]
    assert survivors(own) == set()


def _moved(account: Account, to: str) -> Account:
    """Give an account another id, its roles' ARNs with it."""
    roles = tuple(replace(one, arn=one.arn.replace(account.id, to)) for one in account.roles)
    return replace(account, id=to, roles=roles)


def test_roles_of_other_accounts(survey_of: Callable[..., Survey]) -> None:
    home = survey_of(
        {"a": EC2, "quiet": EC2},
        may={"a": allow("sts:AssumeRole", on=role("vendor", OTHER)), "quiet": allow("s3:*")},
    ).account
    trust = trusting(HOME)
    other = _moved(survey_of({"vendor": trust, "shared": trusting(role("quiet"))}).account, OTHER)
    both = Ground([home, other], now=NOW)
    assert [edge.to for edge in blast_radius(both, "a").edges] == [role("vendor", OTHER)]
    # Across accounts both sides must allow: being named is not enough.
    assert blast_radius(both, "quiet").edges == ()
    assert blast_radius(both, role("vendor", OTHER)).nodes[0].arn == role("vendor", OTHER)
    alone = blast_radius(Ground([home], now=NOW), "a")
    assert [(edge.kind, edge.to) for edge in alone.edges] == [("assume-role-elsewhere", role("vendor", OTHER))]
    assert "not known" in alone.edges[0].statement
    assert alone.nodes[1].kind == "role elsewhere"
    assert alone.revocation_set == (role("a"),)


def test_the_start_may_be_a_session_and_must_be_there(survey_of: Callable[..., Survey]) -> None:
    ground = Ground([survey_of({"a": EC2}).account], now=NOW)
    assert blast_radius(ground, f"arn:aws:sts::{HOME}:assumed-role/a/i-1").start == role("a")
    for name in ("nobody", role("nobody"), role("a", OTHER), f"arn:aws:sts::{HOME}:assumed-role/gone/i-1"):
        with pytest.raises(ConfigurationError, match="there is no role or user"):
            blast_radius(ground, name)


def test_a_session_that_a_trust_policy_names_is_that_session_alone(survey_of: Callable[..., Survey]) -> None:
    session = f"arn:aws:sts::{HOME}:assumed-role/a/deploy"
    ground = Ground([survey_of({"a": EC2, "b": trusting(session)}).account], now=NOW)
    assert [edge.to for edge in blast_radius(ground, session).edges] == [role("b")]
    assert blast_radius(ground, "a").edges == ()


def test_of_many_identities_one_step_to_each_is_told(survey_of: Callable[..., Survey]) -> None:
    trusts = {f"r{number}": trusting(HOME) for number in range(130)}
    may = {"r0": allow("sts:AssumeRole"), "r1": allow("sts:AssumeRole")}
    blast = blast_radius(Ground([survey_of(trusts, may=may).account], now=NOW), "r0")
    assert len(blast.nodes) == 130
    assert len(blast.edges) < 2 * 130
    assert ("r1", "assume-role", "r0") in steps(blast)
    assert "one step to each" in blast.left_out[-1]


def test_session_policies_limit_the_session_and_not_the_role_that_it_becomes(survey_of: Callable[..., Survey]) -> None:
    trusts = {"a": trusting(role("a")), "b": trusting(HOME), "c": trusting(HOME)}
    may = {"a": allow("sts:AssumeRole")}
    ground = Ground([survey_of(trusts, may=may).account], now=NOW)
    document = {"Version": "2012-10-17", "Statement": [allow("sts:AssumeRole", on=role("b"))]}
    confined = blast_radius(ground, "a", session=[Policy.parse(document, kind="session")])
    assert confined.nodes[0].kind == "session"
    assert confined.start == f"{role('a')}#session"
    assert [edge.to for edge in confined.edges] == [role("b")]
    assert confined.revocation_set == (role("a"), role("b"))
    wider = {"Version": "2012-10-17", "Statement": [allow("sts:AssumeRole", on=role("a"))]}
    # The role that the session assumes anew, its own, has no session policy any more.
    renewed = blast_radius(ground, "a", session=[Policy.parse(wider, kind="session")])
    assert renewed.edges[0].source == renewed.start
    assert {edge.to for edge in renewed.edges} == {role("a"), role("b"), role("c")}
    nothing = blast_radius(ground, "a", session=[])
    assert nothing.edges == ()


def test_a_role_that_is_widened_before_it_is_assumed(blast_of: Callable[..., Blast]) -> None:
    may = {"a": allow("iam:PutRolePolicy", on=role("b"))}
    trusts = {"a": EC2, "b": trusting(role("a"))}
    blast = blast_of("a", trusts, may=may)
    (edge,) = [edge for edge in blast.edges if edge.kind.startswith("put-role-policy")]
    assert [call.operation for call in edge.calls] == ["PutRolePolicy", "AssumeRole"]
    assert edge.calls[0].parameters["RoleName"] == "b"
    fenced = blast_of("a", trusts, may=may, details={"b": FENCED}, policies=(fence(allow("s3:*")),))
    assert [one[1] for one in steps(fenced)] == ["assume-role"]


def test_groups_and_former_versions(survey_of: Callable[..., Survey]) -> None:
    account = survey_of(
        {},
        users={"bob": allow("iam:PutGroupPolicy", "iam:AddUserToGroup", "iam:SetDefaultPolicyVersion"), "eve": None},
        policies=(fence(allow("s3:*")),),
    ).account
    everything = {"Version": "2012-10-17", "Statement": [allow("*")]}
    page = {
        "RoleDetailList": [],
        "UserDetailList": [],
        "Policies": [],
        "GroupDetailList": [
            {
                "GroupName": name,
                "Arn": f"arn:aws:iam::{HOME}:group/{name}",
                "Path": "/",
                "GroupPolicyList": [{"PolicyName": "Own", "PolicyDocument": document}] if document else [],
                "AttachedManagedPolicies": HOLDS_FENCE["AttachedManagedPolicies"] if name == "own" else [],
            }
            for name, document in (("own", None), ("admins", everything), ("others", None))
        ],
    }
    builder = AccountBuilder("test")
    builder.add_text(json.dumps(page), None)
    groups = builder.build().groups
    policy = account.policies[0]
    old = replace(policy.versions[0], id="v0", default=False, document=replace(groups[1].inline[0]))
    account = replace(
        account,
        groups=groups,
        policies=(replace(policy, versions=(*policy.versions, old)),),
        users=tuple(replace(one, groups=("own",) if one.name == "bob" else ()) for one in account.users),
    )
    blast = blast_radius(Ground([account], now=NOW), "bob")
    assert [edge.kind for edge in blast.edges] == [
        "set-default-policy-version",
        "put-group-policy",
        "add-user-to-group",
    ]
    assert blast.edges[0].calls[0].parameters == {"PolicyArn": FENCE, "VersionId": "v0"}
    assert blast.edges[2].calls[0].parameters == {"GroupName": "admins", "UserName": "bob"}


def test_resources_that_are_no_roles_lead_nowhere(blast_of: Callable[..., Blast]) -> None:
    odd = ("x:role/y", "arn:aws:iam::role/x", f"arn:aws:iam::{OTHER}:user/x", "role/x", f"arn:aws:s3:::{OTHER}:role/x")
    may = {"a": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": list(odd)}}
    assert blast_of("a", {"a": EC2}, may=may).edges == ()
