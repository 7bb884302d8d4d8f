"""Policy documents that cannot be read in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.account import is_unknown
from pytest_stsguard.reach.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Document, Principal
    from pytest_stsguard.reach.survey import Survey

__all__ = ["unreadable"]

_SHOWN = 3


def unreadable(survey: Survey) -> Iterator[Fault]:
    """Find the documents in force that hold something IAM would refuse, or that is not known here (STSG-112)."""
    for arn, document in _in_force(survey):
        problems = document.problems
        unknown = [problem for problem in problems if is_unknown(problem)]
        if unknown and len(unknown) == len(problems):
            if document.kind != "trust":  # of a trust policy STSG-111 tells
                yield Fault(
                    arn,
                    f"`{document.name}` holds what only a deployment knows: {unknown[0]}",
                    place=document.name,
                    location=document.locate(unknown[0].location or ""),
                    evidence={"policy": document.name, "problems": [str(problem) for problem in unknown[:20]]},
                    severity="low",
                )
        elif problems:
            shown = "; ".join(str(problem) for problem in problems[:_SHOWN])
            more = f"; {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
            yield Fault(
                arn,
                f"`{document.name}` cannot be read in full: {shown}{more}",
                place=document.name,
                location=document.locate(problems[0].location or ""),
                evidence={"policy": document.name, "problems": [str(problem) for problem in problems[:20]]},
            )


def _in_force(survey: Survey) -> Iterator[tuple[str, Document]]:
    """Go through trust and inline policies and the default versions of managed ones."""
    account = survey.account
    for role in survey.roles:
        yield role.arn, role.trust
    holders: tuple[Principal, ...] = (*survey.roles, *account.users, *account.groups)
    for holder in holders:
        for document in holder.inline:
            yield holder.arn, document
    for policy in account.policies:
        if policy.document is not None:
            yield policy.arn, policy.document
