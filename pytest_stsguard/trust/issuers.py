"""What is known of identity providers: which claims STS makes condition keys of, and what a subject looks like.

The claims are those that AWS documents; the formats are the providers' own. A claim that is not listed may be there
or not: nothing is proved from its presence.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
https://docs.aws.amazon.com/service-authorization/latest/reference/list_sts.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.trust.chars import (
    ANY,
    DIGIT,
    LETTER,
    NO_ID,
    ORG,
    OWNER,
    PRINTABLE,
    REPOSITORY,
    Chars,
    Slot,
    Slots,
    literal,
    many,
    some,
)
from pytest_stsguard.trust.text import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ANYTHING",
    "BUILDKITE",
    "BUILT_IN",
    "COGNITO",
    "GITHUB",
    "GITHUB_CUSTOM",
    "GITHUB_IDS",
    "GITHUB_ODD",
    "GITHUB_REPOSITORY",
    "TENANTS",
    "Issuer",
    "is_github",
    "issuer_of",
]

GITHUB: Final = "token.actions.githubusercontent.com"
BUILDKITE: Final = "agent.buildkite.com"

BUILT_IN: Final = frozenset(
    {
        "accounts.google.com",
        "cognito-identity.amazonaws.com",
        "cognito-identity.cn-north-1.amazonaws.com.cn",
        "cognito-identity-us-gov.amazonaws.com",
        "graph.facebook.com",
        "www.amazon.com",
    }
)
"""Providers that a trust policy names without an ARN."""

COGNITO: Final = frozenset(name for name in BUILT_IN if name.startswith("cognito"))

HEX: Final = Chars(frozenset("0123456789abcdef-"))

ANYTHING: Final[Slots] = some(PRINTABLE)
SUBJECT_TEXT: Final = Shape(ANYTHING, ("evil", "evil-1"), ("", "evil", "x"))

EVIL: Final = "evil-org/evil-repo:ref:refs/heads/main"
_GITHUB_FILLS: Final = (
    "",
    "x",
    "-evil/evil-repo:ref:refs/heads/main",
    EVIL,
    "/evil-repo:ref:refs/heads/main",
    ":ref:refs/heads/main",
    "evil-org/evil-repo",
    "evil-org",
    "-evil",
    "6666",
)
_TEMPLATE_KEYS: Final = (
    "actor", "actor_id", "base_ref", "check_run_id", "context", "enterprise", "enterprise_id", "environment",
    "event_name", "head_ref", "job_workflow_ref", "ref", "ref_type", "repository", "repository_id",
    "repository_owner", "repository_owner_id", "repository_visibility", "run_attempt", "run_id", "run_number",
    "runner_environment", "sha", "workflow", "workflow_ref", "workflow_sha",
)  # fmt: skip
"""Claims that a customised subject may begin with; the organisation that owns the repository chooses the template."""

_OWNER: Final[Slots] = (Slot(LETTER), *many(OWNER))
_REPO: Final[Slots] = (*literal("repo:"), *_OWNER, *literal("/"), *some(REPOSITORY))
_REPO_ID: Final[Slots] = (
    *literal("repo:"), *_OWNER, *literal("@"), *some(DIGIT),
    *literal("/"), *some(REPOSITORY), *literal("@"), *some(DIGIT), *literal(":"), *some(PRINTABLE),
)  # fmt: skip

GITHUB_REPOSITORY: Final = (
    Shape((*_REPO, *literal(":"), *some(PRINTABLE)), (f"repo:{EVIL}",), _GITHUB_FILLS),
    Shape(_REPO, ("repo:evil-org/evil-repo",), _GITHUB_FILLS),
)
"""Subjects that begin with the repository's name, in the form of repositories made before 15 July 2026."""

GITHUB_ODD: Final = (
    Shape((*literal("repo:"), *many(NO_ID))),
    Shape((*literal("repo:"), *many(NO_ID), *literal(":"), *many(ANY))),
)
"""Subjects that begin with some name without ids, which GitHub may not be documented to issue."""

GITHUB_IDS: Final = (Shape(_REPO_ID, ("repo:evil-org@6666/evil-repo@7777:ref:refs/heads/main",), _GITHUB_FILLS),)
"""Subjects in the form that carries ids."""

GITHUB_CUSTOM: Final = tuple(
    Shape((*literal(f"{key}:"), *some(PRINTABLE)), (f"{key}:evil",), (*_GITHUB_FILLS, ":evil"))
    for key in _TEMPLATE_KEYS
)
"""Customised subjects."""


def _subject(prefix: str, sample: str, *fills: str) -> tuple[Shape, ...]:
    """Describe subjects that begin with a fixed text and go on with anything."""
    return (Shape((*literal(prefix), *some(PRINTABLE)), (sample,), ("", "x", *fills)),)


