"""Whatever is sent as a parameter, the token service answers with an error of AWS's, never with a failure of its own."""

from __future__ import annotations

import base64
import http.client
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = botocore.session.get_session().get_service_model("sts")
ROLE = "arn:aws:iam::111122223333:role/target"
KNOWN_STATUS = {200, 400, 403, 501}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Cloud, str]]:
    with Cloud(world="empty") as cloud:
        trust = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}'
        cloud.client("iam").create_role(RoleName="target", AssumeRolePolicyDocument=trust)
        yield cloud, cloud.serve().url


def post(server: tuple[Cloud, str], fields: dict[str, str], *, sign: bool = True) -> tuple[int, str]:
    """Send a form as it is: botocore would refuse most of what is tried here."""
    cloud, url = server
    body = urlencode({"Version": "2011-06-15", **fields})
    request = AWSRequest("POST", url, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body)
    if sign:
        SigV4Auth(Keys(cloud.admin.access_key_id, cloud.admin.secret_access_key), "sts", cloud.region).add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request("POST", "/", prepared.body, dict(prepared.headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def code_of(body: str) -> str:
    found = re.search(r"<Code>([^<]+)</Code>", body)
    return found.group(1) if found else ""


GOOD: dict[str, dict[str, str]] = {
    "AssumeRole": {"RoleArn": ROLE, "RoleSessionName": "session"},
    "AssumeRoleWithSAML": {
        "RoleArn": ROLE,
        "PrincipalArn": "arn:aws:iam::111122223333:saml-provider/x",
        "SAMLAssertion": "PHg+PC94Pg==",
    },
    "AssumeRoleWithWebIdentity": {"RoleArn": ROLE, "RoleSessionName": "session", "WebIdentityToken": "a.b.c"},
    "AssumeRoot": {
        "TargetPrincipal": "444455556666",
        "TaskPolicyArn.arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy",
    },
    "DecodeAuthorizationMessage": {"EncodedMessage": "x"},
    "GetAccessKeyInfo": {"AccessKeyId": "ASIAY34FZKBOKMUTVV7A"},
    "GetCallerIdentity": {},
    "GetFederationToken": {"Name": "visitor"},
    "GetSessionToken": {},
    "GetWebIdentityToken": {"Audience.member.1": "x", "SigningAlgorithm": "ES384"},
}
WRONG = [
    "",
    " ",
    "x" * 5000,
    "\x00",
    "ünïcode",
    "arn:aws:iam::111122223333:role/",
    "arn:aws:iam::1:role/x",
    "null",
    "-1",
    "1e9",
    "99999999999999999999",
    "{}",
    "[" * 3000,
    '{"Version":"2012-10-17"}',
    "<!DOCTYPE x>",
    "../..",
    "٠١٢٣٤٥",
    "%00",
    "\ud7ff",
]


@pytest.mark.parametrize("operation", GOOD)
def test_a_wrong_parameter_is_never_a_500(server: tuple[Cloud, str], operation: str) -> None:
    sign = not operation.startswith("AssumeRoleWith")
    names = (
        list(MODEL.operation_model(operation).input_shape.members)
        if MODEL.operation_model(operation).input_shape
        else []
    )
    for name in names:
        nested = [(f"{name}.member.1", value) for value in WRONG[:6]] + [
            (f"{name}.member.1.Key", value) for value in WRONG[:6]
        ]
        for key, value in [*((name, value) for value in WRONG), *nested]:
            status, body = post(server, {"Action": operation, **GOOD[operation], key: value}, sign=sign)
            assert status in KNOWN_STATUS, (key, value[:40], status, body[:300])
            assert status == 200 or code_of(body), (key, value[:40], body[:300])


@pytest.mark.parametrize("operation", GOOD)
def test_a_missing_parameter_is_named(server: tuple[Cloud, str], operation: str) -> None:
    shape = MODEL.operation_model(operation).input_shape
    for name in shape.required_members if shape is not None else ():
        fields = {key: value for key, value in GOOD[operation].items() if key.partition(".")[0] != name}
        status, body = post(server, {"Action": operation, **fields}, sign=not operation.startswith("AssumeRoleWith"))
        assert status == 400, (name, body)
        assert code_of(body) == "ValidationError", (name, body)


@pytest.mark.parametrize("operation", sorted(set(GOOD) - {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}))
def test_an_unsigned_call_is_refused(server: tuple[Cloud, str], operation: str) -> None:
    status, body = post(server, {"Action": operation, **GOOD[operation]}, sign=False)
    assert (status, code_of(body)) == (403, "MissingAuthenticationToken")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_form_gets_an_answer(server: tuple[Cloud, str], data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(sorted(GOOD)))
    shape: Any = MODEL.operation_model(operation).input_shape
    names = [*(shape.members if shape is not None else ()), "Other"]
    text = st.text(st.characters(codec="utf-8"), max_size=200)
    keys = st.sampled_from(names).flatmap(
        lambda name: st.sampled_from([name, f"{name}.member.1", f"{name}.member.1.arn"])
    )
    wrong = data.draw(st.dictionaries(keys, text, max_size=4))
    status, body = post(
        server, {"Action": operation, **GOOD[operation], **wrong}, sign=not operation.startswith("AssumeRoleWith")
    )
    assert status in KNOWN_STATUS, body


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(min_size=3, max_size=400))
def test_any_bytes_for_a_response_or_a_token_get_an_answer(server: tuple[Cloud, str], raw: bytes) -> None:
    saml = {**GOOD["AssumeRoleWithSAML"], "SAMLAssertion": base64.b64encode(raw).decode().ljust(4, "=")}
    status, body = post(server, {"Action": "AssumeRoleWithSAML", **saml}, sign=False)
    assert (status, code_of(body)) == (400, "InvalidIdentityToken")
    part = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    web = {**GOOD["AssumeRoleWithWebIdentity"], "WebIdentityToken": f"{part}.{part}.{part}"}
    status, body = post(server, {"Action": "AssumeRoleWithWebIdentity", **web}, sign=False)
    assert (status, code_of(body)) == (400, "InvalidIdentityToken")
