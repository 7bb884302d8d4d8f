"""Leftovers: a role or user that still carries a revoke policy is tainted until it is cleaned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.account import is_unknown
from pytest_stsguard.clock import isoformat
from pytest_stsguard.revocation import State, assess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_stsguard.account import Account, Document, Role, User
    from pytest_stsguard.findings import Configuration, Recorder
    from pytest_stsguard.revocation import Leftover


def leftovers(
    account: Account, now: datetime, configuration: Configuration
) -> Iterator[tuple[Role | User, Document, Leftover]]:
    for holders, longest in (
        (account.roles, configuration.longest_role_session),
        (account.users, configuration.longest_user_session),
    ):
        for holder in holders:
            bounds = account.boundary_document(holder)  # what it denies, it denies like any other policy
            own = (*account.identity_documents(holder), *([bounds] if bounds is not None else []))
            documents = {document.name: document for document in own}
            policies = [document.policy for document in documents.values()]
            for found in assess(
                policies, now=now, principal_arn=holder.arn, principal_id=holder.id, longest_session=longest
            ):
                yield holder, documents[found.policy_name], found


def may_deny_unread(document: Document) -> bool:
    """Tell whether a document holds a value that only a deployment knows where it may deny."""
    statements = document.policy.statements
    doubtful = not document.policy.whole or any(not one.readable and one.effect != "Allow" for one in statements)
    return doubtful and any(is_unknown(problem) for problem in document.problems)


def tell_unseen(account: Account, findings: Recorder) -> None:
    """Say which policies in force the source does not hold; none of AWS's own asks for the issue time."""
    unseen: dict[str, int] = {}
    holders: tuple[Role | User, ...] = (*account.roles, *account.users)
    for holder in holders:
        for name in account.missing_policies(holder):
            if ":iam::aws:policy/" not in name:
                unseen[name] = unseen.get(name, 0) + 1
        for document in account.identity_documents(holder):
            if may_deny_unread(document):
                findings.not_evaluated(f"`{document.name}` of {holder.arn} holds what only a deployment knows")
    for name, count in unseen.items():
        findings.not_evaluated(f"the source does not hold `{name}`, which {count} of them have")


def record(findings: Recorder, holder: Role | User, document: Document, found: Leftover) -> None:
    safe = f"; may be removed from {isoformat(found.safe_date)}" if found.safe_date else ""
    findings.add(
        holder.arn,
        f"`{found.policy_name}` is {found.state}: {found.why}{safe}",
        evidence={
            "policy": found.policy_name,
            "state": str(found.state),
            "cutoff": isoformat(found.cutoff, milliseconds=True) if found.cutoff else None,
            "safe_date": isoformat(found.safe_date) if found.safe_date else None,
        },
        place=" ".join(filter(None, (found.policy_name, found.place))),
        location=document.locate(found.place),
    )


@pytest.mark.stsguard("STSG-201")
def test_no_revoke_policy_is_left_that_may_go(
    sts_account: Account, sts_now: datetime, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    tell_unseen(sts_account, sts_findings)
    for holder, document, found in leftovers(sts_account, sts_now, sts_configuration):
        if found.state is State.REMOVABLE:
            record(sts_findings, holder, document, found)


@pytest.mark.stsguard("STSG-202")
def test_no_role_is_tainted_by_a_revoke_policy_in_force(
    sts_account: Account, sts_now: datetime, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    tell_unseen(sts_account, sts_findings)
    for holder, document, found in leftovers(sts_account, sts_now, sts_configuration):
        if found.state is State.ACTIVE:
            record(sts_findings, holder, document, found)


@pytest.mark.stsguard("STSG-203")
def test_every_revoke_policy_revokes(
    sts_account: Account, sts_now: datetime, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    tell_unseen(sts_account, sts_findings)
    for holder, document, found in leftovers(sts_account, sts_now, sts_configuration):
        if found.state is State.INEFFECTIVE:
            record(sts_findings, holder, document, found)


@pytest.mark.stsguard("STSG-204")
def test_no_revoke_policy_hits_fresh_sessions_or_long_term_keys(
    sts_account: Account, sts_now: datetime, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    tell_unseen(sts_account, sts_findings)
    for holder, document, found in leftovers(sts_account, sts_now, sts_configuration):
        if found.state in {State.FUTURE, State.OVERREACHING}:
            record(sts_findings, holder, document, found)