class Issuer(NamedTuple):
    """What is known of a provider.

    `always` and `sometimes` are claims that STS knows, in lower case, with what they look like; `subject` tells whose
    tokens an unrestricted trust policy admits, for witnesses.
    """

    subject: str
    always: Mapping[str, tuple[Shape, ...]]
    sometimes: Mapping[str, tuple[Shape, ...]] = {}
    folds: bool = False
    """Whether names that differ only in case belong to one owner."""
    people: bool = False
    """Whether tokens may be a person's, and so may tell an address (`email`) and how one signed in (`amr`)."""
    tenants: frozenset[str] = frozenset()
    """Claims that name a tenant by an id, which a declaration of the tenant by name does not tell."""


_TEXT: Final = (SUBJECT_TEXT,)
_DIGITS: Final = (Shape(some(DIGIT), ("6666",), ("", "6")),)
_AUDIENCE: Final = (Shape(ANYTHING, ("sts.amazonaws.com",), ("", "x", "sts.amazonaws.com")),)
_POOL: Final = (
    Shape(
        (*some(ORG), *literal(":"), *some(HEX)),
        ("us-east-1:66666666-6666-6666-6666-666666666666",),
        ("", "66666666-6666-6666-6666-666666666666", "us-east-1"),
    ),
)
_POOLS: Final = Issuer("any user of any Cognito identity pool", {"sub": _POOL, "aud": _POOL})
_ORIGINAL: Final = {"oaud": _AUDIENCE}
"""`aud` is the token's `azp` where it has one, and `oaud` its `aud`."""
_PERSON: Final = {**_ORIGINAL, "email": _TEXT}
_UUID: Final = (Shape(some(HEX), ("66666666-6666-6666-6666-666666666666",), ("", "6")),)
_FLAG: Final = (Shape(literal("true")), Shape(literal("false")))

_KNOWN: Final[dict[str, Issuer]] = {
    GITHUB: Issuer(
        "any repository on GitHub",
        {
            "sub": (*GITHUB_REPOSITORY, *GITHUB_IDS, *GITHUB_CUSTOM),
            "aud": _AUDIENCE,
            "actor": _TEXT,
            "actor_id": _DIGITS,
            "job_workflow_ref": (
                Shape(
                    (*_OWNER, *literal("/"), *some(REPOSITORY), *literal("/"), *some(PRINTABLE)),
                    ("evil-org/evil-repo/.github/workflows/evil.yml@refs/heads/main",),
                    ("", "x", "evil-org/evil-repo/.github/workflows/evil.yml@refs/heads/main", "evil-org", "main"),
                ),
            ),
            "repository": (
                Shape(
                    (*_OWNER, *literal("/"), *some(REPOSITORY)),
                    ("evil-org/evil-repo",),
                    ("", "x", "evil-org/evil-repo", "-evil/evil-repo", "evil-repo", "evil-org"),
                ),
            ),
            "repository_id": _DIGITS,
            "repository_owner_id": _DIGITS,
            "workflow": _TEXT,
            "ref": (Shape((*literal("refs/"), *some(PRINTABLE)), ("refs/heads/main",), ("", "x", "refs/heads/main")),),
        },
        {"environment": _TEXT, "enterprise_id": _DIGITS, **_ORIGINAL},
        folds=True,
        tenants=frozenset({"repository_owner_id"}),
    ),
    "gitlab.com": Issuer(
        "any project on gitlab.com",
        {
            "sub": _subject(
                "project_path:",
                "project_path:evil-group/evil:ref_type:branch:ref:main",
                "evil-group/evil:ref_type:branch:ref:main",
                "-evil/evil:ref_type:branch:ref:main",
                ":ref_type:branch:ref:main",
            ),
            "aud": _AUDIENCE,
            "namespace_id": _DIGITS,
            "project_id": _DIGITS,
            "user_id": _DIGITS,
            "user_login": _TEXT,
            "user_email": _TEXT,
            "pipeline_source": _TEXT,
            "ref_protected": _FLAG,
            "runner_environment": _TEXT,
        },
        {"user_access_level": _TEXT, **_ORIGINAL},
        folds=True,
        tenants=frozenset({"namespace_id", "project_id"}),
    ),
    "app.terraform.io": Issuer(
        "any organization on Terraform Cloud",
        {
            "sub": _subject(
                "organization:",
                "organization:evil-org:project:evil:workspace:evil:run_phase:apply",
                "evil-org:project:evil:workspace:evil:run_phase:apply",
                "-evil:project:evil:workspace:evil:run_phase:apply",
                "evil",
                "apply",
            ),
            "aud": _AUDIENCE,
        },
        _ORIGINAL,
    ),
    BUILDKITE: Issuer(
        "any organization on Buildkite",
        {
            "sub": _subject(
                "organization:",
                "organization:evil-org:pipeline:evil:ref:refs/heads/main:commit:HEAD:step:build",
                "evil-org:pipeline:evil:ref:refs/heads/main:commit:HEAD:step:build",
                "-evil:pipeline:evil:ref:refs/heads/main:commit:HEAD:step:build",
            ),
            "aud": _AUDIENCE,
            "organization_id": _UUID,
            "pipeline_slug": _TEXT,
            "pipeline_id": _UUID,
        },
        {"build_branch": _TEXT, "cluster_id": _UUID, "cluster_name": _TEXT, **_ORIGINAL},
        tenants=frozenset({"organization_id", "pipeline_id", "cluster_id"}),
    ),
    "accounts.google.com": Issuer(
        "any Google account",
        {"sub": (Shape(some(DIGIT), ("666666666666666666666",), ("", "6")),), "aud": _AUDIENCE},
        {"google/organization_number": _DIGITS, **_PERSON},
        people=True,
    ),
    "www.amazon.com": Issuer("any Amazon customer", {"app_id": _TEXT, "user_id": _TEXT}),
    "graph.facebook.com": Issuer("any Facebook user", {"app_id": _TEXT, "id": _TEXT}),
    "oidc-configuration.audit-log.githubusercontent.com": Issuer(
        "any enterprise on GitHub",
        {
            "sub": _subject("https://github.com/", "https://github.com/evil-enterprise", "evil-enterprise", "-evil"),
            "aud": _AUDIENCE,
        },
    ),
    **dict.fromkeys(COGNITO, _POOLS),
}

