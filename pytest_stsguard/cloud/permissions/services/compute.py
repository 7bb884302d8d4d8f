"""Functions, containers, batches, scaling groups and load balancers.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html,
https://docs.aws.amazon.com/autoscaling/ec2/userguide/control-access-using-iam.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions import ec2
from pytest_stsguard.cloud.permissions.launching import group_templates, launches
from pytest_stsguard.cloud.permissions.onward import function_code
from pytest_stsguard.cloud.permissions.passing import pass_role
from pytest_stsguard.cloud.permissions.table import Service

if TYPE_CHECKING:
    from pytest_stsguard.cloud.permissions.permission import Context, Permission
    from pytest_stsguard.cloud.permissions.reference import Action, Use
    from pytest_stsguard.cloud.permissions.scope import Scope

__all__ = ["TABLES"]

# A function's name, its partial ARN (`account:function:name`) or its ARN, each with a version or an alias or without.
_FUNCTION = re.compile(
    r"(?:arn:(?P<partition>[^:]+):lambda:(?P<region>[^:]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?"
)


def _lambda(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a function, of one of its versions or of a layer's version.

    A call with a qualifier is checked on the qualified ARN:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    prefix = f"arn:{scope.partition}:lambda:{scope.call.region}:{scope.account}"
    if use.name == "layerVersion":
        layer = value if value.startswith("arn:") else f"{prefix}:layer:{value}"
        version = scope.text("VersionNumber")
        return f"{layer}:{version}" if version and layer.count(":") == prefix.count(":") + 2 else layer
    if not use.name.startswith("function") or (match := _FUNCTION.fullmatch(value)) is None:
        return None
    region, account = match["region"] or scope.call.region, match["account"] or scope.account
    arn = f"arn:{match['partition'] or scope.partition}:lambda:{region}:{account}:function:{match['name']}"
    qualifier = match["qualifier"] or scope.text("Qualifier")
    return f"{arn}:{qualifier}" if qualifier else arn


def _lambda_keys(scope: Scope, action: Action, _: str) -> Context:
    """Give a function's condition keys: https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html."""
    found: dict[str, str | list[str] | None] = {
        "lambda:Layer": scope.texts("Layers") or None,
        "lambda:Principal": scope.text("Principal"),
        "lambda:FunctionUrlAuthType": scope.text("FunctionUrlAuthType", "AuthType"),
        "lambda:SecurityGroupIds": scope.texts("VpcConfig.SecurityGroupIds") or None,
        "lambda:SubnetIds": scope.texts("VpcConfig.SubnetIds") or None,
        "lambda:CodeSigningConfigArn": scope.text("CodeSigningConfigArn"),
        "lambda:SourceFunctionArn": None,
    }
    if "lambda:FunctionArn" in action.all_keys and (name := scope.text("FunctionName")):
        match = _FUNCTION.fullmatch(name)
        if match is not None:
            account = match["account"] or scope.account
            region = match["region"] or scope.call.region
            found["lambda:FunctionArn"] = f"arn:{scope.partition}:lambda:{region}:{account}:function:{match['name']}"
    return {key: value for key, value in found.items() if value is not None and key in action.all_keys}


