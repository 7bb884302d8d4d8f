"""GetCallerIdentity and GetAccessKeyInfo: what STS knows of a caller and of a key id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.ledger import account_of_key
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["decode_authorization_message", "get_access_key_info", "get_caller_identity"]


def get_caller_identity(context: Context) -> dict[str, Any]:
    """Say who signed the call: no permission is needed, and no deny stops it."""
    caller = context.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def get_access_key_info(context: Context) -> dict[str, Any]:
    """Say to which account a key id belongs, whoever asks, and whatever became of the key: the id itself holds it."""
    key = read.required(context.parameters, "AccessKeyId")
    context.require("sts:GetAccessKeyInfo", "*")
    account = account_of_key(key)
    if account is None:
        raise refuse("key-id")
    return {"Account": account}


def decode_authorization_message(context: Context) -> dict[str, Any]:
    """Decode the message that a denial of EC2 carries."""
    message = read.required(context.parameters, "EncodedMessage")
    context.require("sts:DecodeAuthorizationMessage", "*")
    decoded = context.tokens.messages.decode(message)
    if decoded is None:
        raise refuse("decode")
    return {"DecodedMessage": decoded}
