"""Random requests against random trust policies: no request from outside ever contradicts a `narrow`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.trust import Zones, prove

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NOW = datetime(2026, 11, 20, tzinfo=UTC)
EVERYTHING = Policy.parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
OWN, EXTERNAL, FOREIGN, OTHER = "111122223333", "444455556666", "999988887777", "111199990000"
ORG = "o-a1b2c3d4e5"
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
ROLE = f"arn:aws:iam::{OWN}:role/the-role"

ACCOUNTS = (OWN, EXTERNAL, FOREIGN, OTHER)
ARNS = (
    *(
        f"arn:aws:iam::{account}:{name}"
        for account in ACCOUNTS
        for name in ("role/ci", "role/ops/deploy", "user/alice", "role/ci-2")
    ),
    f"arn:aws:iam::{FOREIGN}:role/{OWN}:role/ci",
    f"arn:aws:iam::{OTHER}:user/{OWN}/alice",
)
SUBJECTS = (
    "repo:acme/api:ref:refs/heads/main", "repo:acme/web:environment:prod", "repo:acme-evil/api:ref:refs/heads/main",
    "repo:evil/acme:ref:refs/heads/acme/api", "repo:acme@1/api@2:ref:refs/heads/main", "repo:acme@9/api@8:pull_request",
    "environment:prod", "repo:evil/api:pull_request",
)  # fmt: skip
SOURCES = (
    f"arn:aws:sns:us-east-1:{OWN}:topic", f"arn:aws:sns:us-east-1:{FOREIGN}:topic", "arn:aws:s3:::acme-data",
    f"arn:aws:sns:us-east-1:{FOREIGN}:{OWN}:x", f"arn:aws:logs:eu-west-1:{EXTERNAL}:log-group:x",
)  # fmt: skip
SERVICES = ("config.amazonaws.com", "ec2.amazonaws.com", "s3.amazonaws.com")
PRINCIPALS: tuple[Any, ...] = (
    "*", {"AWS": "*"}, {"AWS": OWN}, {"AWS": f"arn:aws:iam::{EXTERNAL}:root"}, {"AWS": [FOREIGN, OWN]},
    {"AWS": f"arn:aws:iam::{OWN}:role/ci"}, {"AWS": f"arn:aws:iam::{FOREIGN}:user/alice"},
    {"AWS": f"arn:aws:sts::{OWN}:assumed-role/ci/s1"}, {"AWS": f"arn:aws:sts::{EXTERNAL}:assumed-role/ci/s1"},
    {"Service": list(SERVICES)}, {"Service": "config.amazonaws.com"}, {"Service": "ec2.amazonaws.com", "AWS": FOREIGN},
    {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{GITHUB}"}, {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{GITLAB}"},
    {"Federated": f"arn:aws:iam::{OWN}:saml-provider/Okta"}, {"Federated": f"arn:aws:iam::{OWN}:saml-provider/Old"},
)  # fmt: skip
ACTIONS = (
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoleWithSAML",
    "sts:*",
    ["sts:AssumeRole", "sts:TagSession"],
)
VALUES: dict[str, tuple[str, ...]] = {
    "aws:PrincipalArn": (
        *ARNS, f"arn:aws:iam::{OWN}:role/*", f"arn:aws:iam::{OWN}:*", "arn:aws:iam::*:role/ci", f"arn:aws:iam::*{OWN}*",
        f"arn:aws:iam::{FOREIGN}:user/*", "*/ci", "arn:aws:iam::1111*:role/c?",
    ),
    "aws:PrincipalAccount": (*ACCOUNTS, "1111*", "*", "${aws:ResourceAccount}"),
    "aws:PrincipalOrgID": (ORG, "o-other00000", "o-*", "${aws:ResourceOrgID}"),
    "aws:PrincipalOrgPaths": (f"{ORG}/*", "o-other00000/*", "*/ou-x/*", f"{ORG}/r-1/ou-x/"),
    "aws:PrincipalType": ("User", "AssumedRole", "*"),
    "aws:username": ("alice", "bob", "a*"),
    "sts:ExternalId": ("s3cr3t-ext", "other", "s3cr3t*", "S3CR3T-EXT", "${aws:PrincipalAccount}"),
    "sts:RoleSessionName": ("s1", "deploy-*", "${aws:username}"),
    "aws:SourceAccount": (*ACCOUNTS, "1111*", "${aws:ResourceAccount}"),
    "aws:SourceArn": (*SOURCES, f"arn:aws:sns:*:{OWN}:*", "arn:aws:s3:::*", f"arn:aws:*:*:{FOREIGN}:*", f"*{OWN}*"),
    "aws:SourceOrgID": (ORG, "o-other00000"),
    "aws:PrincipalIsAWSService": ("true", "false"),
    "aws:PrincipalTag/team": ("core", "c*", "${aws:ResourceTag/team}", "${aws:RequestTag/team}"),
    "aws:RequestTag/team": ("core", "c*", "${aws:PrincipalTag/team, 'core'}"),
    "aws:TagKeys": ("team", "cost"),
    "aws:ResourceTag/team": ("core", "evil"),
    "aws:userid": ("AIDA*", "AROA*:s1", "AROAEXAMPLE:*"),
    "ec2:SourceInstanceARN": (f"arn:aws:ec2:*:{OWN}:instance/*", "arn:aws:ec2:*:*:instance/i-1", f"arn:aws:ec2:us-east-1:{FOREIGN}:*"),
    "aws:SourceOrgPaths": (f"{ORG}/*", "*/ou-x/*"),
    f"{GITHUB}:sub": (*SUBJECTS, "repo:acme/*", "repo:acme*", "repo:*", "*acme*", "repo:acme@1/*", "REPO:ACME/*", "*:pull_request"),
    f"{GITHUB}:aud": ("sts.amazonaws.com", "*"),
    f"{GITHUB}:repository": ("acme/api", "evil/api", "acme/*", "acme*"),
    f"{GITHUB}:environment": ("prod", "*"),
    f"{GITLAB}:sub": ("project_path:acme/api:ref_type:branch:ref:main", "project_path:acme/*", "project_path:acme*"),
    "SAML:aud": ("https://signin.aws.amazon.com/saml",),
    "saml:sub": ("alice",),
}  # fmt: skip
TYPED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("IpAddress", "aws:SourceIp", ("203.0.113.0/24", "203.0.113.0/25", "10.0.0.0/8")),
    ("NotIpAddress", "aws:SourceIp", ("203.0.113.0/24", "0.0.0.0/1")),
    ("DateLessThan", "aws:CurrentTime", ("2026-11-19T00:00:00Z", "2030-01-01T00:00:00Z")),
    ("DateGreaterThan", "aws:CurrentTime", ("2026-11-19T00:00:00Z", "2030-01-01T00:00:00Z")),
    ("NumericLessThan", "aws:MultiFactorAuthAge", ("300",)),
    ("NumericGreaterThan", "aws:EpochTime", ("1800000000", "1700000000")),
    ("DateLessThan", "aws:TokenIssueTime", ("2026-11-19T23:00:00Z", "2020-01-01T00:00:00Z")),
    ("DateGreaterThanEquals", "aws:TokenIssueTime", ("2026-11-19T23:00:00Z", "2030-01-01T00:00:00Z")),
    ("NumericEquals", "aws:PrincipalTag/team", ("5", "05")),
    ("Bool", "aws:MultiFactorAuthPresent", ("true", "false")),
    ("Bool", "aws:PrincipalIsAWSService", ("true", "false")),
)
TAGS = {"team": "core"}
"""The role's own tags, whether or not the zones tell them."""
TEXTS = (
    "StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIgnoreCase", "ArnLike", "ArnNotLike",
)  # fmt: skip


