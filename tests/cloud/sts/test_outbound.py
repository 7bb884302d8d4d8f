from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

if TYPE_CHECKING:
    from conftest import World

ASK = {"Audience": ["https://api.example.com"], "SigningAlgorithm": "ES384"}


@pytest.fixture
def issuer(world: World) -> str:
    if not hasattr(world.iam, "enable_outbound_web_identity_federation"):
        pytest.skip("this botocore does not know outbound federation")
    return str(world.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"])


def published(world: World, issuer: str) -> KeySet:
    """The keys, fetched as a service elsewhere would."""
    home = world.cloud.tokens.outbound.issuer(world.account).url
    with urllib.request.urlopen(f"{home}/.well-known/openid-configuration") as answer:
        found = json.load(answer)
    assert found["issuer"] == issuer
    with urllib.request.urlopen(home + found["jwks_uri"].removeprefix(issuer)) as answer:
        keys: Any = json.load(answer)
    return KeySet.import_key_set(keys)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_a_token_about_a_role_can_be_verified_elsewhere(world: World, issuer: str, algorithm: str) -> None:
    held = world.assume(world.role(), Tags=[{"Key": "team", "Value": "red"}])
    sts = world.cloud.client("sts", held)
    tags = [{"Key": "job", "Value": "7"}]
    answer = sts.get_web_identity_token(Audience=["a", "b"], SigningAlgorithm=algorithm, Tags=tags, DurationSeconds=600)
    token = jwt.decode(answer["WebIdentityToken"], published(world, issuer), algorithms=[algorithm])

    assert token.claims["iss"] == issuer
    assert token.claims["sub"] == f"arn:aws:iam::{world.account}:role/target"
    assert token.claims["aud"] == ["a", "b"]
    assert token.claims["exp"] - token.claims["iat"] == 600
    assert answer["Expiration"].timestamp() == token.claims["exp"]
    details = token.claims["https://sts.amazonaws.com/"]
    assert details["aws_account"] == world.account
    assert details["principal_tags"] == {"team": "red"}
    assert details["request_tags"] == {"job": "7"}


def test_the_feature_is_off_until_it_is_switched_on(world: World) -> None:
    sts = world.cloud.client("sts")
    if not hasattr(sts, "get_web_identity_token"):
        pytest.skip("this botocore does not know GetWebIdentityToken")
    found = world.refused(sts.get_web_identity_token, **ASK)
    assert (found.code, found.status) == ("OutboundWebIdentityFederationDisabledException", 403)
    first = world.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert world.refused(world.iam.enable_outbound_web_identity_federation).code == "FeatureEnabled"
    info = world.iam.get_outbound_web_identity_federation_info()
    assert (info["JwtVendingEnabled"], info["IssuerIdentifier"]) == (True, first)
    assert sts.get_web_identity_token(**ASK)
    world.iam.disable_outbound_web_identity_federation()
    assert world.refused(world.iam.disable_outbound_web_identity_federation).code == "FeatureDisabled"
    assert world.refused(sts.get_web_identity_token, **ASK).code == "OutboundWebIdentityFederationDisabledException"


@pytest.mark.usefixtures("issuer")
def test_what_is_refused(world: World) -> None:
    sts = world.cloud.client("sts")
    for params in (
        {"SigningAlgorithm": "HS256"},
        {"DurationSeconds": 3601},
        {"Audience": ["x"] * 11},
    ):
        assert world.refused(sts.get_web_identity_token, **{**ASK, **params}).code == "ValidationError"
    short = world.cloud.client("sts", world.assume(world.role(), DurationSeconds=900))
    found = world.refused(short.get_web_identity_token, **ASK, DurationSeconds=901)
    assert (found.code, found.status) == ("SessionDurationEscalationException", 403)
    plain = world.cloud.client("sts", world.user("plain"))
    assert world.refused(plain.get_web_identity_token, **ASK).code == "AccessDenied"
    overall = world.cloud.client("sts", endpoint_url="https://sts.amazonaws.com")
    assert world.refused(overall.get_web_identity_token, **ASK).code == "AccessDenied"


def test_a_token_of_aws_opens_a_role_that_trusts_its_issuer(world: World, issuer: str) -> None:
    arn = world.iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["here"], ThumbprintList=["0" * 40])
    role = world.role(
        "trusting",
        principal={"Federated": arn["OpenIDConnectProviderArn"]},
        actions=["sts:AssumeRoleWithWebIdentity"],
        condition={
            "StringEquals": {f"{issuer.removeprefix('https://')}:sub": f"arn:aws:iam::{world.account}:role/target"}
        },
    )
    about = world.cloud.client("sts", world.assume(world.role()))
    token = about.get_web_identity_token(Audience=["here"], SigningAlgorithm="ES384")["WebIdentityToken"]
    sts = world.cloud.client("sts")
    assert sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="back", WebIdentityToken=token)