_ANYONE: Final = Issuer("anyone with a token of this issuer", {"sub": _TEXT, "aud": _AUDIENCE}, _PERSON, people=True)

_ENTERPRISE: Final = _KNOWN[GITHUB]._replace(subject="any repository of the enterprise")
_DATA_RESIDENCY: Final = re.compile(r"token\.actions\.[^./]+\.ghe\.com(/.*)?")
"""GitHub Enterprise Cloud with data residency: an issuer of the enterprise's own."""

_BY_PREFIX: Final[tuple[tuple[str, Issuer], ...]] = (
    (
        "oidc.eks.",
        Issuer(
            "any service account of the cluster",
            {
                "sub": _subject(
                    "system:serviceaccount:", "system:serviceaccount:evil:evil", "evil:evil", "-evil:evil", "evil"
                ),
                "aud": _AUDIENCE,
            },
        ),
    ),
    (f"{GITHUB}/", _ENTERPRISE),
    ("github.com/enterprises/", _ENTERPRISE),
    (
        "oidc.circleci.com/org/",
        Issuer(
            "any project of the organization on CircleCI",
            {"sub": _subject("org/", "org/evil/project/evil/user/evil", "evil"), "aud": _AUDIENCE},
            {"oidc.circleci.com/project-id": _TEXT, **_ORIGINAL},
            tenants=frozenset({"oidc.circleci.com/project-id"}),
        ),
    ),
    (
        "idcs-",
        Issuer(
            "anyone with a token of this identity domain of Oracle's",
            {"sub": _TEXT, "aud": _AUDIENCE},
            {"rpst_id": _TEXT, **_PERSON},
            people=True,
            tenants=frozenset({"rpst_id"}),
        ),
    ),
    (
        "oidc.vercel.com",
        Issuer(
            "any project on Vercel",
            {
                "sub": _subject(
                    "owner:",
                    "owner:evil:project:evil:environment:production",
                    "evil:project:evil:environment:production",
                    "evil",
                ),
                "aud": (Shape(ANYTHING, ("https://vercel.com/evil",), ("", "evil", "-evil")),),
            },
        ),
    ),
)


TENANTS: Final = frozenset().union(*(one.tenants for one in (*_KNOWN.values(), *(one for _, one in _BY_PREFIX))))
"""Every claim that names a tenant by an id."""


def issuer_of(name: str) -> Issuer:
    """Give what is known of a provider by its name (an issuer's URL without ``https://``)."""
    found = _KNOWN.get(name)
    if found is not None:
        return found
    if _DATA_RESIDENCY.fullmatch(name):
        return _ENTERPRISE
    return next((issuer for prefix, issuer in _BY_PREFIX if name.startswith(prefix)), _ANYONE)


def is_github(name: str) -> bool:
    """Tell whether a provider issues GitHub's tokens: the common one, or an enterprise's own."""
    return any(issuer_of(name) is known for known in (_KNOWN[GITHUB], _ENTERPRISE))
