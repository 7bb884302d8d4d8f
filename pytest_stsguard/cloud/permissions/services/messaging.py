"""Queues, topics, events, streams and workflows.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html,
https://docs.aws.amazon.com/step-functions/latest/dg/concept-create-iam-advanced.html
"""

from __future__ import annotations

import base64
from email.utils import parseaddr
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions.message_keys import queue_keys, stream_key, topic_key
from pytest_stsguard.cloud.permissions.scope import find
from pytest_stsguard.cloud.permissions.table import Service

if TYPE_CHECKING:
    from pytest_stsguard.cloud.permissions.permission import Context
    from pytest_stsguard.cloud.permissions.reference import Action, Use
    from pytest_stsguard.cloud.permissions.scope import Scope

__all__ = ["TABLES"]


def _queue(scope: Scope, _: Use, value: str) -> str | None:
    """Write a queue's ARN from its URL, which ends with its account and its name."""
    if "://" not in value:
        return None
    names = value.partition("://")[2].partition("?")[0].strip("/").split("/")[1:] or ["*"]
    account = names[-2] if len(names) > 1 else scope.account
    return f"arn:{scope.partition}:sqs:{scope.call.region}:{account}:{names[-1]}"


def _topic(scope: Scope, _: Use, value: str) -> str | None:
    """Write the topic that a subscription is on; a telephone number is no resource that a policy could name."""
    if value.startswith("+"):
        return "*"
    if (
        scope.call.operation in _ON_A_SUBSCRIPTION
        and value.startswith("arn:")
        and value.count(":") > _COLONS_OF_A_TOPIC
    ):
        return value.rpartition(":")[0]
    return None


_ON_A_SUBSCRIPTION = {"Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes"}
_COLONS_OF_A_TOPIC = 5


def _stream(scope: Scope, use: Use, value: str) -> str | None:
    """Write the stream that a shard iterator goes over: in this simulation its name is the iterator's start."""
    if use.name == "consumer" and value == scope.text("ConsumerName"):
        stream = scope.text("StreamARN")
        if scope.text("ConsumerARN") is not None:
            return ""
        return None if stream is None else f"{stream}/consumer/{value}:*"
    if use.name != "stream" or value != scope.text("ShardIterator"):
        return None
    if scope.text("StreamARN") is not None:
        return ""
    try:
        # Written in lines, as mail is.
        name = base64.b64decode("".join(value.split()), validate=True).decode().partition(":")[0]
    except ValueError:
        name = ""
    return f"arn:{scope.partition}:kinesis:{scope.call.region}:{scope.account}:stream/{name or '*'}"


