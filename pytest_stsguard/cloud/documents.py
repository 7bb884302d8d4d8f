"""Policy documents on their way into the account: refused at the door when AWS would refuse them.

moto stores much that AWS rejects; a document that the engine cannot read must not come to lie in the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.errors import PolicyError, UnsupportedError
from pytest_stsguard.policy import Policy

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call

__all__ = ["Document", "check_documents", "document_of"]

# service and operation -> the path of the parameter that holds the document, its kind, the service's code for a bad one
_PLACES: Final[dict[tuple[str, str], tuple[str, str, str]]] = {
    **{
        ("iam", operation): (parameter, kind, "MalformedPolicyDocument")
        for operation, parameter, kind in (
            ("PutRolePolicy", "PolicyDocument", "identity"),
            ("PutUserPolicy", "PolicyDocument", "identity"),
            ("PutGroupPolicy", "PolicyDocument", "identity"),
            ("CreatePolicy", "PolicyDocument", "identity"),
            ("CreatePolicyVersion", "PolicyDocument", "identity"),
            ("CreateRole", "AssumeRolePolicyDocument", "trust"),
            ("UpdateAssumeRolePolicy", "PolicyDocument", "trust"),
        )
    },
    ("dynamodb", "PutResourcePolicy"): ("Policy", "resource", "ValidationException"),
    ("ecr", "SetRepositoryPolicy"): ("policyText", "resource", "InvalidParameterException"),
    ("efs", "PutFileSystemPolicy"): ("Policy", "resource", "InvalidPolicyException"),
    ("events", "PutPermission"): ("Policy", "resource", "ValidationException"),
    ("glue", "PutResourcePolicy"): ("PolicyInJson", "resource", "InvalidInputException"),
    ("kinesis", "PutResourcePolicy"): ("Policy", "resource", "InvalidArgumentException"),
    ("kms", "CreateKey"): ("Policy", "resource", "MalformedPolicyDocumentException"),
    ("kms", "PutKeyPolicy"): ("Policy", "resource", "MalformedPolicyDocumentException"),
    ("logs", "PutDestinationPolicy"): ("accessPolicy", "resource", "InvalidParameterException"),
    ("logs", "PutResourcePolicy"): ("policyDocument", "resource", "InvalidParameterException"),
    ("s3", "PutBucketPolicy"): ("Policy", "resource", "MalformedPolicy"),
    ("secretsmanager", "PutResourcePolicy"): ("ResourcePolicy", "resource", "MalformedPolicyDocumentException"),
    ("sns", "CreateTopic"): ("Attributes.Policy", "resource", "InvalidParameter"),
    ("sqs", "CreateQueue"): ("Attributes.Policy", "resource", "InvalidAttributeValue"),
    ("sqs", "SetQueueAttributes"): ("Attributes.Policy", "resource", "InvalidAttributeValue"),
}


class Document(NamedTuple):
    """A document that a call would store: its text, its kind, and the service's code for one that it refuses."""

    text: str
    kind: str
    code: str


def document_of(call: Call) -> Document | None:
    """Give the document that a call would store; None for a call that stores none."""
    if (call.service, call.operation) == ("sns", "SetTopicAttributes"):
        is_policy = call.parameters.get("AttributeName") == "Policy"
        place = ("AttributeValue", "resource", "InvalidParameter") if is_policy else None
    else:
        place = _PLACES.get((call.service, call.operation))
    if place is None:
        return None
    path, kind, code = place
    value: Any = call.parameters
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    # An attribute is taken away by an empty text.
    if not isinstance(value, str) or (not value and "." in path):
        return None
    return Document(value, kind, code)


def check_documents(call: Call) -> None:
    """Refuse a call that would store a document which AWS refuses, with the service's code and the place in it."""
    document = document_of(call)
    if document is None:
        return
    try:
        Policy.parse(document.text, kind=document.kind)
    except UnsupportedError as error:
        raise Fault(Refusal.NOT_SIMULATED, f"policy document: {error}") from error
    except PolicyError as error:
        raise Fault(None, str(error), code=document.code) from error
