"""What a policy means. Pure: no I/O, no boto3, no moto.

`Policy.parse` does the work once; `authorize` on parsed policies is the hot path.
"""

from __future__ import annotations

from pytest_stsguard.policy.authorization import authorize
from pytest_stsguard.policy.decision import Decision
from pytest_stsguard.policy.document import Condition, Policy, Principal, Statement
from pytest_stsguard.policy.mentions import candidates, context_keys, missing_context_keys
from pytest_stsguard.policy.request import Request
from pytest_stsguard.policy.simulation import simulate_record

__all__ = [
    "Condition",
    "Decision",
    "Policy",
    "Principal",
    "Request",
    "Statement",
    "authorize",
    "candidates",
    "context_keys",
    "missing_context_keys",
    "simulate_record",
]