def _ecs(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARNs of what lies in a cluster, the default one when none is named, and of a task definition."""
    if value.startswith("arn:"):
        return value
    place = f"arn:{scope.partition}:ecs:{scope.call.region}:{scope.account}"
    if use.name == "task-definition":
        return f"{place}:task-definition/{value}" if ":" in value else f"{place}:task-definition/{value}:*"
    if use.name in ("service", "task", "container-instance"):
        return f"{place}:{use.name}/{_cluster(scope).rpartition('/')[2]}/{value}"
    return None


def _cluster(scope: Scope) -> str:
    cluster = scope.text("cluster") or "default"
    place = f"arn:{scope.partition}:ecs:{scope.call.region}:{scope.account}"
    return cluster if cluster.startswith("arn:") else f"{place}:cluster/{cluster}"


def _ecs_keys(scope: Scope, action: Action, _: str) -> Context:
    """Give the keys of a task: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html."""
    found = {
        "ecs:cluster": _cluster(scope),
        "ecs:enable-execute-command": scope.text("enableExecuteCommand"),
        "ecs:task-definition": scope.text("taskDefinition"),
        "ecs:service": scope.text("service"),
        "ecs:capacity-provider": scope.text("capacityProviderStrategy.capacityProvider"),
        "ecs:task-cpu": scope.text("overrides.cpu", "cpu"),
        "ecs:task-memory": scope.text("overrides.memory", "memory"),
    }
    # The keys of a service and of a task definition are ARNs; a bare name is not what a policy compares with.
    for key, kind in (("ecs:task-definition", "task-definition"), ("ecs:service", "service")):
        value = found[key]
        if value is not None and not value.startswith("arn:"):
            name = value if kind == "task-definition" else f"{_cluster(scope).rpartition('/')[2]}/{value}"
            found[key] = f"arn:{scope.partition}:ecs:{scope.call.region}:{scope.account}:{kind}/{name}"
    return {key: value for key, value in found.items() if value is not None and key in action.all_keys}


def _task_roles(scope: Scope, _: list[Permission]) -> list[Permission]:
    """Give the checks for passing the roles of the task definition that is run, where the call does not override them.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    definition = scope.text("taskDefinition")
    if definition is None or scope.call.operation not in _RUNNING:
        return []
    found = []
    for kind, override in (("task-role", "overrides.taskRoleArn"), ("execution-role", "overrides.executionRoleArn")):
        role = scope.state.existing_arn("ecs", kind, definition, scope.call.region)
        if role is not None and scope.text(override) is None:
            found += pass_role(scope, role, "ecs-tasks.amazonaws.com")
    return [each for place, each in enumerate(found) if each not in found[:place]]


_RUNNING = {"CreateService", "CreateTaskSet", "RunTask", "StartTask", "UpdateService"}


def _balancer(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a new load balancer: https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/load-balancer-authentication-access-control.html."""
    place = f"arn:{scope.partition}:elasticloadbalancing:{scope.call.region}:{scope.account}"
    if value.startswith("arn:"):
        return None
    if use.name.startswith("loadbalancer") and scope.call.operation == "CreateLoadBalancer":
        kind = {"network": "net", "gateway": "gwy"}.get(scope.text("Type") or "", "app")
        return f"{place}:loadbalancer/{kind}/{value}/*"
    return None


def _balancer_keys(scope: Scope, action: Action, _: str) -> Context:
    found: dict[str, str | list[str] | None] = {
        "elasticloadbalancing:Scheme": scope.text("Scheme"),
        "elasticloadbalancing:ListenerProtocol": scope.texts("Protocol", "Listeners.Protocol") or None,
        "elasticloadbalancing:SecurityPolicy": scope.texts("SslPolicy") or None,
        "elasticloadbalancing:Subnet": scope.texts("Subnets", "SubnetMappings.SubnetId") or None,
        "elasticloadbalancing:SecurityGroup": scope.texts("SecurityGroups") or None,
        "elasticloadbalancing:CreateAction": None,
    }
    return {key: value for key, value in found.items() if value is not None and key in action.all_keys}


def _job_definition(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a job definition that is used: of its newest revision when none is named."""
    if not use.name.startswith("job-definition") or value.startswith("arn:"):
        return None
    arn = f"arn:{scope.partition}:batch:{scope.call.region}:{scope.account}:job-definition/{value}"
    if ":" in value or scope.call.operation == "RegisterJobDefinition":
        return arn
    return scope.state.existing_arn("batch", "job-definition", value, scope.call.region) or f"{arn}:*"


_GROUP = (
    "arn:${Partition}:autoscaling:${Region}:${Account}:autoScalingGroup:*:autoScalingGroupName/${GroupFriendlyName}"
)
_LAUNCH = (
    "arn:${Partition}:autoscaling:${Region}:${Account}:launchConfiguration:*:launchConfigurationName/"
    "${LaunchConfigurationName}"
)
_TASK_OVERRIDES = {"taskRoleArn": "ecs-tasks.amazonaws.com", "executionRoleArn": "ecs-tasks.amazonaws.com"}


def _group_launches(scope: Scope, _: list[Permission]) -> list[Permission]:
    """Give the checks of the launches that a scaling group does in the caller's name."""
    return launches(scope, group_templates(scope), ec2.permissions, by="autoscaling")


TABLES = {
    "lambda": Service(
        actions={
            "Invoke": "InvokeFunction",
            "InvokeAsync": "InvokeFunction",
            "InvokeWithResponseStream": "InvokeFunction",
        },
        paths={"layerVersion": "LayerName Arn"},
        operations={
            "CreateEventSourceMapping": {"eventSourceMapping": "+"},
            "GetLayerVersionByArn": {"layerVersion": "Arn"},
            "CreateFunction": {"function": "FunctionName", "layerVersion": "-", "code-signing-config": "-"},
            "UpdateFunctionConfiguration": {"function": "FunctionName", "layerVersion": "-"},
        },
        anywhere=frozenset({"ListEventSourceMappings"}),
        arn=_lambda,
        context=_lambda_keys,
        besides=function_code,
        tagging="TagResource",
    ),
    "ecs": Service(
        variables={"ClusterName": "cluster clusterName"},
        paths={
            "task-definition": "taskDefinition taskDefinitions",
            "container-instance": "containerInstance containerInstances",
        },
        operations={
            "CreateCluster": {"cluster": "clusterName =default"},
            "DeleteAttributes": {"container-instance": "attributes.targetId"},
            "PutAttributes": {"container-instance": "attributes.targetId"},
            "CreateService": {"service": "serviceName"},
            "CreateTaskSet": {"task-set": "+"},
            "RegisterTaskDefinition": {"task-definition": "family"},
            "RegisterContainerInstance": {"cluster": "cluster =default", "container-instance": "+"},
            "RunTask": {"task-definition": "taskDefinition", "cluster": "-", "task": "-"},
            "StartTask": {"task-definition": "taskDefinition", "container-instance": "-"},
            "DescribeClusters": {"cluster": "clusters =default"},
            "ListContainerInstances": {"cluster": "cluster =default", "container-instance": "-"},
            "ListServices": {"service": "-"},
            "ListTasks": {"container-instance": "containerInstance ?"},
        },
        arn=_ecs,
        context=_ecs_keys,
        besides=_task_roles,
        passes={**_TASK_OVERRIDES, "ec2InstanceProfileArn": ""},
        role_names=frozenset({"role"}),
        tagging="TagResource",
        created={"RegisterContainerInstance": "container-instance", "RunTask": "task", "StartTask": "task"},
    ),
    "eks": Service(
        passes={"nodeRole": "ec2.amazonaws.com", "podExecutionRoleArn": "eks-fargate-pods.amazonaws.com"},
        tagging="TagResource",
    ),
    "ecr": Service(tagging="TagResource"),
    "batch": Service(
        variables={"JobDefinitionName": "jobDefinitionName jobDefinition"},
        arn=_job_definition,
        operations={
            "DeregisterJobDefinition": {"job-definition-revision": "jobDefinition"},
            "RegisterJobDefinition": {"job-definition": "jobDefinitionName"},
            "SubmitJob": {"job": "-", "job-definition": "jobDefinition", "job-definition-revision": "-"},
        },
        passes={
            "jobRoleArn": "ecs-tasks.amazonaws.com",
            **_TASK_OVERRIDES,
            "spotIamFleetRole": "spotfleet.amazonaws.com",
            "instanceRole": "",
            "ec2InstanceProfileArn": "",
        },
        profiles=frozenset({"instanceRole"}),
        role_names=frozenset({"serviceRole"}),
        tagging="TagResource",
        created={"RegisterJobDefinition": "job-definition-revision", "SubmitJob": "job"},
    ),
    "autoscaling": Service(
        variables={
            "GroupFriendlyName": "AutoScalingGroupName AutoScalingGroupNames",
            "LaunchConfigurationName": "LaunchConfigurationName LaunchConfigurationNames",
        },
        templates={"autoScalingGroup": _GROUP, "launchConfiguration": _LAUNCH},
        existing=frozenset({"autoScalingGroup", "launchConfiguration"}),
        operations={
            "CreateOrUpdateTags": {"autoScalingGroup": "Tags.ResourceId"},
            "DeleteTags": {"autoScalingGroup": "Tags.ResourceId"},
            "SetInstanceHealth": {"autoScalingGroup": "?"},
            "TerminateInstanceInAutoScalingGroup": {"autoScalingGroup": "AutoScalingGroupName ?"},
        },
        keys={
            "autoscaling:LaunchConfigurationName": "LaunchConfigurationName",
            "autoscaling:MinSize": "MinSize",
            "autoscaling:MaxSize": "MaxSize",
            "autoscaling:TargetGroupARNs": "TargetGroupARNs",
            "autoscaling:LoadBalancerNames": "LoadBalancerNames",
            "autoscaling:InstanceType": "InstanceType",
            "autoscaling:ImageId": "ImageId",
        },
        profiles=frozenset({"IamInstanceProfile"}),
        besides=_group_launches,
        tagging="CreateOrUpdateTags",
    ),
    "application-autoscaling": Service(prefix="application-autoscaling"),
    "elbv2": Service(
        prefix="elasticloadbalancing",
        templates={
            "targetgroup": "arn:${Partition}:elasticloadbalancing:${Region}:${Account}:targetgroup/${TargetGroupName}/*"
        },
        operations={
            "CreateLoadBalancer": {
                "loadbalancer": "Name",
                "loadbalancer/app/": "Name",
                "loadbalancer/net/": "-",
                "loadbalancer/gwy/": "-",
            },
            "CreateTargetGroup": {"targetgroup": "Name"},
            "SetRulePriorities": {
                "listener-rule/app": "RulePriorities.RuleArn",
                "listener-rule/net": "RulePriorities.RuleArn",
            },
        },
        arn=_balancer,
        context=_balancer_keys,
        tagging="AddTags",
    ),
    "elb": Service(
        prefix="elasticloadbalancing",
        paths={"loadbalancer": "LoadBalancerName LoadBalancerNames"},
        context=_balancer_keys,
        tagging="AddTags",
    ),
    "elasticbeanstalk": Service(prefix="elasticbeanstalk"),
    "emr": Service(
        prefix="elasticmapreduce",
        variables={"ClusterId": "ClusterId JobFlowId JobFlowIds"},
        operations={
            "RunJobFlow": {"cluster": "+"},
            "AddTags": {"cluster": "ResourceId"},
            "RemoveTags": {"cluster": "ResourceId"},
            "ModifyInstanceGroups": {"cluster": "ClusterId ?"},
        },
        passes={"InstanceRole": "", "JobFlowRole": ""},
        profiles=frozenset({"JobFlowRole"}),
        role_names=frozenset({"ServiceRole", "AutoScalingRole"}),
        tagging="AddTags",
    ),
}
