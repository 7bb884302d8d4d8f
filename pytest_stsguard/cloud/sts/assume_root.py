"""AssumeRoot: a privileged task in a member account, from the management account.

See "AssumeRoot" in the AWS STS API Reference and "Perform a privileged task on an AWS Organizations member account" in the
IAM User Guide.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.ledger import Issuer
from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.cloud.sts.roles import answer_of

if TYPE_CHECKING:
    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["assume_root"]

# The task policies hold denials alone: what they leave is what the session may do.
_EVERYTHING: Final = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
_TARGET: Final = re.compile(r"(?:arn:aws[\w-]*:iam::)?(\d{12})(?::root)?")


def assume_root(context: Context) -> dict[str, Any]:
    """Answer AssumeRoot: the home account of the cloud is the management account, every other one is its member."""
    caller, given = context.caller, context.parameters
    target = read.required(given, "TargetPrincipal")
    task = str((given.get("TaskPolicyArn") or {}).get("arn", ""))
    seconds = read.duration(given, limits.SESSION_BY_KIND["root-task"].seconds)
    size = read.token_size(given)
    match = _TARGET.fullmatch(target)
    if match is None:
        raise refuse("invalid-arn", arn=target[:200])
    if task not in limits.TASK_POLICIES:
        raise refuse("root-task-policy", arn=task[:200] or "taskPolicyArn")
    account = match.group(1)
    root = f"arn:aws:iam::{account}:root"
    management, *members = context.state.accounts()
    if caller.kind == "root" or caller.account != management or account not in members:
        raise refuse("role-denied", caller=caller.arn, action="sts:AssumeRoot", resource=root, reason="")
    context.require("sts:AssumeRoot", root, {"sts:TaskPolicyArn": task})
    policy = context.state.managed_policy(management, task)
    session = context.ledger.issue(
        arn=root,
        user_id=account,
        issuer=Issuer("root", root, account, account, "root"),
        duration=timedelta(seconds=seconds),
        token_size=size,
        kind="root-task",
        session_policies=() if policy is None else (_EVERYTHING, policy),
        source_identity=caller.session.source_identity if caller.session else None,
    )
    return answer_of(session)
