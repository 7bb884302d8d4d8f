"""The session in which CloudFormation works when a stack has a service role.

The role stays with the stack: "If you don't specify a value, CloudFormation uses the role that was previously associated with
the stack" (UpdateStack, DeleteStack in the AWS CloudFormation API Reference), for whoever may update it and without another
iam:PassRole. Each time CloudFormation assumes it anew, so that a deny of older sessions does not hold it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.ledger import Issuer
from pytest_stsguard.policy import Request as Question
from pytest_stsguard.policy.arns import account_of

if TYPE_CHECKING:
    from pytest_stsguard.cloud.authentication import Authenticator
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.sts import TokenService

__all__ = ["assumed"]

_SERVICE = "cloudformation.amazonaws.com"
_SESSION = "AWSCloudFormation"
_LIFETIME = timedelta(hours=1)


def assumed(
    arn: str, *, account: str, source: str, tokens: TokenService, authenticator: Authenticator
) -> Caller | None:
    """Assume a role for CloudFormation, as its trust policy says; gives the caller that the session is.

    `source` is the ARN of the stack or the stack set that it is for. None: there is no such role in the account, or it does
    not trust CloudFormation.
    """
    role = tokens.state.role(account, name=arn.rpartition("/")[2]) if account_of(arn) == account else None
    keys: dict[str, str | list[str]] = {
        "aws:SourceAccount": account,
        "aws:SourceArn": source,
    }
    if (
        role is None
        or role.arn != arn
        or not tokens.authorizer.decide_trust(
            role.trust, Question("sts:AssumeRole", role.arn, _SERVICE, keys | role.tag_keys)
        ).allowed
    ):
        return None
    session = tokens.ledger.issue(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{_SESSION}",
        user_id=f"{role.unique_id}:{_SESSION}",
        issuer=Issuer("role", role.arn, role.unique_id, role.account, role.name),
        duration=_LIFETIME,
    )
    return authenticator.caller_of(session)
