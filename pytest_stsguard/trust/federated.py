"""What federated callers carry: tokens of OIDC issuers and assertions of SAML providers. No aws:Principal* keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_stsguard.trust.chars import NAME, literal, some
from pytest_stsguard.trust.issuers import (
    ANYTHING,
    BUILDKITE,
    COGNITO,
    GITHUB_CUSTOM,
    GITHUB_IDS,
    GITHUB_ODD,
    GITHUB_REPOSITORY,
    issuer_of,
)
from pytest_stsguard.trust.option import ABSENT, FREE, Key, Option, fixed, key, texts, values
from pytest_stsguard.trust.presence import OF_SESSIONS, lookup
from pytest_stsguard.trust.text import Shape
from pytest_stsguard.trust.views import ORGANIZATION_OF_SUBJECT, REPOSITORY_OF_IDS, REPOSITORY_OF_SUBJECT

if TYPE_CHECKING:
    from pytest_stsguard.trust.request_class import Scene

__all__ = ["FORMAL", "LOOSE_ID", "UNTOLD_ID", "Ids", "OidcKeys", "SamlKeys"]

FORMAL: Final = "formal only: the issuer is not documented to issue such a value (hold the condition against the issuer's own format)"
LOOSE: Final = (
    "the repository's name does not tell the subject, which is customised or carries ids (pin both in the policy, or "
    "declare `claims.repository` in the zones)"
)
LOOSE_ID: Final = (
    "an id that the zones declare in a subject does not tell the subject, which may be in another form (pin the subject "
    "as well, or declare the id under `claims` in the zones)"
)

ANY_TEXT: Final = Shape(ANYTHING)
UNTOLD_ID: Final = (
    "whether an id that the policy names is a declared owner's is not told (declare it under `claims` in the zones, or pin "
    "`sub` as well)"
)
Ids = tuple[str, tuple[str, ...], str]
SAY_WHOSE: Final = "check its spelling, and pin `sub` or `aud`"

_NEVER: Final = frozenset(
    {
        "aws:username",
        "aws:userid",
        "aws:tokenissuetime",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceidentity",
        "sts:externalid",
    }
)
"""What comes with IAM identities or services only."""

_AUTHENTICATED: Final = Shape(ANYTHING, ("graph.facebook.com",), ("", "x"))
_METHODS: Final = (
    fixed("unauthenticated"),
    values(_AUTHENTICATED, required=("authenticated",), banned=("unauthenticated",)),
    values(ANY_TEXT, doubt=FORMAL),
    Option("absent", doubt=FORMAL),
)
"""Cognito's amr: `unauthenticated` alone, or `authenticated` beside the login provider."""

_SAML_ALWAYS: Final[dict[str, tuple[Option, ...]]] = {
    "saml:aud": (texts(Shape(ANYTHING, ("https://signin.aws.amazon.com/saml",), ("", "x"))),),
    "saml:iss": (texts(Shape(ANYTHING, ("https://idp.example/evil",), ("", "evil"))),),
}
_SAML_LISTS: Final = frozenset(
    f"saml:{name}"
    for name in (
        "cn", "commonname", "eduorghomepageuri", "eduorgidentityauthnpolicyuri", "eduorglegalname", "eduorgsuperioruri",
        "eduorgwhitepagesuri", "edupersonaffiliation", "edupersonassurance", "edupersonentitlement",
        "edupersonnickname", "edupersonorgunitdn", "edupersonscopedaffiliation", "edupersontargetedid", "groups", "mail",
    )
)  # fmt: skip
"""Attributes that may have several values: those that AWS types as a list, and those that its user guide once did.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_sts.html
"""


def _common(asked: str) -> Key | None:
    if asked.startswith("aws:principal") or asked in _NEVER | OF_SESSIONS:
        return key(asked, ABSENT)
    if asked == "aws:federatedprovider":
        return key(
            asked,
            ABSENT,
            texts(FREE, doubt=f"whether `{asked}` comes with the first call is not documented ({SAY_WHOSE})"),
        )
    return None


