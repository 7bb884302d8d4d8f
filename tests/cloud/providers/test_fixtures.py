from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SUITE = """
import json

import pytest


def role(cloud, provider, action):
    trust = {"Effect": "Allow", "Principal": {"Federated": provider.arn}, "Action": action}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    return cloud.client("iam").create_role(RoleName="job", AssumeRolePolicyDocument=document)["Role"]["Arn"]


def test_a_job(sts_cloud, sts_oidc_provider):
    gitlab = sts_oidc_provider("gitlab")
    arn = role(sts_cloud, gitlab, "sts:AssumeRoleWithWebIdentity")
    sts = sts_cloud.client("sts")
    assert sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="job", WebIdentityToken=gitlab.token())


def test_a_person(sts_cloud, sts_saml_provider):
    okta = sts_saml_provider(name="Okta")
    arn = role(sts_cloud, okta, "sts:AssumeRoleWithSAML")
    sts = sts_cloud.client("sts")
    assert sts.assume_role_with_saml(RoleArn=arn, PrincipalArn=okta.arn, SAMLAssertion=okta.response(arn))
"""


def test_a_users_own_suite_gets_both_providers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)
