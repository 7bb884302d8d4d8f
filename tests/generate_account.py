"""Makes a large account with planted faults, the same for the same seed, and the truth about it.

``python tests/generate_account.py FOLDER --roles 2000`` writes a folder that ``export:FOLDER`` reads (the export beside the
listings that it lacks), `stsguard.toml` with the zones, and `truth.json`: control to ARNs. Every fault comes in several
forms, and beside each stand roles that look like it and are sound. Meant as of 2026-11-20T12:00:00Z.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "111122223333"
ORGANIZATION = "o-a1b2c3d4e5"
PARTNER, SIBLING = "444455556666", "555566667777"
EXTERNAL = "8c1f-customer-0042"
AT = "2026-11-20T12:00:00Z"
GITHUB = "token.actions.githubusercontent.com"
EKS = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
ZONES = f"""[zones]
account = "{ACCOUNT}"
org_id = "{ORGANIZATION}"
[zones.trust]
organization = true
accounts = [{{id = "{PARTNER}", external_id = ["{EXTERNAL}"]}}, {{id = "{SIBLING}"}}]
saml = ["Okta"]
github = [{{owner = "acme", owner_id = "8675309"}}]
gitlab = [{{group = "acme"}}]
eks = [{{issuer = "{EKS}", service_accounts = ["shop/*", "pay/*"]}}]
"""
Json = dict[str, Any]
_SAML_AUDIENCE = "https://signin.aws.amazon.com/saml"
_SERVICES = ("cloudtrail", "config", "backup", "events", "states", "codebuild", "ses", "dms", "ssm", "redshift")


@dataclass
class Plan:
    """One role to be: its trust statements, what it carries, and the controls that find it."""

    trust: list[Json]
    finds: tuple[str, ...] = ()
    inline: dict[str, Json] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    hours: int = 1
    used: str | None = "2026-11-18T09:30:00+00:00"
    boundary: str | None = None
    profile: bool = False


def arn(resource: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{resource}"


def allow(principal: Any, action: Any = "sts:AssumeRole", **condition: Json) -> Json:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return statement | ({"Condition": condition} if condition else {})


def service(name: str, **condition: Json) -> Json:
    return allow({"Service": f"{name}.amazonaws.com"}, **condition)


def web(provider: str, **condition: Json) -> Json:
    return allow({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", **condition)


def oidc(issuer: str, **condition: Json) -> Json:
    return web(arn(f"oidc-provider/{issuer}"), **condition)


def claims(issuer: str, **values: Any) -> Json:
    return {f"{issuer}:{claim}": value for claim, value in values.items()}


def saml(provider: str, **condition: Json) -> Json:
    return allow({"Federated": arn(f"saml-provider/{provider}")}, "sts:AssumeRoleWithSAML", **condition)


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def may(actions: Any, resources: Any = "*", **condition: Json) -> Json:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def revoked(date: Any, operator: str = "DateLessThan", key: str = "aws:TokenIssueTime", **changes: Any) -> Json:
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": {operator: {key: date}}}
    return policy(statement | changes)


def sound(rng: random.Random) -> Plan:
    """Make a role without a fault, often one that looks like it had one."""
    number = rng.randrange(10_000)
    aud = claims(GITHUB, aud="sts.amazonaws.com")
    repository = f"repo:acme/app-{number}"
    pinned = {"StringEquals": {"SAML:aud": _SAML_AUDIENCE}}
    reads = {
        "Read": policy(
            may(["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::data-{number}", f"arn:aws:s3:::data-{number}/*"])
        )
    }
    eks = claims(EKS, sub=f"system:serviceaccount:shop:app-{number}", aud="sts.amazonaws.com")
    partner = {"StringEquals": {"sts:ExternalId": EXTERNAL}}
    mine = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    old = rng.choice(_SERVICES)
    plans: list[Callable[[], Plan]] = [
        lambda: Plan([service("ec2")], inline=reads, profile=True, hours=12),
        lambda: Plan([service("lambda")], attached=("Logs",)),
        lambda: Plan([service("ecs-tasks")], inline=reads),
        lambda: Plan([service(old, **mine)], inline=reads),
        lambda: Plan([service(old, ArnLike={"aws:SourceArn": f"arn:aws:{old}:eu-west-1:{ACCOUNT}:*"})]),
        lambda: Plan([service("rare-service")], inline=reads),
        lambda: Plan([oidc(GITHUB, StringEquals=aud, StringLike=claims(GITHUB, sub=f"{repository}:*"))], hours=1),
        lambda: Plan([oidc(GITHUB, StringEquals=aud | claims(GITHUB, sub=f"{repository}:ref:refs/heads/main"))]),
        lambda: Plan([oidc(GITHUB, StringEquals=aud | claims(GITHUB, sub=f"repo:acme@8675309/app@{number}:environment:prod"))]),
        lambda: Plan([oidc(EKS, StringEquals=eks)], inline=reads, hours=4),
        lambda: Plan([saml("Okta", **pinned)], inline=reads),
        lambda: Plan([allow({"AWS": arn("root", PARTNER)}, **partner)]),
        lambda: Plan([allow({"AWS": arn("role/collector", PARTNER)}, **partner)]),
        lambda: Plan([allow({"AWS": arn("role/deploy", SIBLING)})]),
        # Narrow, but the role's own sessions are of the organisation too.
        lambda: Plan([allow({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": ORGANIZATION})], ("STSG-302",)),
        lambda: Plan([allow({"AWS": arn("root")}, ArnLike={"aws:PrincipalArn": arn(f"role/ci/build-{number}-*")})]),
        lambda: Plan([allow({"AWS": arn("role/hub")})], inline=reads, hours=12),
        lambda: Plan([allow({"AWS": arn(f"user/user-{number % 20}")}, Bool={"aws:MultiFactorAuthPresent": "true"})]),
        lambda: Plan([service("ec2")], inline={"Pass": policy(may("iam:PassRole", arn("role/only-this")), may("ecs:*"))}),
        lambda: Plan([service("ec2")], inline={"Bounded": policy(
            may("iam:PutRolePolicy", arn("role/app-*"), StringEquals={"iam:PermissionsBoundary": arn("policy/Bound")}))}),
        lambda: Plan([service("ec2")], inline={"Iam": policy(may("iam:*"))}, boundary="Bound"),
        lambda: Plan([service("ec2")], inline={"NotRevoke": policy(
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}})}),
    ]  # fmt: skip
    return rng.choice(plans)()


def faulty(rng: random.Random) -> Plan:
    """Make a role with a fault of one control, in one of its forms; what else finds it is told as well."""
    number, stranger = rng.randrange(10_000), f"{rng.randrange(100, 999)}077788889"
    aud = claims(GITHUB, aud="sts.amazonaws.com")
    like, equals = {"StringLike": claims(GITHUB, sub=f"repo:acme/app-{number}:*")}, {"StringEquals": aud}
    pinned = {"StringEquals": {"SAML:aud": _SAML_AUDIENCE}}
    gone = "AROA" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17))
    ec2 = [service("ec2")]

    def inline(name: str, document: Json, *finds: str) -> Plan:
        return Plan(ec2, finds, inline={name: document})

    def leftover(document: Json, *finds: str) -> Plan:
        return inline(rng.choice(["AWSRevokeOlderSessions", f"incident-{number}"]), document, *finds)

    named = "AWSRevokeOlderSessions"
    plans: list[Callable[[], Plan]] = [
        lambda: Plan([allow(rng.choice(["*", {"AWS": "*"}, {"AWS": ["*", arn("role/hub")]}]))], ("STSG-101", "STSG-302")),
        lambda: Plan([allow({"AWS": "*"}, StringLike={"aws:PrincipalArn": "arn:aws:iam::*:role/audit"})], ("STSG-101",)),
        lambda: Plan([service("ec2"), allow("*", StringEquals={"aws:PrincipalTag/team": "x"})], ("STSG-101",)),
        lambda: Plan([allow({"AWS": arn("role/x", stranger)}, StringEquals={"sts:ExternalId": "abc"})], ("STSG-102",)),
        lambda: Plan([allow({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": "o-zzzzzzzzzz"})], ("STSG-102",)),
        lambda: Plan([oidc("idp.example.org", StringEquals=claims("idp.example.org", aud="aws", sub="svc"))], ("STSG-102",)),
        lambda: Plan([allow({"AWS": arn("role/x", stranger)})], ("STSG-102", "STSG-103")),
        lambda: Plan([allow({"AWS": arn("root", stranger)})], ("STSG-102", "STSG-103", "STSG-110")),
        lambda: Plan([allow({"AWS": arn("role/collector", PARTNER)})], ("STSG-103",)),
        lambda: Plan([allow({"AWS": arn("role/x", PARTNER)}, StringLike={"sts:ExternalId": "*"})], ("STSG-103",)),
        lambda: Plan([service(rng.choice(_SERVICES))], ("STSG-104",)),
        lambda: Plan([service(rng.choice(_SERVICES), StringEquals={"aws:SourceAccount": stranger})], ("STSG-104",)),
        lambda: Plan([oidc(GITHUB, **equals)], ("STSG-105",)),
        lambda: Plan([oidc(GITHUB, StringLike=claims(GITHUB, sub="repo:acme*"), **equals)], ("STSG-105",)),
        lambda: Plan([oidc(GITHUB, StringLike=claims(GITHUB, sub="repo:acme@*/*"), **equals)], ("STSG-105",)),
        lambda: Plan(
            [oidc(GITHUB, **{"ForAllValues:StringLike": like["StringLike"]}, **equals)], ("STSG-105",)
        ),
        lambda: Plan([oidc(GITHUB, StringLikeIfExists=like["StringLike"], **equals)], ("STSG-105",)),
        lambda: Plan([oidc(EKS, StringEquals=claims(EKS, aud="sts.amazonaws.com"))], ("STSG-105",)),
        lambda: Plan([oidc(GITHUB, **like)], ("STSG-106",)),
        lambda: Plan([oidc(GITHUB, StringLikeIfExists=aud, **like)], ("STSG-106",)),
        lambda: Plan([saml("Okta")], ("STSG-107",)),
        lambda: Plan([saml("Unknown", **pinned)], ("STSG-107",)),
        lambda: Plan(
            [{"Effect": "Allow", "NotPrincipal": {"AWS": arn("user/user-1")}, "Action": "sts:AssumeRole"}],
            ("STSG-101", "STSG-108", "STSG-302"),
        ),
        lambda: Plan([allow({"AWS": [arn("role/hub"), gone]})], ("STSG-109",)),
        lambda: Plan([allow({"AWS": rng.choice([arn("root"), ACCOUNT])})], ("STSG-110", "STSG-113")),
        lambda: Plan([allow({"AWS": arn("root")}, Bool={"aws:MultiFactorAuthPresent": "true"})], ("STSG-110",)),
        lambda: Plan([allow({"AWS": arn("role/hub")}, StringEqualz={"aws:PrincipalTag/a": "b"})], ("STSG-111", "STSG-112")),
        lambda: inline("Broken", policy({"Effect": "Permit", "Action": "s3:*", "Resource": "*"}), "STSG-112"),
        lambda: Plan([allow({"AWS": arn(f"user/user-{number % 20}")})], ("STSG-113",)),
        lambda: Plan(
            [allow({"AWS": arn(f"user/user-{number % 20}")}, BoolIfExists={"aws:MultiFactorAuthPresent": "true"})],
            ("STSG-113",),
        ),
        lambda: leftover(revoked("2026-03-14T09:26:53.589Z"), "STSG-201"),
        lambda: leftover(revoked("1767225600", Action="*", Resource="*"), "STSG-201"),
        lambda: leftover(revoked("2026-11-20T06:00:07.482Z"), "STSG-202"),
        lambda: inline(named, revoked("2026-10-01T00:00:00Z", "DateGreaterThan"), "STSG-203"),
        lambda: inline(named, revoked("2026-10-01T00:00:00Z", key="aws:CurrentTime"), "STSG-203"),
        lambda: inline(named, revoked("2026-10-01T00:00:00Z", Action="s3:*"), "STSG-203"),
        lambda: inline(named, revoked("2026-10-01T00:00:00Z", Effect="Allow"), "STSG-203"),
        lambda: leftover(revoked("2026-07-19T14:22:41Z", "DateLessThanIfExists"), "STSG-204"),
        lambda: leftover(revoked("2027-06-30T00:00:00Z"), "STSG-204"),
        lambda: inline("Own", policy(may("iam:DeleteRolePolicy", arn("role/*"))), "STSG-205"),
        lambda: Plan([oidc(GITHUB, **equals, **like)], ("STSG-301",), hours=12),
        lambda: Plan(ec2, ("STSG-303",), used="2025-02-11T10:05:41+00:00"),
        lambda: Plan(ec2, ("STSG-303",), used=None),
        lambda: inline("Pass", policy(may("iam:PassRole"), may(["lambda:CreateFunction", "lambda:InvokeFunction"])), "STSG-304"),
        lambda: inline("Write", policy(may(["iam:CreatePolicyVersion"], arn("policy/team-*"))), "STSG-304"),
        lambda: inline("Write", policy(may("iam:Attach*")), "STSG-304"),
        lambda: inline("Keys", policy(may("iam:CreateAccessKey")), "STSG-304"),
        lambda: inline("Assume", policy(may("sts:*")), "STSG-304"),
    ]  # fmt: skip
    return rng.choice(plans)()


class Generator:
    """One account in the making."""

    def __init__(self, roles: int, seed: int, share: float) -> None:
        self.random = random.Random(seed)
        self.count = roles
        self.share = share
        self.truth: dict[str, set[str]] = defaultdict(set)
        self.details: list[Json] = []
        self.listed: list[Json] = []
        self.instances: list[Json] = []

    def make(self) -> None:
        self.cycles(max(2, self.count // 200))
        while len(self.details) < self.count:
            name = f"{self.random.choice(['app', 'svc', 'ops', 'data', 'team'])}-{len(self.details):05d}"
            plan = faulty(self.random) if self.random.random() < self.share else sound(self.random)
            self.role(name, plan)
        self.machines()

    def cycles(self, number: int) -> None:
        """Plant cycles: over trust alone, over trust and permissions, and roles that renew themselves."""
        for index in range(number):
            size = self.random.choice([1, 2, 2, 3, 5])
            names = [f"ring-{index:04d}-{step}" for step in range(size)]
            whole = self.random.random() < 0.5
            for step, name in enumerate(names):
                before, after = names[step - 1], names[(step + 1) % size]
                trusted = {"AWS": arn("root")} if whole else {"AWS": arn(f"role/{before}")}
                condition = {"ArnEquals": {"aws:PrincipalArn": arn(f"role/{before}")}} if whole else {}
                permission = {"Next": policy(may("sts:AssumeRole", arn(f"role/{after}")))} if whole else {}
                self.role(name, Plan([allow(trusted, **condition)], ("STSG-302",), inline=permission))
            self.role(f"chain-{index:04d}", Plan([allow({"AWS": arn(f"role/{names[0]}")})]))

    def machines(self) -> None:
        """Plant instances: some that answer without a token, and one role that many share."""
        profiles = [role for role in self.details if role["InstanceProfileList"]]
        for index, role in enumerate(profiles[:40]):
            shared = index % 10 == 0
            if shared:
                self.truth["STSG-402"].add(role["Arn"])
            for _ in range(12 if shared else 2):
                self.instance(role["InstanceProfileList"][0]["Arn"])

    def instance(self, profile: str) -> None:
        name = f"i-{self.random.randrange(16**17):017x}"
        kind = self.random.randrange(10)
        options = {
            "State": "applied",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": 1,
            "HttpEndpoint": "enabled",
        }
        if kind == 0:
            options["HttpTokens"] = "optional"
        elif kind == 1:
            options["HttpPutResponseHopLimit"] = 2
        elif kind == 2:
            options |= {"HttpTokens": "optional", "HttpEndpoint": "disabled"}
        if kind < 2:
            self.truth["STSG-401"].add(f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{name}")
        self.instances.append(
            {
                "InstanceId": name,
                "State": {"Name": "running"},
                "Placement": {"AvailabilityZone": "eu-west-1a"},
                "IamInstanceProfile": {"Arn": profile, "Id": "AIPAEXAMPLE"},
                "MetadataOptions": options,
            }
        )

    def role(self, name: str, plan: Plan) -> None:
        own = arn(f"role/{name}")
        plain = {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROA" + "".join(self.random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17)),
            "Arn": own,
            "CreateDate": "2024-05-06T07:08:09+00:00",
            "AssumeRolePolicyDocument": policy(*plan.trust),
        }
        detail = plain | {
            "RolePolicyList": [{"PolicyName": key, "PolicyDocument": value} for key, value in plan.inline.items()],
            "AttachedManagedPolicies": [
                {"PolicyName": one, "PolicyArn": arn(f"policy/{one}")} for one in plan.attached
            ],
            "InstanceProfileList": [],
            "Tags": [],
            "RoleLastUsed": {"LastUsedDate": plan.used, "Region": "eu-west-1"} if plan.used else {},
        }
        if plan.boundary:
            bound = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn(f"policy/{plan.boundary}")}
            detail["PermissionsBoundary"] = bound
        if plan.profile:
            profile = {"InstanceProfileName": name, "InstanceProfileId": "AIPAEXAMPLE", "Path": "/", "Roles": [plain]}
            detail["InstanceProfileList"] = [
                profile | {"Arn": arn(f"instance-profile/{name}"), "CreateDate": plain["CreateDate"]}
            ]
        self.details.append(detail)
        self.listed.append(plain | {"MaxSessionDuration": plan.hours * 3600})
        for control in plan.finds:
            self.truth[control].add(own)

    def users(self) -> Iterator[Json]:
        """Users without permissions, one in the administrators' group, a few with federation tokens."""
        for index in range(30):
            statements = [may("sts:GetFederationToken", "*")] if index >= 25 else [may("s3:ListAllMyBuckets")]
            if index >= 25 or index == 24:
                self.truth["STSG-305"].add(arn(f"user/user-{index}"))
            yield {
                "Path": "/",
                "UserName": f"user-{index}",
                "UserId": f"AIDAEXAMPLEEXAMPLE{index:03d}",
                "Arn": arn(f"user/user-{index}"),
                "CreateDate": "2024-05-06T07:08:09+00:00",
                "UserPolicyList": [{"PolicyName": "Own", "PolicyDocument": policy(*statements)}],
                "GroupList": ["administrators"] if index == 24 else [],
                "AttachedManagedPolicies": [],
                "Tags": [],
            }

    def managed(self, name: str, document: Json) -> Json:
        return {
            "PolicyName": name,
            "PolicyId": f"ANPAEXAMPLE{name.upper()}",
            "Arn": arn(f"policy/{name}"),
            "Path": "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 1,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": "2024-05-06T07:08:09+00:00",
            "UpdateDate": "2024-05-06T07:08:09+00:00",
            "PolicyVersionList": [
                {"Document": document, "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2024-05-06T07:08:09+00:00"}
            ],
        }  # fmt: skip

    def export(self) -> Json:
        group = {
            "Path": "/",
            "GroupName": "administrators",
            "GroupId": "AGPAEXAMPLEEXAMPLE000",
            "Arn": arn("group/administrators"),
            "CreateDate": "2024-05-06T07:08:09+00:00",
            "GroupPolicyList": [{"PolicyName": "All", "PolicyDocument": policy(may("*"))}],
            "AttachedManagedPolicies": [],
        }
        policies = [
            self.managed("Logs", policy(may(["logs:CreateLogStream", "logs:PutLogEvents"]))),
            self.managed("Bound", policy(may("s3:*"))),
        ]
        return {
            "UserDetailList": list(self.users()),
            "GroupDetailList": [group],
            "RoleDetailList": self.details,
            "Policies": policies,
        }