def condition(random: Random, key: str | None = None) -> tuple[str, str, Any]:
    """Make an operator, a key and values."""
    if key is None and random.random() < 0.15:
        operator, name, values = random.choice(TYPED)
        suffix = random.choice(("", "", "IfExists"))
        return operator + suffix, name, random.choice(values)
    key = key or random.choice(list(VALUES))
    if random.random() < 0.07:
        return "Null", key, random.choice(("true", "false"))
    operator = random.choice(TEXTS[:4] if random.random() < 0.8 else TEXTS)
    qualifier = (
        random.choice(("", "", "", "", "ForAnyValue:", "ForAllValues:"))
        if "Paths" not in key
        else random.choice(("ForAnyValue:", "ForAllValues:"))
    )
    values = random.sample(VALUES[key], k=min(len(VALUES[key]), random.choice((1, 1, 1, 2, 3))))
    return qualifier + operator + random.choice(("", "", "", "IfExists")), key, values


def keys_for(principal: Any) -> list[str]:
    """List the keys that say something about a principal, so that most conditions bite."""
    text = str(principal)
    if "oidc-provider" in text:
        issuer = GITHUB if GITHUB in text else GITLAB
        return [key for key in VALUES if key.startswith(issuer)]
    if "saml-provider" in text:
        return ["SAML:aud", "saml:sub"]
    if "Service" in text:
        return ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:RequestTag/team"]
    return [
        key
        for key in VALUES
        if key.startswith(
            ("aws:Principal", "sts:", "aws:user", "aws:RequestTag", "aws:Resource", "aws:TagKeys", "ec2:")
        )
    ]


