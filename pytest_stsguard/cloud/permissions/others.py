"""Services without rules of their own: the generic rule, strictly.

An operation is mapped when the reference has an action of its name and either the action takes no resource or the call's
parameters name one. Everything else is refused.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from .generic import Table, generic
from .permission import Permission, UnmappedOperationError
from .reference import actions

if TYPE_CHECKING:
    from .reference import Use
    from .scope import Scope

__all__ = ["permissions", "prefix_of"]

# IAM's prefix where it is neither the service's name nor its signing name.
_PREFIXES = {
    "cloudwatch": "cloudwatch",
    "ses": "ses",
    "sesv2": "ses",
}
_VARIABLE = re.compile(r"\$\{(\w+)\}$")
_GENERAL = "ResourceArn resourceArn resourceARN ResourceARN"
# Parameters that name a resource without being called like it.
_PATHS = {
    "kms": {"key": "KeyId"},
    "lambda": {"function": "FunctionName"},
    "logs": {"log-group": "logGroupName"},
    "secretsmanager": {"Secret": "SecretId"},
    "sns": {"topic": "TopicArn TargetArn"},
    "sqs": {"queue": "QueueUrl"},
    "ssm": {"parameter": "Name Names"},
    "states": {"statemachine": "stateMachineArn", "execution": "executionArn"},
}


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one call to a service that has no rules of its own."""
    return generic(scope, _table(prefix_of(scope)))


def prefix_of(scope: Scope) -> str:
    """Give the service's prefix in IAM; `UnmappedOperationError` when the reference does not have it."""
    call = scope.call
    for name in (_PREFIXES.get(call.service), call.signing_name, call.service):
        if name and actions(name):
            return name
    raise UnmappedOperationError(call.service, call.operation, hint=f"the reference lacks the service `{call.service}`")


@cache
def _table(prefix: str) -> Table:
    return _Strict(prefix, _PATHS.get(prefix, {}), arn=_arn, strict=True)


class _Strict(Table):
    """The variable at the end of an ARN, in the spellings of the APIs, besides what the table says."""

    def of(self, operation: str, use: Use) -> tuple[str, ...]:
        """Give the paths for one resource type of an operation."""
        found = _VARIABLE.search(use.template)
        names: tuple[str, ...] = ()
        if found:
            name = found[1]
            names = (name, f"{name}s", name[0].lower() + name[1:])
        return (*super().of(operation, use), *names, *_GENERAL.split())


def _arn(scope: Scope, use: Use, identifier: str | None) -> str:
    if identifier is not None and "://" in identifier:
        # A queue's URL ends with its account and its name.
        account, _, name = identifier.rpartition("/")
        owner = account.rpartition("/")[2]
        return scope.arn(use.template, name).replace(
            f":{scope.account}:", f":{owner}:" if owner.isdigit() else f":{scope.account}:"
        )
    return scope.arn(use.template, identifier)
