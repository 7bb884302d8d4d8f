"""The inline policy that revokes a role's older sessions, as the IAM console writes it.

See "Revoke IAM role temporary security credentials" in the IAM User Guide.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.errors import PolicyError
from pytest_stsguard.policy import Policy

if TYPE_CHECKING:
    from pytest_stsguard.policy import Statement

__all__ = ["POLICY_NAME", "cutoff_of", "older_sessions_document", "rounded"]

POLICY_NAME = "AWSRevokeOlderSessions"
_ISSUE_TIME = "aws:tokenissuetime"


def older_sessions_document(cutoff: datetime) -> dict[str, Any]:
    """Write the document that denies everything to sessions issued before `cutoff` (aware; kept to the millisecond)."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": ["*"],
                "Resource": ["*"],
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": isoformat(cutoff, milliseconds=True)}},
            }
        ],
    }


def rounded(cutoff: datetime) -> datetime:
    """Bring a moment up to the next whole millisecond, as the document keeps it.

    Cut down, a cutoff could meet the whole second at which a session was issued shortly before it, and spare it.
    """
    beyond = -cutoff.microsecond % 1000
    try:
        return cutoff.astimezone(UTC) + timedelta(microseconds=beyond)
    except OverflowError:
        return cutoff.astimezone(UTC).replace(microsecond=cutoff.microsecond // 1000 * 1000)


def cutoff_of(document: str | dict[str, Any]) -> datetime | None:
    """Read the cutoff of a document that does nothing but revoke older sessions; None for any other document."""
    try:
        policy = Policy.parse(document if isinstance(document, dict) else json.loads(document))
    except (PolicyError, ValueError):
        return None
    cutoffs = [_statement_cutoff(statement) for statement in policy.statements]
    known = [cutoff for cutoff in cutoffs if cutoff is not None]
    return max(known) if known and len(known) == len(cutoffs) else None


def _statement_cutoff(statement: Statement) -> datetime | None:
    if statement.effect != "Deny" or "*" not in (statement.actions or ()) or "*" not in (statement.resources or ()):
        return None
    if len(statement.conditions) != 1:
        return None
    condition = statement.conditions[0]
    plain = condition.name == "DateLessThan" and condition.qualifier is None and not condition.if_exists
    if not plain or condition.key.lower() != _ISSUE_TIME or len(condition.values) != 1:
        return None
    return _moment(condition.values[0])


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromtimestamp(float(text), UTC) if text.replace(".", "", 1).isdigit() else None
        moment = moment or datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
