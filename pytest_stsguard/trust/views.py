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
    NOT_COLON,
    ORG,
    REPOSITORY,
    Chars,
    Slots,
    literal,
    many,
    restrict,
)
from pytest_stsguard.trust.points import moment_text
from pytest_stsguard.trust.text import View

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AS_EPOCH",
    "AS_MOMENT",
    "ORG_OF_PATH",
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


NAME_OF_REPOSITORY: Final = Chars(REPOSITORY.members | {"/"})


def _embed_repository(slots: Slots) -> tuple[Slots, ...]:
    name = restrict(slots, NAME_OF_REPOSITORY)
    if name is None:
        return ()
    return (*literal("repo:"), *name), (*literal("repo:"), *name, *COLON, *many(ANY))


REPOSITORY_OF_SUBJECT: Final = View(
    lambda subject: subject.split(":", 2)[1], _embed_repository, lambda name: f"repo:{name}:ref:refs/heads/main"
)
"""GitHub's `repository` claim in a subject of the form ``repo:OWNER/NAME:...``."""


AS_MOMENT: Final = View(lambda seconds: moment_text(Decimal(seconds)), lambda _: (), str)
"""A moment written in ISO 8601, of a variable that holds epoch seconds."""

AS_EPOCH: Final = View(lambda seconds: str(int(Decimal(seconds))), lambda _: (), str)
"""A moment in whole epoch seconds, of the same variable."""