def generate(folder: Path, *, roles: int = 2000, seed: int = 20261120, share: float = 0.3) -> dict[str, set[str]]:
    """Write an account into a folder, and give the truth: control to the ARNs of what it finds."""
    generator = Generator(roles, seed, share)
    generator.make()
    export = generator.export()
    account = folder / "account"
    account.mkdir(parents=True, exist_ok=True)
    files: dict[Path, Any] = {
        account / "details.json": export,
        account / "roles.json": {"Roles": generator.listed},
        account / "instances.json": {"Reservations": [{"Instances": generator.instances}]},
        account / "oidc.json": {"OpenIDConnectProviderList": [{"Arn": arn(f"oidc-provider/{GITHUB}")}]},
        account / "saml.json": {"SAMLProviderList": [{"Arn": arn("saml-provider/Okta")}]},
        account / "organization.json": {"Organization": {"Id": ORGANIZATION, "MasterAccountId": SIBLING}},
        folder / "truth.json": {control: sorted(found) for control, found in sorted(generator.truth.items())},
    }
    for path, data in files.items():
        path.write_text(json.dumps(data), encoding="utf-8")
    (folder / "stsguard.toml").write_text(ZONES, encoding="utf-8")
    return generator.truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--roles", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261120)
    arguments = parser.parse_args()
    generate(arguments.folder, roles=arguments.roles, seed=arguments.seed)


if __name__ == "__main__":
    main()
