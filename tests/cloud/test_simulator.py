"""IAM's policy simulator through boto3: the same engine, in AWS's response shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Cloud


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=1)


READ = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::box/*"}
TAGGED = {
    "Effect": "Deny",
    "Action": "s3:GetObject",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
}


def test_custom_policy(sts_cloud: Cloud) -> None:
    answer = sts_cloud.client("iam").simulate_custom_policy(
        PolicyInputList=[document(READ), document(TAGGED)],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::box/key"],
    )
    assert answer["IsTruncated"] is False
    get, put = answer["EvaluationResults"]
    assert (get["EvalActionName"], get["EvalResourceName"]) == ("s3:GetObject", "arn:aws:s3:::box/key")
    assert (get["EvalDecision"], put["EvalDecision"]) == ("allowed", "implicitDeny")
    (matched,) = get["MatchedStatements"]
    assert matched["SourcePolicyId"] == "PolicyInputList.1"
    assert matched["SourcePolicyType"] == "IAM Policy"
    assert matched["StartPosition"]["Line"] == 4
    assert get["MissingContextValues"] == ["aws:PrincipalTag/team"]


def test_context_entries_decide(sts_cloud: Cloud) -> None:
    entry = {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["blue"], "ContextKeyType": "string"}
    (result,) = sts_cloud.client("iam").simulate_custom_policy(
        PolicyInputList=[document(READ, TAGGED)],
        ActionNames=["s3:GetObject"],
        ResourceArns=["arn:aws:s3:::box/key"],
        ContextEntries=[entry],
    )["EvaluationResults"]
    assert result["EvalDecision"] == "explicitDeny"
    assert result["MissingContextValues"] == []


def test_boundary_has_its_detail(sts_cloud: Cloud) -> None:
    (result,) = sts_cloud.client("iam").simulate_custom_policy(
        PolicyInputList=[document({"Effect": "Allow", "Action": "*", "Resource": "*"})],
        PermissionsBoundaryPolicyInputList=[document(READ)],
        ActionNames=["ec2:RunInstances"],
    )["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_principal_policy_takes_live_policies_groups_and_more(sts_cloud: Cloud) -> None:
    iam = sts_cloud.client("iam")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=document(READ))
    iam.add_user_to_group(GroupName="readers", UserName="a4l-developer")
    arn = f"arn:aws:iam::{sts_cloud.account}:user/a4l-developer"
    get, put = iam.simulate_principal_policy(
        PolicySourceArn=arn,
        PolicyInputList=[document({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"})],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::box/key"],
    )["EvaluationResults"]
    assert [result["EvalDecision"] for result in (get, put)] == ["allowed", "allowed"]
    assert get["MatchedStatements"][0]["SourcePolicyId"] == "read"
    assert put["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"


def test_revoke_policy_in_the_simulator(sts_cloud: Cloud) -> None:
    """The trap of issue times: without the key nothing is denied, with an old one everything is."""
    from pytest_stsguard.revocation import revoke

    iam = sts_cloud.client("iam")
    revocation = revoke(iam, "A4L-DataRole", clock=sts_cloud.clock)
    ask = {"PolicySourceArn": sts_cloud.role_arn("A4L-DataRole"), "ActionNames": ["s3:ListAllMyBuckets"]}
    (silent,) = iam.simulate_principal_policy(**ask)["EvaluationResults"]
    assert silent["EvalDecision"] == "allowed"
    assert "aws:TokenIssueTime" in silent["MissingContextValues"]
    issued = {"ContextKeyName": "aws:TokenIssueTime", "ContextKeyType": "date"}
    for moment, decision in (("2020-01-01T00:00:00Z", "explicitDeny"), (revocation.cutoff.isoformat(), "allowed")):
        entries = [{**issued, "ContextKeyValues": [moment]}]
        (result,) = iam.simulate_principal_policy(**ask, ContextEntries=entries)["EvaluationResults"]
        assert result["EvalDecision"] == decision


def test_results_come_in_pages(sts_cloud: Cloud) -> None:
    pages = (
        sts_cloud.client("iam")
        .get_paginator("simulate_custom_policy")
        .paginate(
            PolicyInputList=[document(READ)],
            ActionNames=[f"s3:Get{number}" for number in range(7)],
            ResourceArns=["arn:aws:s3:::box/key"],
            PaginationConfig={"PageSize": 3},
        )
    )
    sizes = [len(page["EvaluationResults"]) for page in pages]
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize(
    ("source", "code"),
    [("arn:aws:iam::111122223333:user/nobody", "NoSuchEntity"), ("arn:aws:s3:::not-a-principal", "InvalidInput")],
)
def test_unknown_principal_is_refused(sts_cloud: Cloud, source: str, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        sts_cloud.client("iam").simulate_principal_policy(PolicySourceArn=source, ActionNames=["s3:GetObject"])


def test_malformed_policy_is_refused_with_its_place(sts_cloud: Cloud) -> None:
    broken = document({**READ, "Effect": "allow"})
    with pytest.raises(ClientError, match=r"InvalidInput.*Statement\[0\]\.Effect"):
        sts_cloud.client("iam").simulate_custom_policy(PolicyInputList=[broken], ActionNames=["s3:GetObject"])


def test_simulator_needs_its_own_permission(sts_cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        sts_cloud.client("iam", sts_cloud.user_credentials("a4l-developer")).simulate_custom_policy(
            PolicyInputList=[document(READ)], ActionNames=["s3:GetObject"]
        )