@dataclass(frozen=True, slots=True)
class OidcKeys:
    """The presence table of one OIDC issuer's tokens.

    `subject`, where the policy or the zones ask for GitHub's repository: ``name`` when the subject begins with its
    name, ``ids`` when with name and ids, so that the claim is a part of it; ``other`` for every other subject.
    `ids` are claims of which the class has a few values only, each with its name, these values, and what is in doubt
    about them.
    """

    scene: Scene
    issuer: str
    subject: str = ""
    ids: tuple[Ids, ...] = ()

    def __call__(self, asked: str) -> Key:
        """Tell what a context key (lower case) can be."""
        return lookup(asked, self.scene, self._own)

    def _own(self, asked: str) -> Key | None:
        prefix = f"{self.issuer.lower()}:"
        if asked.startswith(prefix):
            return self.claim(asked, asked.removeprefix(prefix))
        if asked.startswith("saml:") or "." in asked.partition(":")[0]:
            return key(asked, ABSENT)
        if asked == "sts:roleauthorizedbyidp":
            doubt = f"whether `sts:RoleAuthorizedByIdp` comes with every token is not documented ({SAY_WHOSE})"
            return key(asked, fixed("true", "false"), Option("absent", doubt=doubt))
        return _common(asked)

    def claim(self, asked: str, name: str) -> Key:
        """Give what a claim can be: in its documented format, and in any other for all we know."""
        if name == "amr" and self.issuer in COGNITO:
            return key(asked, *_METHODS, several=True)
        if self.subject and name in {"sub", "repository"}:
            return self._repository(name)
        for claim, pinned, doubt in self.ids:
            if claim == name:
                return key(asked, fixed(*pinned, doubt=doubt))
        return self._documented(asked, name)

    def _documented(self, asked: str, name: str) -> Key:
        known = issuer_of(self.issuer)
        if name == "amr":
            return key(asked, ABSENT, values(ANY_TEXT, doubt=None if known.people else FORMAL), several=True)
        if name == "organization_slug" and self.issuer == BUILDKITE:
            return self._documented(f"{BUILDKITE}:sub", "sub")._replace(view=ORGANIZATION_OF_SUBJECT)
        formal = texts(ANY_TEXT, doubt=FORMAL)
        if name in known.always:
            return key(asked, texts(*known.always[name]), formal)
        if name in known.sometimes:
            return key(asked, texts(*known.sometimes[name]), ABSENT, formal)
        doubt = f"STS is not documented to know the claim `{name[:80]}` of this issuer ({SAY_WHOSE})"
        return key(asked, ABSENT, texts(ANY_TEXT, doubt=doubt))

    def _repository(self, name: str) -> Key:
        """Give GitHub's subject and repository, which agree."""
        subject = f"{self.issuer.lower()}:sub"
        whole = name == "sub"
        if self.subject == "name":
            options = (texts(*GITHUB_REPOSITORY), texts(*GITHUB_ODD, doubt=FORMAL))
            return Key(subject, options, None if whole else REPOSITORY_OF_SUBJECT)
        if self.subject == "ids":
            return Key(subject, (texts(*GITHUB_IDS, doubt=LOOSE),), None if whole else REPOSITORY_OF_IDS)
        asked = f"{self.issuer.lower()}:{name}"
        shapes = GITHUB_CUSTOM if whole else issuer_of(self.issuer).always[name]
        return key(asked, texts(*shapes, doubt=LOOSE), texts(ANY_TEXT, doubt=FORMAL))


@dataclass(frozen=True, slots=True)
class SamlKeys:
    """The presence table of the assertions of a SAML provider; `name` is empty for one that nobody names."""

    scene: Scene
    name: str = ""

    def __call__(self, asked: str) -> Key:
        """Tell what a context key (lower case) can be."""
        return lookup(asked, self.scene, self._own)

    def _own(self, asked: str) -> Key | None:
        if asked == "saml:doc":
            return key(asked, self.document())
        always = _SAML_ALWAYS.get(asked)
        if always is not None:
            return key(asked, *always)
        if asked in _SAML_LISTS:
            return key(asked, ABSENT, values(FREE), several=True)
        if asked.startswith("saml:"):
            return key(asked, ABSENT, texts(FREE))
        if "." in asked.partition(":")[0]:
            return key(asked, ABSENT)
        return _common(asked)

    def document(self) -> Option:
        """Give saml:doc: the account and the name of the provider, and no part of the assertion."""
        account = self.scene.zones.account
        if self.name:
            return fixed(f"{account}/{self.name}")
        return texts(Shape((*literal(f"{account}/"), *some(NAME)), (f"{account}/evil",), ("", "evil")))
