"""Makes examples/account.json: the export of an imperfect account, the same in every run.

Every fault in it is one that real accounts have; names, ids and dates are made up. Ages and states are meant as of
2026-11-20, from midnight to noon UTC. Run it to write the file anew.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ACCOUNT = "111122223333"
ORGANIZATION = "o-a1b2c3d4e5"
PARTNER = "444455556666"
STRANGER = "777788889999"
TARGET = Path(__file__).parents[2] / "examples" / "account.json"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_GITHUB = "token.actions.githubusercontent.com"

Json = dict[str, Any]


class Maker:
    """Makes details with ids and dates from one seeded source."""

    def __init__(self, seed: int = 20261120) -> None:
        self.random = random.Random(seed)

    def id(self, prefix: str) -> str:
        return prefix + "".join(self.random.choices(_ALPHABET, k=17))

    def date(self, *, first: int = 2019, last: int = 2025) -> str:
        start = datetime(first, 1, 7, tzinfo=UTC)
        span = int((datetime(last, 12, 20, tzinfo=UTC) - start).total_seconds())
        return (start + timedelta(seconds=self.random.randrange(span))).isoformat()

    def used(self) -> str:
        moment = datetime(2026, 11, 19, 22, tzinfo=UTC) - timedelta(minutes=self.random.randrange(60 * 24 * 21))
        return moment.isoformat()

    def role(self, name: str, trust: Json | list[Json], **options: Any) -> Json:
        """Make a role. Options: path, inline, attached, boundary, tags, used (a date, None for never), profile."""
        path = options.get("path", "/")
        arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
        created, used = self.date(), options.get("used", self.used())
        role: Json = {
            "Path": path,
            "RoleName": name,
            "RoleId": self.id("AROA"),
            "Arn": arn,
            "CreateDate": created,
            "AssumeRolePolicyDocument": document(*(trust if isinstance(trust, list) else [trust])),
            "InstanceProfileList": [],
            "RolePolicyList": [
                {"PolicyName": label, "PolicyDocument": policy} for label, policy in options.get("inline", {}).items()
            ],
            "AttachedManagedPolicies": attached(*options.get("attached", ())),
            "Tags": [{"Key": key, "Value": value} for key, value in options.get("tags", {}).items()],
            "RoleLastUsed": {"LastUsedDate": used, "Region": "us-east-1"} if used else {},
        }
        if options.get("profile"):
            plain = {key: role[key] for key in ("Path", "RoleName", "RoleId", "Arn", "CreateDate")}
            role["InstanceProfileList"].append(
                {
                    "Path": path,
                    "InstanceProfileName": name,
                    "InstanceProfileId": self.id("AIPA"),
                    "Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile{path}{name}",
                    "CreateDate": created,
                    "Roles": [plain | {"AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"]}],
                }
            )
        if "boundary" in options:
            role["PermissionsBoundary"] = boundary(options["boundary"])
        return role

    def user(self, name: str, **options: Any) -> Json:
        user: Json = {
            "Path": "/",
            "UserName": name,
            "UserId": self.id("AIDA"),
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "CreateDate": self.date(),
            "UserPolicyList": [
                {"PolicyName": label, "PolicyDocument": policy} for label, policy in options.get("inline", {}).items()
            ],
            "GroupList": options.get("groups", []),
            "AttachedManagedPolicies": attached(*options.get("attached", ())),
            "Tags": [],
        }
        if "boundary" in options:
            user["PermissionsBoundary"] = boundary(options["boundary"])
        return user

    def group(self, name: str, *policies: str) -> Json:
        return {
            "Path": "/",
            "GroupName": name,
            "GroupId": self.id("AGPA"),
            "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}",
            "CreateDate": self.date(),
            "GroupPolicyList": [],
            "AttachedManagedPolicies": attached(*policies),
        }

    def managed(self, arn: str, *versions: Json, default: int | None = None) -> Json:
        """Make a managed policy; `versions` are oldest first, `default` counts from 1."""
        number, path = default or len(versions), "/service-role/" if "/service-role/" in arn else "/"
        dates = sorted(self.date() for _ in versions)
        return {
            "PolicyName": arn.rpartition("/")[2],
            "PolicyId": self.id("ANPA"),
            "Arn": arn,
            "Path": path,
            "DefaultVersionId": f"v{number}",
            "AttachmentCount": 1,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": dates[0],
            "UpdateDate": dates[-1],
            "PolicyVersionList": [
                {
                    "Document": version,
                    "VersionId": f"v{index}",
                    "IsDefaultVersion": index == number,
                    "CreateDate": dates[index - 1],
                }
                for index, version in reversed(list(enumerate(versions, 1)))
            ],
        }


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def boundary(name: str) -> Json:
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"}


def attached(*policies: str) -> list[Json]:
    """Attach policies: a plain name is the account's own, one that begins with `aws:` is AWS's."""
    return [
        {
            "PolicyName": name.rpartition("/")[2].removeprefix("aws:"),
            "PolicyArn": f"arn:aws:iam::aws:policy/{name[4:]}" if name.startswith("aws:") else own(name),
        }
        for name in policies
    ]


def own(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def arn(resource: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{resource}"


def allow(actions: str | list[str], resources: str | list[str] = "*", **condition: Json) -> Json:
    statement: Json = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def trust(principal: Any, action: Any = "sts:AssumeRole", **condition: Json) -> Json:
    statement: Json = {"Effect": "Allow", "Principal": principal, "Action": action}
    return statement | ({"Condition": condition} if condition else {})


def service(name: str, **condition: Json) -> Json:
    return trust({"Service": f"{name}.amazonaws.com"}, **condition)


def github(**condition: Json) -> Json:
    provider = {"Federated": arn(f"oidc-provider/{_GITHUB}")}
    return trust(provider, "sts:AssumeRoleWithWebIdentity", **condition)


def claims(**values: str) -> Json:
    return {f"{_GITHUB}:{claim}": value for claim, value in values.items()}


def revoked(cutoff: Any, operator: str = "DateLessThan", key: str = "aws:TokenIssueTime", **changes: Any) -> Json:
    """The document that the console writes, or what people have made of it."""
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": {operator: {key: cutoff}}}
    return document(statement | changes)


def read_bucket(name: str) -> Json:
    return document(allow(["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]))


def instance_roles(make: Maker) -> list[Json]:
    """Roles of instances: with what earlier incidents left on them."""
    ec2 = service("ec2")
    leftover = "AWSRevokeOlderSessions"
    reading = {"ReadConfig": read_bucket("acme-config")}

    def role(name: str, **inline: Json) -> Json:
        return make.role(
            name, ec2, inline=reading | inline, attached=["aws:AmazonSSMManagedInstanceCore"], profile=True
        )

    object_form = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2025-08-02T17:03:00Z"}},
        },
    }
    return [
        role("app-server"),
        role("web-tier", **{leftover: revoked("2026-03-14T09:26:53.589Z")}),
        role("batch-worker", **{leftover: object_form}),
        role("report-builder", **{leftover: revoked("2026-11-20T00:00:07.482Z")}),
        role("mail-relay", **{leftover: revoked("2027-06-30T00:00:00.000Z")}),
        role("search-indexer", **{leftover: revoked("2026-09-01T06:00:00Z", "DateGreaterThan")}),
        role("cache-warmer", **{leftover: revoked("2026-10-11T21:47:30.250Z", key="aws:CurrentTime")}),
        role("thumbnailer", **{leftover: revoked("2026-10-12T08:15:00.000Z", Action="s3:*")}),
        role("ledger-sync", **{leftover: revoked("2026-07-19T14:22:41.007Z", "DateLessThanIfExists")}),
        role("legacy-importer", **{"revoke-incident-4711": revoked("1767225600")}),
    ]


def service_roles(make: Maker) -> list[Json]:
    """Roles of AWS services."""
    mine = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    logs = ["aws:service-role/AWSLambdaBasicExecutionRole"]
    pipeline = [allow("iam:PassRole"), allow(["ecs:RegisterTaskDefinition", "ecs:UpdateService"])]
    return [
        make.role("orders-function", service("lambda"), path="/service-role/", attached=logs),
        make.role("orders-task", service("ecs-tasks", **mine), inline={"Orders": read_bucket("acme-orders")}),
        make.role("trail-to-logs", service("cloudtrail"), inline={"Logs": document(allow("logs:PutLogEvents"))}),
        make.role("config-recorder", service("config", **mine), inline={"Record": document(allow("config:Put*"))}),
        make.role("backup-runner", service("backup"), used=None, inline={"Backup": document(allow("backup:*"))}),
        make.role("pipeline", service("codepipeline", **mine), inline={"Deploy": document(*pipeline)}),
        make.role(
            "AWSServiceRoleForSupport",
            service("support"),
            path="/aws-service-role/support.amazonaws.com/",
            used=None,
        ),
    ]


def federated_roles(make: Maker) -> list[Json]:
    """Roles of pipelines and of people who sign in elsewhere."""
    aud = claims(aud="sts.amazonaws.com")
    eks = "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
    pod = {f"{eks}:sub": "system:serviceaccount:shop:cart", f"{eks}:aud": "sts.amazonaws.com"}
    web = "sts:AssumeRoleWithWebIdentity"
    saml = trust({"Federated": arn("saml-provider/Okta")}, "sts:AssumeRoleWithSAML")
    pinned = saml | {"Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}}
    guests = trust({"Federated": "cognito-identity.amazonaws.com"}, web)
    amr = {"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"}}
    deploy = ["DeployApplication"]
    main = claims(sub="repo:acme/shop:ref:refs/heads/main")
    new_form = claims(sub="repo:acme@8675309/cart@24681357:environment:production")
    return [
        make.role("github-deploy-shop", github(StringEquals=aud | main), path="/ci/", attached=deploy),
        make.role("github-deploy-cart", github(StringEquals=aud | new_form), path="/ci/", attached=deploy),
        make.role("github-test", github(StringEquals=aud), path="/ci/"),
        make.role("github-docs", github(StringEquals=aud, StringLike=claims(sub="repo:acme*")), path="/ci/"),
        make.role(
            "github-release", github(StringEquals=aud, StringLikeIfExists=claims(sub="repo:acme/*")), path="/ci/"
        ),
        make.role("github-lint", github(StringLike=claims(sub="repo:acme/shop:*")), path="/ci/"),
        make.role("cart-pod", trust({"Federated": arn(f"oidc-provider/{eks}")}, web, StringEquals=pod)),
        make.role("shop-guests", guests | {"Condition": amr}, inline={"Read": read_bucket("acme-public")}),
        make.role("okta-admin", pinned, attached=["aws:AdministratorAccess"]),
        make.role("okta-readonly", saml, attached=["aws:AmazonS3ReadOnlyAccess"]),
    ]


def account_roles(make: Maker) -> list[Json]:
    """Roles that principals of AWS accounts assume."""
    root = {"AWS": arn("root")}
    external = {"StringEquals": {"sts:ExternalId": "7b1f0c52-9a54-4d0e-8d5b-2f6f6f1f7c11"}}
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    any_account = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/auditor"}}
    organization = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    blue, green = {"AWS": arn("role/blue-operator")}, {"AWS": arn("role/green-operator")}
    not_principal = {"Effect": "Allow", "NotPrincipal": {"AWS": arn("user/contractor")}, "Action": "sts:AssumeRole"}
    unchain = {"TrustAdmin": document(allow(["iam:PutRolePolicy", "iam:DeleteRolePolicy"], arn("role/*")))}
    return [
        make.role("public-demo", trust("*"), inline={"Read": read_bucket("acme-demo")}),
        make.role("shared-auditor", trust({"AWS": "*"}, **any_account), attached=["aws:AmazonS3ReadOnlyAccess"]),
        make.role("org-reader", trust({"AWS": "*"}, **organization), attached=["aws:AmazonS3ReadOnlyAccess"]),
        make.role("team-reader", trust({"AWS": "*"}, StringEquals={"aws:PrincipalTag/team": "data"}), used=None),
        make.role("vendor-monitoring", trust({"AWS": arn("root", PARTNER)}, **external), tags={"vendor": "monitoring"}),
        make.role("vendor-billing", trust({"AWS": arn("role/collector", PARTNER)}), tags={"vendor": "billing"}),
        make.role("migration-2019", trust({"AWS": arn("root", STRANGER)}), used="2024-02-11T10:05:41+00:00"),
        make.role("operator", trust(root), attached=["OperateFleet"]),
        make.role(
            "break-glass", trust({"AWS": arn("user/jane.doe")}, **mfa), attached=["aws:AdministratorAccess"], used=None
        ),
        make.role("support-desk", trust({"AWS": [arn("user/richard.roe"), make.id("AIDA")]})),
        make.role("exports", not_principal),
        make.role("blue-operator", trust(green), inline={"Next": document(allow("sts:AssumeRole", green["AWS"]))}),
        make.role("green-operator", trust(blue), inline={"Next": document(allow("sts:AssumeRole", blue["AWS"]))}),
        make.role("self-renewing", trust({"AWS": [arn("role/self-renewing"), arn("role/ci/github-deploy-shop")]})),
        make.role(
            "deployer",
            trust(root, ArnLike={"aws:PrincipalArn": arn("role/ci/*")}),
            path="/ops/",
            inline=unchain,
            boundary="WorkloadBoundary",
        ),
        make.role(
            "AWSReservedSSO_ReadOnly_0123456789abcdef",
            trust(
                {"Federated": arn("saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE")},
                ["sts:AssumeRoleWithSAML", "sts:TagSession"],
                StringEquals={"SAML:aud": "https://signin.aws.amazon.com/saml"},
            ),
            path="/aws-reserved/sso.amazonaws.com/",
            attached=["aws:AmazonS3ReadOnlyAccess"],
        ),
    ]


def users(make: Maker) -> list[Json]:
    """People and machines with long-term keys."""
    federation = {"Federate": document(allow("sts:GetFederationToken"))}
    revoked_user = {"AWSRevokeOlderSessions": revoked("2026-11-19T15:30:00.000Z")}
    return [
        make.user("jane.doe", groups=["administrators"]),
        make.user("richard.roe", groups=["developers"], boundary="WorkloadBoundary"),
        make.user("contractor", groups=["developers"], inline=revoked_user),
        make.user("upload-portal", inline=federation, attached=["OperateFleet"]),
    ]


def policies(make: Maker) -> list[Json]:
    """The account's own policies, and those of AWS that it uses."""
    ssm = ["ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:OpenControlChannel"]
    logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    s3 = ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"]
    fleet = ["ec2:DescribeInstances", "ec2:StartInstances", "ec2:StopInstances", "ec2:RebootInstances"]
    no_iam = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    tagged = {"StringEquals": {"aws:ResourceTag/fleet": "shop"}}
    deploy = ["ecs:UpdateService", "ecs:DescribeServices", "ecr:GetAuthorizationToken"]
    aws = "arn:aws:iam::aws:policy/"
    return [
        make.managed(own("DeployApplication"), document(allow("ecs:*")), document(allow(deploy))),
        make.managed(
            own("OperateFleet"),
            document(allow("ec2:*")),
            document(allow(fleet)),
            document(allow(fleet[0]), allow(fleet[1:], **tagged)),
            default=2,
        ),
        make.managed(own("WorkloadBoundary"), document(allow("*"), no_iam)),
        make.managed(f"{aws}AdministratorAccess", document(allow("*"))),
        make.managed(f"{aws}AmazonS3ReadOnlyAccess", document(allow(s3))),
        make.managed(f"{aws}AmazonSSMManagedInstanceCore", document(allow(ssm))),
        make.managed(f"{aws}service-role/AWSLambdaBasicExecutionRole", document(allow(logs))),
    ]


def make_account() -> Json:
    """Make the whole export."""
    make = Maker()
    roles = [*instance_roles(make), *service_roles(make), *federated_roles(make), *account_roles(make)]
    groups = [make.group("administrators", "aws:AdministratorAccess"), make.group("developers", "DeployApplication")]
    return {
        "UserDetailList": users(make),
        "GroupDetailList": groups,
        "RoleDetailList": sorted(roles, key=lambda role: str(role["RoleName"])),
        "Policies": policies(make),
    }


def write_account() -> str:
    """Give the text of examples/account.json."""
    return json.dumps(make_account(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(write_account(), encoding="utf-8")