def statement(random: Random, effect: str) -> dict[str, Any]:
    principal = random.choice(PRINCIPALS)
    action: Any = random.choice(ACTIONS)
    if random.random() < 0.85:
        fits = {"oidc": ACTIONS[1], "saml": ACTIONS[2]}
        action = next((call for noun, call in fits.items() if f"{noun}-provider" in str(principal)), ACTIONS[0])
    found: dict[str, Any] = {"Effect": effect, "Principal": principal, "Action": action}
    if random.random() < 0.06:
        found["NotPrincipal"] = found.pop("Principal")
        if isinstance(found["NotPrincipal"], str):
            found["NotPrincipal"] = {"AWS": [OWN, f"arn:aws:iam::{OWN}:role/ci"]}
    conditions: dict[str, dict[str, Any]] = {}
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3))):
        key = random.choice(keys_for(principal)) if random.random() < 0.85 else None
        operator, name, values = condition(random, key)
        conditions.setdefault(operator, {})[name] = values
    return {**found, "Condition": conditions} if conditions else found


def policy_of(random: Random) -> dict[str, Any]:
    allows = [statement(random, "Allow") for _ in range(random.choice((1, 1, 1, 2)))]
    denies = [statement(random, "Deny") for _ in range(random.choice((0, 0, 1, 1, 2)))]
    return {"Version": "2012-10-17", "Statement": [*allows, *denies]}


def zones_of(random: Random) -> dict[str, Any]:
    trust: dict[str, Any] = {
        "own_account": random.random() < 0.85,
        "organization": random.random() < 0.7,
        "accounts": random.choice(([], [{"id": EXTERNAL}], [{"id": EXTERNAL, "external_id": ["s3cr3t-ext"]}])),
        "oidc": random.choice(
            (
                [],
                [{"issuer": GITHUB, "sub": ["repo:acme/*"]}],
                [
                    {"issuer": GITHUB, "sub": ["repo:acme/*", "repo:acme@1/*"]},
                    {"issuer": GITLAB, "sub": ["project_path:acme/*"]},
                ],
                [{"issuer": GITHUB, "claims": {"repository": ["acme/*"]}}],
                [{"issuer": GITHUB}],
            )
        ),
        "saml": random.choice(([], ["Okta"])),
    }
    if random.random() < 0.3:
        trust["networks"] = ["203.0.113.0/24"]
    if random.random() < 0.3:
        trust["own_principals"] = random.choice(([f"arn:aws:iam::{OWN}:role/ci"], [f"arn:aws:iam::{OWN}:role/ops/*"]))
    if random.random() < 0.5:
        trust["services"] = random.choice(({}, {"config.amazonaws.com": "any"}, {"*": "source-in-zone"}))
    table = {"account": OWN, "org_id": ORG, "trust": trust}
    return {**table, "role_tags": TAGS} if random.random() < 0.6 else table


