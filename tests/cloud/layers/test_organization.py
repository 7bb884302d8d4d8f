"""Service and resource control policies bind the members of the organisation, level by level, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Accounts = Any  # the class of conftest.py

MEMBER = "222233334444"
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
FULL = "p-FullAWSAccess"
NO_LISTING = {"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
NO_KEYS = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


class Organized:
    """The organisation of the two accounts: the member is in a unit."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.client = accounts.client("organizations")
        self.id = self.client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        self.root = self.client.list_roots()["Roots"][0]["Id"]
        unit = self.client.create_organizational_unit(ParentId=self.root, Name="workloads")
        self.unit = unit["OrganizationalUnit"]["Id"]
        self.client.move_account(AccountId=MEMBER, SourceParentId=self.root, DestinationParentId=self.unit)
        self.client.enable_policy_type(RootId=self.root, PolicyType=RCP)
        self.attached: list[tuple[str, str]] = []
        self.detached: list[str] = []

    def attach(self, target: str, *statements: dict[str, Any], kind: str = SCP) -> str:
        accounts = self.accounts
        name = f"made-{len(self.client.list_policies(Filter=kind)['Policies'])}-{kind[0]}"
        made = self.client.create_policy(Name=name, Type=kind, Description="d", Content=accounts.document(*statements))
        policy = str(made["Policy"]["PolicySummary"]["Id"])
        self.client.attach_policy(PolicyId=policy, TargetId=target)
        self.attached.append((policy, target))
        return policy

    def detach_full_access(self, target: str) -> None:
        self.client.detach_policy(PolicyId=FULL, TargetId=target)
        self.detached.append(target)

    def restore(self) -> None:
        for target in self.detached:
            self.client.attach_policy(PolicyId=FULL, TargetId=target)
        for policy, target in self.attached:
            self.client.detach_policy(PolicyId=policy, TargetId=target)
        self.attached, self.detached = [], []


@pytest.fixture(scope="module")
def organized(accounts: Accounts) -> Organized:
    return Organized(accounts)


@pytest.fixture
def organization(organized: Organized) -> Iterator[Organized]:
    yield organized
    organized.restore()


@pytest.mark.parametrize("level", ["root", "unit", "account"])
def test_denial_at_any_level_binds_the_members_principals(organization: Organized, level: str) -> None:
    accounts = organization.accounts
    s3 = accounts.client("s3", accounts.member_admin)
    s3.list_buckets()
    target = {"root": organization.root, "unit": organization.unit, "account": MEMBER}[level]
    policy = organization.attach(target, NO_LISTING)
    text = accounts.message_of(s3.list_buckets)
    assert text.endswith("with an explicit deny in a service control policy")
    assert accounts.client("s3").list_buckets()["Buckets"] == []  # the management account is spared
    organization.client.detach_policy(PolicyId=policy, TargetId=target)
    organization.attached.clear()
    s3.list_buckets()


@pytest.mark.parametrize("level", ["root", "unit", "account"])
def test_every_level_must_allow(organization: Organized, level: str) -> None:
    target = {"root": organization.root, "unit": organization.unit, "account": MEMBER}[level]
    organization.attach(target, {"Effect": "Allow", "Action": ["iam:*", "sts:*"], "Resource": "*"})
    organization.detach_full_access(target)
    accounts = organization.accounts
    accounts.client("iam", accounts.member_admin).list_roles()
    text = accounts.message_of(accounts.client("s3", accounts.member_admin).list_buckets)
    assert text.endswith("because no service control policy allows the s3:ListAllMyBuckets action")


def test_members_root_user_is_bound_too(organization: Organized) -> None:
    organization.attach(MEMBER, NO_LISTING)
    accounts = organization.accounts
    cloud = accounts.cloud
    assert accounts.code_of(cloud.client("s3", cloud.root(MEMBER)).list_buckets) == "AccessDenied"
    cloud.client("s3", cloud.root()).list_buckets()


