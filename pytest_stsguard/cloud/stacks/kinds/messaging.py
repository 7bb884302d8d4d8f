"""Queues, topics, rules, streams, logs: what carries messages, and what listens."""

from __future__ import annotations

from .kind import Kind, Part

__all__ = ["KINDS"]

_QUEUE = {
    name: (f"sqs:SetQueueAttributes QueueUrl=@ Attributes.{name}={name}", "")
    for name in (
        "ContentBasedDeduplication",
        "DelaySeconds",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    )
}
_QUEUE_ATTRIBUTES = " ".join(f"Attributes.{name}={name}" for name in ("FifoQueue", *_QUEUE))
_TOPIC = {
    name: (f"sns:SetTopicAttributes TopicArn=@ AttributeName='{name}' AttributeValue={name}", "")
    for name in ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig", "ContentBasedDeduplication")
}
_TOPIC_ATTRIBUTES = " ".join(f"Attributes.{name}={name}" for name in ("FifoTopic", *_TOPIC))
_SUBSCRIPTION = {
    name: (f"sns:SetSubscriptionAttributes SubscriptionArn=@ AttributeName='{name}' AttributeValue={name}", "")
    for name in ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
}
_SUBSCRIPTION_ATTRIBUTES = " ".join(f"Attributes.{name}={name}" for name in (*_SUBSCRIPTION, "SubscriptionRoleArn"))
_RULE = "events:PutRule Name=@name Description EventPattern ScheduleExpression State RoleArn EventBusName"
_FILTER = "logs:PutSubscriptionFilter logGroupName filterName=@name filterPattern destinationArn roleArn distribution"

