"""Ending sessions: methods, cleanup rule. The same for the simulation and for AWS."""

from __future__ import annotations

from pytest_stsguard.revocation.document import POLICY_NAME, cutoff_of, older_sessions_document
from pytest_stsguard.revocation.leftover import Leftover, State, assess
from pytest_stsguard.revocation.methods import METHODS, revoke
from pytest_stsguard.revocation.older_sessions import LONGEST_ROLE_SESSION, Revocation, revoke_older_sessions

__all__ = [
    "LONGEST_ROLE_SESSION",
    "METHODS",
    "POLICY_NAME",
    "Leftover",
    "Revocation",
    "State",
    "assess",
    "cutoff_of",
    "older_sessions_document",
    "revoke",
    "revoke_older_sessions",
]
