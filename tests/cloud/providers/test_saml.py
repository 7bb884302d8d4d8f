from __future__ import annotations

import base64
import copy
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.providers import SamlProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACTION = "sts:AssumeRoleWithSAML"
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
ROLE = "arn:aws:iam::111122223333:role/target"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all tests of this file: making a key takes a while."""
    with Cloud(world="empty") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def provider(cloud: Cloud) -> SamlProvider:
    provider = cloud.saml_provider(name="Okta")
    condition = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    make_role(cloud, provider, "target", condition)
    return provider


def make_role(cloud: Cloud, provider: SamlProvider, name: str, condition: Any = None, **more: Any) -> str:
    actions = [ACTION, "sts:TagSession", "sts:SetSourceIdentity"]
    trust: dict[str, Any] = {"Effect": "Allow", "Principal": {"Federated": provider.arn}, "Action": actions}
    if condition:
        trust["Condition"] = condition
    iam = cloud.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)["Role"]["Arn"]
    access = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam.put_role_policy(RoleName=name, PolicyName="access", PolicyDocument=json.dumps(access))
    return str(arn)


def assume(cloud: Cloud, provider: SamlProvider, response: str | bytes, role: str = ROLE, **params: Any) -> Any:
    text = base64.b64encode(response).decode() if isinstance(response, bytes) else response
    params = {"RoleArn": role, "PrincipalArn": provider.arn, "SAMLAssertion": text, **params}
    return cloud.client("sts").assume_role_with_saml(**params)


def test_a_signed_assertion_gives_a_session(cloud: Cloud, provider: SamlProvider) -> None:
    answer = assume(cloud, provider, provider.response(ROLE))
    held = cloud.credentials_of(answer["Credentials"])

    assert answer["Subject"] == "alice"
    assert answer["SubjectType"] == "persistent"
    assert answer["Issuer"] == provider.entity_id
    assert answer["Audience"] == "https://signin.aws.amazon.com/saml"
    assert len(base64.b64decode(answer["NameQualifier"])) == 20
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{cloud.account}:assumed-role/target/alice"
    assert cloud.client("sts", held).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    records = [r for r in cloud.trail.records() if r["eventName"] == "AssumeRoleWithSAML"]
    assert records[-1]["userIdentity"]["type"] == "SAMLUser"
    assert records[-1]["userIdentity"]["userName"] == "alice"
    assert records[-1]["requestParameters"]["sAMLAssertion"] == "HIDDEN_DUE_TO_SECURITY_REASONS"


def test_the_name_qualifier_is_the_documented_hash(cloud: Cloud) -> None:
    import hashlib

    provider = cloud.saml_provider(name="MySAMLIdP", entity_id="https://example.com/saml")
    qualifier = base64.b64encode(hashlib.sha1(b"https://example.com/saml111122223333/MySAMLIdP").digest()).decode()
    role = make_role(
        cloud,
        provider,
        "qualified",
        {"StringEquals": {"SAML:namequalifier": qualifier, "SAML:doc": f"{cloud.account}/MySAMLIdP"}},
    )
    assert assume(cloud, provider, provider.response(role), role)["NameQualifier"] == qualifier


def test_a_signature_over_the_whole_response_counts_as_well(cloud: Cloud, provider: SamlProvider) -> None:
    assert assume(cloud, provider, provider.sign(provider.document(ROLE), whole=True))


def test_a_response_is_redeemed_once(cloud: Cloud, provider: SamlProvider, refused: Any) -> None:
    response = provider.response(ROLE)
    assert assume(cloud, provider, response)
    code, status, message = refused(assume, cloud=cloud, provider=provider, response=response)
    assert (code, status, message) == ("InvalidIdentityToken", 400, "Response has already been redeemed")


def test_a_response_is_redeemed_once_among_threads_too(cloud: Cloud, provider: SamlProvider) -> None:
    sts = cloud.client("sts")
    params = {"RoleArn": ROLE, "PrincipalArn": provider.arn, "SAMLAssertion": provider.response(ROLE)}

    def ask(_: int) -> bool:
        try:
            sts.assume_role_with_saml(**params)
        except sts.exceptions.ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(16))) == 1


def test_another_key_under_the_same_name_is_refused(cloud: Cloud, provider: SamlProvider, refused: Any) -> None:
    impostor = SamlProvider(cloud.clock, name=provider.name, entity_id=provider.entity_id)
    response = impostor.response(ROLE, provider=provider.arn)
    expected = ("InvalidIdentityToken", 400, "Response signature invalid")
    assert refused(assume, cloud=cloud, provider=provider, response=response) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"issuer": "https://evil.example.com"},
            ("InvalidIdentityToken", 400, "Issuer not present in specified provider"),
        ),
        ({"audience": "https://other.example.com"}, ("InvalidIdentityToken", 400, "required audience")),
        ({"recipient": "https://evil.example.com/saml"}, ("InvalidIdentityToken", 400, "required recipient")),
        ({"status": "Requester"}, ("IDPRejectedClaim", 403, "authentication failed")),
        ({"session_name": None}, ("InvalidIdentityToken", 400, "RoleSessionName is required in AuthnResponse")),
        ({"session_name": "no spaces"}, ("InvalidIdentityToken", 400, "must match [a-zA-Z_0-9+=,.@-]{2,64}")),
        ({"source_identity": "no spaces"}, ("InvalidIdentityToken", 400, "Source Identity must match")),
        ({"subject": " "}, ("InvalidIdentityToken", 400, "NameID is required")),
        (
            {"provider": "arn:aws:iam::111122223333:saml-provider/Other"},
            ("AccessDenied", 403, f"Not authorized to perform {ACTION}"),
        ),
        ({"tags": {"a!": "b"}}, ("ValidationError", 400, "'tags.1.member.key' failed")),
        ({"tags": {"a": "b"}, "transitive": ["c"]}, ("InvalidParameterValue", 400, "must be included")),
    ],
)
def test_an_assertion_that_is_not_for_this_is_refused(
    cloud: Cloud, provider: SamlProvider, refused: Any, options: dict[str, Any], expected: tuple[str, int, str]
) -> None:
    code, status, message = refused(assume, cloud=cloud, provider=provider, response=provider.response(ROLE, **options))
    assert (code, status) == expected[:2]
    assert expected[2] in message


@pytest.mark.parametrize(
    ("minutes", "code"), [(-5, "ExpiredTokenException"), (-60, "ExpiredTokenException"), (2, "InvalidIdentityToken")]
)
def test_an_assertion_is_good_for_five_minutes(
    cloud: Cloud, provider: SamlProvider, refused: Any, minutes: int, code: str
) -> None:
    moment = cloud.clock.now() + timedelta(minutes=minutes)
    response = provider.response(ROLE, issued_at=moment, lifetime=timedelta(hours=2))
    assert refused(assume, cloud=cloud, provider=provider, response=response)[:2] == (code, 400)
    short = provider.response(ROLE, issued_at=cloud.clock.now() - timedelta(seconds=60), lifetime=timedelta(seconds=30))
    assert refused(assume, cloud=cloud, provider=provider, response=short)[0] == "ExpiredTokenException"


def test_the_trust_policy_decides(cloud: Cloud, provider: SamlProvider, refused: Any) -> None:
    name = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"
    condition = {
        "ForAnyValue:StringEquals": {"SAML:eduPersonAffiliation": ["staff"]},
        "StringEquals": {"SAML:sub": "bob"},
    }
    role = make_role(cloud, provider, "staff-only", condition)
    assert assume(cloud, provider, provider.response(role, subject="bob", attributes={name: ["guest", "staff"]}), role)
    for options in ({"subject": "bob"}, {"subject": "eve", "attributes": {name: ["staff"]}}):
        found = refused(assume, cloud=cloud, provider=provider, response=provider.response(role, **options), role=role)
        assert found == ("AccessDenied", 403, f"Not authorized to perform {ACTION}")


def test_provider_and_role_belong_to_one_account(cloud: Cloud, provider: SamlProvider, refused: Any) -> None:
    role = "arn:aws:iam::444455556666:role/target"
    found = refused(assume, cloud=cloud, provider=provider, response=provider.response(role), role=role)
    assert found == ("AccessDenied", 403, "Principal exists outside the account of the Role being assumed")
    absent = {"PrincipalArn": f"arn:aws:iam::{cloud.account}:saml-provider/Absent"}
    found = refused(assume, cloud=cloud, provider=provider, response=provider.response(ROLE), **absent)
    assert found == ("InvalidIdentityToken", 400, "Specified provider doesn't exist")
    wrong = {"PrincipalArn": f"arn:aws:iam::{cloud.account}:role/target"}
    found = refused(assume, cloud=cloud, provider=provider, response=provider.response(ROLE), **wrong)
    assert found[0] == "ValidationError"


def test_an_assertion_brings_tags_and_source_identity_and_bounds_the_session(
    cloud: Cloud, provider: SamlProvider
) -> None:
    options = {"source_identity": "alice@example", "tags": {"team": "red"}, "transitive": ["team"]}
    answer = assume(cloud, provider, provider.response(ROLE, **options))
    held = cloud.credentials_of(answer["Credentials"])
    assert answer["SourceIdentity"] == "alice@example"
    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red", "SAML:sub": "alice"}},
    }
    cloud.client("s3", held).list_buckets()
    iam = cloud.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName="target", PolicyName="deny", PolicyDocument=document)
    with pytest.raises(cloud.client("s3", held).exceptions.ClientError, match="AccessDenied"):
        cloud.client("s3", held).list_buckets()
    iam.delete_role_policy(RoleName="target", PolicyName="deny")

    end = cloud.clock.now() + timedelta(seconds=1200)
    short = assume(cloud, provider, provider.response(ROLE, session_ends=end))
    assert abs(short["Credentials"]["Expiration"] - end) <= timedelta(seconds=2)


# Signature wrapping and other forgeries: each takes a response that is truly signed and adds to it.


def evil_twin(assertion: Any, *, identifier: str | None) -> Any:
    """A copy of the assertion that says it is the administrator's, without its signature."""
    twin = copy.deepcopy(assertion)
    twin.remove(twin.find(f"{DSIG}Signature"))
    twin.find(f"{SAML}Subject/{SAML}NameID").text = "administrator"
    if identifier is not None:
        twin.set("ID", identifier)
    return twin


