"""Operations that a resource policy cannot open to other accounts.

See "Using custom policies with the Amazon SQS access policy language" in the Amazon SQS Developer Guide, and "Using KMS keys in
other accounts" in the AWS KMS Developer Guide.
"""

from __future__ import annotations

from typing import Final

__all__ = ["is_owners_alone"]

_SQS_OWNERS: Final = frozenset(
    {"addpermission", "cancelmessagemovetask", "createqueue", "deletequeue", "listmessagemovetasks", "listqueues"}
    | {"listqueuetags", "removepermission", "setqueueattributes", "startmessagemovetask", "tagqueue", "untagqueue"}
)
_KMS_SHARED: Final = frozenset(
    {"creategrant", "decrypt", "derivesharedsecret", "describekey", "encrypt", "generatedatakey", "generatedatakeypair"}
    | {"generatedatakeypairwithoutplaintext", "generatedatakeywithoutplaintext", "generatemac", "getkeyrotationstatus"}
    | {
        "getpublickey",
        "listgrants",
        "listretirablegrants",
        "reencryptfrom",
        "reencryptto",
        "retiregrant",
        "revokegrant",
    }
    | {"sign", "verify", "verifymac"}
)


def is_owners_alone(action: str) -> bool:
    """Tell whether only the account that owns a resource may be granted an action on it, ``sqs:DeleteQueue`` for one."""
    service, _, name = action.lower().partition(":")
    return name in _SQS_OWNERS if service == "sqs" else service == "kms" and name not in _KMS_SHARED
