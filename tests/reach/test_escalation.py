"""What a session or a key can become: escalation, containment undone, federation tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.reach import containment, escalation, people

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.reach import Survey

ROOT = {"AWS": "arn:aws:iam::111122223333:root"}
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def role(name: str) -> str:
    return f"arn:aws:iam::111122223333:role/{name}"


def trusts(principal: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return statement | ({"Condition": condition} if condition else {})


def may(action: Any, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def guard(regions: list[str]) -> dict[str, Any]:
    """Deny everything elsewhere, as many accounts do."""
    condition = {"StringNotEquals": {"aws:RequestedRegion": regions}}
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (may("iam:PutRolePolicy"), "iam:PutRolePolicy"),
        (may("iam:Create*"), "iam:CreatePolicyVersion"),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "iam:PutRolePolicy"),
        (may("iam:AttachUserPolicy", "arn:aws:iam::*:user/*"), "iam:AttachUserPolicy"),
        (may("iam:PutRolePolicy", role("one")), "iam:PutRolePolicy"),
        (may("iam:PutRolePolicy", StringEquals={"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/B"}), None),
        (may("iam:CreateAccessKey", "arn:aws:iam::111122223333:user/${aws:username}"), None),
        ([may("iam:PassRole"), may("ec2:RunInstances")], "passes any role to ec2.amazonaws.com"),
        ([may("iam:PassRole"), may(["lambda:CreateFunction", "lambda:InvokeFunction"])], "to lambda.amazonaws.com"),
        (may("iam:PassRole"), None),
        ([may("iam:PassRole", role("task")), may("ecs:*")], None),
        ([may("iam:PassRole", role("admin")), may("ecs:*")], "passes arn:aws:iam::111122223333:role/admin"),
        ([may("iam:PassRole", StringEquals={"iam:PassedToService": "glue.amazonaws.com"}), may("ec2:*")], None),
        ([may("iam:PassRole", StringEquals={"iam:PassedToService": "ec2.amazonaws.com"}), may("ec2:*")], "passes"),
        (may("sts:AssumeRole"), "sts:AssumeRole without limit"),
        (may("sts:AssumeRole", role("admin")), "assumes an administrator: role -> admin"),
        (may("sts:AssumeRole", role("other")), None),
        ([may("iam:*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}], None),
        (may("*"), None),
        ([may("iam:*"), guard(["eu-west-1"])], "iam:PutRolePolicy"),
        ([may("iam:PassRole"), may("ec2:RunInstances", StringEquals={"aws:RequestedRegion": "eu-west-1"})], "passes"),
        (may(["s3:*", "iam:Get*", "iam:List*"]), None),
        (may("iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/*"), None),
        (may("iam:PutUserPolicy", "arn:aws:iam::444455556666:user/*"), None),
        (may("iam:AttachRolePolicy", role("x"), ArnEquals={"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}), None),
        (may("iam:AttachRolePolicy", role("x"), ArnEquals={"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}), "iam:AttachRolePolicy"),
        (may("iam:AttachRolePolicy", role("x"), ArnNotEquals={"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}), "iam:AttachRolePolicy"),
        ([may("iam:PassRole", ArnLike={"iam:AssociatedResourceArn": "arn:aws:ec2:*:*:instance/*"}), may("ec2:RunInstances")], "passes"),
        ([may("iam:PassRole", StringNotEquals={"iam:PassedToService": "ec2.amazonaws.com"}), may("ec2:RunInstances")], None),
        ({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}, None),
        ([{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}, may("iam:PassRole", role("admin"))], "passes"),
        (may("IAM:putuserpolicy"), "iam:PutUserPolicy"),
        (may("sts:AssumeRole", "arn:aws:iam::444455556666:role/*"), None),
    ],
)  # fmt: skip
def test_escalation_is_asked_of_the_engine(
    survey_of: Callable[..., Survey], statements: Any, words: str | None
) -> None:
    survey = survey_of({"role": EC2, "admin": trusts(ROOT), "other": EC2}, may={"role": statements, "admin": may("*")})
    faults = [
        fault for fault in escalation.escalations(survey.permissions, survey.graph) if fault.resource == role("role")
    ]
    if words is None:
        assert faults == []
    else:
        assert words in faults[0].message


def test_way_to_an_administrator_leads_over_other_roles(survey_of: Callable[..., Survey]) -> None:
    chain = {"a": EC2, "b": trusts({"AWS": role("a")}), "c": trusts({"AWS": role("b")})}
    survey = survey_of(chain, may={"c": may("*")})
    faults = {fault.resource: fault.message for fault in escalation.escalations(survey.permissions, survey.graph)}
    assert faults.keys() == {role("a"), role("b")}
    assert faults[role("a")].endswith("a -> b -> c")


def managed(name: str, *documents: Any) -> dict[str, Any]:
    """Make a managed policy, the last version of which is in force."""
    versions = [
        {
            "Document": {"Version": "2012-10-17", "Statement": document},
            "VersionId": f"v{number}",
            "IsDefaultVersion": number == len(documents),
            "CreateDate": "2024-01-01T00:00:00Z",
        }
        for number, document in enumerate(documents, 1)
    ]
    return {
        "PolicyName": name,
        "PolicyId": "ANPAEXAMPLE000000000",
        "Arn": f"arn:aws:iam::111122223333:policy/{name}",
        "Path": "/",
        "DefaultVersionId": f"v{len(documents)}",
        "CreateDate": "2024-01-01T00:00:00Z",
        "PolicyVersionList": versions,
    }


OLDER = {"DateLessThan": {"aws:TokenIssueTime": "2026-11-20T06:00:00Z"}}
REVOKES = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": OLDER}


@pytest.mark.parametrize(
    ("action", "versions", "boundary", "expected"),
    [
        ("iam:CreatePolicyVersion", [REVOKES], False, True),
        ("iam:CreatePolicyVersion", [may("s3:*")], False, False),
        ("iam:SetDefaultPolicyVersion", [REVOKES], False, False),
        ("iam:SetDefaultPolicyVersion", [may("s3:*"), REVOKES], False, True),
        ("iam:CreatePolicyVersion", [may(["s3:*", "iam:Create*"])], True, True),
        ("iam:CreatePolicyVersion", [may("s3:*")], True, False),
    ],
)
def test_policy_that_contains_and_may_be_rewritten(
    survey_of: Callable[..., Survey], action: str, versions: Any, boundary: bool, expected: bool  # noqa: FBT001 - parameters of the table
) -> None:  # fmt: skip
    policy = managed("Contains", *versions)
    bound = {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy["Arn"]}}
    attached = {"AttachedManagedPolicies": [{"PolicyName": "Contains", "PolicyArn": policy["Arn"]}]}
    survey = survey_of(
        {"role": EC2},
        may={"role": may(action, policy["Arn"])},
        details={"role": bound if boundary else attached},
        policies=(policy,),
    )
    faults = list(containment.own_undoing(survey.permissions))
    assert [policy["Arn"] in fault.message for fault in faults] == ([True] if expected else [])


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (may("iam:DeleteRolePolicy"), True),
        (may("iam:DeleteRolePolicy", role("*")), True),
        (may("iam:DeleteRolePolicy", role("other")), False),
        (may("iam:PutRolePolicy", role("role")), True),
        (may("iam:Delete*"), True),
        (may("*"), True),
        ([may("*"), {"Effect": "Deny", "Action": "iam:*", "Resource": role("role")}], False),
        ([may("iam:*"), {"Effect": "Deny", "NotAction": ["iam:Get*"], "Resource": "*"}], False),
        (may("iam:DeleteRolePolicy", Bool={"aws:MultiFactorAuthPresent": "true"}), True),
        (may("iam:DeleteUserPolicy"), False),
        ({"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}, True),
    ],
)
def test_containment_is_asked_of_the_engine(
    survey_of: Callable[..., Survey], statements: Any, expected: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    survey = survey_of({"role": EC2}, may={"role": statements})
    assert bool(list(containment.own_undoing(survey.permissions))) is expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (may("sts:GetFederationToken"), True),
        (may("sts:*", "arn:aws:sts::111122223333:federated-user/*"), True),
        (may("sts:GetFederationToken", "arn:aws:iam::111122223333:user/u"), True),
        (may("*"), True),
        ([may("*"), {"Effect": "Deny", "Action": "sts:GetFederationToken", "Resource": "*"}], False),
        (may("sts:GetFederationToken", "arn:aws:sts::*:federated-user/${aws:username}"), True),
        (may("sts:GetFederationToken", "arn:aws:sts::*:federated-user/${aws:PrincipalTag/none}"), False),
        (may("sts:GetSessionToken"), False),
        (None, False),
    ],
)
def test_federation_tokens_of_users(
    survey_of: Callable[..., Survey], statements: Any, expected: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    survey = survey_of({"role": EC2}, users={"u": statements})
    assert bool(list(people.federation_survivors(survey.permissions))) is expected