def beside_before(root: Any) -> None:
    assertion = root.find(f"{SAML}Assertion")
    root.insert(list(root).index(assertion), evil_twin(assertion, identifier="_evil"))


def beside_after(root: Any) -> None:
    root.append(evil_twin(root.find(f"{SAML}Assertion"), identifier="_evil"))


def same_id(root: Any) -> None:
    root.insert(1, evil_twin(root.find(f"{SAML}Assertion"), identifier=None))


def signed_inside_the_evil_one(root: Any) -> None:
    assertion = root.find(f"{SAML}Assertion")
    twin = evil_twin(assertion, identifier="_evil")
    root.replace(assertion, twin)
    twin.append(assertion)


def signed_in_the_signature(root: Any) -> None:
    assertion = root.find(f"{SAML}Assertion")
    signature = assertion.find(f"{DSIG}Signature")
    twin = evil_twin(assertion, identifier="_evil")
    root.replace(assertion, twin)
    assertion.remove(signature)
    etree.SubElement(signature, f"{DSIG}Object").append(assertion)
    twin.insert(1, signature)


def moved_into_extensions(root: Any) -> None:
    assertion = root.find(f"{SAML}Assertion")
    twin = evil_twin(assertion, identifier="_evil")
    root.replace(assertion, twin)
    etree.SubElement(root, "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions").append(assertion)