def organization_of(random: Random, account: str) -> str | None:
    return ORG if account == OWN else random.choice((None, None, ORG, "o-other00000"))


def request_of(random: Random) -> tuple[str, str, dict[str, Any]]:
    """Make a request as AWS would: keys that come together, and agree."""
    kind = random.choice(("identity", "identity", "service", "github", "github", "gitlab", "saml"))
    context: dict[str, Any] = {"sts:RoleSessionName": random.choice(("s1", "deploy-1", "alice"))}
    context["aws:CurrentTime"] = random.choice(("2026-11-20T00:00:00Z", "2031-01-01T00:00:00Z"))
    if random.random() < 0.4:
        context |= {"aws:RequestTag/team": random.choice(("core", "evil", "")), "aws:TagKeys": ["team"]}
    if kind != "service" and random.random() < 0.7:
        context["aws:SourceIp"] = random.choice(("203.0.113.5", "203.0.113.200", "198.51.100.1", "10.1.1.1"))
    if kind == "identity":
        return identity(random, context)
    if kind == "service":
        return service(random, context)
    if kind == "saml":
        context |= {"SAML:aud": "https://signin.aws.amazon.com/saml", "saml:sub": random.choice(("alice", "bob"))}
        return f"arn:aws:iam::{OWN}:saml-provider/{random.choice(('Okta', 'Old'))}", "sts:AssumeRoleWithSAML", context
    issuer = GITHUB if kind == "github" else GITLAB
    context[f"{issuer}:aud"] = random.choice(("sts.amazonaws.com", "evil"))
    if kind == "gitlab":
        context[f"{issuer}:sub"] = random.choice(
            ("project_path:acme/api:ref_type:branch:ref:main", "project_path:acme-evil/x:ref_type:branch:ref:x")
        )
    else:
        subject = random.choice(SUBJECTS)
        context[f"{issuer}:sub"] = subject
        name = "/".join(part.partition("@")[0] for part in subject.split(":")[1].split("/"))
        context[f"{issuer}:repository"] = (
            name if subject.startswith("repo:") else random.choice(("acme/api", "evil/api"))
        )
        if random.random() < 0.5:
            context[f"{issuer}:environment"] = random.choice(("prod", "dev"))
    return f"arn:aws:iam::{OWN}:oidc-provider/{issuer}", "sts:AssumeRoleWithWebIdentity", context


