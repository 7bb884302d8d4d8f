from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.cloud.providers import OidcProvider

ACTION = "sts:AssumeRoleWithWebIdentity"


def assume(cloud: Cloud, role: str, token: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = cloud.client("sts").assume_role_with_web_identity(
        **{"RoleArn": role, "RoleSessionName": "job", "WebIdentityToken": token, **params}
    )
    return answer


def test_a_github_job_gets_a_session(cloud: Cloud, federated: Callable[..., str]) -> None:
    provider = cloud.oidc_provider("github")
    name = "token.actions.githubusercontent.com"
    condition = {
        "StringEquals": {f"{name}:aud": "sts.amazonaws.com", f"{name}:repository_id": "123456"},
        "StringLike": {f"{name}:sub": "repo:acme/app:*"},
    }
    role = federated(provider.arn, ACTION, condition)
    answer = assume(cloud, role, provider.token())
    held = cloud.credentials_of(answer["Credentials"])

    assert answer["SubjectFromWebIdentityToken"] == "repo:acme/app:ref:refs/heads/main"
    assert answer["Audience"] == "sts.amazonaws.com"
    assert answer["Provider"] == provider.arn
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{cloud.account}:assumed-role/target/job"
    assert held.expiration is not None
    assert held.issued_at is not None
    assert held.expiration - held.issued_at == timedelta(hours=1)
    assert cloud.client("sts", held).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    record = next(r for r in cloud.trail.records() if r["eventName"] == "AssumeRoleWithWebIdentity")
    assert record["userIdentity"]["type"] == "WebIdentityUser"
    assert record["userIdentity"]["userName"] == "repo:acme/app:ref:refs/heads/main"
    assert record["userIdentity"]["identityProvider"] == name
    identity = cloud.trail.records()[-1]["userIdentity"]
    assert identity["sessionContext"]["webIdFederationData"]["federatedProvider"] == provider.arn


@pytest.mark.parametrize(
    ("shape", "claims", "expected"),
    [
        ("github", {"environment": "prod"}, ("repo:acme/app:environment:prod", "sts.amazonaws.com")),
        (
            "gitlab",
            {"ref": "v1", "ref_type": "tag"},
            ("project_path:acme/app:ref_type:tag:ref:v1", "https://gitlab.com"),
        ),
        ("eks", {"namespace": "shop"}, ("system:serviceaccount:shop:app", "sts.amazonaws.com")),
        ("plain", {"sub": "bob"}, ("bob", "stsguard")),
    ],
)
def test_each_shape_has_the_subject_of_its_kind(
    cloud: Cloud, federated: Callable[..., str], shape: str, claims: dict[str, str], expected: tuple[str, str]
) -> None:
    sub, aud = expected
    provider = cloud.oidc_provider(shape)
    condition = {"StringEquals": {f"{provider.name}:sub": sub, f"{provider.name}:aud": aud}}
    role = federated(provider.arn, ACTION, condition)
    assert assume(cloud, role, provider.token(**claims))["SubjectFromWebIdentityToken"] == sub


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "ES256", "ES384"])
def test_every_algorithm_that_iam_takes(cloud: Cloud, federated: Callable[..., str], algorithm: str) -> None:
    provider = cloud.oidc_provider(algorithm=algorithm)
    assert assume(cloud, federated(provider.arn, ACTION), provider.token())


def test_the_trust_policy_decides(cloud: Cloud, federated: Callable[..., str], refused: Any) -> None:
    provider = cloud.oidc_provider("github")
    role = federated(provider.arn, ACTION, {"StringLike": {f"{provider.name}:sub": "repo:acme/app:*"}})
    expected = ("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity")

    assert refused(assume, cloud=cloud, role=role, token=provider.token(repository="evil/app")) == expected
    absent = f"arn:aws:iam::{cloud.account}:role/absent"
    assert refused(assume, cloud=cloud, role=absent, token=provider.token()) == expected
    for principal in ({"AWS": f"arn:aws:iam::{cloud.account}:root"}, {"Federated": "cognito-identity.amazonaws.com"}):
        trust = {"Effect": "Allow", "Principal": principal, "Action": ACTION}
        cloud.client("iam").update_assume_role_policy(
            RoleName="target", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        assert refused(assume, cloud=cloud, role=role, token=provider.token()) == expected


def forged(provider: OidcProvider, header: dict[str, Any], key: Any) -> str:
    algorithms = [header["alg"]]
    payload = provider.token().split(".")[1]
    claims = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return jws.serialize_compact(header, claims, key, algorithms=algorithms)


def without_signature(provider: OidcProvider) -> str:
    _, payload, _ = provider.token().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{header}.{payload}."


def with_the_public_key_as_a_secret(provider: OidcProvider) -> str:
    published = provider.public_keys()[0]
    # joserfc will not take a public key for a secret, so that the signature is made by hand.
    header = (
        base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": published["kid"]}).encode()).decode().rstrip("=")
    )
    text = f"{header}.{provider.token().split('.')[1]}"
    secret = RSAKey.import_key(published).as_pem(private=False)
    return f"{text}.{base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), 'sha256')).decode().rstrip('=')}"


def with_a_key_of_its_own(provider: OidcProvider) -> str:
    return forged(provider, {"alg": "RS256", "kid": provider.public_keys()[0]["kid"]}, RSAKey.generate_key(2048))


def with_its_key_in_the_header(provider: OidcProvider) -> str:
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "kid": provider.public_keys()[0]["kid"], "jwk": key.as_dict(private=False)}
    return forged(provider, header, key)


