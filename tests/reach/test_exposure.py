"""How long sessions live, who would miss a role, how instances hand credentials out; and what a source does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.reach import exposure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.reach import Survey

EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
SAML = {
    "Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/Okta"},
    "Action": "sts:AssumeRoleWithSAML",
}


ROLES = {"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ci/*"}}}


def trusts(principal: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("trust", "hours", "expected"),
    [
        (SAML, 12, True),
        (SAML, 4, False),
        (trusts({"AWS": "arn:aws:iam::111122223333:user/u"}), 5, True),
        (trusts({"AWS": "arn:aws:iam::111122223333:root"}), 5, True),
        (trusts({"AWS": "arn:aws:iam::444455556666:root"}), 5, True),
        (trusts({"AWS": "arn:aws:iam::444455556666:role/r"}), 12, False),
        (trusts({"AWS": "arn:aws:iam::111122223333:root"}) | ROLES, 12, False),
        (trusts("*") | ROLES, 12, False),
        ([trusts({"AWS": "arn:aws:iam::111122223333:user/u"}), trusts("*") | {"Effect": "Deny"}], 12, False),
        (trusts({"AWS": "arn:aws:iam::111122223333:role/r"}), 12, False),
        (EC2, 12, False),
        ([EC2, SAML], 12, True),
        ({"Effect": "Deny", "Principal": "*", "Action": "sts:*"}, 12, False),
    ],
)
def test_long_sessions_matter_where_people_or_outsiders_hold_them(
    survey_of: Callable[..., Survey], trust: Any, hours: int, expected: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    survey = survey_of({"role": trust}, details={"role": {"MaxSessionDuration": hours * 3600}})
    assert bool(list(exposure.long_sessions(survey.proofs, hours=4))) is expected


@pytest.mark.parametrize(
    ("used", "created", "trust", "expected"),
    [
        ({"LastUsedDate": "2026-11-01T00:00:00Z"}, "2020-01-01T00:00:00Z", EC2, False),
        ({"LastUsedDate": "2026-08-01T00:00:00Z"}, "2020-01-01T00:00:00Z", EC2, True),
        ({}, "2020-01-01T00:00:00Z", EC2, True),
        ({}, "2026-11-01T00:00:00Z", EC2, False),
        ({}, "2020-01-01T00:00:00Z", {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}, False),
        ({}, "2020-01-01T00:00:00Z", [EC2, {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}], False),
        ({}, "2020-01-01T00:00:00Z", trusts({"AWS": "AROAEXAMPLEEXAMPLE123"}), False),
    ],
)
def test_unused_roles_that_can_still_be_assumed(
    survey_of: Callable[..., Survey],
    used: Any,
    created: str,
    trust: Any,
    expected: bool,  # noqa: FBT001 - as above
) -> None:
    survey = survey_of({"role": trust}, details={"role": {"RoleLastUsed": used, "CreateDate": created}})
    assert bool(list(exposure.unused_roles(survey.proofs, days=90))) is expected


def test_role_whose_use_nobody_told_is_not_called_unused(survey_of: Callable[..., Survey]) -> None:
    survey = survey_of({"role": EC2})
    assert survey.account.lacks("RoleLastUsed")
    assert list(exposure.unused_roles(survey.proofs, days=90)) == []


def instance(number: int, profile: str | None = None, state: str = "running", **options: Any) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "InstanceId": f"i-{number:017x}",
        "State": {"Name": state},
        "Placement": {"AvailabilityZone": "eu-west-1a"},
    }
    if options:
        detail["MetadataOptions"] = options
    if profile:
        detail["IamInstanceProfile"] = {"Arn": f"arn:aws:iam::111122223333:instance-profile/{profile}", "Id": "AIPA"}
    return detail


def listing(*instances: dict[str, Any]) -> dict[str, Any]:
    return {"Reservations": [{"Instances": list(instances)}]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"HttpTokens": "optional", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1}, "IMDSv1"),
        ({"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 2}, "2 hops"),
        (
            {"HttpTokens": "optional", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 64},
            "and lets answers travel",
        ),
        ({"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1}, None),
        ({"HttpTokens": "optional", "HttpEndpoint": "disabled", "HttpPutResponseHopLimit": 2}, None),
    ],
)
def test_metadata_options(survey_of: Callable[..., Survey], options: Any, words: str | None) -> None:
    account = survey_of({"role": EC2}, listings=(listing(instance(1, **options)),)).account
    faults = list(exposure.old_metadata(account))
    assert (words is None) == (faults == [])
    if words is not None:
        assert words in faults[0].message
        assert faults[0].resource == "arn:aws:ec2:eu-west-1:111122223333:instance/i-00000000000000001"


def test_terminated_instances_are_gone(survey_of: Callable[..., Survey]) -> None:
    gone = instance(1, state="terminated", HttpTokens="optional", HttpEndpoint="enabled")
    account = survey_of({"role": EC2}, listings=(listing(gone),)).account
    assert list(exposure.old_metadata(account)) == []


def test_instances_of_which_nothing_is_told_are_counted(survey_of: Callable[..., Survey]) -> None:
    account = survey_of({"role": EC2}, listings=(listing(instance(1), instance(2)),)).account
    assert list(exposure.old_metadata(account)) == []
    assert exposure.without_options(account) == 2


@pytest.mark.parametrize(("count", "expected"), [(10, False), (11, True)])
def test_role_that_many_instances_share(survey_of: Callable[..., Survey], count: int, expected: bool) -> None:  # noqa: FBT001 - as above
    profile = {
        "InstanceProfileName": "role",
        "InstanceProfileId": "AIPAEXAMPLE0000000000",
        "Arn": "arn:aws:iam::111122223333:instance-profile/role",
        "Path": "/",
        "CreateDate": "2024-01-01T00:00:00Z",
        "Roles": [],
    }
    instances = [instance(number, "role") for number in range(count)] + [instance(99, "role", state="terminated")]
    details = {"role": {"InstanceProfileList": [profile]}}
    account = survey_of({"role": EC2}, details=details, listings=(listing(*instances),)).account
    assert bool(list(exposure.shared_roles(account, account.roles, most=10))) is expected