def changed(root: Any) -> None:
    root.find(f".//{SAML}NameID").text = "administrator"


def unsigned(root: Any) -> None:
    assertion = root.find(f"{SAML}Assertion")
    assertion.remove(assertion.find(f"{DSIG}Signature"))


def no_assertion(root: Any) -> None:
    root.remove(root.find(f"{SAML}Assertion"))


def signed_with_a_shared_secret(root: Any) -> None:
    method = root.find(f".//{DSIG}SignatureMethod")
    method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")


def signed_weakly(root: Any) -> None:
    root.find(f".//{DSIG}SignatureMethod").set("Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1")


@pytest.mark.parametrize(
    "forge",
    [
        beside_before,
        beside_after,
        same_id,
        signed_inside_the_evil_one,
        signed_in_the_signature,
        moved_into_extensions,
        changed,
        unsigned,
        no_assertion,
        signed_with_a_shared_secret,
        signed_weakly,
    ],
)
def test_a_forged_response_is_refused(
    cloud: Cloud, provider: SamlProvider, refused: Any, forge: Callable[[Any], None]
) -> None:
    root = etree.fromstring(provider.sign(provider.document(ROLE)))
    forge(root)
    found = refused(assume, cloud=cloud, provider=provider, response=etree.tostring(root))
    assert found == ("InvalidIdentityToken", 400, "Response signature invalid")


