"""`stsguard policy`: each use works under exactly that policy, and under nothing less."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from pytest_stsguard.account import from_session
from pytest_stsguard.cli.policy import policy
from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError
from pytest_stsguard.revocation import Change, Plan, Setting, older_sessions_document, revoke, runner_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials

ROLE, USER, RUNNER, MEMBER = "A4L-DataRole", "a4l-developer", "runner", "999900001111"
METHODS = {
    "older-sessions": {},
    "one-session": {"session_name": "thief"},
    "source-identity": {"source_identity": "mallory"},
    "principal-tag": {"tag_key": "team", "tag_value": "red"},
    "deny-all": {},
    "boundary": {},
    "user-sessions": {},
    "deactivate-key": {},
}


class RefusedError(Exception):
    """Something that the use needs was denied."""


@pytest.fixture
def runner(sts_cloud: Cloud) -> Credentials:
    sts_cloud.client("iam").create_user(UserName=RUNNER)
    return sts_cloud.user_credentials(RUNNER)


def printed(cloud: Cloud, use: str, *arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(policy, [use, "--account", cloud.account, *arguments], standalone_mode=False)
    assert done.exception is None
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def check_least(cloud: Cloud, document: dict[str, Any], use: Callable[[], None], *more: Any) -> None:
    """Carry out the use under the policy, then without each of its statements; `more` administer runners elsewhere."""

    def may(statements: list[Any]) -> None:
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        for iam in (cloud.client("iam"), *more):
            iam.put_user_policy(UserName=RUNNER, PolicyName="least", PolicyDocument=text)

    statements = document["Statement"]
    may(statements)
    use()
    for dropped in statements:
        may([one for one in statements if one is not dropped])
        with pytest.raises(RefusedError):
            use()


def test_denial_from_above_under_exactly_its_policy(sts_cloud: Cloud, runner: Credentials) -> None:
    """The role is of a member account, where its runner finds it; the policy is written above it."""
    organization(sts_cloud)
    iam, above = sts_cloud.administrator(MEMBER).session().client("iam"), runner.session()
    iam.create_user(UserName=RUNNER)
    trust = {"Effect": "Allow", "Principal": {"AWS": MEMBER}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": trust})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=text)
    key = iam.create_access_key(UserName=RUNNER)["AccessKey"]
    names = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    below = boto3.Session(region_name=sts_cloud.region, **names)

    def use() -> None:
        strike_policies(sts_cloud)
        try:
            revoke(
                below.client("iam"),
                ROLE,
                method="scp",
                clock=SimulatedClock(),
                clients=lambda service: (above if service == "organizations" else below).client(service),
            ).remove()
        except ClientError as error:
            raise RefusedError from error

    check_least(sts_cloud, runner_policy("revoke", method="scp"), use, iam)


@pytest.mark.parametrize("method", METHODS)
def test_revoke_and_take_back_under_exactly_its_policy(sts_cloud: Cloud, runner: Credentials, method: str) -> None:
    key = sts_cloud.user_credentials(USER)
    target = USER if method in {"user-sessions", "deactivate-key"} else ROLE
    session = runner.session()

    def use() -> None:
        restore(sts_cloud, key.access_key_id)
        try:
            revoke(
                session.client("iam"),
                target,
                method=method,
                clock=SimulatedClock(),
                clients=session.client,
                **METHODS[method],
            ).remove()
        except ClientError as error:
            raise RefusedError from error

    check_least(sts_cloud, printed(sts_cloud, "revoke", "--method", method), use)


def organization(cloud: Cloud) -> None:
    """Make an organisation whose policies count."""
    organizations = cloud.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    with suppress(organizations.exceptions.PolicyTypeAlreadyEnabledException):
        organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")


def strike_policies(cloud: Cloud) -> None:
    """Take back the service control policies that a broken run has left."""
    organizations = cloud.client("organizations")
    for one in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
        if not one["AwsManaged"]:
            for target in organizations.list_targets_for_policy(PolicyId=one["Id"])["Targets"]:
                organizations.detach_policy(PolicyId=one["Id"], TargetId=target["TargetId"])
            organizations.delete_policy(PolicyId=one["Id"])


def restore(cloud: Cloud, key: str) -> None:
    """Take back what a broken run has left."""
    iam = cloud.client("iam")
    for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        if name != f"{ROLE}Access":
            iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    for name in iam.list_user_policies(UserName=USER)["PolicyNames"]:
        iam.delete_user_policy(UserName=USER, PolicyName=name)
    iam.delete_role_permissions_boundary(RoleName=ROLE)
    for one in iam.list_policies(Scope="Local")["Policies"]:
        iam.delete_policy(PolicyArn=one["Arn"])
    iam.update_access_key(UserName=USER, AccessKeyId=key, Status="Active")


def test_cleanup_under_exactly_its_policy(sts_cloud: Cloud, runner: Credentials) -> None:
    iam, session = sts_cloud.client("iam"), runner.session()
    document = older_sessions_document(sts_cloud.clock.now())
    arn = iam.create_policy(PolicyName="revoke", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    changes = [
        Change(Setting(f"{kind}-{how}", {kind: name, **where}), before, None)
        for kind, name in (("role", ROLE), ("user", USER))
        for how, where, before in (("policy", {"name": "revoke"}, document), ("attachment", {"arn": arn}, "attached"))
    ]

    role, user = iam.get_role(RoleName=ROLE)["Role"], iam.get_user(UserName=USER)["User"]

    def use() -> None:
        for change in changes:
            if change.setting.read(sts_cloud.client) is None:
                change.setting.write(sts_cloud.client, change.before)
        try:
            from_session(session)
            for change in changes:
                arn, own = (
                    (role["Arn"], role["RoleId"]) if "role" in change.setting.where else (user["Arn"], user["UserId"])
                )
                Plan("cleanup", "", arn, sts_cloud.clock.now(), (change,), unique_id=own).check_identity(session.client)
                change.make(session.client)
        except (ClientError, AwsUnavailableError) as error:
            raise RefusedError from error

    check_least(sts_cloud, printed(sts_cloud, "cleanup"), use)


def test_audit_reads_all_there_is_under_exactly_its_policy(sts_cloud: Cloud, runner: Credentials) -> None:
    session = runner.session()
    provider = sts_cloud.oidc_provider("github")
    trust = {"Effect": "Allow", "Principal": {"Federated": provider.arn}, "Action": "sts:AssumeRoleWithWebIdentity"}
    text = json.dumps({"Version": "2012-10-17", "Statement": trust})
    sts_cloud.client("iam").create_role(RoleName="ci", AssumeRolePolicyDocument=text)

    def use() -> None:
        try:
            account = from_session(session)
        except AwsUnavailableError as error:
            raise RefusedError from error
        if any("AccessDenied" in reason or "Unauthorized" in reason for reason in account.gaps.values()):
            raise RefusedError

    check_least(sts_cloud, printed(sts_cloud, "audit"), use)


@pytest.mark.parametrize(
    ("use", "settings", "words"),
    [
        ("revoke", {"method": "delete-role"}, "no way to contain"),
        ("revoke", {"method": "hope"}, "is no method"),
        ("party", {}, "unknown use `party`"),
    ],
)
def test_policy_for_what_nobody_should_do_is_refused(use: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        runner_policy(use, **settings)


def test_policy_ends_when_it_was_said_to(sts_cloud: Cloud, runner: Credentials) -> None:
    document = printed(sts_cloud, "drill", "--hours", "2")
    text = json.dumps(document)
    sts_cloud.client("iam").put_user_policy(UserName=RUNNER, PolicyName="least", PolicyDocument=text)
    iam = runner.session().client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": sts_cloud.account}, "Action": "sts:AssumeRole"}
    more = {
        "Path": "/stsguard-drill/",
        "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": trust}),
    }
    iam.create_role(RoleName="in-time", **more)
    sts_cloud.clock.advance(2 * 3600)
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.create_role(RoleName="too-late", **more)


def test_drill_on_a_role_that_exists_under_exactly_its_policy(sts_cloud: Cloud, runner: Credentials) -> None:
    from pytest_stsguard.drill import load_scenario, play
    from pytest_stsguard.drill.access import Access, check_role
    from pytest_stsguard.drill.kill_switch import KillSwitch
    from pytest_stsguard.drill.live import LiveAccount

    iam, scenario = sts_cloud.client("iam"), load_scenario("early-removal")
    trust = {"Effect": "Allow", "Principal": {"AWS": sts_cloud.account}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": trust})
    tags = [{"Key": "stsguard-drill", "Value": "allowed"}]
    arn = iam.create_role(RoleName="mine", AssumeRolePolicyDocument=text, Tags=tags)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="mine", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    document = printed(sts_cloud, "drill", "--role", arn)
    named = [
        one for one in document["Statement"] if one["Resource"] in ([arn], ["*"]) and "organizations" not in str(one)
    ]

    def use() -> None:
        for name in iam.list_role_policies(RoleName="mine")["PolicyNames"]:
            iam.delete_role_policy(RoleName="mine", PolicyName=name)
        try:
            access = Access.open(runner.session())
            check_role(access, "mine", now=sts_cloud.clock.now())
        except ClientError as error:
            raise RefusedError from error
        ground = LiveAccount(
            access, scenario, clock=sts_cloud.clock, switch=KillSwitch(), journal=None, propagation=0.0
        )
        result = play(scenario, ground, given={"drill-data": "mine"})
        if not result.passed:
            raise RefusedError(result.failures)

    check_least(sts_cloud, {"Statement": named}, use)


def test_account_in_the_arns_is_an_account() -> None:
    done = CliRunner().invoke(policy, ["revoke", "--account", "mine"], standalone_mode=False)
    assert isinstance(done.exception, ConfigurationError)
