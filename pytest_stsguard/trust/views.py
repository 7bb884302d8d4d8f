"""Keys that are part of another key: an account in an ARN, an organisation in a path, a repository in a subject.

AWS sets both from one fact, so they are solved for as one text; that is what keeps a proof from inventing a request
whose parts contradict each other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy.arns import ARN_PARTS
from pytest_stsguard.trust.chars import (
    ANY,
    DIGIT,
    NAME,
    NO_ID,
    NOT_COLON,
    ORG,
    OWNER,
    REPOSITORY,
    Slots,
    literal,
    many,
    restrict,
    some,
)
from pytest_stsguard.trust.points import moment_text
from pytest_stsguard.trust.text import View

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AS_EPOCH",
    "AS_MOMENT",
    "ORGANIZATION_OF_SUBJECT",
    "ORG_OF_PATH",
    "REPOSITORY_OF_IDS",
    "REPOSITORY_OF_SUBJECT",
    "account_of_principal",
    "account_of_source",
    "name_of_user",
]

COLON: Final = literal(":")


def _part(index: int) -> Callable[[str], str]:
    return lambda text: text.split(":", ARN_PARTS - 1)[index]


def account_of_principal(partition: str) -> View:
    """Give the view of aws:PrincipalAccount in aws:PrincipalArn."""
    head = literal(f"arn:{partition}:iam::")

    def embed(slots: Slots) -> tuple[Slots, ...]:
        account = restrict(slots, DIGIT)
        return () if account is None else ((*head, *account, *COLON, *many(ANY)),)

    return View(_part(4), embed, lambda account: f"arn:{partition}:iam::{account}:role/evil")


def name_of_user(prefix: str) -> View:
    """Give the view of aws:username in aws:PrincipalArn, given the ARN up to the user's path."""

    def embed(slots: Slots) -> tuple[Slots, ...]:
        name = restrict(slots, NAME)
        head = literal(":user/")
        if name is None:
            return ()
        return (*many(ANY), *head, *name), (*many(ANY), *head, *many(ANY), *literal("/"), *name)

    return View(lambda arn: arn.rpartition("/")[2], embed, lambda name: f"{prefix}{name}")


def _embed_org(slots: Slots) -> tuple[Slots, ...]:
    org = restrict(slots, ORG)
    return () if org is None else ((*org, *literal("/"), *many(ANY)),)


ORG_OF_PATH: Final = View(lambda path: path.partition("/")[0], _embed_org, lambda org: f"{org}/r-evil/")
"""aws:PrincipalOrgID in aws:PrincipalOrgPaths, and the same of the source."""


def account_of_source(partition: str) -> View:
    """Give the view of aws:SourceAccount in an aws:SourceArn that names an account."""
    part = (*many(NOT_COLON), *COLON)

    def embed(slots: Slots) -> tuple[Slots, ...]:
        account = restrict(slots, DIGIT)
        return () if account is None else ((*part, *part, *part, *part, *account, *COLON, *many(ANY)),)

    return View(_part(4), embed, lambda account: f"arn:{partition}:evil:us-east-1:{account}:evil")


def _embed_repository(slots: Slots) -> tuple[Slots, ...]:
    name = restrict(slots, NO_ID)
    if name is None:
        return ()
    return (*literal("repo:"), *name), (*literal("repo:"), *name, *COLON, *many(ANY))


REPOSITORY_OF_SUBJECT: Final = View(
    lambda subject: subject.split(":", 2)[1], _embed_repository, lambda name: f"repo:{name}:ref:refs/heads/main"
)
"""GitHub's `repository` claim in a subject of the form ``repo:OWNER/NAME:...``."""


def _embed_repository_with_ids(slots: Slots) -> tuple[Slots, ...]:
    """Cut the pattern at every place that may be the slash, and put ids after both names."""
    found = []
    number = (*literal("@"), *some(DIGIT))
    for place, slot in enumerate(slots):
        if slot.chars.holds("/"):
            kept = (slot,) if slot.many else ()
            owner = restrict((*slots[:place], *kept), OWNER)
            name = restrict((*kept, *slots[place + 1 :]), REPOSITORY)
            if owner is not None and name is not None:
                found.append((*literal("repo:"), *owner, *number, *literal("/"), *name, *number, *COLON, *many(ANY)))
    return tuple(found)


def _repository_without_ids(subject: str) -> str:
    return "/".join(part.partition("@")[0] for part in subject.split(":", 2)[1].split("/"))


REPOSITORY_OF_IDS: Final = View(
    _repository_without_ids,
    _embed_repository_with_ids,
    lambda name: f"repo:{name.replace('/', '@6666/')}@7777:ref:refs/heads/main",
)
"""The same in a subject of the form ``repo:OWNER@ID/NAME@ID:...``."""


def _embed_organization(slots: Slots) -> tuple[Slots, ...]:
    name = restrict(slots, NOT_COLON)
    return () if name is None else ((*literal("organization:"), *name, *COLON, *many(ANY)),)


ORGANIZATION_OF_SUBJECT: Final = View(
    lambda subject: f"{subject}:".split(":", 2)[1],
    _embed_organization,
    lambda name: f"organization:{name}:pipeline:evil:ref:refs/heads/main:commit:HEAD:step:build",
)
"""Buildkite's `organization_slug` in a subject of the form ``organization:SLUG:...``."""

AS_MOMENT: Final = View(lambda seconds: moment_text(Decimal(seconds)), lambda _: (), str)
"""A moment written in ISO 8601, of a variable that holds epoch seconds."""

AS_EPOCH: Final = View(lambda seconds: str(int(Decimal(seconds))), lambda _: (), str)
"""A moment in whole epoch seconds, of the same variable."""
