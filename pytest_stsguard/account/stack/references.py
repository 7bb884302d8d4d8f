"""What ``Ref`` and ``Fn::GetAtt`` give for the resources of a template, as far as it follows from their properties.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "Kind"]

NAME: Final = "{name}"


class Kind(NamedTuple):
    """A type of resource: the property that names it, what ``Ref`` gives, and its attributes."""

    name: str
    ref: str
    attributes: Mapping[str, str]


def _regional(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _iam(noun: str) -> str:
    return f"arn:{{partition}}:iam::{{account}}:{noun}{{path}}{{name}}"


_TOPIC: Final = _regional("sns", "{name}")
_MACHINE: Final = _regional("states", "stateMachine:{name}")
_SECRET: Final = _regional("secretsmanager", "secret:{name}")

KINDS: Final[Mapping[str, Kind]] = {
    "AWS::IAM::Role": Kind("RoleName", NAME, {"Arn": _iam("role")}),
    "AWS::IAM::User": Kind("UserName", NAME, {"Arn": _iam("user")}),
    "AWS::IAM::Group": Kind("GroupName", NAME, {"Arn": _iam("group")}),
    "AWS::IAM::InstanceProfile": Kind("InstanceProfileName", NAME, {"Arn": _iam("instance-profile")}),
    "AWS::IAM::ManagedPolicy": Kind("ManagedPolicyName", _iam("policy"), {"PolicyArn": _iam("policy")}),
    "AWS::IAM::SAMLProvider": Kind(
        "Name",
        "arn:{partition}:iam::{account}:saml-provider/{name}",
        {"Arn": "arn:{partition}:iam::{account}:saml-provider/{name}"},
    ),
    "AWS::IAM::OIDCProvider": Kind(
        "Url",
        "arn:{partition}:iam::{account}:oidc-provider/{name}",
        {"Arn": "arn:{partition}:iam::{account}:oidc-provider/{name}"},
    ),
    "AWS::S3::Bucket": Kind("BucketName", NAME, {"Arn": "arn:{partition}:s3:::{name}"}),
    "AWS::SQS::Queue": Kind(
        "QueueName",
        "https://sqs.{region}.amazonaws.com/{account}/{name}",
        {"Arn": _regional("sqs", "{name}"), "QueueName": NAME},
    ),
    "AWS::SNS::Topic": Kind("TopicName", _TOPIC, {"TopicArn": _TOPIC, "TopicName": NAME}),
    "AWS::DynamoDB::Table": Kind("TableName", NAME, {"Arn": _regional("dynamodb", "table/{name}")}),
    "AWS::Lambda::Function": Kind("FunctionName", NAME, {"Arn": _regional("lambda", "function:{name}")}),
    "AWS::Serverless::Function": Kind("FunctionName", NAME, {"Arn": _regional("lambda", "function:{name}")}),
    "AWS::KMS::Key": Kind("", NAME, {"Arn": _regional("kms", "key/{name}"), "KeyId": NAME}),
    "AWS::SecretsManager::Secret": Kind("Name", _SECRET, {"Id": _SECRET}),
    "AWS::Logs::LogGroup": Kind("LogGroupName", NAME, {"Arn": _regional("logs", "log-group:{name}:*")}),
    "AWS::StepFunctions::StateMachine": Kind("StateMachineName", _MACHINE, {"Arn": _MACHINE, "Name": NAME}),
    "AWS::ECR::Repository": Kind("RepositoryName", NAME, {"Arn": _regional("ecr", "repository/{name}")}),
    "AWS::ECS::Cluster": Kind("ClusterName", NAME, {"Arn": _regional("ecs", "cluster/{name}")}),
    "AWS::CodeBuild::Project": Kind("Name", NAME, {"Arn": _regional("codebuild", "project/{name}")}),
    "AWS::SSM::Parameter": Kind("Name", NAME, {}),
    "AWS::EC2::LaunchTemplate": Kind("", NAME, {"LaunchTemplateId": NAME}),
    "AWS::EC2::Instance": Kind("", NAME, {"InstanceId": NAME}),
}
"""The types whose names and ARNs policies speak of; every other reference is an unknown value."""