def test_service_linked_role_is_spared(organization: Organized) -> None:
    accounts = organization.accounts
    iam = accounts.client("iam", accounts.member_admin)
    made = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    organization.attach(MEMBER, {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"})
    sts = accounts.client("sts", accounts.member_admin)
    denied = accounts.code_of(sts.assume_role, RoleArn=made["Arn"], RoleSessionName="thief")
    assert denied == "AccessDenied"
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.permissions import Permission

    arn = made["Arn"]
    linked = Caller("role", arn, made["RoleId"], MEMBER, made["RoleId"], made["RoleName"])
    authorizer = accounts.cloud.tokens.authorizer
    decision = authorizer.decide(linked, Permission("sts:AssumeRole", arn), {})
    assert "service control policy" not in decision.reason()


def test_stolen_session_of_a_member_dies_and_its_thief_cannot_help_it(organization: Organized) -> None:
    accounts = organization.accounts
    role = accounts.role("workload")
    stolen = accounts.session(role)
    accounts.client("s3", stolen).list_buckets()
    organization.attach(
        MEMBER,
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnEquals": {"aws:PrincipalArn": role}}},
    )
    policy, _ = organization.attached[-1]
    assert accounts.code_of(accounts.client("s3", stolen).list_buckets) == "AccessDenied"
    assert accounts.code_of(accounts.client("iam", stolen).delete_role_policy, RoleName="workload", PolicyName="own")
    detach = accounts.client("organizations", stolen).detach_policy
    assert accounts.code_of(detach, PolicyId=policy, TargetId=MEMBER) == "AccessDeniedException"
    accounts.client("s3", accounts.member_admin).list_buckets()


def test_resource_control_policy_binds_the_members_resources_whoever_calls(organization: Organized) -> None:
    accounts = organization.accounts
    owner = accounts.client("s3", accounts.member_admin)
    owner.create_bucket(Bucket="rcp-box")
    owner.put_object(Bucket="rcp-box", Key="k", Body=b"x")
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{accounts.home}:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::rcp-box/*",
    }
    owner.put_bucket_policy(Bucket="rcp-box", Policy=accounts.document(allow))
    accounts.client("s3").get_object(Bucket="rcp-box", Key="k")
    policy = organization.attach(organization.unit, NO_KEYS, kind=RCP)
    for s3 in (owner, accounts.client("s3")):
        text = accounts.message_of(s3.get_object, Bucket="rcp-box", Key="k")
        assert text.endswith("with an explicit deny in a resource control policy")
    organization.client.detach_policy(PolicyId=policy, TargetId=organization.unit)
    organization.attached.clear()
    organization.attach(organization.root, NO_KEYS, kind=RCP)
    home = accounts.client("s3")
    home.create_bucket(Bucket="management-box")
    home.put_object(Bucket="management-box", Key="k", Body=b"x")
    home.get_object(Bucket="management-box", Key="k")


def test_resource_control_policy_on_assuming(organization: Organized) -> None:
    accounts = organization.accounts
    role = accounts.role("guarded")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": role}
    organization.attach(MEMBER, deny, kind=RCP)
    with pytest.raises(ClientError, match="explicit deny in a resource control policy"):
        accounts.session(role)


def test_paths_and_ids_reach_conditions(organization: Organized) -> None:
    accounts = organization.accounts
    path = f"{organization.id}/{organization.root}/{organization.unit}/"
    owner = accounts.client("s3")
    owner.create_bucket(Bucket="org-box")
    owner.put_object(Bucket="org-box", Key="k", Body=b"x")
    reader = accounts.client(
        "s3",
        accounts.user(
            "reader",
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"aws:ResourceOrgID": organization.id},
                    "ForAnyValue:StringEquals": {"aws:ResourceOrgPaths": f"{organization.id}/{organization.root}/"},
                },
            },
        ),
    )
    for condition, admitted in (
        ({"StringEquals": {"aws:PrincipalOrgID": organization.id}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-other00000"}}, False),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": path}}, True),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{organization.id}/*/ou-elsewhere/*"}}, False),
    ):
        allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::org-box/*"}
        owner.put_bucket_policy(Bucket="org-box", Policy=accounts.document({**allow, "Condition": condition}))
        if admitted:
            assert reader.get_object(Bucket="org-box", Key="k")["Body"].read() == b"x"
        else:
            assert accounts.code_of(reader.get_object, Bucket="org-box", Key="k") == "AccessDenied"


def test_policies_that_are_switched_off_do_nothing(organization: Organized) -> None:
    organization.attach(MEMBER, NO_LISTING)
    accounts = organization.accounts
    s3 = accounts.client("s3", accounts.member_admin)
    assert accounts.code_of(s3.list_buckets) == "AccessDenied"
    organization.client.disable_policy_type(RootId=organization.root, PolicyType=SCP)
    s3.list_buckets()
    policy, target = organization.attached.pop()
    attach = organization.client.attach_policy
    assert accounts.code_of(attach, PolicyId=policy, TargetId=target) == "PolicyTypeNotEnabledException"
    organization.client.enable_policy_type(RootId=organization.root, PolicyType=SCP)
    held = organization.client.list_policies_for_target(TargetId=MEMBER, Filter=SCP)["Policies"]
    assert [each["Name"] for each in held] == ["FullAWSAccess"]


def test_what_organizations_refuses(organization: Organized) -> None:
    client, accounts = organization.client, organization.accounts
    refused = accounts.code_of(client.detach_policy, PolicyId=FULL, TargetId=organization.unit)
    assert refused == "ConstraintViolationException"
    refused = accounts.code_of(client.detach_policy, PolicyId="p-RCPFullAWSAccess", TargetId=organization.unit)
    assert refused == "ConstraintViolationException"
    for kind, statement in ((SCP, {**ALLOW_ALL, "Principal": "*"}), (RCP, {**ALLOW_ALL, "Principal": "*"})):
        refused = accounts.code_of(
            client.create_policy, Name="bad", Type=kind, Description="d", Content=accounts.document(statement)
        )
        assert refused == "MalformedPolicyDocumentException"


def test_no_account_comes_that_nobody_opened(organization: Organized) -> None:
    listed = {each["Id"] for each in organization.client.list_accounts()["Accounts"]}
    assert listed == {organization.accounts.home, MEMBER}
    made = organization.client.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]
    cloud = organization.accounts.cloud
    entered = cloud.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{made['AccountId']}:role/OrganizationAccountAccessRole", RoleSessionName="entered"
    )
    cloud.credentials_of(entered["Credentials"]).session().client("s3").create_bucket(Bucket="of-the-new-account")
    cloud.administrator("333344445555")
    listed = {each["Id"] for each in organization.client.list_accounts()["Accounts"]}
    assert listed == {organization.accounts.home, MEMBER, made["AccountId"], "333344445555"}


def test_policy_simulator_knows_the_organisation(organization: Organized) -> None:
    accounts = organization.accounts
    accounts.user("simulated", ALLOW_ALL)
    iam = accounts.client("iam", accounts.member_admin)
    arn = f"arn:aws:iam::{MEMBER}:user/simulated"
    asked = {"PolicySourceArn": arn, "ActionNames": ["s3:ListAllMyBuckets"]}
    (before,) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert before["EvalDecision"] == "allowed"
    assert before["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    organization.attach(organization.unit, NO_LISTING)
    (after,) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert after["EvalDecision"] == "explicitDeny"
    assert after["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
