"""Every limit of the token service, as one table: the behaviour reads it, and so does the documentation.

From the AWS Security Token Service API Reference, "Compare AWS STS credentials" and "IAM and AWS STS quotas" in the IAM
User Guide. What AWS does not publish is marked `inferred`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "CHAINED_SECONDS",
    "CONSOLE",
    "LOGIN_SECONDS",
    "MFA_STEP_SECONDS",
    "MFA_WINDOW",
    "OPT_IN_REGIONS",
    "PACKED_BYTES",
    "POLICY_ARNS",
    "POLICY_CHARACTERS",
    "ROOT_SECONDS",
    "SAML_REDEEM_SECONDS",
    "SESSIONS",
    "SESSION_BY_KIND",
    "TAGS",
    "TAG_KEY",
    "TAG_VALUE",
    "TASK_POLICIES",
    "TEXTS",
    "TOKEN_SECONDS",
    "Range",
    "SessionLimit",
    "Text",
]


@dataclass(frozen=True, slots=True)
class Text:
    """What a text parameter may be; `longest` None: no limit of its own."""

    shortest: int
    longest: int | None
    pattern: str


@dataclass(frozen=True, slots=True)
class Range:
    """Seconds that may be asked for."""

    least: int
    default: int
    most: int


@dataclass(frozen=True, slots=True)
class SessionLimit:
    """One kind of session: who makes it, how long it lives, what it may not call.

    `kinds` are the ledger's names of it. `only` are the operations of STS that it may call, None for all but those in
    `never`. `iam` tells whether it may call IAM through the API: ``always``, ``mfa`` or ``console``.
    """

    operations: tuple[str, ...]
    kinds: tuple[str, ...]
    seconds: Range
    noted: str = ""
    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()
    iam: str = "always"


CHAINED_SECONDS: Final = 3600
"""The longest session of a role that was assumed with a role's session."""

ROOT_SECONDS: Final = 3600
"""The longest session or federation token of a root user."""

_LONG_TERM_ONLY: Final = frozenset({"GetSessionToken", "GetFederationToken"})
_TOKEN: Final = Range(900, 43_200, 129_600)
_BY_ROLE: Final = "at most the role's MaxSessionDuration (3600-43200)"

SESSIONS: Final = (
    SessionLimit(
        ("AssumeRole",),
        ("assumed-role",),
        Range(900, 3600, 43_200),
        noted=f"{_BY_ROLE}; chained at most {CHAINED_SECONDS}",
        never=_LONG_TERM_ONLY,
    ),
    SessionLimit(
        ("AssumeRoleWithSAML",), ("saml",), Range(900, 3600, 43_200), noted=f"{_BY_ROLE}", never=_LONG_TERM_ONLY
    ),
    SessionLimit(
        ("AssumeRoleWithWebIdentity",),
        ("web-identity",),
        Range(900, 3600, 43_200),
        noted=f"{_BY_ROLE}",
        never=_LONG_TERM_ONLY,
    ),
    SessionLimit(
        ("GetSessionToken",),
        ("session-token",),
        _TOKEN,
        noted=f"a root user's at most {ROOT_SECONDS}",
        only=frozenset({"AssumeRole", "GetCallerIdentity"}),
        iam="mfa",
    ),
    SessionLimit(
        ("GetFederationToken",),
        ("federated-user",),
        _TOKEN,
        noted=f"a root user's at most {ROOT_SECONDS}",
        only=frozenset({"GetCallerIdentity"}),
        iam="console",
    ),
    SessionLimit(
        ("AssumeRoot",), ("root-task",), Range(0, 900, 900), noted="within its task policy", never=_LONG_TERM_ONLY
    ),
    SessionLimit(
        ("EC2 instance profile",),
        ("instance",),
        Range(21_600, 21_600, 21_600),
        noted="about 6 hours, whatever the role's MaxSessionDuration",
        never=_LONG_TERM_ONLY,
    ),
    SessionLimit(
        ("ECS task", "EKS Pod Identity"),
        ("container",),
        Range(21_600, 21_600, 21_600),
        noted="about 6 hours, whatever the role's MaxSessionDuration",
        never=_LONG_TERM_ONLY,
    ),
)
"""The kinds of session, in the order of the documentation."""

SESSION_BY_KIND: Final = {kind: limit for limit in SESSIONS for kind in limit.kinds}

_ARN: Final = r"[\x09\x0A\x0D\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]+"
_NAME: Final = r"[\w+=,.@-]*"
_DOCUMENT: Final = r"[\x09\x0A\x0D\x20-\xFF]+"

TEXTS: Final = {
    "RoleArn": Text(20, 2048, _ARN),
    "PrincipalArn": Text(20, 2048, _ARN),
    "RoleSessionName": Text(2, 64, _NAME),
    "SourceIdentity": Text(2, 64, _NAME),
    "Name": Text(2, 32, _NAME),
    "ExternalId": Text(2, 1224, r"[\w+=,.@:\/-]*"),
    "SerialNumber": Text(9, 256, r"[\w+=/:,.@-]*"),
    "TokenCode": Text(6, 6, r"[\d]*"),
    "Policy": Text(1, 2048, _DOCUMENT),
    "SAMLAssertion": Text(4, 100_000, r"(?s:.*)"),
    "WebIdentityToken": Text(4, 20_000, r"(?s:.*)"),
    "TargetPrincipal": Text(12, 2048, r"(?s:.*)"),
    "AccessKeyId": Text(16, 128, r"[\w]*"),
    "EncodedMessage": Text(1, 10_240, r"(?s:.*)"),
    "SigningAlgorithm": Text(5, 5, r"(?s:.*)"),
}
"""Text parameters by their API names."""

TAGS: Final = 50
TAG_KEY: Final = Text(1, 128, r"[\w\s.:/=+\-@]+")
TAG_VALUE: Final = Text(0, 256, r"[\w\s.:/=+\-@]*")
"""Session tags: their number, their keys (without regard to case) and their values."""

POLICY_CHARACTERS: Final = 2048
POLICY_ARNS: Final = 10
PACKED_BYTES: Final = 2500
"""What compressed policies, ARNs and tags may come to. Inferred: AWS publishes percentages, not the form."""

TOKEN_SECONDS: Final = Range(60, 300, 3600)
"""How long the token of GetWebIdentityToken is valid."""

SAML_REDEEM_SECONDS: Final = 300
"""A SAML response must be redeemed within five minutes of its issue."""

CONSOLE: Final = Range(900, 43_200, 43_200)
LOGIN_SECONDS: Final = 900
"""A sign-in token is valid for fifteen minutes; the console session that it gives for twelve hours at most."""

MFA_STEP_SECONDS: Final = 30
MFA_WINDOW: Final = 1
"""Time-based codes (RFC 6238): the length of a step, and how many steps a device may be off. The latter is inferred."""

OPT_IN_REGIONS: Final = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"),
        *("ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1"),
        *("me-central-1", "me-south-1", "mx-central-1"),
    }
)
"""Regions in which an account's STS answers only once the region is enabled."""

TASK_POLICIES: Final = frozenset(
    f"arn:aws:iam::aws:policy/root-task/{name}"
    for name in (
        "IAMAuditRootUserCredentials",
        "IAMCreateRootUserPassword",
        "IAMDeleteRootUserCredentials",
        "S3UnlockBucketPolicy",
        "SQSUnlockQueuePolicy",
    )
)
"""The policies to which AssumeRoot confines a session."""
