"""Ending sessions: methods, journal, cleanup rule. The same for the simulation and for AWS."""

from __future__ import annotations

from pytest_stsguard.revocation.campaign import Campaign, Outcome
from pytest_stsguard.revocation.change import Change
from pytest_stsguard.revocation.document import POLICY_NAME, cutoff_of, older_sessions_document
from pytest_stsguard.revocation.journal import Journal
from pytest_stsguard.revocation.leftover import Leftover, State, assess
from pytest_stsguard.revocation.methods import METHODS, Method, plan, revoke
from pytest_stsguard.revocation.permissions import USES, runner_policy
from pytest_stsguard.revocation.plan import LONGEST_ROLE_SESSION, LONGEST_USER_SESSION, Plan, Revocation
from pytest_stsguard.revocation.setting import Setting

__all__ = [
    "LONGEST_ROLE_SESSION",
    "LONGEST_USER_SESSION",
    "METHODS",
    "POLICY_NAME",
    "USES",
    "Campaign",
    "Change",
    "Journal",
    "Leftover",
    "Method",
    "Outcome",
    "Plan",
    "Revocation",
    "Setting",
    "State",
    "assess",
    "cutoff_of",
    "older_sessions_document",
    "plan",
    "revoke",
    "runner_policy",
]
