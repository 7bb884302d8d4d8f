"""The documents that deny, by whom they are meant for: everything, one session, or a principal of an organisation."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.policy.values import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DENY_ALL", "NOBODY", "check_mark", "marked_cutoff", "marked_document", "marked_name", "principal_document"]

DENY_ALL: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": ["*"], "Resource": ["*"]}],
}
"""Denies everything, to fresh sessions as well."""

NOBODY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
}
"""A trust policy that admits nobody."""

_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_TAG_KEY = re.compile(r"[\w .:/=+@-]{1,128}")
_TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")
_PATTERNS = {"session_name": _NAME, "source_identity": _NAME, "tag_key": _TAG_KEY, "tag_value": _TAG_VALUE}


def check_mark(name: str, value: Any) -> str:
    """Check what singles a session out; its characters are STS's, so that it cannot hold a policy variable.

    Raises:
        ConfigurationError: it is missing, or AWS would never have issued it.
    """
    if not isinstance(value, str) or not _PATTERNS[name].fullmatch(value):
        raise ConfigurationError(f"`{value}` is no {name.replace('_', ' ')}", hint="give it as the session has it")
    return value


def marked_document(cutoff: datetime, marks: Mapping[str, str]) -> dict[str, Any]:
    """Deny everything to sessions with these context values that were issued before `cutoff` (aware)."""
    condition = {
        "DateLessThan": {"aws:TokenIssueTime": isoformat(cutoff, milliseconds=True)},
        "StringEquals": dict(marks),
    }
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def marked_cutoff(document: dict[str, Any], marks: Mapping[str, str]) -> datetime | None:
    """Read the cutoff of a document that `marked_document` made for the same session; None for any other."""
    try:
        text = document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
    except (KeyError, IndexError, TypeError):
        return None
    cutoff = moment(text) if isinstance(text, str) else None
    if cutoff is None or marked_document(cutoff.astimezone(UTC), marks) != document:
        return None
    return cutoff


def marked_name(marks: Mapping[str, str]) -> str:
    """Name the inline policy of one session: one name for each, so that none overwrites another's."""
    text = "\n".join(f"{key}={value}" for key, value in sorted(marks.items()))
    return f"StsGuardRevokeSession-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def principal_document(arn: str, cutoff: datetime | None) -> dict[str, Any]:
    """Deny everything to a principal by a service control policy; with a cutoff, only to sessions issued before it."""
    condition: dict[str, Any] = {"ArnEquals": {"aws:PrincipalArn": arn}}
    if cutoff is not None:
        condition["DateLessThan"] = {"aws:TokenIssueTime": isoformat(cutoff, milliseconds=True)}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}
