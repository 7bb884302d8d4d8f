"""What a policy was meant to do, as far as its text tells: whether to look into it, and how to word its fault.

Nothing is decided here: what a policy does is asked of the engine, in `pytest_stsguard.revocation.denial`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import SequenceMatcher
from functools import lru_cache
from re import IGNORECASE
from re import compile as regex
from typing import TYPE_CHECKING

from pytest_stsguard.policy.values import moment
from pytest_stsguard.revocation.denial import ISSUE_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.policy import Condition, Policy, Statement

__all__ = ["NEVER", "faults", "latest_date", "marks_of", "mentions", "named"]

NEVER = datetime.min.replace(tzinfo=UTC)
_NAME = regex(r"revoke.{0,20}session", IGNORECASE)
_ALIKE = 0.8
_SESSION_KEYS = ("aws:userid", "aws:sourceidentity", "aws:federatedprovider", "ec2:sourceinstancearn")
_TAG = "aws:principaltag/"
_POSITIVE = ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike")


def named(policy: Policy) -> bool:
    """Whether a policy's name says that it revokes sessions, as ``AWSRevokeOlderSessions`` does."""
    return bool(_NAME.search((policy.name or "").rpartition("/")[2]))


def mentions(statement: Statement) -> bool:
    """Whether a statement asks for the issue time, or for a key that was meant to be it; `Null` asks only for presence."""
    return any(_issue_time_like(condition) for condition in statement.conditions)


def _issue_time_like(condition: Condition) -> bool:
    return condition.name != "Null" and _alike(condition.key)


@lru_cache(maxsize=1024)
def _alike(key: str) -> bool:
    """Whether a key is, or was meant to be, that of the issue time."""
    folded = key.lower()[:128]
    return "tokenissue" in folded or SequenceMatcher(None, folded, ISSUE_TIME).ratio() >= _ALIKE


def faults(statements: Sequence[Statement]) -> Iterator[str]:
    """Go through what keeps statements that ask for the issue time from revoking, the plainest fault first."""
    for statement in statements:
        if statement.effect != "Deny":
            yield f"{statement.place} allows: only a Deny revokes"
        for condition in statement.conditions:
            if _issue_time_like(condition) and condition.key.lower() != ISSUE_TIME:
                yield f"`{condition.key}` is no key that AWS sends: the key is `aws:TokenIssueTime`"
            elif _issue_time_like(condition) and not condition.name.startswith("Date"):
                yield f"`{condition.operator}` compares no dates"
        others = [c.key for c in statement.conditions if not _issue_time_like(c)]
        if others:
            yield f"depends on `{others[0]}`, so that most sessions escape"
    yield "no session is denied for its issue time"


def marks_of(statement: Statement) -> dict[str, str]:
    """Give the context that a statement's conditions single a session out by; empty when they do not."""
    marks: dict[str, str] = {}
    for condition in statement.conditions:
        key = condition.key.lower()
        single = key in _SESSION_KEYS or key.startswith(_TAG)
        if single and condition.name in _POSITIVE and condition.values:
            marks[condition.key] = condition.values[0].replace("*", "probe").replace("?", "x")
    return marks


def latest_date(statement: Statement) -> datetime:
    """Give the latest date that a statement compares with; `NEVER` when there is none."""
    dates = (moment(text) for condition in statement.conditions for text in condition.values)
    return max((date for date in dates if date is not None), default=NEVER)
