"""An account as an export, a template or a plan tells it, in the simulated cloud."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.account import Account, load
from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.errors import ConfigurationError

EXAMPLES = Path(__file__).parents[3] / "examples"
HOME = "111122223333"


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _account(account: str, *pages: dict[str, Any], **lists: Any) -> Account:
    """Make an account of the parts of an export, which name themselves and leave the rest to this."""
    page: dict[str, Any] = {"RoleDetailList": [], "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    for name, entries in lists.items():
        page[name] = [{"Path": "/", "CreateDate": "2024-01-01T00:00:00Z", **entry} for entry in entries]
    builder = AccountBuilder("test")
    for one in (page, *pages):
        builder.add_text(json.dumps(one), None)
    return builder.build()


def _role(account: str, name: str, trust: dict[str, Any] = EC2, **more: Any) -> dict[str, Any]:
    return {
        "RoleName": name,
        "RoleId": "",
        "Arn": f"arn:aws:iam::{account}:role/{name}",
        "AssumeRolePolicyDocument": _document(trust),
        **more,
    }


def test_instances_keep_their_ids_and_answer_as_they_are_set() -> None:
    profile = {
        "InstanceProfileName": "web",
        "InstanceProfileId": "AIPAEXAMPLE",
        "Arn": f"arn:aws:iam::{HOME}:instance-profile/web",
        "Path": "/",
        "Roles": [_role(HOME, "web")],
    }
    listing = {
        "Reservations": [
            {
                "Instances": [
                    {
                        "InstanceId": f"i-0000000000000000{number}",
                        "State": {"Name": state},
                        "Placement": {"AvailabilityZone": f"{region}a"},
                        "IamInstanceProfile": {"Arn": profile["Arn"]},
                        "MetadataOptions": {
                            "HttpTokens": tokens,
                            "HttpPutResponseHopLimit": 2,
                            "HttpEndpoint": "enabled",
                        },
                    }
                    for number, (state, tokens, region) in enumerate(
                        [
                            ("running", "required", "eu-west-1"),
                            ("stopped", "optional", "eu-west-1"),
                            ("terminated", "optional", "eu-west-1"),
                            ("running", "optional", "us-east-1"),
                        ]
                    )
                ]
            }
        ]
    }
    role = _role(HOME, "web", InstanceProfileList=[profile])
    account = _account(HOME, listing, RoleDetailList=[role])
    with Cloud(account=HOME, region="eu-west-1", world="empty") as cloud:
        loaded = cloud.load(account)
        assert [one.instance_id for one in cloud.instances] == ["i-00000000000000000", "i-00000000000000001"]
        assert [one.running() for one in cloud.instances] == [True, False]
        first = cloud.instance("i-00000000000000000")
        assert (first.options().http_tokens, first.options().http_put_response_hop_limit) == ("required", 2)
        assert first.credentials("2.0").access_key_id.startswith("ASIA")
        request = urllib.request.Request(
            f"{first.metadata_url}/latest/api/token",
            method="PUT",
            headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"},
        )
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        reasons = [str(one) for one in loaded.left_out if ":instance/" in one.what]
        assert ["is terminated" in reasons[0], "in us-east-1" in reasons[1]] == [True, True]


def test_several_accounts_meet_in_one_cloud() -> None:
    vendor = "444455556666"
    trusting = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{vendor}:user/bot"}, "Action": "sts:AssumeRole"}
    bot = {
        "UserName": "bot",
        "UserId": "AIDAEXAMPLEBOT",
        "Arn": f"arn:aws:iam::{vendor}:user/bot",
        "UserPolicyList": [{"PolicyName": "All", "PolicyDocument": _document(ANY)}],
    }
    with Cloud(account=HOME, world="empty") as cloud:
        cloud.load(_account(HOME, RoleDetailList=[_role(HOME, "shared", trusting)]))
        cloud.load(_account(vendor, UserDetailList=[bot]))
        iam = cloud.client("iam", cloud.administrator(vendor))
        assert iam.get_user(UserName="bot")["User"]["UserId"] == "AIDAEXAMPLEBOT"
        key = iam.create_access_key(UserName="bot")["AccessKey"]
        sts = cloud.admin.session().client(
            "sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        answer = sts.assume_role(RoleArn=cloud.role_arn("shared"), RoleSessionName="stsguard")
        assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{HOME}:assumed-role/shared/stsguard"


def test_what_is_missing_or_doubtful_is_said_of_whom_it_concerns() -> None:
    broken = {"Effect": "Allow", "Action": [{"stsguard:unknown": "parameter `Actions`"}], "Resource": "*"}
    roles = [
        _role(HOME, "twin", RoleId="AROATWIN"),
        _role(
            HOME,
            "other",
            RoleId="AROATWIN",
            AttachedManagedPolicies=[
                {"PolicyName": "Gone", "PolicyArn": f"arn:aws:iam::{HOME}:policy/Gone"},
                {"PolicyName": "ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
                {"PolicyName": "Never", "PolicyArn": "arn:aws:iam::aws:policy/NeverWas"},
            ],
            PermissionsBoundary={
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": f"arn:aws:iam::{HOME}:policy/Fence",
            },
        ),
        _role(HOME, "unknown", RolePolicyList=[{"PolicyName": "Own", "PolicyDocument": _document(broken)}]),
    ]
    with Cloud(account=HOME, world="empty") as cloud:
        loaded = cloud.load(_account(HOME, RoleDetailList=roles))
        reasons = loaded.doubts(f"arn:aws:iam::{HOME}:role/other")
        assert [any(part in reason for reason in reasons) for part in ("Gone", "NeverWas", "Fence", "AROATWIN")] == [
            True
        ] * 4
        assert not any("ReadOnlyAccess" in reason for reason in reasons)
        assert len(loaded.arns) == 3
        assert "parameter `Actions`" in str(loaded.doubts(f"arn:aws:iam::{HOME}:role/unknown"))
        # What hinges on the unknown is refused by name: neither allowed nor denied.
        cloud.client("iam").update_assume_role_policy(
            RoleName="unknown",
            PolicyDocument=json.dumps(
                _document(
                    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"}, "Action": "sts:AssumeRole"}
                )
            ),
        )
        sts = cloud.client("sts")
        answer = sts.assume_role(RoleArn=cloud.role_arn("unknown"), RoleSessionName="stsguard")
        thief = cloud.credentials_of(answer["Credentials"])
        with pytest.raises(ClientError) as refused:
            cloud.client("s3", thief).list_buckets()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_templates_and_plans_load_too() -> None:
    for target in (f"cfn:{EXAMPLES / 'stack.yaml'}", f"tfplan:{EXAMPLES / 'plan.json'}"):
        account = load(target, account=HOME)
        with Cloud(account=HOME, world="empty") as cloud:
            loaded = cloud.load(account)
            there = [role.name for role in account.roles if role.arn in loaded.arns]
            assert there
            page = cloud.client("iam").list_roles()["Roles"]
            assert {role["RoleName"] for role in page} == set(there)
            for name in there:
                for policy in cloud.client("iam").list_role_policies(RoleName=name)["PolicyNames"]:
                    cloud.client("iam").get_role_policy(RoleName=name, PolicyName=policy)


def test_an_account_of_another_partition_is_refused() -> None:
    account = replace(_account(HOME, RoleDetailList=[_role(HOME, "any")]), partition="aws-cn")
    with Cloud(world="empty") as cloud, pytest.raises(ConfigurationError, match="only `aws` is simulated"):
        cloud.load(account)


def test_an_open_id_provider_is_known_and_answers_when_its_issuer_is_started() -> None:
    issuer = "token.actions.githubusercontent.com"
    arn = f"arn:aws:iam::{HOME}:oidc-provider/{issuer}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}},
    }
    listing = {"OpenIDConnectProviderList": [{"Arn": arn}]}
    details = {"Arn": arn, "Url": issuer, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []}
    account = _account(HOME, listing, details, RoleDetailList=[_role(HOME, "ci", trust)])
    with Cloud(account=HOME, world="empty") as cloud:
        loaded = cloud.load(account)
        assert arn in loaded.arns
        provider = cloud.oidc_provider("github", register=False)
        answer = cloud.client("sts").assume_role_with_web_identity(
            RoleArn=cloud.role_arn("ci"), RoleSessionName="ci", WebIdentityToken=provider.token()
        )
        assert answer["Provider"] == arn


def test_what_is_loaded_twice_is_there_once_and_what_is_askew_is_left_out() -> None:
    saml = f"arn:aws:iam::{HOME}:saml-provider/Okta"
    issuer = f"arn:aws:iam::{HOME}:oidc-provider/idp.example.com"
    profile = {
        "InstanceProfileName": "web",
        "Arn": f"arn:aws:iam::{HOME}:instance-profile/web",
        "Path": "/",
        "Roles": [_role(HOME, "gone")],
    }
    group = {"GroupName": "staff", "Arn": f"arn:aws:iam::{HOME}:group/staff"}
    member = {"UserName": "ann", "Arn": f"arn:aws:iam::{HOME}:user/ann", "GroupList": ["staff", "lost"]}
    document = _document(ANY)
    version = {"VersionId": "v3", "IsDefaultVersion": True, "Document": document}
    policies = [
        {"PolicyName": name, "Arn": f"arn:aws:iam::{HOME}:policy/{told}", "PolicyVersionList": versions}
        for name, told, versions in (
            ("Own", "Own", [version]),
            ("Askew", "Elsewhere/Askew", [version]),
            ("Bare", "Bare", []),
        )
    ]
    account = _account(
        HOME,
        {"SAMLProviderList": [{"Arn": saml}]},
        {"OpenIDConnectProviderList": [{"Arn": issuer}]},
        {"Arn": issuer, "Url": "idp.example.com", "ClientIDList": ["app"], "ThumbprintList": []},
        RoleDetailList=[
            _role(HOME, "web", InstanceProfileList=[profile]),
            _role(HOME, "askew") | {"Arn": f"arn:aws:iam::{HOME}:role/deep/askew"},
            {**_role(HOME, "silent"), "AssumeRolePolicyDocument": None},
        ],
        GroupDetailList=[group],
        UserDetailList=[member],
        Policies=policies,
    )
    with Cloud(account=HOME, world="empty") as cloud:
        loaded = cloud.load(account)
        told = {one.what.rpartition("/")[2]: (one.whole, one.reason) for one in loaded.left_out}
        assert told["Okta"][1].startswith("the source does not hold its metadata")
        assert told["web"] == (False, "its role `gone` was not loaded")
        assert told["ann"] == (False, "its group `lost` is not in the source")
        assert told["Askew"] == (True, "its ARN does not go with its path and name")
        assert told["Bare"] == (True, "the source does not hold the version that is in force")
        assert told["askew"] == (True, "its ARN does not go with its account, path and name")
        assert told["silent"] == (True, "the source does not hold its trust policy")
        again = cloud.load(account)
        assert again.arns == []
        twice = {one.what.rpartition("/")[2] for one in again.left_out if "there already" in one.reason}
        assert twice == {"Own", "ann", "idp.example.com", "staff", "web"}
        made = cloud.client("iam").create_policy_version(
            PolicyArn=f"arn:aws:iam::{HOME}:policy/Own", PolicyDocument=json.dumps(document)
        )
        assert made["PolicyVersion"]["VersionId"] == "v4"


def test_inline_policies_of_a_plan_have_names_that_iam_takes() -> None:
    account = _account(
        HOME,
        RoleDetailList=[_role(HOME, "app", RolePolicyList=[{"PolicyName": "a", "PolicyDocument": _document(ANY)}])],
    )
    (role,) = account.roles
    (document,) = role.inline
    named = tuple(
        replace(document, name=name) for name in ("aws_iam_role_policy.x: logs", "aws_iam_role_policy.y: logs", "a b")
    )
    moved = replace(account, roles=(replace(role, inline=named),))
    with Cloud(account=HOME, world="empty") as cloud:
        cloud.load(moved)
        names = cloud.client("iam").list_role_policies(RoleName="app")["PolicyNames"]
        assert names == ["logs", "logs-2", "a_b"]
