"""Services of which a few operations name their resources in ways of their own: models, streams, directories, flows.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html, by
service; https://docs.aws.amazon.com/bedrock/latest/userguide/security_iam_service-with-iam.html,
https://docs.aws.amazon.com/comprehend/latest/dg/security_iam_service-with-iam.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions.table import Service

if TYPE_CHECKING:
    from pytest_stsguard.cloud.permissions.reference import Use
    from pytest_stsguard.cloud.permissions.scope import Scope

__all__ = ["TABLES"]

# A profile's id begins with where its models may run: `us.anthropic.claude-...`.
_PROFILE = re.compile(r"(?:us|us-gov|eu|apac|global|ca|jp|au)\.")


def _model(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a model that is called by its id; of a profile the models behind it are not known here."""
    if value.startswith("arn:"):
        return None
    if use.name == "foundation-model" and _PROFILE.match(value) is None:
        return f"arn:{scope.partition}:bedrock:{scope.call.region}::foundation-model/{value}"
    return ""


def _endpoint(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a new endpoint, which is of its model's kind."""
    if scope.call.operation != "CreateEndpoint" or not use.name.endswith("-endpoint") or value.startswith("arn:"):
        return None
    kind = use.name.removesuffix("-endpoint")
    place = f"arn:{scope.partition}:comprehend:{scope.call.region}:{scope.account}"
    return f"{place}:{use.name}/{value}" if f":{kind}/" in (scope.text("ModelArn") or "") else ""


def _backup(_: Scope, use: Use, value: str) -> str | None:
    return "*" if use.name == "backup" and value == "none" else None


def _lattice(scope: Scope, use: Use, value: str) -> str | None:
    """Tell a service from a network of services by its id."""
    kind = {"Service": "svc-", "ServiceNetwork": "sn-"}.get(use.name)
    if value != scope.text("resourceIdentifier") or value.startswith("arn:") or kind is None:
        return None
    return None if value.startswith(kind) else ""


_MEMBERSHIP = {"GroupMembership": "MembershipId", "Group": "?", "User": "?"}
_BY_ARN = {"document-classifier": "ResourceArn", "entity-recognizer": "ResourceArn"}
_BY_ENDPOINT = {"document-classifier-endpoint": "EndpointArn", "entity-recognizer-endpoint": "EndpointArn"}
_ENDPOINT = {"runtime": "agentRuntimeId", "runtime-endpoint": "endpointName"}
_JOBS = {
    "DocumentClassification": {"document-classifier": "DocumentClassifierArn", "flywheel": "FlywheelArn"},
    "DominantLanguageDetection": {},
    "EntitiesDetection": {"entity-recognizer": "EntityRecognizerArn", "flywheel": "FlywheelArn"},
    "EventsDetection": {},
    "KeyPhrasesDetection": {},
    "PiiEntitiesDetection": {},
    "SentimentDetection": {},
    "TargetedSentimentDetection": {},
    "TopicsDetection": {},
}


def _job(name: str) -> str:
    """Write the name of a job's type: ``PiiEntitiesDetection`` is ``pii-entities-detection-job``."""
    return "-".join(word.lower() for word in re.findall("[A-Z][a-z]+", name)) + "-job"


TABLES = {
    "bedrock": Service(
        operations={
            "CreateModelCustomizationJob": {"custom-model": "+", "foundation-model": "baseModelIdentifier"},
            "DeleteCustomModel": {"custom-model": "modelIdentifier"},
            "GetCustomModel": {"custom-model": "modelIdentifier"},
            "GetModelCustomizationJob": {"model-customization-job": "jobIdentifier"},
            "StopModelCustomizationJob": {"model-customization-job": "jobIdentifier"},
        },
        existing=frozenset({"custom-model", "model-customization-job"}),
        passes={"roleArn": "bedrock.amazonaws.com"},
    ),
    "bedrock-agentcore-control": Service(
        variables={"RuntimeId": "agentRuntimeId"},
        operations={f"{verb}AgentRuntimeEndpoint": _ENDPOINT for verb in ("Delete", "Get", "Update")},
    ),
    "bedrock-runtime": Service(
        prefix="bedrock",
        operations={
            "InvokeModel": {
                **dict.fromkeys(
                    (
                        "application-inference-profile",
                        "custom-model-deployment",
                        "default-prompt-router",
                        "foundation-model",
                        "imported-model",
                        "inference-profile",
                        "prompt-router",
                        "provisioned-model",
                    ),
                    "modelId",
                ),
                **dict.fromkeys(("async-invoke", "bedrock-marketplace-model-endpoint", "project", "system-tool"), "-"),
            }
        },
        arn=_model,
    ),
    "clouddirectory": Service(
        operations={"DeleteSchema": {"developmentSchema": "SchemaArn", "publishedSchema": "SchemaArn"}}
    ),
    "cloudhsmv2": Service(
        variables={"CloudHsmClusterInstanceName": "ClusterId ResourceId"},
        operations={"CreateCluster": {"backup": "SourceBackupId =none"}},
        arn=_backup,
    ),
    "comprehend": Service(
        operations={
            **{f"Start{name}Job": {_job(name): "+", **more} for name, more in _JOBS.items()},
            **{f"{verb}ResourcePolicy": _BY_ARN for verb in ("Delete", "Describe", "Put")},
            "CreateEndpoint": {
                "document-classifier": "ModelArn",
                "entity-recognizer": "ModelArn",
                "document-classifier-endpoint": "EndpointName",
                "entity-recognizer-endpoint": "EndpointName",
                "flywheel": "FlywheelArn",
            },
            "CreateEntityRecognizer": {"entity-recognizer": "RecognizerName"},
            "DeleteEndpoint": _BY_ENDPOINT,
            "DescribeEndpoint": _BY_ENDPOINT,
            "UpdateEndpoint": {**_BY_ENDPOINT, "flywheel": "FlywheelArn"},
        },
        arn=_endpoint,
    ),
    "datasync": Service(
        operations={"CreateTask": {"location": "SourceLocationArn DestinationLocationArn", "agent": "-"}}
    ),
    "dax": Service(
        operations={"TagResource": {"application": "ResourceName"}, "UntagResource": {"application": "ResourceName"}}
    ),
    "ebs": Service(
        operations={
            "ListChangedBlocks": {"snapshot": "FirstSnapshotId SecondSnapshotId"},
            "StartSnapshot": {"snapshot": "ParentSnapshotId +"},
        }
    ),
    "fis": Service(operations={"StartExperiment": {"experiment": "+", "experiment-template": "experimentTemplateId"}}),
    "identitystore": Service(
        operations={
            "CreateGroupMembership": {"Group": "GroupId", "User": "MemberId.UserId"},
            "DeleteGroupMembership": _MEMBERSHIP,
            "DescribeGroupMembership": _MEMBERSHIP,
            "GetGroupId": {"Group": "?"},
            "GetGroupMembershipId": {"Group": "GroupId", "User": "MemberId.UserId", "GroupMembership": "?"},
            "GetUserId": {"User": "?"},
            "IsMemberInGroups": {"Group": "GroupIds", "User": "MemberId.UserId"},
            "ListGroupMembershipsForMember": {"User": "MemberId.UserId"},
        }
    ),
    "inspector2": Service(operations={"CreateFilter": {"Filter": "+"}}),
    "ivs": Service(
        operations={
            "CreateChannel": {"Channel": "+", "Stream-Key": "+"},
            "DeleteChannel": {"Channel": "arn", "Stream-Key": "?"},
        }
    ),
    "lexv2-models": Service(operations={"CreateBot": {"bot": "+", "bot alias": "+"}}),
    "mediaconnect": Service(
        operations={
            "AddFlowOutputs": {"Flow": "FlowArn", "Output": "+"},
            "AddFlowSources": {"Flow": "FlowArn", "Source": "+"},
            "AddFlowVpcInterfaces": {"Flow": "FlowArn", "VpcInterface": "+"},
            "CreateFlow": {"Flow": "+"},
            "GrantFlowEntitlements": {"Flow": "FlowArn", "Entitlement": "+"},
        }
    ),
    "medialive": Service(operations={"CreateChannel": {"channel": "+", "input": "InputAttachments.InputId"}}),
    "network-firewall": Service(operations={"ListFirewalls": {"Firewall": "?"}}),
    "osis": Service(
        operations={name: {"pipeline": "Arn"} for name in ("ListTagsForResource", "TagResource", "UntagResource")}
    ),
    "sagemaker-metrics": Service(
        prefix="sagemaker",
        operations={
            "BatchPutMetrics": {"experiment-trial-component": "TrialComponentName", "training-job": "-"},
        },
    ),
    "vpc-lattice": Service(
        operations={
            f"{verb}AuthPolicy": {"Service": "resourceIdentifier", "ServiceNetwork": "resourceIdentifier"}
            for verb in ("Delete", "Get", "Put")
        },
        arn=_lattice,
    ),
}
