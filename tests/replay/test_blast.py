"""The steps of a blast radius, taken: what is said to be possible is done, and what outlives a revocation does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_stsguard.account import Account, load
from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.cloud.stolen import stolen_session
from pytest_stsguard.drill import Drill
from pytest_stsguard.drill.observation import observe
from pytest_stsguard.policy import Policy
from pytest_stsguard.reach.blast import Ground, blast_radius
from pytest_stsguard.replay import Stage
from pytest_stsguard.replay.blast import walk

HOME = "111122223333"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
PROFILE = f"arn:aws:iam::{HOME}:instance-profile/machine"
OWN = f"arn:aws:iam::{HOME}:policy/Own"


def arn(name: str, noun: str = "role") -> str:
    return f"arn:aws:iam::{HOME}:{noun}/{name}"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str, on: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def trusting(*principals: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}


def _role(name: str, trust: dict[str, Any], *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "RoleName": name,
        "Arn": arn(name),
        "Path": "/",
        "AssumeRolePolicyDocument": policy(trust),
        "RolePolicyList": [{"PolicyName": "Own", "PolicyDocument": policy(*statements)}] if statements else [],
        **more,
    }


def _user(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    documents = [{"PolicyName": "Own", "PolicyDocument": policy(*statements)}] if statements else []
    return {"UserName": name, "Arn": arn(name, "user"), "Path": "/", "UserPolicyList": documents}


@pytest.fixture(scope="module")
def account() -> Account:
    """Make an account in which a stolen session of `start` can become many things."""
    roles = [
        _role(
            "start",
            EC2,
            allow("iam:PassRole", on=arn("machine")),
            allow("ec2:RunInstances"),
            allow("iam:CreateAccessKey", on=arn("clerk", "user")),
            allow("iam:UpdateAssumeRolePolicy", on=arn("sealed")),
            allow("iam:CreateUser", "iam:CreateAccessKey", on=arn("stsguard-thief", "user")),
            allow("s3:ListAllMyBuckets"),
        ),
        _role("chained", trusting(arn("start")), allow("iam:DeleteRolePolicy", on=arn("start"))),
        _role("back", EC2),
        _role(
            "machine",
            EC2,
            allow("s3:ListAllMyBuckets"),
            InstanceProfileList=[
                {"Arn": PROFILE, "InstanceProfileName": "machine", "Roles": [{"RoleName": "machine"}]}
            ],
        ),
        _role("sealed", EC2, allow("iam:PutRolePolicy", on=arn("sealed"))),
        _role("versioned", EC2, allow("iam:CreatePolicyVersion", on=OWN)),
        _role("itself", trusting(arn("itself")), allow("iam:DeleteRolePolicy", on=arn("itself"))),
    ]
    roles[5]["AttachedManagedPolicies"] = [{"PolicyName": "Own", "PolicyArn": OWN}]
    own = {
        "PolicyName": "Own",
        "Arn": OWN,
        "Path": "/",
        "DefaultVersionId": "v1",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": policy(allow("s3:*"))}],
    }
    builder = AccountBuilder("test")
    page = {
        "RoleDetailList": roles,
        "UserDetailList": [_user("clerk", allow("sts:GetFederationToken"))],
        "GroupDetailList": [],
        "Policies": [own],
    }
    builder.add_text(json.dumps(page), None)
    return builder.build()


def replayed(account: Account, start: str) -> dict[tuple[str, str, str], tuple[bool, str]]:
    blast = blast_radius(Ground([account], now=NOW), start)
    with Stage(account) as stage:
        shown = walk(stage, blast)
    assert shown.keys() == set(blast.edges)
    return {
        (edge.source.rpartition("/")[2], edge.kind, edge.to.rpartition("/")[2]): (one.done, one.reason)
        for edge, one in shown.items()
    }


def test_every_step_that_the_cloud_can_act_out_is_taken(account: Account) -> None:
    shown = replayed(account, "start")
    root = f"arn:aws:iam::{HOME}:root"
    assert shown == {
        ("start", "assume-role", "chained"): (True, ""),
        ("start", "create-access-key", "clerk"): (True, ""),
        ("start", "create-user", "stsguard-thief"): (True, ""),
        ("start", "pass-role to ec2", "machine"): (True, ""),
        ("start", "update-trust-policy", "sealed"): (True, ""),
        ("clerk", "federation-token", "clerk#federation"): (True, ""),
        ("sealed", "put-role-policy", root): (True, ""),
        (root, "undo-containment", "start"): (True, ""),
        ("chained", "undo-containment", "start"): (True, ""),
    }


def test_session_policies_hold_the_session_in_the_cloud_too(account: Account) -> None:
    document = json.dumps(policy(allow("s3:*")))
    session = [Policy.parse(document, kind="session")]
    blast = blast_radius(Ground([account], now=NOW), "start", session=session)
    assert [edge.kind for edge in blast.edges] == []
    wide = json.dumps(policy(allow("sts:AssumeRole")))
    session = [Policy.parse(wide, kind="session")]
    blast = blast_radius(Ground([account], now=NOW), "start", session=session)
    assert [(edge.kind, edge.to) for edge in blast.edges[:1]] == [("assume-role", arn("chained"))]
    with Stage(account) as stage:
        shown = walk(stage, blast, session=[wide])
    assert all(one.done for one in shown.values())


def test_a_contained_session_cannot_take_its_own_containment_back(account: Account) -> None:
    shown = replayed(account, "itself")
    assert shown["itself", "assume-role", "itself"] == (True, "")
    done, reason = shown["itself", "undo-containment", "itself"]
    assert not done
    assert "explicit deny" in reason


def test_a_new_version_of_the_own_policy_gives_everything(account: Account) -> None:
    assert replayed(account, "versioned")["versioned", "create-policy-version", f"arn:aws:iam::{HOME}:root"] == (
        True,
        "",
    )


def test_what_is_said_to_survive_a_revocation_survives_it_and_the_rest_does_not() -> None:
    example = load(f"export:{Path(__file__).parents[2] / 'examples' / 'account.json'}")
    blast = blast_radius(Ground([example], now=NOW), "blue-operator")
    assert blast.nodes[0].survives
    with Stage(example) as stage:
        cloud = stage.cloud
        stolen = stolen_session(cloud, blast.start)
        drill = Drill(cloud)
        green = drill.assume("green-operator", by=stolen)
        drill.revoke("blue-operator")
        assert observe(stolen, lambda session: session.client("iam").get_role(RoleName="any")).outcome == "denied"
        # Juggling: the chained session makes a fresh one of the role that was revoked.
        fresh = drill.assume("blue-operator", by=green)
        assert fresh.arn == f"arn:aws:sts::{HOME}:assumed-role/blue-operator/stsguard"
    with Stage(example) as stage:
        cloud = stage.cloud
        drill = Drill(cloud)
        green = drill.assume("green-operator", by=stolen_session(cloud, blast.start))
        for name in blast.revocation_set:
            drill.revoke(name)
        with pytest.raises(Exception, match="explicit deny"):
            drill.assume("blue-operator", by=green)


def test_a_start_that_could_not_be_loaded_is_said(account: Account) -> None:
    from dataclasses import replace

    blast = blast_radius(Ground([account], now=NOW), "start")
    without = replace(account, roles=tuple(one for one in account.roles if one.name != "start"))
    with Stage(without) as stage:
        shown = walk(stage, blast)
    assert {(one.done, "the start is not in the simulated cloud" in one.reason) for one in shown.values()} == {
        (False, True)
    }


def test_every_assumption_of_the_example_is_real() -> None:
    example = load(f"export:{Path(__file__).parents[2] / 'examples' / 'account.json'}")
    ground = Ground([example], now=datetime.now(UTC))
    seen = 0
    with Stage(example) as stage:
        for role in [one for one in example.roles if not one.service_linked][::3]:
            blast = blast_radius(ground, role.name)
            if blast.unbounded:
                continue  # what an administrator does would change the account for the others
            for edge, shown in walk(stage, blast).items():
                if edge.kind == "assume-role" and edge.source != "arn:aws:iam::111122223333:role/orders-task":
                    assert shown.done, (edge, shown)
                    seen += 1
    assert seen > 70


def test_steps_into_another_account_are_taken_there() -> None:
    other = "444455556666"
    vendor = f"arn:aws:iam::{other}:role/vendor"

    def account_of(*roles: dict[str, Any]) -> Account:
        builder = AccountBuilder("test")
        lists: dict[str, Any] = {"UserDetailList": [], "GroupDetailList": [], "Policies": []}
        builder.add_text(json.dumps({"RoleDetailList": list(roles), **lists}), None)
        return builder.build()

    home = account_of(_role("start", EC2, allow("sts:AssumeRole", on=vendor)), _role("shared", trusting(vendor)))
    abroad = account_of(
        {**_role("vendor", trusting(arn("start")), allow("sts:AssumeRole", on=arn("shared"))), "Arn": vendor}
    )
    blast = blast_radius(Ground([home, abroad], now=NOW), "start")
    assert [edge.to for edge in blast.edges] == [vendor, arn("shared")]
    with Stage(home, abroad) as stage:
        assert all(one.done for one in walk(stage, blast).values())
    with Stage(home) as stage:
        shown = list(walk(stage, blast).values())
        assert [one.done for one in shown] == [False, False]
