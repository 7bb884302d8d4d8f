"""Google and Amazon Cognito: issuers that STS knows by itself, so that only the trust policy says whose tokens count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL = "us-east-1:11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def empty() -> Iterator[Cloud]:
    with Cloud(world="empty") as cloud:
        yield cloud


def role(cloud: Cloud, name: str, issuer: str, condition: dict[str, Any]) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": issuer},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn: str = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    return arn


def test_a_cognito_identity_needs_no_provider_of_the_account(empty: Cloud) -> None:
    issuer = "cognito-identity.amazonaws.com"
    pool = {"StringEquals": {f"{issuer}:aud": POOL}, "ForAnyValue:StringLike": {f"{issuer}:amr": "authenticated"}}
    arn = role(empty, "pool", issuer, pool)
    provider = empty.oidc_provider(issuer=f"https://{issuer}", register=False)
    assume = empty.client("sts").assume_role_with_web_identity
    token = provider.token(sub="us-east-1:a", aud=POOL, amr=["authenticated"])
    answer = assume(RoleArn=arn, RoleSessionName="app", WebIdentityToken=token)
    assert answer["Provider"] == issuer
    wrong: tuple[dict[str, Any], ...] = (
        {"aud": "us-east-1:other", "amr": ["authenticated"]},
        {"aud": POOL, "amr": ["unauthenticated"]},
    )
    for claims in wrong:
        with pytest.raises(ClientError, match="AccessDenied"):
            assume(RoleArn=arn, RoleSessionName="app", WebIdentityToken=provider.token(sub="us-east-1:a", **claims))


def test_a_google_token_is_for_whom_azp_says(empty: Cloud) -> None:
    issuer = "accounts.google.com"
    arn = role(empty, "google", issuer, {"StringEquals": {f"{issuer}:aud": "app-1", f"{issuer}:oaud": "backend"}})
    provider = empty.oidc_provider(issuer=f"https://{issuer}", register=False)
    assume = empty.client("sts").assume_role_with_web_identity
    token = provider.token(sub="1", aud="backend", azp="app-1")
    assert assume(RoleArn=arn, RoleSessionName="app", WebIdentityToken=token)["Audience"] == "app-1"
    provider.close()
    with pytest.raises(ClientError, match="IDPCommunicationError"):
        assume(RoleArn=arn, RoleSessionName="app", WebIdentityToken=token)
