"""The live source as a person uses it: over HTTP, against the simulated cloud in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from pytest_stsguard.account import Account, from_session, load
from pytest_stsguard.account.live.calls import Calls, Step
from pytest_stsguard.account.live.keep import Keep
from pytest_stsguard.errors import AwsUnavailableError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = 500
SERVER = """
import json, sys
from pytest_stsguard.cloud import Cloud

policy, roles = json.loads(sys.argv[1]), int(sys.argv[2])
trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
with Cloud(world="empty") as cloud:
    provider = {"Federated": f"arn:aws:iam::{cloud.account}:oidc-provider/gitlab.com"}
    trust = {"Effect": "Allow", "Principal": provider, "Action": "sts:AssumeRoleWithWebIdentity"}
    federated = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = cloud.client("iam")
    for number in range(roles):
        trusted = document if number else federated
        iam.create_role(RoleName=f"role-{number:03}", AssumeRolePolicyDocument=trusted, MaxSessionDuration=7200)
    iam.create_open_id_connect_provider(
        Url="https://gitlab.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    iam.create_saml_provider(Name="Okta", SAMLMetadataDocument="<x>" + "x" * 1000 + "</x>")
    keys = {}
    for name, statement in policy.items():
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="audit", PolicyDocument=json.dumps(statement))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys[name] = [key["AccessKeyId"], key["SecretAccessKey"]]
    server = cloud.serve()
    print(json.dumps({"url": server.url, "keys": keys}), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    text = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
    match = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert match is not None
    whole = json.loads(match[1])
    less = json.loads(match[1])
    less["Statement"][0]["Action"] = ["iam:GetAccountAuthorizationDetails"]
    command = [sys.executable, "-c", SERVER, json.dumps({"auditor": whole, "novice": less}), str(ROLES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def session(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> boto3.Session:
    key, secret = served["keys"][getattr(request, "param", "auditor")]
    monkeypatch.setenv("AWS_ENDPOINT_URL", served["url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return boto3.Session()


def calls_of(session: boto3.Session) -> list[str]:
    """Collect the names of the operations that are sent."""
    sent: list[str] = []
    session.events.register("request-created", lambda operation_name, **_: sent.append(operation_name))  # type: ignore[no-untyped-call]
    return sent


class Raw(BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.getvalue()


def refuse(session: boto3.Session, operation: str, code: str, *, after: int = 0, times: int = 1) -> list[int]:
    """Have some calls of an operation refused as AWS does; gives the numbers of those that were."""
    seen: list[int] = []
    refused: list[int] = []
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        sent = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        if f"Action={operation}&".encode() not in sent + b"&":
            return None
        seen.append(len(seen))
        if not after <= seen[-1] < after + times:
            return None
        refused.append(seen[-1])
        return AWSResponse(request.url, 400, {}, Raw(body))

    session.events.register("before-send", answer)
    return refused


def check(account: Account) -> None:
    assert len(account.roles) == ROLES
    assert {one.max_session_duration for one in account.roles} == {7200}
    assert sorted((one.type, one.url, one.client_ids) for one in account.identity_providers) == [
        ("oidc", "gitlab.com", ("sts.amazonaws.com",)),
    ]
    assert account.problems == ()


def test_500_roles_are_read_with_the_documented_policy_and_few_calls(session: boto3.Session) -> None:
    sent = calls_of(session)
    account = from_session(session)
    check(account)
    assert account.gaps.keys() <= {
        "organization", "RoleLastUsed", "instances outside us-east-1", "unnamed identity providers",
    }  # fmt: skip
    assert sorted(sent) == [
        "DescribeInstances",
        "DescribeOrganization",
        "GetAccountAuthorizationDetails",
        "GetOpenIDConnectProvider",
        "ListRoles",
    ]
    assert len(sent) <= ROLES // 100


def test_throttling_is_waited_out(session: boto3.Session) -> None:
    refused = refuse(session, "GetAccountAuthorizationDetails", "Throttling", times=2)
    check(from_session(session))
    assert refused == [0, 1]


@pytest.mark.parametrize("session", ["novice"], indirect=True)
def test_what_is_denied_becomes_a_gap(session: boto3.Session) -> None:
    account = from_session(session, regions=None)
    assert len(account.roles) == ROLES
    assert account.gaps["MaxSessionDuration"] == "AccessDenied at ListRoles"
    assert account.gaps["identity providers"] == "AccessDenied at GetOpenIDConnectProvider"
    assert account.gaps["instances"] == "UnauthorizedOperation at DescribeInstances"
    assert account.gaps["instances outside us-east-1"] == "UnauthorizedOperation at DescribeRegions"
    assert account.gaps["organization"].startswith("AccessDenied")


def test_an_interrupted_run_goes_on(session: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    kept = tmp_path / "kept"
    refuse(session, "GetAccountAuthorizationDetails", "Throttling")
    with pytest.raises(
        AwsUnavailableError, match="cannot read the account: Throttling at GetAccountAuthorizationDetails"
    ):
        from_session(session, keep=kept)
    with pytest.raises(InputError, match=r"not an export|holds no export"):
        load(f"export:{kept}")
    sent = calls_of(session)
    account = from_session(session, keep=kept)
    check(account)
    assert "GetAccountAuthorizationDetails" in sent
    assert "ListRoles" not in sent
    assert load(f"export:{kept}") == replace(account, gaps=load(f"export:{kept}").gaps)
    del sent[:]
    check(from_session(session, keep=kept))
    assert "ListRoles" in sent


def test_a_step_goes_on_at_the_page_where_it_was_interrupted(
    session: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    step = Step("roles", "iam", "list_roles", "Marker", "MaxItems")
    refused = refuse(session, "ListRoles", "Throttling", after=2, times=2)
    calls = Calls(session, page_size=200)
    keep = Keep(tmp_path, "111122223333")
    with pytest.raises(ClientError, match="Throttling"):
        calls.pages(step, keep)
    with pytest.raises(ClientError, match="Throttling"):
        calls.pages(step, Keep(tmp_path, "111122223333"))
    assert refused == [2, 3]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["roles-0000.json", "roles-0001.json"]
    sent = calls_of(session)
    pages = Calls(session, page_size=200).pages(step, Keep(tmp_path, "111122223333"))
    assert sent == ["ListRoles"]
    names = [role["RoleName"] for page in pages for role in json.loads(page)["Roles"]]
    assert sorted(names) == [f"role-{number:03}" for number in range(ROLES)]
    assert Calls(session).pages(step, Keep(tmp_path, "111122223333")) == pages
    assert sent == ["ListRoles"]


def test_a_token_that_aws_no_longer_knows_begins_the_step_anew(session: boto3.Session, tmp_path: Path) -> None:
    step = Step("roles", "iam", "list_roles", "Marker", "MaxItems")
    Keep(tmp_path, "111122223333").add("roles", '{"Roles": []}', "gone")
    refused = refuse(session, "ListRoles", "ValidationError")
    pages = Calls(session).pages(step, Keep(tmp_path, "111122223333"))
    assert refused == [0]
    assert [len(json.loads(page)["Roles"]) for page in pages] == [ROLES]
    refuse(session, "ListSAMLProviders", "ValidationError")
    with pytest.raises(ClientError, match="ValidationError"):
        Calls(session).pages(Step("saml", "iam", "list_saml_providers"), Keep(tmp_path, "111122223333"))