def identity(random: Random, context: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    arn = random.choice(ARNS)
    principal, account = arn, arn.split(":")[4]
    if arn.split(":")[5].startswith("role/") and random.random() < 0.4:
        principal = f"arn:aws:sts::{account}:assumed-role/{arn.rpartition('/')[2]}/s1"
        context["aws:PrincipalArn"] = arn
    context["aws:PrincipalIsAWSService"] = "false"
    org = organization_of(random, account)
    if org:
        context |= {"aws:PrincipalOrgID": org, "aws:PrincipalOrgPaths": [f"{org}/r-1/{random.choice(('', 'ou-x/'))}"]}
    context["aws:userid"] = "AROAEXAMPLE:s1" if arn.split(":")[5].startswith("role/") else "AIDAEXAMPLE"
    if arn.split(":")[5].startswith("role/"):
        context["aws:TokenIssueTime"] = random.choice(("2026-11-19T22:00:00Z", "2026-11-20T00:00:00Z"))
        if random.random() < 0.4:
            context["ec2:SourceInstanceARN"] = f"arn:aws:ec2:us-east-1:{account}:instance/i-1"
    if random.random() < 0.6:
        context["sts:ExternalId"] = random.choice(("s3cr3t-ext", "other", "S3CR3T-EXT", account))
    if random.random() < 0.4:
        context["aws:PrincipalTag/team"] = random.choice(("core", "evil", "5", ""))
    if random.random() < 0.5:
        context["aws:MultiFactorAuthPresent"] = random.choice(("true", "false"))
        if context["aws:MultiFactorAuthPresent"] == "true":
            context["aws:MultiFactorAuthAge"] = random.choice(("10", "1000"))
    return principal, "sts:AssumeRole", context


def service(random: Random, context: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    account = random.choice(ACCOUNTS)
    context["aws:PrincipalIsAWSService"] = "true"
    if random.random() < 0.7:
        arn = random.choice(SOURCES)
        account = arn.split(":")[4] or account
        context["aws:SourceArn"] = arn
    if random.random() < 0.7:
        context["aws:SourceAccount"] = account
    org = organization_of(random, account)
    if org and random.random() < 0.5:
        context |= {"aws:SourceOrgID": org, "aws:SourceOrgPaths": [f"{org}/r-1/ou-x/"]}
    return random.choice(SERVICES), "sts:AssumeRole", context


@given(st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_no_request_from_outside_contradicts_a_narrow(
    is_inside: Callable[..., bool], is_way_in: Callable[..., bool], random: Random
) -> None:
    document, table = policy_of(random), zones_of(random)
    policy = Policy.parse(document, kind="trust", lenient=True)
    proof = prove(policy, Zones.parse(table), now=NOW)
    assert all(is_way_in(policy, table, witness, ROLE) for witness in proof.witnesses)
    if proof.verdict != "narrow":
        return
    for _ in range(60):
        principal, action, context = request_of(random)
        if not is_inside(table, principal, action, context):
            request = Request(
                action, ROLE, principal, {**context, "aws:ResourceOrgID": ORG, "aws:ResourceTag/team": TAGS["team"]}
            )
            assert authorize(request, identity=[EVERYTHING], resource=policy).outcome != "allowed", (principal, context)


@given(st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_a_dead_policy_admits_nobody(random: Random) -> None:
    document = policy_of(random)
    policy = Policy.parse(document, kind="trust", lenient=True)
    if not prove(policy, Zones.parse(zones_of(random)), now=NOW).dead:
        return
    for _ in range(60):
        principal, action, context = request_of(random)
        request = Request(
            action, ROLE, principal, {**context, "aws:ResourceOrgID": ORG, "aws:ResourceTag/team": TAGS["team"]}
        )
        assert authorize(request, identity=[EVERYTHING], resource=policy).outcome != "allowed", (principal, context)


ODD: tuple[Any, ...] = (
    None, True, 5, "", "*", "?", "${", "${}", "${*}", "${aws:PrincipalArn}", "\ud800", "\x00", "\u00e9", "a" * 3000, [], {},
    [None], ":::::", "arn:::::", "1e9", "2026-01-01", "10.0.0.0/8", "true", ["a", "b*"],
)  # fmt: skip


@given(st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_nothing_that_is_wrong_with_a_policy_raises(random: Random) -> None:
    document = policy_of(random)
    for found in document["Statement"]:
        conditions = found.setdefault("Condition", {})
        operator, name, _ = condition(random)
        conditions.setdefault(operator, {})[name] = random.choice(ODD)
        if random.random() < 0.3:
            found[random.choice(list(found))] = random.choice(ODD)
    assert prove(document, Zones.parse(zones_of(random)), now=NOW).verdict in {"narrow", "too_broad", "undecided"}