KINDS = {
    "AWS::SQS::Queue": Kind(
        name="QueueName",
        create=f"sqs:CreateQueue QueueName=@name {_QUEUE_ATTRIBUTES} tags=Tags",
        ref="QueueUrl",
        attributes={
            "Arn": "=arn:{partition}:sqs:{region}:{account}:{name}",
            "QueueName": "={name}",
            "QueueUrl": "QueueUrl",
        },
        changes=_QUEUE,
        tags=("sqs:TagQueue QueueUrl=@ Tags", "sqs:UntagQueue QueueUrl=@ TagKeys=."),
        fixed=frozenset({"FifoQueue"}),
        delete="sqs:DeleteQueue QueueUrl=@",
        longest=80,
    ),
    "AWS::SQS::QueuePolicy": Kind(
        parts=(
            Part(
                "Queues",
                "sqs:SetQueueAttributes QueueUrl=. Attributes.Policy=PolicyDocument",
                "sqs:SetQueueAttributes QueueUrl=. Attributes.Policy=''",
                bound=True,
                also=("PolicyDocument",),
            ),
        ),
    ),
    "AWS::SNS::Topic": Kind(
        name="TopicName",
        create=f"sns:CreateTopic Name=@name {_TOPIC_ATTRIBUTES} Tags",
        ref="TopicArn",
        attributes={"TopicArn": "TopicArn", "TopicName": "={name}"},
        parts=(Part("Subscription", "sns:Subscribe TopicArn=@ Protocol=.Protocol Endpoint=.Endpoint"),),
        changes=_TOPIC,
        tags=("sns:TagResource ResourceArn=@ Tags", "sns:UntagResource ResourceArn=@ TagKeys=."),
        fixed=frozenset({"FifoTopic"}),
        delete="sns:DeleteTopic TopicArn=@",
    ),
    "AWS::SNS::Subscription": Kind(
        create=f"sns:Subscribe TopicArn Protocol Endpoint ReturnSubscriptionArn='true' {_SUBSCRIPTION_ATTRIBUTES}",
        ref="SubscriptionArn",
        attributes={"Arn": "SubscriptionArn"},
        changes=_SUBSCRIPTION,
        fixed=frozenset({"Endpoint", "Protocol", "SubscriptionRoleArn", "TopicArn"}),
        delete="sns:Unsubscribe SubscriptionArn=@",
    ),
    "AWS::SNS::TopicPolicy": Kind(
        parts=(
            Part(
                "Topics",
                "sns:SetTopicAttributes TopicArn=. AttributeName='Policy' AttributeValue=PolicyDocument",
                also=("PolicyDocument",),
            ),
        ),
    ),
    "AWS::Events::EventBus": Kind(
        name="Name",
        create="events:CreateEventBus Name=@name Description EventSourceName Tags",
        attributes={"Arn": "EventBusArn", "Name": "={name}"},
        tags=("events:TagResource ResourceARN=%Arn Tags", "events:UntagResource ResourceARN=%Arn TagKeys=."),
        fixed=frozenset({"Description", "EventSourceName"}),
        delete="events:DeleteEventBus Name=@",
    ),
    "AWS::Events::Rule": Kind(
        name="Name",
        create=f"{_RULE} Tags",
        attributes={"Arn": "RuleArn"},
        parts=(
            Part(
                "Targets",
                "events:PutTargets Rule=@ EventBusName Targets[]=.",
                "events:RemoveTargets Rule=@ EventBusName Ids[]=.Id",
                key="Id",
                bound=True,
            ),
        ),
        changes=dict.fromkeys(
            ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State"), (_RULE, _RULE)
        ),
        tags=("events:TagResource ResourceARN=%Arn Tags", "events:UntagResource ResourceARN=%Arn TagKeys=."),
        fixed=frozenset({"EventBusName"}),
        delete="events:DeleteRule Name=@ EventBusName",
        longest=64,
    ),
    "AWS::Kinesis::Stream": Kind(
        name="Name",
        create="kinesis:CreateStream StreamName=@name ShardCount StreamModeDetails Tags",
        attributes={"Arn": "=arn:{partition}:kinesis:{region}:{account}:stream/{name}"},
        read=("kinesis:DescribeStreamSummary StreamName=@",),
        fixed=frozenset({"ShardCount", "StreamModeDetails"}),
        tags=(
            "kinesis:AddTagsToStream StreamName=@ Tags",
            "kinesis:RemoveTagsFromStream StreamName=@ TagKeys=.",
        ),
        delete="kinesis:DeleteStream StreamName=@",
    ),
    "AWS::Logs::LogGroup": Kind(
        name="LogGroupName",
        create="logs:CreateLogGroup logGroupName=@name kmsKeyId tags=Tags logGroupClass",
        attributes={"Arn": "=arn:{partition}:logs:{region}:{account}:log-group:{name}:*"},
        read=("logs:DescribeLogGroups logGroupNamePrefix=@",),
        parts=(
            Part(
                "RetentionInDays",
                "logs:PutRetentionPolicy logGroupName=@ retentionInDays=.",
                "logs:DeleteRetentionPolicy logGroupName=@",
                whole=True,
            ),
        ),
        tags=("logs:TagLogGroup logGroupName=@ tags=Tags", "logs:UntagLogGroup logGroupName=@ tags=."),
        fixed=frozenset({"KmsKeyId", "LogGroupClass"}),
        delete="logs:DeleteLogGroup logGroupName=@",
        longest=512,
    ),
    "AWS::Logs::ResourcePolicy": Kind(
        name="PolicyName",
        create="logs:PutResourcePolicy policyName=@name policyDocument",
        changes={"PolicyDocument": ("logs:PutResourcePolicy policyName=@name policyDocument", "")},
        delete="logs:DeleteResourcePolicy policyName=@",
    ),
    "AWS::Logs::SubscriptionFilter": Kind(
        name="FilterName",
        create=_FILTER,
        changes=dict.fromkeys(("DestinationArn", "Distribution", "FilterPattern", "RoleArn"), (_FILTER, _FILTER)),
        fixed=frozenset({"LogGroupName"}),
        delete="logs:DeleteSubscriptionFilter logGroupName filterName=@",
    ),
}
