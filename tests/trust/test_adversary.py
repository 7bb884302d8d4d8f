"""An adversary who reads the policy: requests made from its own values, against policies of every shape.

Random requests seldom hit a pattern; these are built from what the conditions name, as AWS would let somebody send it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.trust import Zones, prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

NOW = datetime(2026, 11, 20, tzinfo=UTC)
EVERYTHING = Policy.parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
OWN, EXTERNAL, FOREIGN, EVIL = "111122223333", "444455556666", "999988887777", "666666666666"
ORG, OTHER_ORG = "o-a1b2c3d4e5", "o-other00000"
ROLE = f"arn:aws:iam::{OWN}:role/the-role"
GITHUB, PRIVATE, POOLS = "token.actions.githubusercontent.com", "id.corp.example", "cognito-identity.amazonaws.com"
POOL = "us-east-1:11111111-2222-3333-4444-555555555555"
SERVICES = ("sns.amazonaws.com", "ec2.amazonaws.com", "config.amazonaws.com")
OIDC = {one: f"arn:aws:iam::{OWN}:oidc-provider/{one}" for one in (GITHUB, PRIVATE)} | {POOLS: POOLS}
SAML = {one: f"arn:aws:iam::{OWN}:saml-provider/{one}" for one in ("Okta", "Old")}
CALLS = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")

AWS: tuple[str, ...] = (
    "*", OWN, FOREIGN, f"arn:aws:iam::{EXTERNAL}:root", f"arn:aws:iam::{FOREIGN}:role/ci", f"arn:aws:iam::{OWN}:role/x/ci",
    f"arn:aws:iam::{FOREIGN}:user/alice", f"arn:aws:sts::{FOREIGN}:assumed-role/ci/s1", "AROADBQP57FF2AEXAMPLE",
)  # fmt: skip
IDENTITY: dict[str, tuple[str, ...]] = {
    "aws:PrincipalArn": (
        f"arn:aws:iam::{OWN}:role/*", f"arn:aws:iam::{FOREIGN}:role/ci", "arn:aws:iam::*:role/ci", f"arn:*:{OWN}:*",
        "arn:aws:iam::????????????:user/*", f"*{OWN}*", "arn:aws:iam::${aws:ResourceAccount}:role/*", "arn:aws:iam::*:*",
    ),
    "aws:PrincipalAccount": (OWN, FOREIGN, EXTERNAL, "6*", "${aws:ResourceAccount}", "${aws:PrincipalTag/home, '111122223333'}"),
    "aws:PrincipalOrgID": (ORG, OTHER_ORG, "o-*", "${aws:ResourceOrgID}"),
    "aws:PrincipalOrgPaths": (f"{ORG}/*", "o-*/r-1/", f"{OTHER_ORG}/r-1/*"),
    "aws:PrincipalTag/team": ("core", "c*", "${aws:RequestTag/team}", "${aws:username}", "${aws:PrincipalTag/team}"),
    "aws:username": ("alice", "a*", "${sts:RoleSessionName}"),
    "sts:ExternalId": ("s3cr3t-ext", "s3cr3t*", "${aws:PrincipalAccount}", "??????????"),
    "aws:ResourceAccount": (OWN, "${aws:PrincipalAccount}", FOREIGN),
    "aws:ResourceTag/team": ("core", "${aws:PrincipalTag/team}", "${aws:RequestTag/team, 'core'}"),
    "aws:SourceAccount": (OWN, FOREIGN),
    "codebuild:ProjectArn": (f"arn:aws:codebuild:*:{FOREIGN}:project/*", f"arn:aws:codebuild:*:{OWN}:project/*"),
}  # fmt: skip
SHARED: dict[str, tuple[str, ...]] = {
    "aws:RequestTag/team": ("core", "c*", "${aws:PrincipalTag/team, 'core'}"),
    "aws:TagKeys": ("team", "t*", "cost"),
    "sts:RoleSessionName": ("s1", "deploy-*", "${aws:username}"),
    "sts:SourceIdentity": ("alice", "*"),
    "sts:TransitiveTagKeys": ("team",),
}
SOURCE: dict[str, tuple[str, ...]] = {
    "aws:SourceAccount": (OWN, FOREIGN, "1111*", "${aws:ResourceAccount}"),
    "aws:SourceArn": (
        f"arn:aws:sns:*:{OWN}:*", f"arn:aws:sns:us-east-1:{FOREIGN}:t", "arn:aws:s3:::*", f"arn:aws:s3:::{OWN}:x", f"*:{OWN}:*",
        "arn:aws:sns:*:${aws:ResourceAccount}:*",
    ),
    "aws:SourceOrgID": (ORG, "${aws:ResourceOrgID}", "o-*"),
    "aws:PrincipalOrgID": (ORG,),
    "aws:PrincipalAccount": (OWN,),
    "aws:PrincipalServiceName": ("sns.amazonaws.com", "*.amazonaws.com"),
    "aws:PrincipalIsAWSService": ("true", "false"),
}  # fmt: skip
TOKENS: dict[str, dict[str, tuple[str, ...]]] = {
    GITHUB: {
        f"{GITHUB}:sub": (
            "repo:acme/*", "repo:acme*", "*:environment:prod", "repo:acme@1/*", "repo:*/api:*", "repo:?cme/api:*",
            f"repo:${{{GITHUB}:repository}}:*",
        ),
        f"{GITHUB}:aud": ("sts.amazonaws.com",),
        f"{GITHUB}:repository": ("acme/api", "acme/*", "evil/*", "*/api"),
        f"{GITHUB}:repository_owner_id": ("1", "2", "1*"),
        f"{GITHUB}:environment": ("prod", "*"),
        f"{GITHUB}:subject": ("repo:acme/*",),
    },
    PRIVATE: {
        f"{PRIVATE}:sub": ("alice", "team-*", "*@corp", f"${{{PRIVATE}:email}}"),
        f"{PRIVATE}:aud": ("app", "a*"),
        f"{PRIVATE}:email": ("*@corp.example", "alice@corp.example"),
        f"{PRIVATE}:amr": ("mfa", "pwd"),
    },
    POOLS: {f"{POOLS}:aud": (POOL, "us-east-1:*"), f"{POOLS}:amr": ("authenticated", "unauthenticated", "*authenticated"), f"{POOLS}:sub": ("us-east-1:*",)},
}  # fmt: skip
ASSERTIONS: dict[str, tuple[str, ...]] = {
    "SAML:aud": ("https://signin.aws.amazon.com/saml",),
    "saml:doc": (f"{OWN}/Okta", f"{OWN}/*", f"{OWN}/Old"),
    "saml:sub": ("alice", "a*"),
    "saml:edupersonaffiliation": ("staff", "faculty", "st*"),
}
OPERATORS = (
    "StringEquals", "StringLike", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase", "ArnLike", "ArnNotEquals",
)  # fmt: skip
SETS = (
    "aws:PrincipalOrgPaths",
    "aws:TagKeys",
    "sts:TransitiveTagKeys",
    "saml:edupersonaffiliation",
    f"{POOLS}:amr",
    f"{PRIVATE}:amr",
)
LIKE_NAMES = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
LIKE_IDS = re.compile(r"[\w+=,.@:/-]{2,}", re.ASCII)
LIKE_TAGS = re.compile(r"[\w .:/=+@-]*", re.ASCII)
LIKE_ARNS = re.compile(r"arn:aws:iam::[0-9]{12}:(role|user)/([!-~]+/)?[\w+=,.@-]+", re.ASCII)
LIKE_SOURCES = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:(|[0-9]{12}):.+")
LIKE_SUBJECTS = re.compile(r"repo:[A-Za-z0-9][\w-]*(@[0-9]+)?/[\w.-]+(@[0-9]+)?(:.+)?", re.ASCII)
LIKE_POOLS = re.compile(r"[a-z0-9-]+:[0-9a-f-]+")
FILLS = ("", "x", "evil", "evil/evil", EVIL, f"{OWN}:role/", "/", ":ref:refs/heads/main", "666", "-evil/r:x", "api")


def principal_of(random: Random) -> Any:
    """Make a Principal: the star, one kind, or several kinds together."""
    if random.random() < 0.12:
        return "*"
    kinds = random.sample(("AWS", "Service", "Federated"), k=random.choice((1, 1, 1, 2, 3)))
    pools = {"AWS": AWS, "Service": SERVICES, "Federated": (*OIDC.values(), *SAML.values())}
    found = {kind: random.sample(pools[kind], k=random.choice((1, 1, 2))) for kind in kinds}
    return {kind: values if len(values) > 1 else values[0] for kind, values in found.items()}


def keys_for(principal: Any) -> dict[str, tuple[str, ...]]:
    """Give the keys that bite on some of the principals."""
    text = str(principal)
    found = dict(SHARED)
    if "iam::" in text or "*" in text or OWN in text or FOREIGN in text:
        found |= IDENTITY
    if "amazonaws.com" in text:
        found |= SOURCE
    for issuer, keys in TOKENS.items():
        if issuer in text or "*" in text:
            found |= keys
    return found | ASSERTIONS if "saml-provider" in text else found


def condition(random: Random, keys: dict[str, tuple[str, ...]]) -> tuple[str, str, Any]:
    """Make an operator with a key and its values."""
    name = random.choice(list(keys))
    if random.random() < 0.1:
        return "Null", name, random.choice(("true", "false"))
    several = name in SETS
    qualifier = random.choice(
        ("ForAnyValue:", "ForAllValues:") if several else ("", "", "", "ForAnyValue:", "ForAllValues:")
    )
    suffix = random.choice(("", "", "IfExists"))
    values = random.sample(keys[name], k=min(len(keys[name]), random.choice((1, 1, 2, 3))))
    operator = random.choice(OPERATORS[:7] if "Arn" not in name else OPERATORS)
    if "IsAWSService" in name:
        qualifier, operator = "", "Bool"
    spelt = random.choice((name, name, name.upper() if "/" not in name else name))
    return qualifier + operator + suffix, spelt, values if len(values) > 1 else values[0]


def statement(random: Random, effect: str, principal: Any) -> dict[str, Any]:
    """Make one statement for a principal, or for all but that one."""
    found: dict[str, Any] = {"Effect": effect, "Principal": principal}
    if random.random() < 0.12 and principal != "*":
        found["NotPrincipal"] = found.pop("Principal")
    if random.random() < 0.08:
        found["NotAction"] = random.choice(("sts:TagSession", "sts:AssumeRole", ["sts:AssumeRoleWith*"]))
    else:
        found["Action"] = random.choice((list(CALLS), "sts:*", "sts:Assume*", [*CALLS, "sts:TagSession"], CALLS[0]))
    conditions: dict[str, dict[str, Any]] = {}
    for _ in range(random.choice((0, 1, 1, 2, 2, 3))):
        operator, name, values = condition(random, keys_for(principal))
        conditions.setdefault(operator, {})[name] = values
    return {**found, "Condition": conditions} if conditions else found


def policy_of(random: Random) -> dict[str, Any]:
    """Make a policy whose Denies speak of those whom its Allows name."""
    principal = principal_of(random)
    allows = [
        statement(random, "Allow", principal if number == 0 else principal_of(random))
        for number in range(random.choice((1, 1, 2)))
    ]
    denies = [
        statement(random, "Deny", random.choice((principal, "*", principal_of(random))))
        for _ in range(random.choice((0, 1, 1, 2)))
    ]
    return {"Version": random.choice(("2012-10-17",) * 9 + ("2008-10-17",)), "Statement": [*allows, *denies]}


def zones_of(random: Random) -> dict[str, Any]:
    """Declare some of those whom policies name."""
    oidc: list[dict[str, Any]] = random.choice(
        (
            [],
            [{"issuer": GITHUB, "sub": ["repo:acme/*"]}, {"issuer": PRIVATE, "sub": ["alice", "team-*"]}],
            [
                {"issuer": GITHUB, "sub": ["repo:acme/*", "repo:acme@1/*"]},
                {"issuer": PRIVATE, "claims": {"email": ["*@corp.example"]}},
            ],
            [{"issuer": GITHUB, "claims": {"repository": ["acme/*"]}}, {"issuer": PRIVATE, "aud": ["app"]}],
            [{"issuer": GITHUB}, {"issuer": POOLS, "aud": [POOL], "amr": ["authenticated"]}],
            [{"issuer": GITHUB, "claims": {"repository_owner_id": ["1"]}}, {"issuer": POOLS, "aud": [POOL]}],
        )
    )
    trust: dict[str, Any] = {
        "organization": random.random() < 0.7,
        "own_account": random.random() < 0.9,
        "accounts": random.choice(([], [{"id": EXTERNAL, "external_id": ["s3cr3t-ext"]}], [{"id": FOREIGN}])),
        "oidc": oidc,
        "saml": random.choice(([], ["Okta"])),
    }
    if random.random() < 0.2:
        trust["services"] = random.choice(({}, {"sns.amazonaws.com": "any"}))
    return {"account": OWN, "org_id": ORG, "role_tags": {"team": "core"}, "trust": trust}


class Adversary:
    """Sends what a policy's own conditions name, within what AWS lets each kind of caller send."""

    def __init__(self, random: Random, document: dict[str, Any]) -> None:
        self.random = random
        self.values: dict[str, list[str]] = {}
        self.named: list[str] = []
        for one in document["Statement"]:
            for names in one.get("Condition", {}).values():
                for name, found in names.items():
                    self.values.setdefault(name.lower(), []).extend([found] if isinstance(found, str) else found)
            principal = one.get("Principal", one.get("NotPrincipal"))
            for found in principal.values() if isinstance(principal, dict) else ():
                self.named.extend([found] if isinstance(found, str) else found)

    def fill(self, pattern: str) -> str:
        """Put something in the place of each wildcard and each variable."""
        known = {"aws:resourceaccount": OWN, "aws:resourceorgid": ORG, "sts:rolesessionname": "s1"}
        text = re.sub(r"\$\{([^,}]*)[^}]*\}", lambda match: known.get(match[1].lower(), "evil"), pattern)
        text = re.sub(r"\?", lambda _: self.random.choice("6ab"), text)
        return re.sub(r"\*", lambda _: self.random.choice(FILLS), text)

    def pick(self, name: str, *others: str | None, like: re.Pattern[str] | None = None) -> str | None:
        """Choose a value for a key: one that the policy names, if it is of the right form, or another; None: absent."""
        mine = [self.fill(one) for one in self.values.get(name.lower(), ())]
        mine = [one for one in mine if one and (like is None or like.fullmatch(one))]
        return self.random.choice((*mine, *others)) if others or mine else None

    def shared(self) -> dict[str, Any]:
        """Send what every caller may choose."""
        found: dict[str, Any] = {"sts:RoleSessionName": self.pick("sts:RoleSessionName", "s1", "evil", like=LIKE_NAMES)}
        tag = self.pick("aws:RequestTag/team", "core", "evil", "", None, like=LIKE_TAGS)
        if tag is not None:
            found |= {"aws:RequestTag/team": tag, "aws:TagKeys": self.random.choice((["team"], ["team", "cost"]))}
        found["sts:SourceIdentity"] = self.pick("sts:SourceIdentity", "evil", None, None, like=LIKE_NAMES)
        return found

    def identity(self) -> tuple[str, str, dict[str, Any]]:
        """Call as a user, a role or a session of an account that the policy names, or of another."""
        arns = [one for one in self.named if LIKE_ARNS.fullmatch(one)]
        account = self.random.choice((OWN, FOREIGN, EXTERNAL, EVIL))
        arns.extend(f"arn:aws:iam::{account}:{name}" for name in ("role/ci", "role/x/ci", "user/alice", "user/evil"))
        arn = self.pick("aws:PrincipalArn", *arns, like=LIKE_ARNS)
        assert arn is not None
        account = arn.split(":")[4]
        name = arn.rpartition("/")[2]
        is_role = ":role/" in arn[: len(f"arn:aws:iam::{account}:role/")]
        found = self.shared() | {
            "aws:PrincipalArn": arn,
            "aws:PrincipalAccount": account,
            "aws:PrincipalIsAWSService": "false",
        }
        principal = arn
        if is_role and self.random.random() < 0.5:
            # A role's name is unique in its account: a policy that names the role tells the path of its sessions.
            known = {one.rpartition("/")[2]: one for one in self.named if f":{account}:role/" in one}
            found["aws:PrincipalArn"] = known.get(name, arn)
            principal = f"arn:aws:sts::{account}:assumed-role/{name}/s1"
        org = ORG if account == OWN else self.random.choice((None, OTHER_ORG, ORG, "o-evil"))
        if org is not None:
            found |= {
                "aws:PrincipalOrgID": org,
                "aws:PrincipalOrgPaths": [f"{org}/r-1/{self.random.choice(('', 'ou-1/'))}"],
            }
        found["aws:PrincipalTag/team"] = self.pick(
            "aws:PrincipalTag/team", "core", "s1", name, "", None, like=LIKE_TAGS
        )
        found["sts:ExternalId"] = self.pick("sts:ExternalId", account, "other", None, like=LIKE_IDS)
        if is_role and self.random.random() < 0.3:
            found["codebuild:ProjectArn"] = f"arn:aws:codebuild:us-east-1:{account}:project/x"
        return principal, CALLS[0], found

    def service(self) -> tuple[str, str, dict[str, Any]]:
        """Call as a service, for an account and perhaps with a resource of it."""
        found = self.shared() | {"aws:PrincipalIsAWSService": "true"}
        name = self.random.choice([one for one in self.named if one in SERVICES] or SERVICES)
        account = self.random.choice((OWN, FOREIGN, EXTERNAL, EVIL))
        arn = self.pick(
            "aws:SourceArn", f"arn:aws:sns:us-east-1:{account}:x", "arn:aws:s3:::evil", None, like=LIKE_SOURCES
        )
        account = (arn or "::::").split(":")[4] or account
        org = ORG if account == OWN else self.random.choice((None, OTHER_ORG, ORG))
        found |= {"aws:SourceArn": arn, "aws:SourceAccount": self.random.choice((account, account, None))}
        found |= {"aws:SourceOrgID": self.random.choice((org, None)), "aws:PrincipalServiceName": name}
        return name, CALLS[0], found

    def token(self, issuer: str) -> tuple[str, str, dict[str, Any]]:
        """Call with a token of an issuer, whose claims agree with each other."""
        found = self.shared()
        if issuer == GITHUB:
            names = (
                f"repo:{owner}/{name}:ref:x"
                for owner in ("acme", "evil", "acme@1", "acme-evil")
                for name in ("api", "x")
            )
            subject = self.pick(f"{GITHUB}:sub", *names, "repo:acme@1/api@2:x", like=LIKE_SUBJECTS)
            assert subject is not None
            head = subject.split(":")[1]
            owner, _, number = head.partition("/")[0].partition("@")
            owner_id = number or {"acme": "1"}.get(owner, self.random.choice(("2", "11")))
            repository = "/".join(part.partition("@")[0] for part in head.split("/"))
            found |= {
                f"{GITHUB}:sub": subject,
                f"{GITHUB}:repository": repository,
                f"{GITHUB}:repository_owner_id": owner_id,
            }
            found |= {
                f"{GITHUB}:aud": self.pick(f"{GITHUB}:aud", "evil"),
                f"{GITHUB}:environment": self.pick(f"{GITHUB}:environment", None),
            }
        elif issuer == PRIVATE:
            found |= {
                f"{PRIVATE}:sub": self.pick(f"{PRIVATE}:sub", "evil"),
                f"{PRIVATE}:aud": self.pick(f"{PRIVATE}:aud", "evil", "app"),
            }
            found |= {f"{PRIVATE}:email": self.pick(f"{PRIVATE}:email", "evil@evil.example", None)}
            found[f"{PRIVATE}:amr"] = self.random.choice((None, ["mfa"], ["pwd"], ["mfa", "pwd"]))
        else:
            other = "us-east-1:66666666-6666-6666-6666-666666666666"
            found |= {
                f"{POOLS}:{claim}": self.pick(f"{POOLS}:{claim}", other, like=LIKE_POOLS) for claim in ("sub", "aud")
            }
            found[f"{POOLS}:amr"] = self.random.choice((["unauthenticated"], ["authenticated", "graph.facebook.com"]))
        return OIDC[issuer], CALLS[1], found

    def assertion(self) -> tuple[str, str, dict[str, Any]]:
        """Call with an assertion of a SAML provider."""
        name = self.random.choice(list(SAML))
        found = self.shared() | {"SAML:aud": "https://signin.aws.amazon.com/saml", "saml:doc": f"{OWN}/{name}"}
        found["saml:sub"] = self.pick("saml:sub", "evil")
        found["saml:edupersonaffiliation"] = self.random.choice((None, ["staff"], ["staff", "faculty"], ["x"]))
        return SAML[name], CALLS[2], found

    def requests(self, count: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Send a number of requests, of those kinds that the policy speaks of and of the others."""
        text = " ".join((*self.named, *self.values)).lower()
        kinds: list[Callable[[], tuple[str, str, dict[str, Any]]]] = [self.identity]
        kinds += [self.service] * (2 if ".amazonaws.com" in text else 0)
        kinds += [self.assertion] * (2 if "saml" in text else 0)
        kinds += [lambda issuer=issuer: self.token(issuer) for issuer in OIDC if issuer in text] * 2
        for _ in range(count):
            principal, action, context = self.random.choice(kinds)()
            yield principal, action, {key: value for key, value in context.items() if value is not None}


ROLE_KEYS = {"aws:ResourceOrgID": ORG, "aws:ResourceTag/team": "core"}


@given(st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_who_reads_a_narrow_policy_gets_in_only_from_inside(
    is_inside: Callable[..., bool], is_way_in: Callable[..., bool], random: Random
) -> None:
    document, table = policy_of(random), zones_of(random)
    policy = Policy.parse(document, kind="trust", lenient=True)
    proof = prove(policy, Zones.parse(table), now=NOW)
    assert all(is_way_in(policy, table, witness, ROLE) for witness in proof.witnesses)
    if proof.verdict != "narrow":
        return
    for principal, action, context in Adversary(random, document).requests(80):
        request = Request(action, ROLE, principal, context | ROLE_KEYS)
        if authorize(request, identity=[EVERYTHING], resource=policy).outcome == "allowed":
            assert is_inside(table, principal, action, context), (principal, context)
            assert not proof.dead, (principal, context)
