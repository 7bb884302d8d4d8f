"""What an identity provider publishes is not to be trusted: STS reads little, from loopback, and fails in AWS's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.metadata.message import Answer
from pytest_stsguard.cloud.metadata.server import LoopbackServer
from pytest_stsguard.cloud.sts.discovery import Issuers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.cloud.metadata.message import Request

ISSUER = "https://idp.example.com"
KEYS = f"{ISSUER}/keys"
GOOD = {"issuer": ISSUER, "jwks_uri": KEYS}


class Published:
    """A server whose answers a test chooses, by path."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.server = LoopbackServer(self.answer)
        self.asked: list[str] = []

    def answer(self, request: Request) -> Answer:
        self.asked.append(request.target)
        status, body = self.pages.get(request.target, (404, b""))
        return Answer(status, {"Location": "http://192.0.2.1/"}, body)

    def put(self, discovery: object, keys: object = None, status: int = 200) -> None:
        def raw(page: object) -> bytes:
            return page if isinstance(page, bytes) else json.dumps(page).encode()

        self.pages = {"/.well-known/openid-configuration": (status, raw(discovery)), "/keys": (200, raw(keys))}


@pytest.fixture
def published() -> Iterator[Published]:
    found = Published()
    yield found
    found.server.close()


@pytest.fixture
def issuers(published: Published) -> Issuers:
    issuers = Issuers()
    issuers.announce(ISSUER, published.server.url)
    return issuers


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(Fault) as caught:
        call()
    return caught.value.code


def test_keys_are_found_through_the_discovery_document(published: Published, issuers: Issuers) -> None:
    published.put(GOOD, {"keys": [{"kty": "RSA"}, "no key", 5]})
    assert issuers.keys(ISSUER) == [{"kty": "RSA"}]
    assert published.asked == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    "discovery",
    [
        b"",
        b"<html>",
        [],
        {},
        {"issuer": "https://other.example.com", "jwks_uri": KEYS},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": 5},
        b"[" * 50_000,
        b'{"issuer": "' + b"x" * 200_000 + b'"}',
    ],
)
def test_a_discovery_document_that_says_nothing_gives_no_keys(
    published: Published, issuers: Issuers, discovery: object
) -> None:
    published.put(discovery, {"keys": []})
    assert code_of(lambda: issuers.keys(ISSUER)) == "InvalidIdentityToken"


@pytest.mark.parametrize("keys", [b"", [], {}, {"keys": 5}, {"keys": {"kty": "RSA"}}, b"x" * 200_000])
def test_keys_that_cannot_be_read_are_none(published: Published, issuers: Issuers, keys: object) -> None:
    published.put(GOOD, keys)
    assert code_of(lambda: issuers.keys(ISSUER)) == "InvalidIdentityToken"


@pytest.mark.parametrize("status", [301, 302, 404, 500])
def test_only_an_answer_of_200_counts_and_no_redirect_is_followed(
    published: Published, issuers: Issuers, status: int
) -> None:
    published.put(GOOD, {"keys": []}, status=status)
    assert code_of(lambda: issuers.keys(ISSUER)) == "InvalidIdentityToken"
    assert published.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://idp.example.com.evil.example/keys",
        "https://idp.example.comevil/keys",
        "file:///etc/hostname",
        "//idp.example.com/keys",
        "",
        "http://127.0.0.1:1/keys",
    ],
)
def test_the_address_of_the_keys_leads_nowhere_else(published: Published, issuers: Issuers, target: str) -> None:
    published.put({"issuer": ISSUER, "jwks_uri": target}, {"keys": []})
    assert code_of(lambda: issuers.keys(ISSUER)) == "IDPCommunicationError"
    assert published.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "home", ["http://192.0.2.1", "https://127.0.0.1", "http://localhost.evil.example", "http://", "ftp://127.0.0.1"]
)
def test_an_issuer_lives_on_loopback_or_nowhere(home: str) -> None:
    issuers = Issuers()
    issuers.announce(ISSUER, home)
    assert code_of(lambda: issuers.keys(ISSUER)) == "IDPCommunicationError"


def test_an_issuer_below_another_has_a_home_of_its_own(published: Published) -> None:
    issuers = Issuers()
    issuers.announce(ISSUER, "http://127.0.0.1:9")
    issuers.announce(f"{ISSUER}/tenant", published.server.url)
    published.put({"issuer": f"{ISSUER}/tenant", "jwks_uri": f"{ISSUER}/tenant/keys"}, {"keys": []})
    assert issuers.keys(f"{ISSUER}/tenant") == []


def test_keys_of_the_wrong_kind_verify_nothing(cloud: Cloud, published: Published, refused: Any) -> None:
    provider = cloud.oidc_provider()
    trust = {"Effect": "Allow", "Principal": {"Federated": provider.arn}, "Action": "sts:AssumeRoleWithWebIdentity"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = cloud.client("iam").create_role(RoleName="target", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    token = provider.token()
    good = provider.public_keys()[0]
    cloud.tokens.issuers.announce(provider.issuer, published.server.url)
    call = cloud.client("sts").assume_role_with_web_identity
    params = {"RoleArn": role, "RoleSessionName": "job", "WebIdentityToken": token}
    wrong: list[dict[str, Any]] = [
        {},
        {**good, "kid": "other"},
        {**good, "use": "enc"},
        {**good, "x": "AAAA"},
        {**good, "kty": "RSA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": good["kid"]},
        {**RSAKey.generate_key(2048).as_dict(private=False), "kid": good["kid"]},
        {"kty": "RSA", "n": 5, "e": None, "kid": good["kid"]},
        {**OctKey.generate_key(256).as_dict(private=True), "kid": good["kid"]},
    ]
    for key in wrong:
        published.put({"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys"}, {"keys": [key]})
        assert refused(call, **params)[:2] == ("InvalidIdentityToken", 400), key
    published.put({"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys"}, {"keys": [*wrong, good]})
    assert call(**params)