def _identity(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of the identity that a message is sent from: the address where it is verified, else its domain.

    https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
    """
    if use.name != "identity" or value.startswith("arn:") or "Send" not in scope.call.operation:
        return None
    address = parseaddr(value)[1] or value
    known = scope.state.existing_arn("ses", "identity", address, scope.call.region)
    return known or scope.arn(use.template, address)


def _schedule(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a schedule, which lies in the default group when none is named."""
    if use.name != "schedule" or value.startswith("arn:"):
        return None
    place = f"arn:{scope.partition}:scheduler:{scope.call.region}:{scope.account}:schedule"
    return f"{place}/{scope.text('GroupName') or 'default'}/{value}"


def _bus(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a rule, which lies on the default bus or on another."""
    if not use.name.startswith("rule-on") or value.startswith("arn:"):
        return None
    bus = (scope.text("EventBusName") or "default").rpartition("/")[2]
    path = value if bus == "default" else f"{bus}/{value}"
    return f"arn:{scope.partition}:events:{scope.call.region}:{scope.account}:rule/{path}"


def _event_keys(scope: Scope, action: Action, arn: str) -> Context:
    """Give what events:PutEvents can be limited by, and the target of a rule.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    context: Context = {}
    for key, path in (
        ("events:detail-type", "Entries.DetailType"),
        ("events:source", "Entries.Source"),
        ("events:TargetArn", "Targets.Arn"),
    ):
        if key in action.all_keys and (values := scope.texts(path)):
            context[key] = values
    if "events:eventBusInvocation" in action.all_keys and action.name == "PutEvents":
        context["events:eventBusInvocation"] = "false"
    if "events:creatorAccount" in action.all_keys and ":rule/" in arn:
        context["events:creatorAccount"] = arn.split(":")[4]
    return context


def _subscription_keys(scope: Scope, action: Action, _: str) -> Context:
    """Give what a subscription can be limited by: https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html."""
    found = {"sns:Endpoint": scope.text("Endpoint"), "sns:Protocol": scope.text("Protocol")}
    return {key: value for key, value in found.items() if key in action.all_keys and value is not None}


def _stream_keys(scope: Scope, action: Action, _: str) -> Context:
    entries = find(scope.call.parameters, "ResourceARN")
    return {"kinesis:ResourceArn": str(entries[0])} if entries and "kinesis:ResourceArn" in action.all_keys else {}


_ON_A_RULE = {"rule-on-default-event-bus": "Rule Name", "rule-on-custom-event-bus": "-"}
_RULES = [
    "DeleteRule",
    "DescribeRule",
    "DisableRule",
    "EnableRule",
    "ListTargetsByRule",
    "PutRule",
    "PutTargets",
    "RemoveTargets",
]

TABLES = {
    "sqs": Service(
        actions={
            "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
            "DeleteMessageBatch": "DeleteMessage",
            "SendMessageBatch": "SendMessage",
        },
        variables={"QueueName": "QueueUrl QueueName SourceArn"},
        anywhere=frozenset({"ListQueues"}),
        operations={"CancelMessageMoveTask": {"queue": "?"}, "StartMessageMoveTask": {"queue": "SourceArn"}},
        arn=_queue,
        besides=queue_keys,
        tagging="TagQueue",
    ),
    "sns": Service(
        actions={"PublishBatch": "Publish"},
        paths={"topic": "TopicArn ResourceArn"},
        operations={
            "CreateTopic": {"topic": "Name"},
            "Publish": {"topic": "TopicArn TargetArn PhoneNumber"},
            "Unsubscribe": {"topic": "SubscriptionArn"},
            "GetSubscriptionAttributes": {"topic": "SubscriptionArn"},
            "SetSubscriptionAttributes": {"topic": "SubscriptionArn"},
        },
        anywhere=frozenset({"ListTopics", "ListSubscriptions"}),
        arn=_topic,
        besides=topic_key,
        context=_subscription_keys,
        tagging="TagResource",
    ),
    "events": Service(
        paths={"connection": "ConnectionArn"},
        operations={
            **dict.fromkeys(_RULES, _ON_A_RULE),
            "CreateApiDestination": {"connection": "ConnectionArn", "api-destination": "Name"},
            "CreateArchive": {"event-bus": "EventSourceArn", "key": "-", "alias": "-"},
            "UpdateArchive": {"key": "-", "alias": "-"},
            "DescribeApiDestination": {"connection": "-", "api-destination": "Name"},
            "UpdateApiDestination": {"connection": "ConnectionArn", "api-destination": "Name"},
            "PutEvents": {"event-bus": "Entries.EventBusName =default", "event-busv2": "-"},
            "StartReplay": {"event-bus": "Destination.Arn", "archive": "EventSourceArn", "replay": "ReplayName"},
            "PutPermission": {"event-bus": "EventBusName =default"},
            "RemovePermission": {"event-bus": "EventBusName =default"},
            "DescribeEventBus": {"event-bus": "Name =default"},
            "ListRuleNamesByTarget": {"event-bus": "-"},
            "ListRules": {"event-bus": "-"},
        },
        arn=_bus,
        context=_event_keys,
        tagging="TagResource",
    ),
    "kinesis": Service(
        operations={
            "GetRecords": {"stream": "StreamARN ShardIterator"},
            "DeregisterStreamConsumer": {"consumer": "ConsumerARN ConsumerName"},
            "DescribeStreamConsumer": {"consumer": "ConsumerARN ConsumerName"},
            "DeleteResourcePolicy": {"stream": "ResourceARN", "consumer": "ResourceARN"},
            "GetResourcePolicy": {"stream": "ResourceARN", "consumer": "ResourceARN"},
            "PutResourcePolicy": {"stream": "ResourceARN", "consumer": "ResourceARN"},
        },
        arn=_stream,
        context=_stream_keys,
        besides=stream_key,
        tagging="AddTagsToStream",
    ),
    "firehose": Service(tagging="TagDeliveryStream"),
    "stepfunctions": Service(
        operations={
            "CreateStateMachine": {"statemachine": "name"},
            "CreateStateMachineAlias": {"statemachine": "routingConfiguration.stateMachineVersionArn"},
            "DescribeExecution": {"express": "-", "execution": "executionArn"},
            "StopExecution": {"execution": "executionArn"},
        },
        tagging="TagResource",
    ),
    "swf": Service(
        actions={},
        operations={
            name: {"domain": "?"}
            for name in (
                "RecordActivityTaskHeartbeat",
                "RespondActivityTaskCanceled",
                "RespondActivityTaskCompleted",
                "RespondActivityTaskFailed",
                "RespondDecisionTaskCompleted",
            )
        },
    ),
    "scheduler": Service(
        operations={
            **{f"{verb}Schedule": {"schedule": "Name"} for verb in ("Create", "Delete", "Get", "Update")},
            **{f"{verb}ScheduleGroup": {"schedule-group": "Name"} for verb in ("Create", "Delete", "Get")},
        },
        arn=_schedule,
    ),
    "ses": Service(
        arn=_identity,
        operations={
            "CreateConfigurationSet": {"configuration-set": "ConfigurationSet.Name"},
            "SendBulkTemplatedEmail": {"identity": "Source", "template": "Template"},
            "SendEmail": {"identity": "Source"},
            "SendRawEmail": {"identity": "Source"},
            "SendTemplatedEmail": {"identity": "Source", "template": "Template"},
        },
    ),
    "sesv2": Service(
        arn=_identity,
        prefix="ses",
        variables={"IdentityName": "EmailIdentity", "DedicatedIPPool": "PoolName"},
        operations={"SendEmail": {"identity": "FromEmailAddress"}},
    ),
    "pinpoint": Service(prefix="mobiletargeting", variables={"AppId": "ApplicationId"}),
    "mq": Service(
        templates={"brokers": "arn:${Partition}:mq:${Region}:${Account}:broker:*:${BrokerId}"},
        existing=frozenset({"brokers"}),
    ),
}