def test_a_comment_does_not_cut_a_name_short(cloud: Cloud, provider: SamlProvider) -> None:
    signed = provider.sign(provider.document(ROLE, subject="admin.evil"))
    commented = signed.replace(b"admin.evil", b"admin<!-- -->.evil")
    assert assume(cloud, provider, commented)["Subject"] == "admin.evil"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><r>&d;</r>"""
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>'


@pytest.mark.parametrize(
    "raw",
    [
        b"none at all",
        b"<unclosed>",
        b"<other/>",
        b"\x00\x01\x02\x03",
        b"<a>" * 5000,
        BOMB,
        OUTSIDE,
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE r [<!ENTITY a "x">]><r>&a;</r>'.encode("utf-16"),
    ],
)
def test_what_is_no_response_is_refused(cloud: Cloud, provider: SamlProvider, refused: Any, raw: bytes) -> None:
    code, status, _ = refused(assume, cloud=cloud, provider=provider, response=raw)
    assert (code, status) == ("InvalidIdentityToken", 400)


def test_a_document_type_spoils_even_a_signed_response(cloud: Cloud, provider: SamlProvider, refused: Any) -> None:
    signed = b'<!DOCTYPE Response [<!ENTITY x "x">]>' + provider.sign(provider.document(ROLE))
    assert refused(assume, cloud=cloud, provider=provider, response=signed)[0] == "InvalidIdentityToken"


@pytest.mark.parametrize(
    ("response", "code"),
    [("x" * 100_001, "ValidationError"), ("!!!!", "InvalidIdentityToken"), ("ünic", "InvalidIdentityToken")],
)
def test_a_response_has_its_limits(
    cloud: Cloud, provider: SamlProvider, refused: Any, response: str, code: str
) -> None:
    assert refused(assume, cloud=cloud, provider=provider, response=response)[:2] == (code, 400)


def test_times_that_are_none_are_refused(cloud: Cloud, provider: SamlProvider, refused: Any) -> None:
    document = provider.document(ROLE)
    import re

    for broken in (
        re.sub(r'IssueInstant="[^"]*"', 'IssueInstant="soon"', document),
        re.sub(r'NotBefore="[^"]*"', 'NotBefore="0"', document),
    ):
        assert (
            refused(assume, cloud=cloud, provider=provider, response=provider.sign(broken))[0] == "InvalidIdentityToken"
        )


@pytest.mark.parametrize("metadata", ["x" * 1000, BOMB.decode() + " " * 1000, "<md/>" + " " * 1000])
def test_metadata_that_cannot_be_read_is_refused(
    cloud: Cloud, provider: SamlProvider, refused: Any, metadata: str
) -> None:
    iam = cloud.client("iam")
    arn = iam.create_saml_provider(Name="Broken", SAMLMetadataDocument=metadata)["SAMLProviderArn"]
    response = provider.response(ROLE, provider=arn)
    found = refused(assume, cloud=cloud, provider=provider, response=response, PrincipalArn=arn)
    assert found == ("InvalidIdentityToken", 400, "Could not parse metadata")
    iam.delete_saml_provider(SAMLProviderArn=arn)
