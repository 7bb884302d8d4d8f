"""Policy documents on their way into the account: refused at the door when AWS would refuse them.

moto stores much that IAM rejects; a document that the engine cannot read must not come to lie in the account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.errors import PolicyError, UnsupportedError
from pytest_stsguard.policy import Policy

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call

__all__ = ["check_documents"]

# operation -> the parameter that holds the document, and its kind
_IAM = {
    "PutRolePolicy": ("PolicyDocument", "identity"),
    "PutUserPolicy": ("PolicyDocument", "identity"),
    "PutGroupPolicy": ("PolicyDocument", "identity"),
    "CreatePolicy": ("PolicyDocument", "identity"),
    "CreatePolicyVersion": ("PolicyDocument", "identity"),
    "CreateRole": ("AssumeRolePolicyDocument", "trust"),
    "UpdateAssumeRolePolicy": ("PolicyDocument", "trust"),
}


def check_documents(call: Call) -> None:
    """Refuse a call that would store a document which AWS refuses, with IAM's code and the place in the document."""
    if call.service != "iam" or call.operation not in _IAM:
        return
    parameter, kind = _IAM[call.operation]
    text = call.parameters.get(parameter)
    if not isinstance(text, str):
        return
    try:
        Policy.parse(text, kind=kind)
    except UnsupportedError as error:
        raise Fault(Refusal.NOT_SIMULATED, f"policy document: {error}") from error
    except PolicyError as error:
        raise Fault(None, str(error), code="MalformedPolicyDocument") from error
