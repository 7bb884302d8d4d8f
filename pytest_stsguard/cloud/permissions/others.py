"""Services without rules of their own: the generic rule, strictly.

An operation is mapped when the reference has an action of its name and either the action takes no resource, or the
call's parameters name one, or it is a listing. Everything else is refused.
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

__all__ = ["permissions"]

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SURROUNDINGS = ("Partition", "Region", "Account")
_GENERAL = "ResourceArn resourceArn resourceARN ResourceARN"
# Parameters that name a resource without being called like the variable in its ARN.
_PATHS = {
    "cloudformation": {"stack": "StackName", "changeset": "ChangeSetName", "stackset": "StackSetName"},
    "ecr": {"repository": "repositoryName repositoryNames"},
    "events": {"event-bus": "EventBusName"},
    "kinesis": {"stream": "StreamARN StreamName"},
    "kms": {"key": "KeyId"},
    "lambda": {"function": "FunctionName"},
    "logs": {"log-group": "logGroupName logGroupIdentifier"},
    "rds": {"db": "DBInstanceIdentifier", "cluster": "DBClusterIdentifier", "snapshot": "DBSnapshotIdentifier"},
    "route53": {"hostedzone": "Id HostedZoneId"},
    "secretsmanager": {"Secret": "SecretId"},
    "sns": {"topic": "TopicArn TargetArn"},
    "sqs": {"queue": "QueueUrl"},
    "ssm": {"parameter": "Name Names Path"},
    "states": {"statemachine": "stateMachineArn", "execution": "executionArn"},
}
_OPERATIONS = {
    "organizations": {"CreatePolicy": {"policy": "+"}},
    "secretsmanager": {"CreateSecret": {"Secret": "Name"}},
    "sns": {"CreateTopic": {"topic": "Name"}},
}
# Operations whose action has another name.
_ACTIONS = {
    "lambda": {
        "Invoke": "InvokeFunction",
        "InvokeAsync": "InvokeFunction",
        "InvokeWithResponseStream": "InvokeFunction",
    },
    "sns": {"PublishBatch": "Publish"},
    "sqs": {
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    },
}
# IAM's prefix where it is neither the signing name nor the service's name in boto3.
_PREFIXES = {"monitoring": "cloudwatch"}


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one call to a service that has no rules of its own."""
    prefix = _prefix(scope)
    return generic(scope, _table(prefix), _ACTIONS.get(prefix, {}).get(scope.call.operation))


def _prefix(scope: Scope) -> str:
    call = scope.call
    for name in (_PREFIXES.get(call.signing_name, call.signing_name), call.service):
        if actions(name):
            return name
    raise UnmappedOperationError(call.service, call.operation, hint=f"the reference lacks the service `{call.service}`")


class _Strict(Table):
    """The variables of an ARN in the spellings of the APIs, besides what the table says."""

    def of(self, operation: str, use: Use) -> tuple[str, ...]:
        """Give the paths for one resource type of an operation."""
        names = (spelling for name in _own(use.template) for spelling in _spellings(name))
        return (*super().of(operation, use), *names, *_GENERAL.split())

    def admits(self, use: Use, identifier: str) -> bool:
        """Tell an ARN of the type from one of another."""
        return not identifier.startswith("arn:") or _shape(use.template).fullmatch(identifier) is not None


@cache
def _shape(template: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in _VARIABLE.split(template)[::2]]
    return re.compile("[^:]*".join(parts[:-1]) + ".*" + parts[-1], re.DOTALL)


@cache
def _table(prefix: str) -> Table:
    return _Strict(prefix, _PATHS.get(prefix, {}), _OPERATIONS.get(prefix, {}), arn=_arn, strict=True)


def _own(template: str) -> tuple[str, ...]:
    return tuple(name for name in _VARIABLE.findall(template) if name not in _SURROUNDINGS)


def _spellings(name: str) -> tuple[str, ...]:
    return name, f"{name}s", name[0].lower() + name[1:]


def _arn(scope: Scope, use: Use, identifier: str | None) -> str:
    names = _own(use.template)
    if identifier is None or identifier.startswith("arn:"):
        return scope.arn(use.template, identifier)
    if "://" in identifier:
        # A queue's URL ends with its account and its name.
        front, _, name = identifier.rpartition("/")
        account = front.rpartition("/")[2]
        return f"arn:{scope.partition}:sqs:{scope.call.region}:{account}:{name}"
    if len(names) < 2:  # noqa: PLR2004 - one name, or none
        return scope.arn(use.template, identifier)
    template = use.template
    given = {name: scope.text(*_spellings(name)) for name in names}
    if not any(given.values()):
        raise UnmappedOperationError(
            scope.call.service, scope.call.operation, hint=f"`{identifier}` is not all of a name"
        )
    for name, value in given.items():
        template = template.replace("${" + name + "}", value or "*")
    return scope.arn(template)