def with_another_payload(provider: OidcProvider) -> str:
    header, _, signature = provider.token().split(".")
    _, payload, _ = provider.token(sub="mallory").split(".")
    return f"{header}.{payload}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        without_signature,
        with_the_public_key_as_a_secret,
        with_a_key_of_its_own,
        with_its_key_in_the_header,
        with_another_payload,
    ],
)
def test_a_forged_signature_is_refused(
    cloud: Cloud, federated: Callable[..., str], refused: Any, forge: Callable[[OidcProvider], str]
) -> None:
    provider = cloud.oidc_provider(algorithm="RS256")
    role = federated(provider.arn, ACTION)
    assert assume(cloud, role, provider.token())
    token = forge(provider)
    code, status, _ = refused(assume, cloud=cloud, role=role, token=token)
    assert (code, status) == ("InvalidIdentityToken", 400)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"aud": "other"}, ("InvalidIdentityToken", "Incorrect token audience")),
        ({"aud": ["stsguard", "other"]}, ("InvalidIdentityToken", "Incorrect token audience")),
        ({"azp": "other"}, ("InvalidIdentityToken", "Incorrect token audience")),
        (
            {"iss": "https://evil.example.com"},
            ("InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
        ),
        (
            {"iss": "http://idp.example.com"},
            ("InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
        ),
        ({"sub": None}, ("InvalidIdentityToken", "Missing a required claim: sub")),
        ({"exp": None}, ("InvalidIdentityToken", "Missing a required claim: exp")),
        ({"iat": None}, ("InvalidIdentityToken", "Missing a required claim: iat")),
        ({"aud": None}, ("InvalidIdentityToken", "Missing a required claim: aud")),
        ({"exp": 1_600_000_000}, ("ExpiredTokenException", "must be before the expiration date/time 1600000000")),
        ({"nbf": 9_000_000_000}, ("InvalidIdentityToken", "not yet valid")),
        ({"iat": 9_000_000_000}, ("InvalidIdentityToken", "not yet valid")),
        ({"exp": "soon"}, ("InvalidIdentityToken", "not a valid JWT")),
        ({"exp": 1e300}, ("InvalidIdentityToken", "not a valid JWT")),
        ({"sub": ["a"]}, ("InvalidIdentityToken", "not a valid JWT")),
        ({"https://aws.amazon.com/tags": {"principal_tags": ["x"]}}, ("InvalidIdentityToken", "not a valid JWT")),
        ({"https://aws.amazon.com/source_identity": "no spaces"}, ("ValidationError", "'sourceIdentity' failed")),
    ],
)
def test_a_token_that_is_not_for_us_is_refused(
    cloud: Cloud,
    federated: Callable[..., str],
    refused: Any,
    claims: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    code, message = expected
    provider = cloud.oidc_provider()
    role = federated(provider.arn, ACTION)
    found = refused(assume, cloud=cloud, role=role, token=provider.token(**claims))
    assert found[:2] == (code, 400)
    assert message in found[2]


def test_a_token_expires_by_the_simulated_clock(cloud: Cloud, federated: Callable[..., str], refused: Any) -> None:
    provider = cloud.oidc_provider()
    role = federated(provider.arn, ACTION)
    token = provider.token()
    assert assume(cloud, role, token)
    cloud.clock.advance(300)
    assert refused(assume, cloud=cloud, role=role, token=token)[:2] == ("ExpiredTokenException", 400)


@pytest.mark.parametrize("token", ["four", "a.b.c", "e30.e30.e30", "..", "ünïcode.x.y", "W10.W10.x", "." * 100])
def test_what_is_no_token_is_refused(cloud: Cloud, federated: Callable[..., str], refused: Any, token: str) -> None:
    provider = cloud.oidc_provider()
    role = federated(provider.arn, ACTION)
    code, status, _ = refused(assume, cloud=cloud, role=role, token=token.ljust(4, "."))
    assert (code, status) == ("InvalidIdentityToken", 400)


@pytest.mark.parametrize("params", [{"token": "x" * 20_001}, {"token": "a.b.c.d", "DurationSeconds": 43_201}])
def test_parameters_have_their_limits(cloud: Cloud, federated: Callable[..., str], refused: Any, params: Any) -> None:
    role = federated(cloud.oidc_provider().arn, ACTION)
    assert refused(assume, cloud=cloud, role=role, **params)[:2] == ("ValidationError", 400)


def test_keys_are_read_at_every_call(cloud: Cloud, federated: Callable[..., str], refused: Any) -> None:
    provider = cloud.oidc_provider()
    role = federated(provider.arn, ACTION)
    old = provider.token()
    provider.rotate()
    assert assume(cloud, role, old)
    assert assume(cloud, role, provider.token())
    provider.rotate(keep=False)
    assert "retrieve verification key" in refused(assume, cloud=cloud, role=role, token=old)[2]
    assert assume(cloud, role, provider.token())


def test_an_issuer_that_does_not_answer_is_a_communication_error(
    cloud: Cloud, federated: Callable[..., str], refused: Any
) -> None:
    provider = cloud.oidc_provider()
    role = federated(provider.arn, ACTION)
    token = provider.token()
    cloud.tokens.issuers.announce(provider.issuer, "http://127.0.0.1:9")
    assert refused(assume, cloud=cloud, role=role, token=token)[:2] == ("IDPCommunicationError", 400)
    cloud.tokens.issuers.announce(provider.issuer, "http://192.0.2.1")
    assert refused(assume, cloud=cloud, role=role, token=token)[:2] == ("IDPCommunicationError", 400)
    provider.close()
    assert refused(assume, cloud=cloud, role=role, token=token)[:2] == ("IDPCommunicationError", 400)


def test_another_accounts_provider_is_no_provider_here(cloud: Cloud, refused: Any) -> None:
    provider = cloud.oidc_provider()
    theirs = cloud.client("iam", cloud.administrator("444455556666"))
    trust = {"Effect": "Allow", "Principal": {"Federated": provider.arn}, "Action": ACTION}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = theirs.create_role(RoleName="theirs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    found = refused(assume, cloud=cloud, role=role, token=provider.token())
    assert "No OpenIDConnect provider found" in found[2]


def test_a_token_brings_tags_and_a_source_identity(cloud: Cloud, federated: Callable[..., str], refused: Any) -> None:
    provider = cloud.oidc_provider()
    claims = {
        "https://aws.amazon.com/tags": {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]},
        "https://aws.amazon.com/source_identity": "alice",
    }
    plain = federated(provider.arn, ACTION, name="plain")
    role = federated(provider.arn, ACTION, also=("sts:TagSession", "sts:SetSourceIdentity"))
    assert refused(assume, cloud=cloud, role=plain, token=provider.token(**claims))[0] == "AccessDenied"
    answer = assume(cloud, role, provider.token(**claims))
    assert answer["SourceIdentity"] == "alice"
    assert 0 < answer["PackedPolicySize"] <= 100
    held = cloud.credentials_of(answer["Credentials"])
    iam = cloud.client("iam", held)
    only_red = {
        "Effect": "Deny",
        "Action": "iam:ListUsers",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red", "aws:SourceIdentity": "alice"}},
    }
    assert iam.list_users()
    cloud.client("iam").put_role_policy(
        RoleName="target",
        PolicyName="red",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [only_red]}),
    )
    assert refused(iam.list_users)[0] == "AccessDenied"


def test_subject_and_audience_go_on_with_the_session_and_a_repository_does_not(
    cloud: Cloud, federated: Callable[..., str], refused: Any
) -> None:
    provider = cloud.oidc_provider("github")
    role = federated(provider.arn, ACTION)
    held = cloud.credentials_of(assume(cloud, role, provider.token())["Credentials"])
    s3 = cloud.client("s3", held)
    for claim, value, denied in (
        ("repository", "acme/app", False),
        ("sub", "repo:acme/app:ref:refs/heads/main", True),
    ):
        deny = {
            "Effect": "Deny",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringEquals": {f"{provider.name}:{claim}": value}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        cloud.client("iam").put_role_policy(RoleName="target", PolicyName="deny", PolicyDocument=document)
        if denied:
            assert refused(s3.list_buckets)[0] == "AccessDenied"
        else:
            s3.list_buckets()


def test_a_provider_refuses_what_it_cannot_be(cloud: Cloud) -> None:
    with pytest.raises(ConfigurationError, match="unknown shape `gitea`"):
        cloud.oidc_provider("gitea")
    with pytest.raises(ConfigurationError, match="is no issuer"):
        cloud.oidc_provider(issuer="http://127.0.0.1")
